"""Numbers brought to one scale and back: middle 0, unit about a standard deviation, heavy tails by a signed logarithm.

value -> signed logarithm, if tails are heavy -> (value - median) / unit -> beyond 10 units, its logarithm
"""

from __future__ import annotations

import numpy as np

from narrows.settings import Settings

CORE = 10.0
"""Units from the middle up to which a feature is in proportion; beyond, it grows as the logarithm."""

SPANS = ((25, 75, 1.349), (10, 90, 2.563), (5, 95, 3.290), (1, 99, 4.653), (0, 100, 5.0))
"""Percentiles and how many deviations of a bell curve lie between; the first that differ give the unit."""

HEAVY = 8.0
"""Tails are heavy where the 0.5th and the 99.5th percentile lie this many times as far apart as the quartiles.

A bell curve has 3.8, exponential waiting times 4.8, a log-normal of spread 1 has 9.
"""


class Scale(Settings):
    """How a number becomes a feature; all numbers are in the unit of the column, or of its logarithm."""

    center: float
    """Median."""
    unit: float
    """What is one unit of the feature, above 0."""
    log: float = 0.0
    """Unit of the signed logarithm sign(x) log(1 + |x| / unit); 0 for none."""

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Numbers (B,) as features (B,) float64; NaN stays.

        Example:
            >>> Scale(center=30, unit=2).apply(np.array([30.0, 34.0, 30 + 20 * np.e])).tolist()
            [0.0, 2.0, 20.0]
        """
        with np.errstate(over="ignore"):
            if self.log:
                values = np.copysign(np.log1p(np.abs(values) / self.log), values)
            units = values - self.center
            units /= self.unit
        far = np.flatnonzero(np.abs(units) > CORE)
        if len(far):
            sizes = np.minimum(np.abs(units[far]), 1e300)
            units[far] = np.copysign(CORE * (1 + np.log(sizes / CORE)), units[far])
        return units

    def undo(self, feature: float) -> float:
        """The number of a feature.

        Example:
            >>> Scale(center=30, unit=2).undo(2.0), round(Scale(center=0, unit=1, log=5).undo(1.0), 3)
            (34.0, 8.591)
        """
        size = min(abs(feature), 700 * CORE)
        units = np.copysign(size if size <= CORE else CORE * np.exp(size / CORE - 1), feature)
        value = float(np.clip(units * self.unit + self.center, -1e300, 1e300))
        return float(np.copysign(self.log * np.expm1(min(abs(value), 600.0)), value)) if self.log else value


def learn_scale(values: np.ndarray, low: float, high: float) -> Scale | None:
    """The scale of numbers by a sample of them (N,), finite; None where they do not differ.

    Args:
        values: The sample.
        low: Smallest of all.
        high: Largest of all.

    Example:
        >>> heavy = learn_scale(np.exp(2 * np.random.default_rng(0).normal(size=1000)), 0, 1e6)
        >>> heavy.log > 0, learn_scale(np.arange(100.0), 0, 99).log, learn_scale(np.ones(5), 1, 1)
        (True, 0.0, None)
    """
    values = np.sort(values)
    unit = unit_of(values, low, high)
    if unit is None:
        return None
    with np.errstate(over="ignore"):
        far = percentile(values, 99.5) - percentile(values, 0.5)
    if far > HEAVY * 1.349 * unit:
        sizes = np.abs(values[values != 0])
        log = float(np.median(sizes)) if len(sizes) else 0.0
        if 1e-300 < log < 1e300:
            bent = np.copysign(np.log1p(np.abs(values) / log), values)
            ends = np.copysign(np.log1p(np.abs([low, high]) / log), [low, high])
            inner = unit_of(bent, *ends.tolist())
            if inner is not None:
                return Scale(center=percentile(bent, 50), unit=inner, log=log)
    return Scale(center=percentile(values, 50), unit=unit)


def unit_of(values: np.ndarray, low: float, high: float) -> float | None:
    """About a standard deviation of the middle of sorted numbers (N,); None where they do not differ."""
    for start, stop, width in SPANS:
        ends = (low, high) if start == 0 else (percentile(values, start), percentile(values, stop))
        unit = ends[1] / width - ends[0] / width
        if unit > 1e-12 * max(abs(ends[0]), abs(ends[1]), 1e-290):
            return unit
    return None


def percentile(values: np.ndarray, share: float) -> float:
    """A percentile, 0..100, of sorted numbers (N,), between two of them in proportion.

    Example:
        >>> percentile(np.array([1.0, 2.0, 4.0]), 75)
        3.0
    """
    place = share / 100 * (len(values) - 1)
    low = int(place)
    part = place - low
    return float(values[low] * (1 - part) + values[min(low + 1, len(values) - 1)] * part)
