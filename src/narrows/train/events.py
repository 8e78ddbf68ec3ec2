"""What `fit` says while it works: one event after the other, the last one `Finished`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.scaling import Scaling
from narrows.model import Model
from narrows.recipe import Recipe
from narrows.train.device import Place
from narrows.types import Layout


@dataclass(frozen=True)
class Started:
    """Training is about to begin.

    Args:
        parameters: Numbers that training changes.
        place: Device, arithmetic and threads, decided once.
        epochs: Epochs in all.
        steps: Steps an epoch.
        resumed_at: Step at which an earlier run goes on; 0 for a new one.
        bit_exact: Whether the outcome is the one an unbroken run would have had, to the last bit.
        reason: Why not, where it is not.
        model: The model itself, its weights those of the last step: to be read between two events, never changed.
        scaling: How raw values become the network's.
    """

    parameters: int
    place: Place
    epochs: int
    steps: int
    resumed_at: int = 0
    bit_exact: bool = True
    reason: str = ""
    model: Model | None = field(default=None, repr=False, compare=False)
    scaling: Scaling | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Step:
    """One step was made: its number from 1 within the epoch, and its loss."""

    epoch: int
    step: int
    steps: int
    loss: float


@dataclass(frozen=True)
class Judging:
    """The epoch is over, and some of the validation objects are judged: said between batches where there are many."""

    done: int
    objects: int


@dataclass(frozen=True)
class Epoch:
    """Every training object was seen once more.

    Args:
        epoch: Number of the epoch, from 1.
        epochs: Epochs in all.
        train: Mean of each term over the epoch, and "loss".
        valid: The same over the validation objects, without noise in the code.
        rate: Learning rate at its end.
        seconds: Seconds of training so far, those before a resume included.
        best: Whether the validation loss is the lowest so far.
    """

    epoch: int
    epochs: int
    train: dict[str, float]
    valid: dict[str, float]
    rate: float
    seconds: float
    best: bool

    def as_dict(self) -> dict[str, Any]:
        """The event as one JSON-ready object."""
        return {"event": "epoch", **vars(self)}


@dataclass(frozen=True)
class Notice:
    """Something a person should know: a code and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True, eq=False)
class Result:
    """A trained model and how it came about.

    Args:
        model: The trained module, in evaluation mode, with the weights of the best epoch.
        recipe: What was trained.
        layout: What one object is.
        scaling: How raw values become the network's.
        history: One `Epoch` an epoch.
        seconds: Seconds of training.
        stopped: "done", "patience" or "diverged".
        place: Where it was computed and how.
        folder: The run folder, or None.
        examples: Some raw validation objects (E, *shape), for the picture a notebook shows; None where not kept.
    """

    model: Model
    recipe: Recipe
    layout: Layout
    scaling: Scaling
    history: tuple[Epoch, ...]
    seconds: float
    stopped: str
    place: Place
    folder: Path | None = None
    examples: np.ndarray | None = None

    def _repr_html_(self) -> str:
        from narrows.train.show import result_card

        return result_card(self)


@dataclass(frozen=True)
class Finished:
    """Training has ended; the model is in `result`."""

    result: Result


Event = Started | Step | Judging | Epoch | Notice | Finished
