"""Scaling: raw values to the units a network works in, learned on the training objects and kept in the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np

from narrows.errors import InputError, UsageError, unknown
from narrows.storage import Objects, Rows, block_length, blocks, sparing
from narrows.types import Layout


@dataclass(frozen=True, eq=False)
class Scaling:
    """x = (raw - offset) / scale.

    Args:
        kind: "unit", "minmax", "standard" or "none".
        offset: Subtracted from raw values, float32, broadcastable to the shape of an object.
        scale: Then divided by, never 0.
        low: Smallest value possible after scaling, None where unbounded.
        high: Largest value possible after scaling, None where unbounded.
    """

    kind: str
    offset: np.ndarray
    scale: np.ndarray
    low: float | None = None
    high: float | None = None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Smallest and largest value possible, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def apply(self, raw: Objects) -> np.ndarray:
        """Raw objects (N, *shape) in the network's units, float32."""
        return ((np.asarray(raw, np.float32) - self.offset) / self.scale).astype(np.float32, copy=False)

    def rows(self, raw: Objects) -> Objects:
        """Raw objects as rows (N, D) in the network's units; too many for the memory are scaled as they are read."""

        def flat(raw: np.ndarray) -> np.ndarray:
            return self.apply(raw).reshape(len(raw), -1)

        raw = sparing(raw, 8)
        return raw.then(flat) if isinstance(raw, Rows) else flat(raw)

    def undo(self, x: np.ndarray) -> np.ndarray:
        """Objects of the network (N, *shape) in raw units, float32."""
        return (x * self.scale + self.offset).astype(np.float32, copy=False)


def fit_scaling(x: Objects, layout: Layout, kind: str = "auto") -> Scaling:
    """The scaling of a kind, learned on raw training objects x (N, *shape).

    "unit" takes the possible range of the values to [0, 1]; "minmax" the range seen in each column, unbounded
    because other objects may leave it; "standard" takes each column (tables, spectra) or channel (series,
    pictures) to mean 0 and variance 1; "auto" is "unit" where the values are bounded, else "standard".

    Raises:
        InputError: A value that is not finite.
        UsageError: "unit" with values that are not bounded.

    Example:
        >>> layout = Layout("cells", "table", (2,))
        >>> fit_scaling(np.array([[0.0, 5.0], [2.0, 5.0]]), layout).apply(np.array([[1.0, 6.0]])).tolist()
        [[0.0, 1.0]]
    """
    check_finite(x, layout)
    bounded = layout.low is not None and layout.high is not None
    if kind == "auto":
        kind = "unit" if bounded else "standard"
    if kind not in SCALINGS:
        raise unknown("scaling", kind, ["auto", *SCALINGS])
    return SCALINGS[kind](x, layout)


def unit(x: Objects, layout: Layout) -> Scaling:
    """The possible range to [0, 1]."""
    if layout.low is None or layout.high is None:
        raise UsageError("scaling=unit with values that are not bounded", step="Use scaling=minmax or standard")
    return Scaling("unit", plain(layout.low), plain(layout.high - layout.low), 0.0, 1.0)


def minmax(x: Objects, layout: Layout) -> Scaling:
    """The range seen to [0, 1]."""
    axes = shared_axes(layout)
    low = reduce(np.minimum, (block.min(axes, keepdims=True)[0] for block in blocks(x)))
    high = reduce(np.maximum, (block.max(axes, keepdims=True)[0] for block in blocks(x)))
    return Scaling("minmax", low.astype(np.float32), nonzero(high.astype(np.float32) - low))


def standard(x: Objects, layout: Layout) -> Scaling:
    """Mean 0 and variance 1."""
    axes, x = shared_axes(layout), sparing(x, 8)
    mean = mean_of(x, axes, lambda block: block)
    variance = mean_of(x, axes, lambda block: np.square(block - mean))
    return Scaling("standard", mean.astype(np.float32), nonzero(np.sqrt(variance)))


def mean_of(x: Objects, axes: tuple[int, ...], value: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The mean of a value of each number over some axes of (N, *shape), in float64."""
    total = sum(value(block).sum(axes, keepdims=True, dtype=np.float64)[0] for block in blocks(x))
    return total / prod(x.shape[axis] for axis in axes)


def none(x: Objects, layout: Layout) -> Scaling:
    """As they are."""
    return Scaling("none", plain(0), plain(1), layout.low, layout.high)


SCALINGS = {"unit": unit, "minmax": minmax, "standard": standard, "none": none}


def scaling_shape(kind: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the offset and the scale of a kind, for objects of `shape`.

    Example:
        >>> scaling_shape("unit", (3, 8, 8)), scaling_shape("standard", (3, 8, 8)), scaling_shape("minmax", (5,))
        ((), (3, 1, 1), (5,))
    """
    if kind in {"unit", "none"}:
        return ()
    return shape if len(shape) == 1 else (shape[0], *(1 for _ in shape[1:]))


def plain(value: float) -> np.ndarray:
    """One number for all values, as an array without axes."""
    return np.array(value, np.float32)


def shared_axes(layout: Layout) -> tuple[int, ...]:
    """The axes of (N, *shape) that share one scale: only the objects for columns, all but the channels otherwise."""
    return (0,) if len(layout.shape) == 1 else (0, *range(2, len(layout.shape) + 1))


def nonzero(spread: np.ndarray) -> np.ndarray:
    """A spread to divide by: 1 where values do not vary."""
    return np.where(spread > 1e-12, spread, 1).astype(np.float32)


def check_finite(x: Objects, layout: Layout) -> None:
    """Refuse NaN and infinity, naming the first place and how many there are."""
    if x.dtype.kind != "f":
        return
    step = block_length(x)
    for start in range(0, len(x), step):
        bad = ~np.isfinite(x[start : start + step])
        if bad.any():
            row, *place = (int(i) for i in np.argwhere(bad)[0])
            named = layout.columns[place[-1]] if layout.columns and len(layout.columns) == layout.shape[-1] else place
            raise InputError(
                f"{layout.name}: object {start + row} has no finite value ({named}); {int(bad.sum())} in all",
                expected="numbers everywhere, of at most 3.4e38",
                step="Fill, remove or scale down those values first",
                code="input.nan",
            )
