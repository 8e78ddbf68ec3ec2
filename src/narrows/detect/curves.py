"""How well scores find what the labels call odd: curves, the areas under them, and how sure one can be.

The intervals are of 95%, by a bootstrap of the odd and of the normal rows apart, so that the base rate stays.

References:
    The relationship between precision-recall and ROC curves (Davis and Goadrich, 2006),
    https://doi.org/10.1145/1143844.1143874: a line between points of precision and recall promises too much, so
    average precision is a sum of steps.
    An introduction to the bootstrap (Efron and Tibshirani, 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from narrows.detect.given import labels_of, scores_of
from narrows.detect.threshold import steps
from narrows.errors import InputError, UsageError, counted

ROUNDS = 500
"""Samples of the bootstrap."""

ALERTS = (100, 500)


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of a curve, each for one threshold, from the highest to the lowest.

    Args:
        x: Across, (P,).
        y: Upright, (P,).
        thresholds: The scores from which on rows raise an alarm (P,); the first may be infinite: no alarm.
    """

    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray


@dataclass(frozen=True)
class Measured:
    """A number and its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Judgement:
    """How well scores find the odd rows.

    Args:
        rows: How many rows were judged.
        odd: How many of them are odd by their labels.
        auroc: Area under the ROC curve: probability that an odd row has the higher score of a pair.
        average_precision: Area under the steps of precision against recall; the base rate where scores say nothing.
        recall: Share of the odd rows among the first so many alerts, by their number.
    """

    rows: int
    odd: int
    auroc: Measured
    average_precision: Measured
    recall: dict[int, Measured]

    @property
    def base_rate(self) -> float:
        """Share of odd rows."""
        return self.odd / self.rows

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        rate = f"{self.odd:,} of {counted(self.rows, 'row')} are odd (base rate {self.base_rate:.4g})"
        areas = f"AUROC {self.auroc}, average precision {self.average_precision}"
        return "; ".join([f"{rate}: {areas}", *(f"recall at {k:,} alerts {r}" for k, r in self.recall.items())]) + "."

    def as_dict(self) -> dict[str, Any]:
        """The judgement as one JSON-ready object."""
        recall = {str(count): asdict(value) for count, value in self.recall.items()}
        return {**asdict(self), "recall": recall, "base_rate": self.base_rate, "sentence": self.sentence}


@dataclass(frozen=True, eq=False)
class Ranking:
    """Rows in groups of falling scores: equal scores in one, and all normal rows between two odd ones in one.

    No area changes by that, and there are hardly more groups than odd rows.

    Args:
        group: Group of each row (N,), 0 for the highest scores.
        odd: Odd rows of each group (G,).
        normal: Normal rows of each group (G,).
    """

    group: np.ndarray
    odd: np.ndarray
    normal: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, labels: np.ndarray) -> Ranking:
        """The ranking of checked scores and labels (N,)."""
        distinct, place = np.unique(-scores, return_inverse=True)
        has_odd = np.bincount(place, labels, len(distinct)) > 0
        begins = has_odd | np.append(True, has_odd[:-1])
        group = (np.cumsum(begins) - 1)[place]
        odd = np.bincount(group, labels)
        return cls(group, odd.astype(np.int64), np.bincount(group) - odd.astype(np.int64))

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """How many odd and how many normal rows are in each group or one before it (G,)."""
        return np.cumsum(self.odd), np.cumsum(self.normal)

    def weighted(self, labels: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same with rows counted by weights (N,)."""
        odd = np.bincount(self.group, weights * labels, len(self.odd))
        return np.cumsum(odd), np.cumsum(np.bincount(self.group, weights, len(self.odd)) - odd)

    def drawn(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The same of as many odd and as many normal rows drawn with replacement."""
        odd, normal = (rng.multinomial(part.sum(), part / part.sum()) for part in (self.odd, self.normal))
        return np.cumsum(odd), np.cumsum(normal)


def auroc_of(hits: np.ndarray, false: np.ndarray) -> float:
    """Area under the ROC curve, equal scores counted half."""
    across = np.diff(false, prepend=0.0)
    return float((across * (hits - np.diff(hits, prepend=0.0) / 2)).sum() / (hits[-1] * false[-1]))


def precision_of(hits: np.ndarray, false: np.ndarray) -> float:
    """Average precision: the sum of precision over the steps of recall."""
    alarms = np.maximum(hits + false, 1e-300)
    return float((np.diff(hits, prepend=0.0) * hits / alarms).sum() / hits[-1])


def recall_at(hits: np.ndarray, false: np.ndarray, alerts: int) -> float:
    """Share of the odd rows among the first alerts; of equal scores at the border as many as expected by chance."""
    return float(np.interp(alerts, np.append(0, hits + false), np.append(0, hits)) / hits[-1])


Measure = Callable[[np.ndarray, np.ndarray], float]
"""From how many odd and how many normal rows reach each distinct score (P,) to a number."""


def resampled(labels: np.ndarray, seed: int, rounds: int) -> Iterator[np.ndarray]:
    """How often each row (N,) is drawn in each round: odd and normal rows are drawn apart."""
    rng, kinds = np.random.default_rng(seed), [np.flatnonzero(labels), np.flatnonzero(~labels)]
    for _ in range(rounds):
        weight = np.zeros(len(labels))
        for kind in kinds:
            weight[kind] = np.bincount(rng.integers(len(kind), size=len(kind)), minlength=len(kind))
        yield weight


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95% of the values of a bootstrap."""
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def judge(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    alerts: Sequence[int] = ALERTS,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> Judgement:
    """Judge scores by labels.

    Args:
        scores: Scores (N,), higher is odder.
        labels: 1 for each odd row, 0 for each normal one (N,).
        alerts: Numbers of alerts to tell the recall at; those above N are left out.
        seed: Decides the samples of the bootstrap.
        rounds: How many samples, at least 2.

    Raises:
        InputError: Scores or labels that cannot be used, or labels of one class.

    Example:
        >>> judged = judge([1, 2, 3, 4], [0, 0, 1, 1], alerts=(1,))
        >>> judged.auroc.value, judged.average_precision.value, judged.recall[1].value, judged.base_rate
        (1.0, 1.0, 0.5, 0.5)
    """
    given = scores_of(scores)
    known = labels_of(labels, len(given), "judging scores")
    if rounds < 2 or min(alerts, default=1) < 1:
        raise UsageError(f"{rounds} samples, alerts {tuple(alerts)}", expected="at least 2 samples, and 1 alert")
    chosen = [count for count in alerts if count <= len(given)]
    measures: list[Measure] = [auroc_of, precision_of, *(partial(recall_at, alerts=count) for count in chosen)]
    ranking, rng, drawn = Ranking.of(given, known), np.random.default_rng(seed), []
    for _ in range(rounds):
        counts = ranking.drawn(rng)
        drawn.append([measure(*counts) for measure in measures])
    whole = [measure(*ranking.counts()) for measure in measures]
    auroc, precision, *recall = (
        Measured(v, *interval(d.tolist())) for v, d in zip(whole, np.transpose(drawn), strict=True)
    )
    return Judgement(len(given), int(known.sum()), auroc, precision, dict(zip(chosen, recall, strict=True)))


def roc(scores: ArrayLike, labels: ArrayLike) -> Curve:
    """The rate of false alarms across, recall upright, from no alarm to all.

    Example:
        >>> curve = roc([1, 2, 3, 4], [0, 1, 0, 1])
        >>> curve.x.tolist(), curve.y.tolist()
        ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    values, hits, false = reached(scores, labels)
    return Curve(np.append(0, false / false[-1]), np.append(0, hits / hits[-1]), np.append(np.inf, values))


def precision_recall(scores: ArrayLike, labels: ArrayLike) -> Curve:
    """Recall across, precision upright, from the highest score to all rows.

    Example:
        >>> curve = precision_recall([1, 2, 3, 4], [0, 1, 0, 1])
        >>> curve.x.tolist(), curve.y.round(2).tolist()
        ([0.5, 0.5, 1.0, 1.0], [1.0, 0.5, 0.67, 0.5])
    """
    values, hits, false = reached(scores, labels)
    return Curve(hits / hits[-1], hits / (hits + false), values)


def cost_curve(scores: ArrayLike, labels: ArrayLike, *, miss: float, false_alarm: float = 1.0) -> Curve:
    """Alerts across, what they and the misses cost upright, from no alert to one for each row.

    Args:
        scores: Scores (N,).
        labels: Labels (N,).
        miss: Cost of an odd row without an alert.
        false_alarm: Cost of an alert for a normal row.

    Example:
        >>> curve = cost_curve([1, 2, 3, 4], [0, 1, 0, 1], miss=10)
        >>> curve.x.tolist(), curve.y.tolist()
        ([0, 1, 2, 3, 4], [20.0, 10.0, 11.0, 1.0, 2.0])
    """
    if min(miss, false_alarm) <= 0:
        raise InputError(f"costs {miss} and {false_alarm}", expected="more than 0")
    values, hits, false = reached(scores, labels)
    hits, false = np.append(0, hits), np.append(0, false)
    return Curve(hits + false, miss * (hits[-1] - hits) + false_alarm * false, np.append(np.inf, values))


def reached(scores: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct scores, falling, and how many odd and how many normal rows reach each of them (P,)."""
    given = scores_of(scores)
    return steps(given, labels_of(labels, len(given), "a curve"))
