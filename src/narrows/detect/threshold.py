"""From scores to alarms: a threshold by one of a table of rules, which says what it was fitted on.

scores (N,) [labels, times] -> rule.fit -> Threshold: a row whose score reaches the value raises an alarm

References:
    Testing for outliers with conformal p-values (Bates, Candes, Lei, Romano and Sesia, 2023), arXiv 2104.08279
"""

from __future__ import annotations

from abc import abstractmethod
from math import floor
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, FiniteFloat

from narrows.detect.given import binary, labels_of, scores_of, seconds_of
from narrows.errors import InputError, UsageError, counted
from narrows.settings import Settings

UNITS = {"hour": 3600.0, "day": 86400.0, "week": 7 * 86400.0}
"""Seconds of each unit of time an alert budget may have."""


class Rule(Settings):
    """A rule for a threshold: `fit` finds it."""

    needs_labels: ClassVar[bool] = False

    @property
    @abstractmethod
    def words(self) -> str:
        """The rule in a few words, such as "100 alerts a day"."""

    @abstractmethod
    def find(self, scores: np.ndarray, labels: np.ndarray | None, times: np.ndarray | None) -> float:
        """The lowest score that raises an alarm, from checked scores."""

    def fit(
        self, scores: ArrayLike, labels: ArrayLike | None = None, times: ArrayLike | None = None, *, on: str = "rows"
    ) -> Threshold:
        """The threshold of this rule on some scores; never fit it on the rows it will be judged on.

        Args:
            scores: Scores (N,), higher is odder.
            labels: 1 for each odd row, 0 for each normal one (N,), for the rules that need them.
            times: Seconds or dates (N,), for a budget of alerts by time.
            on: What the rows are, in words that follow their number: "rows that the model had not seen".

        Raises:
            UsageError: The rule needs labels or times, and there are none; or it cannot be kept on so few rows.
            InputError: Scores, labels or times that cannot be used.
        """
        given = scores_of(scores)
        known = self.known(labels, len(given))
        when = None if times is None else seconds_of(times, len(given))
        value = self.find(given, known, when)
        words = fitted_on(given, value, known, when, on)
        return Threshold.model_validate({"value": value, "rule": self, "fitted_on": words})

    def known(self, labels: ArrayLike | None, rows: int) -> np.ndarray | None:
        """The labels, checked, where this rule makes use of them."""
        return labels_of(labels, rows, f"a threshold by {self.words}") if self.needs_labels else None


class Budget(Rule):
    """As many alerts as people can look at.

    Example:
        >>> rule = Budget(count=2, per="day")
        >>> print(rule.fit([1, 5, 3, 4, 2, 0], times=np.arange(6) * 6 * 3600.0).sentence)
        Alarm at a score of 4 or more: 2 alerts a day, fitted on 6 rows of 30 hours, 2 of them at or above it.
    """

    kind: Literal["budget"] = "budget"
    count: int = Field(100, ge=1)
    """Alerts in each unit of time, or in all."""
    per: Literal["hour", "day", "week", "all"] = "all"
    """The unit of time: hour, day, week; or all: the rows it is fitted on."""

    @property
    def words(self) -> str:
        unit = {"hour": "an hour", "all": "in all"}.get(self.per, f"a {self.per}")
        return f"{counted(self.count, 'alert')} {unit}"

    def find(self, scores: np.ndarray, labels: np.ndarray | None, times: np.ndarray | None) -> float:
        alerts = self.count if self.per == "all" else floor(self.count * self.units(times))
        if not 1 <= alerts <= len(scores):
            raise UsageError(
                f"{self.words} would be {counted(alerts, 'alert')} for {counted(len(scores), 'row')}",
                expected="at least 1, and no more than there are rows",
                step="Choose another budget, or fit it on more rows",
                code="usage.budget",
            )
        return at_most(scores, alerts)

    def units(self, times: np.ndarray | None) -> float:
        """How many of its units of time the rows take."""
        if times is None:
            raise UsageError(
                f"{self.words}, and no times",
                expected="the time of each row",
                step="Name the column of times, or give a budget for all rows (per='all')",
                code="usage.times",
            )
        span = float(np.ptp(times))
        if span <= 0:
            raise InputError("all rows have the same time", expected=f"rows over some time for {self.words}")
        return span / UNITS[self.per]


class Share(Rule):
    """The oddest rows, a share of all.

    Example:
        >>> Share(share=0.2).fit(np.arange(10)).value
        8.0
    """

    kind: Literal["share"] = "share"
    share: float = Field(0.01, gt=0, lt=1)
    """Share of the rows that raise an alarm."""

    @property
    def words(self) -> str:
        return f"the oddest {self.share:.4g} of the rows"

    def find(self, scores: np.ndarray, labels: np.ndarray | None, times: np.ndarray | None) -> float:
        # A share such as 0.07 is a little less or more than it says.
        alerts = floor(self.share * len(scores) + 1e-9)
        if not alerts:
            raise UsageError(
                f"{self.share:.4g} of {counted(len(scores), 'row')}", expected="at least one row", code="usage.share"
            )
        return at_most(scores, alerts)


class Cost(Rule):
    """The least cost, by what a miss and a false alarm cost.

    Example:
        >>> Cost(miss=10, false_alarm=1).fit([1, 2, 3, 4], [0, 1, 0, 1]).value
        2.0
    """

    needs_labels: ClassVar[bool] = True
    kind: Literal["cost"] = "cost"
    miss: float = Field(100.0, gt=0)
    """Cost of an odd row that raises no alarm."""
    false_alarm: float = Field(1.0, gt=0)
    """Cost of an alarm for a normal row."""

    @property
    def words(self) -> str:
        return f"least cost, {self.miss:,.6g} a miss and {self.false_alarm:,.6g} a false alarm"

    def find(self, scores: np.ndarray, labels: np.ndarray | None, times: np.ndarray | None) -> float:
        values, hits, false = steps(scores, labels)
        cost = self.miss * (hits[-1] - hits) + self.false_alarm * false
        nothing = self.miss * hits[-1]
        return float(values[cost.argmin()]) if cost.min() < nothing else above(values[0])


class FBeta(Rule):
    """The best balance of precision and recall (van Rijsbergen, 1979).

    Example:
        >>> FBeta().fit([1, 2, 3, 4], [0, 0, 1, 1]).value
        3.0
    """

    needs_labels: ClassVar[bool] = True
    kind: Literal["f-beta"] = "f-beta"
    beta: float = Field(1.0, gt=0)
    """How many times recall counts as much as precision."""

    @property
    def words(self) -> str:
        return f"the best F{self.beta:.4g}"

    def find(self, scores: np.ndarray, labels: np.ndarray | None, times: np.ndarray | None) -> float:
        values, hits, false = steps(scores, labels)
        square = self.beta**2
        balance = (1 + square) * hits / (square * hits[-1] + hits + false)
        return float(values[balance.argmax()])


class Precision(Rule):
    """The most recall at a precision.

    Example:
        >>> Precision(at_least=0.6).fit([1, 2, 3, 4], [0, 1, 0, 1]).value
        2.0
    """

    needs_labels: ClassVar[bool] = True
    kind: Literal["precision"] = "precision"
    at_least: float = Field(0.9, gt=0, le=1)
    """Share of the alarms that must be right."""

    @property
    def words(self) -> str:
        return f"the most recall at a precision of {self.at_least:.4g} or more"

    def find(self, scores: np.ndarray, labels: np.ndarray | None, times: np.ndarray | None) -> float:
        values, hits, false = steps(scores, labels)
        good = np.flatnonzero((hits > 0) & (hits >= self.at_least * (hits + false) - 1e-9))
        if not len(good):
            best = float((hits / (hits + false)).max())
            raise UsageError(
                f"a precision of {self.at_least:.4g}",
                expected=f"at most {best:.4g}, the best there is on these rows",
                code="usage.precision",
            )
        # Of the same recall, the fewest alarms.
        return float(values[good[hits[good].argmax()]])


class Conformal(Rule):
    """At most a rate of false alarms, by conformal p-values: an alarm is a p-value of at most the rate.

    With labels, the odd rows are left out of the calibration.

    Example:
        >>> threshold = Conformal(rate=0.1).fit(np.arange(19))
        >>> threshold.alarms([17, 17.5]).tolist()  # 17 is reached by 2 of 19: p = 3/20
        [False, True]
    """

    kind: Literal["conformal"] = "conformal"
    rate: float = Field(0.01, gt=0, lt=1)
    """False alarms among normal rows that are exchangeable with those of the calibration, at most."""

    @property
    def words(self) -> str:
        return f"a p-value of {self.rate:.4g} or less, which is the rate of false alarms"

    def known(self, labels: ArrayLike | None, rows: int) -> np.ndarray | None:
        return None if labels is None else binary(labels, rows)

    def find(self, scores: np.ndarray, labels: np.ndarray | None, times: np.ndarray | None) -> float:
        normal = np.sort(scores if labels is None else scores[~labels])[::-1]
        ranks = floor(self.rate * (len(normal) + 1) + 1e-9)
        if not ranks:
            raise UsageError(
                f"a rate of {self.rate:.4g} from {counted(len(normal), 'normal row')}",
                expected=f"at least {int(np.ceil(1 / self.rate)) - 1:,}, for the least p-value there is to be so small",
                step="Give more rows, or a higher rate",
                code="usage.rate",
            )
        return above(normal[ranks - 1])


RULES: dict[str, type[Rule]] = {
    "budget": Budget,
    "share": Share,
    "cost": Cost,
    "f-beta": FBeta,
    "precision": Precision,
    "conformal": Conformal,
}
"""Every rule for a threshold, by name."""

AnyRule = Annotated[Budget | Share | Cost | FBeta | Precision | Conformal, Field(discriminator="kind")]


class Threshold(Settings):
    """A score from which on a row raises an alarm, the rule behind it, and what that was fitted on.

    Example:
        >>> threshold = Share(share=0.5).fit([1.0, 2.0, 3.0, 4.0], on="held-out rows")
        >>> Threshold.model_validate_json(threshold.model_dump_json()) == threshold
        True
        >>> threshold.alarms([2.9, 3.0]).tolist()
        [False, True]
    """

    value: FiniteFloat
    """The lowest score that raises an alarm."""
    rule: AnyRule
    """How it was found."""
    fitted_on: str
    """The rows it was fitted on, in words."""

    def alarms(self, scores: ArrayLike) -> np.ndarray:
        """Whether each score (N,) raises an alarm, as bool (N,)."""
        return scores_of(scores) >= self.value

    @property
    def sentence(self) -> str:
        """One sentence: the value, the rule, and the rows."""
        return f"Alarm at a score of {self.value:.4g} or more: {self.rule.words}, fitted on {self.fitted_on}."


def above(score: float) -> float:
    """The least number above a score."""
    return float(np.nextafter(score, np.inf))


def at_most(scores: np.ndarray, alerts: int) -> float:
    """The lowest score that at most so many rows reach: of equal scores all raise an alarm, or none.

    Example:
        >>> at_most(np.array([1.0, 2.0, 2.0, 3.0]), 2)
        3.0
    """
    if alerts == len(scores):
        return float(scores.min())
    border = np.partition(scores, len(scores) - alerts - 1)[len(scores) - alerts - 1]
    higher = scores[scores > border]
    return float(higher.min()) if len(higher) else above(border)


def steps(scores: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct scores, falling, and how many odd and how many normal rows reach each of them.

    Example:
        >>> [part.tolist() for part in steps(np.array([1.0, 2.0, 2.0]), np.array([False, True, False]))]
        [[2.0, 1.0], [1, 1], [1, 2]]
    """
    assert labels is not None
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(labels[order])[ends]
    return scores[order][ends], hits, ends + 1 - hits


def fitted_on(scores: np.ndarray, value: float, labels: np.ndarray | None, times: np.ndarray | None, on: str) -> str:
    """The rows in words: how many, of which kind, over which time, and how many of them reach the threshold."""
    kinds = "" if labels is None else f" with {counted(int(labels.sum()), 'odd one')} among them"
    days = "" if times is None else f" of {span_words(float(np.ptp(times)))}"
    rows = on.replace("rows", "row", 1) if len(scores) == 1 else on
    reach = int((scores >= value).sum())
    return f"{len(scores):,} {rows}{kinds}{days}, {f'{reach:,}' if reach else 'none'} of them at or above it"


def span_words(seconds: float) -> str:
    """A stretch of time in words.

    Example:
        >>> span_words(5400), span_words(864_000)
        ('1.5 hours', '10 days')
    """
    unit = "day" if seconds >= 2 * UNITS["day"] else "hour"
    return f"{seconds / UNITS[unit]:,.3g} {unit}s"
