"""P-values for scores, from the scores of rows that no model was fitted on.

Where a new normal row is exchangeable with the calibration rows, P(p <= rate) <= rate: the rate of false alarms.

References:
    Testing for outliers with conformal p-values (Bates, Candes, Lei, Romano and Sesia, 2023), arXiv 2104.08279
    Controlling the false discovery rate (Benjamini and Hochberg, 1995), https://www.jstor.org/stable/2346101
"""

from dataclasses import asdict, dataclass
from math import floor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from narrows.detect.given import scores_of
from narrows.errors import InputError, UsageError, counted

DOUBT = 0.01
"""Probability below which chance no longer explains that there are more false alarms than promised."""


def p_values(scores: ArrayLike, calibration: ArrayLike) -> np.ndarray:
    """The p-value of each score (N,): the share of calibration rows as odd or odder, the row itself counted in.

    Args:
        scores: Scores of new rows (N,).
        calibration: Scores of normal rows that the model did not see (M,), by the same model.

    Example:
        >>> p_values([0.5, 2.0, 9.0], [1.0, 2.0, 3.0])  # equal scores count as odder
        array([1.  , 0.75, 0.25])
    """
    known = np.sort(scores_of(calibration, "calibration scores"))
    odder = len(known) - np.searchsorted(known, scores_of(scores), "left")
    return (1 + odder) / (1 + len(known))


def own_p_values(scores: ArrayLike) -> np.ndarray:
    """The p-value of each of some scores (N,) against the others, all by a model that saw none of them.

    Odd rows among them make the p-values of the others larger, never smaller.

    Example:
        >>> own_p_values([1.0, 3.0, 3.0, 2.0])
        array([1.  , 0.5 , 0.5 , 0.75])
    """
    given = scores_of(scores)
    return (len(given) - np.searchsorted(np.sort(given), given, "left")) / len(given)


def q_values(p: ArrayLike) -> np.ndarray:
    """Benjamini-Hochberg's adjusted p-values (N,): among rows with q <= a, about a share a of false alarms.

    Example:
        >>> q_values([0.01, 0.04, 0.03, 0.5]).round(4)
        array([0.04  , 0.0533, 0.0533, 0.5   ])
    """
    given = scores_of(p, "p-values")
    if given.min() < 0 or given.max() > 1:
        raise InputError(f"p-values from {given.min():.4g} to {given.max():.4g}", expected="numbers in [0, 1]")
    order = np.argsort(given)[::-1]
    raised = given[order] * len(given) / np.arange(len(given), 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum.accumulate(raised)
    return adjusted


def exact_interval(count: int, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of Clopper and Pearson (1934) for a rate of which `count` of `rows` were seen.

    Example:
        >>> [round(end, 4) for end in exact_interval(0, 100)]
        [0.0, 0.0362]
    """
    from scipy.stats import binomtest

    interval = binomtest(count, rows).proportion_ci(confidence, method="exact")
    return float(interval.low), float(interval.high)


def rate_interval(calibration: int, rate: float, confidence: float = 0.95) -> tuple[float, float]:
    """Where the rate of false alarms lies for one calibration of so many rows: it is the promised one on average only.

    The rate is distributed as Beta(k, n + 1 - k) with k = floor(rate (n + 1)) (Vovk, 2012, arXiv 1209.2673).

    Example:
        >>> [round(end, 4) for end in rate_interval(1000, 0.01)]
        [0.0048, 0.017]
    """
    from scipy.stats import beta

    ranks = ranks_of(calibration, rate)
    low, high = beta.ppf([(1 - confidence) / 2, (1 + confidence) / 2], ranks, calibration + 1 - ranks)
    return float(low), float(high)


def ranks_of(calibration: int, rate: float) -> int:
    """How many of the possible p-values of a calibration are at most `rate`; at least one."""
    ranks = floor(rate * (calibration + 1) + 1e-9)
    if not 0 < rate < 1 or not ranks:
        raise UsageError(
            f"a rate of {rate:.4g} with {counted(calibration, 'calibration row')}",
            expected=f"a rate in [{1 / (calibration + 1):.4g}, 1)",
            code="usage.rate",
        )
    return ranks


@dataclass(frozen=True)
class Check:
    """The rate of false alarms on held-out normal rows, beside the promised one.

    Args:
        rate: Promised.
        alarms: Held-out normal rows with a p-value of at most that.
        rows: Held-out normal rows.
        calibration: Rows the p-values rest on.
        low: Lower end of the exact 95% interval of the rate.
        high: Upper end.
        chance: Probability of so many alarms or more where the promise holds, over calibrations too.
    """

    rate: float
    alarms: int
    rows: int
    calibration: int
    low: float
    high: float
    chance: float

    @property
    def observed(self) -> float:
        """The observed rate."""
        return self.alarms / self.rows

    @property
    def holds(self) -> bool:
        """Whether chance explains what was seen."""
        return self.chance >= DOUBT

    @property
    def sentence(self) -> str:
        """What was seen and what was promised, in one or two sentences."""
        seen = f"Of {counted(self.rows, 'held-out normal row')} {self.alarms:,} raised an alarm: {self.observed:.3%}"
        said = f"{seen} (exact 95% interval {self.low:.3%} to {self.high:.3%}), where {self.rate:.3%} was promised."
        doubt = " That is more than chance explains: these rows are not like the calibration rows."
        return said if self.holds else said + doubt

    def as_dict(self) -> dict[str, Any]:
        """The check as one JSON-ready object."""
        return {**asdict(self), "observed": self.observed, "holds": self.holds, "sentence": self.sentence}


def check(scores: ArrayLike, calibration: ArrayLike, rate: float) -> Check:
    """Whether the promised rate of false alarms is kept on held-out normal rows.

    Args:
        scores: Scores of held-out normal rows (N,), none of them fitted or calibrated on.
        calibration: Scores of the calibration rows (M,).
        rate: The promised rate, at least 1 / (M + 1).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> seen = check(rng.normal(size=2000), rng.normal(size=999), 0.05)
        >>> seen.alarms, round(seen.low, 4), round(seen.high, 4), seen.holds
        (91, 0.0368, 0.0556, True)
    """
    from scipy.stats import betabinom

    given, known = scores_of(scores), scores_of(calibration, "calibration scores")
    ranks = ranks_of(len(known), rate)
    alarms = int((p_values(given, known) <= ranks / (len(known) + 1)).sum())
    chance = float(betabinom.sf(alarms - 1, len(given), ranks, len(known) + 1 - ranks))
    return Check(rate, alarms, len(given), len(known), *exact_interval(alarms, len(given)), chance)
