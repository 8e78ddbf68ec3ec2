"""Windows over a series: where they lie, and which instants each of them speaks for.

instants (T, C) -> windows (N, C, L) -> said of each instant of each window -> mean over the windows of an instant
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from narrows.errors import UsageError


@dataclass(frozen=True)
class Grid:
    """How windows lie over a series.

    Args:
        length: Samples of a window, L.
        hop: Samples from the start of one to the start of the next.
        delay: Samples after an instant that are waited for: windows that end later say nothing of it. Instants before
            the end of the first window wait for that one.
    """

    length: int
    hop: int
    delay: int

    def __post_init__(self) -> None:
        if self.length < 2 or not 1 <= self.hop <= self.delay + 1 <= self.length:
            raise UsageError(
                f"windows of {self.length}, {self.hop} apart, with a delay of {self.delay}",
                expected="at least 2 samples, and apart <= delay + 1 <= window",
                code="usage.window",
            )

    @property
    def first(self) -> int:
        """The first place of a window that it speaks for; the very first window speaks for all of its own."""
        return self.length - 1 - self.delay

    def starts(self, begin: int, samples: int) -> np.ndarray:
        """First samples of the windows that lie whole before `samples`, where the first starts at `begin`.

        Example:
            >>> Grid(4, 2, 3).starts(0, 9).tolist()
            [0, 2, 4]
        """
        return np.arange(begin, samples - self.length + 1, self.hop)


def usual_grid(length: int) -> Grid:
    """Windows an eighth of their length apart, all of which are waited for.

    Example:
        >>> usual_grid(64)
        Grid(length=64, hop=8, delay=63)
    """
    return Grid(length, max(1, length // 8), length - 1)


def cut(values: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """The windows (N, C, L) of values (T, C) that begin at `starts` (N,), as an array of their own.

    Example:
        >>> cut(np.arange(5)[:, None], np.array([0, 2]), 3).tolist()
        [[[0, 1, 2]], [[2, 3, 4]]]
    """
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(values, length, axis=0)[starts])


def held(values: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (T, C) with each gap holding the value before it, and where values were seen (T, C).

    Args:
        values: NaN where missing.
        last: What each channel holds before its first value (C,).

    Example:
        >>> filled, seen = held(np.array([[np.nan], [2.0], [np.nan]]), np.array([0.0]))
        >>> filled.ravel().tolist(), seen.ravel().tolist()
        ([0.0, 2.0, 2.0], [False, True, False])
    """
    seen = ~np.isnan(values)
    before = np.concatenate([last[None], np.where(seen, values, 0)])
    place = np.where(np.concatenate([np.ones((1, values.shape[1]), bool), seen]), np.arange(len(before))[:, None], 0)
    return np.take_along_axis(before, np.maximum.accumulate(place), 0)[1:], seen
