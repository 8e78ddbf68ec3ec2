"""A training on its way: the parts it is made of, and how far it has come."""

import time
from dataclasses import dataclass, field
from math import ceil, inf
from pathlib import Path

import torch
from torch import Tensor

from narrows.data.scaling import Scaling
from narrows.model import Model
from narrows.recipe import Recipe
from narrows.train.device import Place
from narrows.train.engine import Engine
from narrows.train.events import Epoch
from narrows.train.feed import Feed
from narrows.types import Layout


@dataclass
class Progress:
    """How far a run has come: all that a resumed run must know beside weights and optimiser.

    Args:
        epoch: Epochs completed.
        step: Steps completed in the epoch under way.
        seconds: Seconds of training so far.
        sums: Sum of each term over the objects of the epoch under way.
        history: One `Epoch` a completed epoch.
        best_loss: Lowest validation loss so far.
        best_epoch: The epoch it belongs to, from 1; 0 before the first.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    history: list[Epoch] = field(default_factory=list)
    best_loss: float = inf
    best_epoch: int = 0


@dataclass
class Run:
    """A training on its way.

    `stopped` says why it ended; `lines` is the number of epochs that metrics.jsonl holds; `since` is when the seconds
    of the progress were counted last.
    """

    recipe: Recipe
    layout: Layout
    scaling: Scaling
    model: Model
    engine: Engine
    place: Place
    train: Feed
    valid: Feed
    folder: Path | None
    progress: Progress
    best: dict[str, Tensor]
    stopped: str = ""
    lines: int = 0
    since: float = field(default_factory=time.monotonic)

    def tally(self) -> None:
        """Add the seconds since the last time to those of the progress."""
        now = time.monotonic()
        self.progress.seconds, self.since = self.progress.seconds + now - self.since, now

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return ceil(len(self.train) / self.recipe.training.batch)

    @property
    def done(self) -> int:
        """Steps made so far, over all epochs."""
        return self.progress.epoch * self.steps + self.progress.step


def snapshot(model: torch.nn.Module) -> dict[str, Tensor]:
    """A copy of the weights, each in plain memory order."""
    plain = torch.contiguous_format
    return {name: tensor.detach().clone(memory_format=plain) for name, tensor in model.state_dict().items()}
