"""A series that comes in pieces: scores as soon as they are final, with a bounded memory.

push(values) -> windows that are whole now -> what they say -> instants that no later window speaks for -> scores
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from narrows.detect.series.windows import cut, held
from narrows.errors import InputError

if TYPE_CHECKING:
    from narrows.detect.series.detector import Instants, SeriesDetector

PIECE = 1 << 15
"""Values that are gone through at once, of all channels."""


class Stream:
    """Scores of a series that comes in pieces; the same as of the whole at once.

    An instant is final `delay` samples after it, or when the first window is whole. What is kept is of at most two
    windows.

    Args:
        detector: What scores.
    """

    def __init__(self, detector: SeriesDetector):
        self.detector, self.grid, channels = detector, detector.grid, detector.channels
        self.raw = np.empty((0, channels))
        self.filled = np.empty((0, channels))
        self.last = detector.units.centre.numpy().astype(np.float64)
        self.odd, self.expected = np.zeros((0, 2, channels)), np.zeros((0, channels))
        self.counts = np.zeros(0)
        self.begin = 0
        """Number of the oldest instant that is kept."""
        self.told = 0
        """Instants whose scores were given."""
        self.next = 0
        """First instant of the next window."""

    @property
    def delay(self) -> int:
        """Samples after an instant until its score is final."""
        return self.grid.delay

    def push(self, values: ArrayLike) -> Instants:
        """The instants that are final once these values (n, C) came; (n,) or a number of a single channel.

        Raises:
            InputError: Another number of channels, or an infinity.
        """
        from narrows.detect.series.detector import check_values, joined_instants

        given = np.asarray(values, np.float64)
        given = given.reshape(-1, 1) if given.ndim < 2 and self.detector.channels == 1 else np.atleast_2d(given)
        check_values(given, self.detector.channels)
        step = max(1, PIECE // self.detector.channels)
        pieces = [self.advance(given[i : i + step]) for i in range(0, max(len(given), 1), step)]
        return joined_instants(pieces)

    def advance(self, values: np.ndarray) -> Instants:
        """The instants that are final once a few values came."""
        if len(values):
            filled, _ = held(values, self.last)
            self.last = filled[-1]
            self.keep(values, filled)
        end = self.begin + len(self.raw)
        starts = self.grid.starts(self.next, end)
        if len(starts):
            self.listen(starts, from_first=self.next == 0)
            self.next = int(starts[-1]) + self.grid.hop
        return self.tell(self.next + self.grid.first if self.next else 0)

    def finish(self) -> Instants:
        """The instants that were not final yet, by a last window that ends with the series.

        Raises:
            InputError: Fewer values than a window came.
        """
        end = self.begin + len(self.raw)
        if end < self.grid.length:
            raise InputError(
                f"a series of {end:,} samples", expected=f"at least {self.grid.length:,}, a window", code="input.few"
            )
        # Where windows end with the series already, all was said.
        if self.next - self.grid.hop + self.grid.length < end:
            self.listen(np.array([end - self.grid.length]), from_first=False)
        return self.tell(end)

    def keep(self, values: np.ndarray, filled: np.ndarray) -> None:
        """Put values behind those that are kept."""
        self.raw, self.filled = np.concatenate([self.raw, values]), np.concatenate([self.filled, filled])
        grown = [(0, len(values))]
        self.odd = np.pad(self.odd, [*grown, (0, 0), (0, 0)])
        self.expected, self.counts = np.pad(self.expected, [*grown, (0, 0)]), np.pad(self.counts, grown)

    def listen(self, starts: np.ndarray, *, from_first: bool) -> None:
        """Add what the windows that begin at `starts` say of the instants they speak for and that are not told."""
        places, length = starts - self.begin, self.grid.length
        x = self.detector.units_of(self.filled)
        said = self.detector.windows(cut(x, places, length), cut(~np.isnan(self.raw), places, length))
        for place in range(length):
            at, who = places + place, slice(None)
            if place < self.grid.first:
                if not from_first:
                    continue
                at, who = at[:1], slice(0, 1)
            late = at + self.begin >= self.told
            self.odd[at[late]] += said.odd[who, :, :, place][late]
            self.expected[at[late]] += said.expected[who, :, place][late]
            self.counts[at[late]] += 1

    def tell(self, end: int) -> Instants:
        """The instants before `end` that were not told, and forget what is no longer needed."""
        from narrows.detect.series.detector import instants_of

        a, b = self.told - self.begin, max(end, self.told) - self.begin
        counts = self.counts[a:b]
        found = instants_of(
            self.told, self.raw[a:b].copy(), self.expected[a:b] / counts[:, None],
            self.odd[a:b] / counts[:, None, None], self.detector.levels,
        )  # fmt: skip
        self.told = self.begin + b
        # The last window of all reaches back a window from the end.
        gone = max(0, min(self.told, self.next, self.begin + len(self.raw) - self.grid.length) - self.begin)
        for name in ("raw", "filled", "odd", "expected", "counts"):
            setattr(self, name, getattr(self, name)[gone:])
        self.begin += gone
        return found
