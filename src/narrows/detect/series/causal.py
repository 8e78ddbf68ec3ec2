"""Odd instants of a series as they come, judged by the past alone.

    value -> windows that end there -> a detector each -> how odd         -> minus the largest before, as it fades
             of 1, 8 and 24 values     of the first part                  -> the largest of the windows
                                                                          -> minus the largest of a moment ago = score

An instant is told where it is odder than all that was seen before: what is odd again and again becomes usual, what was
seen long ago is forgotten, and one event is told once. The score is that excess, in the spread that the logarithm of
oddness has in the first part; 0 where there is none.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from narrows.detect.detector import Detector
from narrows.detect.networks import Plan
from narrows.errors import InputError, UsageError, counted

WINDOWS = (1, 8, 24)
"""Lengths of the windows that end at an instant: its value, how it came about, and the shape before it."""

PLAN = Plan(steps=(300, 300))
"""Few steps: the first part of a series is a few hundred windows."""

FADE = 5e-4
"""What the largest oddness loses at every instant."""

PAUSE = 50
"""Instants for which an excess is taken from those that follow."""

USUAL = float(np.log(2))
"""The score that a detector gives to what is usual."""


class Causal:
    """The scores of a series that comes in pieces; its state does not grow, and later values change no earlier score.

    Args:
        learn: Values at the start that are learned from and scored 0, at least twice the longest window.
        windows: Lengths of the windows.
        fade: What the largest oddness seen loses at every instant.
        pause: Instants for which an excess is taken from those that follow.
        plan: How the networks of each detector are trained.
        seed: Decides their weights, order and noise.

    Raises:
        UsageError: Too little to learn from, or a length, fade or pause out of range.

    Example:
        >>> values = np.sin(np.arange(400) / 5)
        >>> values[350] = 3
        >>> int(Causal(learn=200).push(values).argmax())
        350
    """

    def __init__(
        self,
        learn: int = 600,
        *,
        windows: tuple[int, ...] = WINDOWS,
        fade: float = FADE,
        pause: int = PAUSE,
        plan: Plan = PLAN,
        seed: int = 0,
    ):
        for name, given, good, expected in (
            ("windows", windows, bool(windows) and min(windows) >= 1, "lengths of 1 at least"),
            ("learn", learn, learn >= 2 * max(windows, default=1), f"{2 * max(windows, default=1)} values at least"),
            ("fade", fade, fade >= 0, "0 or more"),
            ("pause", pause, pause >= 0, "0 or more"),
        ):
            if not good:
                raise UsageError(f"{name}={given}", expected=expected, code="usage.series")
        self.learn, self.windows, self.plan, self.seed = learn, windows, plan, seed
        self.excess = Excess(len(windows), fade, pause)
        self.detectors: list[Detector] = []
        self.centre = 0.0
        self.kept = np.empty(0)
        """The first values until they are learned, then those that the next window needs."""
        self.seen = 0

    def push(self, values: ArrayLike) -> np.ndarray:
        """The scores (n,) of the next values (n,), or of a single number: 0 where nothing is odder than before.

        Raises:
            InputError: Another shape, or a value that is not finite.
        """
        given = np.atleast_1d(np.asarray(values, np.float64))
        self.check(given)
        self.seen += len(given)
        if self.detectors:
            return self.excess(self.oddness(given))
        room = max(0, self.learn - len(self.kept))
        self.kept = np.concatenate([self.kept, given[:room]])
        if len(self.kept) < self.learn:
            return np.zeros(len(given))
        self.fit()
        return np.concatenate([np.zeros(room), self.excess(self.oddness(given[room:]))])

    def over(self, values: Iterable[float]) -> Iterator[float]:
        """The score of each value as soon as it comes."""
        for value in values:
            yield float(self.push(value)[0])

    def fit(self) -> None:
        """Learn the first values, and how odd the oddest of them is."""
        first = self.kept
        self.centre = float(np.median(first))
        self.detectors = [
            Detector.fit(cut(first - self.centre, length), plan=self.plan, seed=self.seed) for length in self.windows
        ]
        before = max(self.windows) - 1
        self.kept = np.full(before, first[0])
        odd = self.oddness(first)
        for row, length in zip(odd, self.windows, strict=True):
            row[: length - 1] = USUAL
        self.excess(odd)

    def oddness(self, values: np.ndarray) -> np.ndarray:
        """How odd the windows are that end at each of the next values (n,): a row a length (W, n)."""
        held = np.concatenate([self.kept, values])
        self.kept = held[len(held) - (max(self.windows) - 1) :]
        return np.stack(
            [
                detector.score(cut(held[max(self.windows) - length :] - self.centre, length))
                for detector, length in zip(self.detectors, self.windows, strict=True)
            ]
        )

    def check(self, given: np.ndarray) -> None:
        """Refuse what is no row of finite numbers."""
        if given.ndim != 1:
            raise InputError(f"values of shape {given.shape}", expected="one channel (n,)", code="input.shape")
        bad = np.flatnonzero(~np.isfinite(given))
        if len(bad):
            where = f"{counted(len(bad), 'value')} not finite, the first at instant {self.seen + bad[0]:,}"
            raise InputError(where, expected="numbers everywhere", code="input.nan")


class Excess:
    """How far oddness exceeds all that was before, as it fades, and what was told a moment ago.

    Example:
        >>> Excess(1, fade=0.5, pause=2)(np.array([[1.0, 4, 5, 5, 1, 6]])).tolist()
        [0.0, 3.0, 0.0, 0.0, 0.0, 1.5]
    """

    def __init__(self, count: int, fade: float, pause: int):
        self.fade, self.pause = fade, pause
        self.largest: list[float] | None = None
        self.count, self.place = count, 0
        self.recent: deque[tuple[int, float]] = deque()
        """Places and excesses of the last `pause` instants, falling: those that a later, larger one hides are gone."""

    def __call__(self, odd: np.ndarray) -> np.ndarray:
        """The excess (n,) of oddness (W, n)."""
        return np.array([self.one(column) for column in odd.T.tolist()], np.float64)

    def one(self, odd: list[float]) -> float:
        """The excess of an instant."""
        if self.largest is None:
            self.largest = list(odd)
        over = max(a - b for a, b in zip(odd, self.largest, strict=True))
        self.largest = [max(a, b - self.fade) for a, b in zip(odd, self.largest, strict=True)]
        while self.recent and self.recent[0][0] < self.place - self.pause:
            self.recent.popleft()
        told = over - (max(self.recent[0][1], 0) if self.recent else 0)
        while self.recent and self.recent[-1][1] <= over:
            self.recent.pop()
        if self.pause:
            self.recent.append((self.place, over))
        self.place += 1
        return max(told, 0.0)


class Rarity:
    """How rare scores are among those before: (1 + as large ones) / (1 + scores), of the last `memory` ones.

    An alarm at `rarity <= rate` is the rule of a false-alarm rate without labels.

    Example:
        >>> Rarity()(np.array([0.0, 0, 0, 5, 1])).tolist()
        [1.0, 1.0, 1.0, 0.25, 0.4]
    """

    def __init__(self, memory: int = 2000):
        self.memory = memory
        self.past: deque[float] = deque()
        self.rising: list[float] = []

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """The rarity (n,) of the next scores (n,), in (0, 1]; 1 for scores of 0."""
        return np.array([self.one(score) for score in scores.tolist()], np.float64)

    def one(self, score: float) -> float:
        """The rarity of the next score."""
        large = len(self.past) - (bisect_left(self.rising, score) if score > 0 else 0)
        rare = (1 + large) / (1 + len(self.past))
        self.past.append(score)
        insort(self.rising, score)
        if len(self.past) > self.memory:
            del self.rising[bisect_left(self.rising, self.past.popleft())]
        return rare


def cut(values: np.ndarray, length: int) -> np.ndarray:
    """The windows of some length in values (n,), one after each other (n - length + 1, length), float32."""
    if len(values) < length:
        return np.empty((0, length), np.float32)
    return np.lib.stride_tricks.sliding_window_view(values, length).astype(np.float32)
