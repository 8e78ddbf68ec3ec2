"""Autoencoders of windows: a few of one architecture with codes of different size, each trained by its recipe.

windows (N, C, L) -> K autoencoders -> what each gives back (K, N, C, L)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from narrows.bottleneck import Plain
from narrows.errors import InputError, UsageError, unknown
from narrows.nn import LSTM, Conv, Dense, Network
from narrows.recipe import Data, Recipe, Training
from narrows.train import Finished, Place, fit
from narrows.train.events import Result
from narrows.train.packing import read_result, settled, write_result
from narrows.types import Layout, Split, Splits

Shape = tuple[int, int]
"""Channels and samples of a window, C and L."""

JUDGED = 64
"""Windows on which a training looks at itself; nothing is decided by them but whether it diverged."""


def dense(shape: Shape) -> Network:
    """Two layers either way."""
    outer = 2 ** int(np.ceil(np.log2(np.clip(shape[0] * shape[1] / 2, 32, 256))))
    return Dense(widths=(outer, outer // 2))


def conv(shape: Shape) -> Network:
    """Two halvings, or one of a very short window."""
    return Conv(channels=(16, 32) if shape[1] >= 8 else (16,))


def lstm(shape: Shape) -> Network:
    """At most about 35 steps, of a few samples each: more of them take long and learn little more."""
    return LSTM(hidden=32, chunk=max(1, shape[1] // 35))


@dataclass(frozen=True)
class Architecture:
    """A kind of network for windows: from their shape to its settings, and how many autoencoders are trained, K."""

    network: Callable[[Shape], Network]
    count: int


ARCHITECTURES = {
    "dense": Architecture(dense, 4),
    "conv": Architecture(conv, 2),
    "lstm": Architecture(lstm, 1),
}


@dataclass(frozen=True)
class Plan:
    """How autoencoders of windows are trained.

    Args:
        architecture: Name in `ARCHITECTURES`.
        steps: Steps of each.
        batch: Windows a step.
        rate: Largest learning rate.
        windows: Windows to learn from, at most.
        trim: Share of the windows that is not trusted when residuals are measured.
        codes: Sizes of the smallest and the largest code, as shares of the values of a window.
    """

    architecture: str = "dense"
    steps: int = 800
    batch: int = 64
    rate: float = 3e-3
    windows: int = 20_000
    trim: float = 0.05
    codes: tuple[float, float] = (1 / 48, 1 / 12)

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise unknown("architecture", self.architecture, ARCHITECTURES)
        for name, good, expected in (
            ("steps", self.steps >= 1, "1 at least"),
            ("batch", self.batch >= 1, "1 at least"),
            ("windows", self.windows >= 2, "2 at least"),
            ("rate", 0 < self.rate <= 10, "above 0, at most 10"),
            ("trim", 0 <= self.trim <= 0.5, "from 0 to 0.5"),
            ("codes", 0 < self.codes[0] <= self.codes[1] <= 0.5, "two shares above 0, at most 0.5"),
        ):
            if not good:
                raise UsageError(f"{name} of {self!r}", expected=expected, code="usage.plan")


def code_sizes(values: int, count: int, shares: tuple[float, float]) -> list[int]:
    """Sizes of so many codes for windows of so many values: 2 and 3 at least, and at most half of the values.

    Example:
        >>> code_sizes(140, 4, (1 / 48, 1 / 12)), code_sizes(5, 2, (1 / 48, 1 / 12))
        ([3, 5, 7, 12], [2, 2])
    """
    low, high = (max(2 + place, share * values) for place, share in enumerate(shares))
    return [max(1, min(values // 2, round(size))) for size in np.geomspace(low, high, count)]


@dataclass(frozen=True, eq=False)
class Autoencoders:
    """K trained autoencoders of windows of variance 1."""

    results: tuple[Result, ...]

    def __len__(self) -> int:
        return len(self.results)

    def __call__(self, x: Tensor) -> Tensor:
        """What each gives back (K, B, C, L) of windows x (B, C, L)."""
        with torch.no_grad():
            return torch.stack([result.model(x).output for result in self.results])

    def to_files(self, folder: Path) -> None:
        """Write each as a run of its own."""
        for number, result in enumerate(self.results):
            own = place_of(folder, number)
            own.mkdir(parents=True, exist_ok=True)
            write_result(own, result, {})

    @classmethod
    def from_files(cls, folder: Path, count: int) -> Autoencoders:
        """The first `count` of a folder.

        Raises:
            ModelError: One is missing.
            DamagedError: A file that is cut short or altered.
        """
        return cls(tuple(read_result(place_of(folder, number)) for number in range(count)))


def place_of(folder: Path, number: int) -> Path:
    """Where an autoencoder lies in a folder."""
    return folder / f"autoencoder-{number + 1}"


def train(windows: np.ndarray, plan: Plan, seed: int) -> Autoencoders:
    """Train the autoencoders of a plan.

    Args:
        windows: Windows (N, C, L) of variance 1, float32, N at least 2.
        plan: How.
        seed: Decides weights and order.

    Raises:
        InputError: Training diverged.
    """
    shape, kind = windows.shape[1:], ARCHITECTURES[plan.architecture]
    epochs = max(1, round(plan.steps / -(-len(windows) // plan.batch)))
    made = []
    for number, size in enumerate(code_sizes(shape[0] * shape[1], kind.count, plan.codes)):
        recipe = Recipe(
            data=Data(scaling="none"), network=kind.network(shape), bottleneck=Plain(size=size),
            training=Training(epochs=epochs, batch=plan.batch, rate=plan.rate, threads=1, device="cpu"),
            seed=(seed + 7919 * number) % 2**31,
        )  # fmt: skip
        made.append(trained(recipe, Layout("windows", "series", shape), windows))
    return Autoencoders(tuple(made))


def trained(recipe: Recipe, layout: Layout, windows: np.ndarray) -> Result:
    """One autoencoder, as it will be when it was saved and read again: it computes the same bits."""
    few = Split(windows[:: max(1, len(windows) // JUDGED)])
    data = Splits(layout, Split(windows), few, few)
    *_, last = fit(recipe, data, place=Place("cpu", "float32", 1))
    assert isinstance(last, Finished)
    if last.result.stopped == "diverged":
        raise InputError("training diverged on these windows", step="Scale the channels", code="input.diverged")
    return settled(last.result)
