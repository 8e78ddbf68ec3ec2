"""Odd rows of a table, with a model or without: each row is scored by models that did not see it.

without: table -> features -> folds -> scores -> threshold -> alarms, and the last fold's model for the next table
with:    table -> features -> scores -> alarms, and whether the rows still look like those it was fitted on
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.data.frames import History, Schema, Source
from narrows.data.frames.batch import row_of
from narrows.detect.blame import SHOWN, Alarm
from narrows.detect.crossfit import CrossFitted, Fold, cross_fit, random_folds, time_folds
from narrows.detect.curves import judge
from narrows.detect.detector import Detector
from narrows.detect.drift import Reference, Watch
from narrows.detect.model import Scored, TableModel, alarms_in, past_of
from narrows.detect.peers import beside, cross_peer_scores
from narrows.detect.report import Report
from narrows.detect.threshold import Budget, Rule, Share, Threshold
from narrows.errors import InputError, LimitError, ModelError

if TYPE_CHECKING:
    import pyarrow as pa

VALUES_LIMIT = 1 << 28
"""Features of all rows together that are held at once, 1 GiB of float32."""

ADDED = ("score", "p_value", "alarm", "because")
"""Columns that are put beside those of the table."""


@dataclass(frozen=True)
class Columns:
    """Which columns of a table mean something of their own.

    Args:
        label: Says which rows are odd; used to judge, never to learn from.
        time: Orders the rows.
        customer: Whose each row is.
        amount: Summed in the history of a customer.
        leave_out: Not used.
    """

    label: str | None = None
    time: str | None = None
    customer: str | None = None
    amount: str | None = None
    leave_out: tuple[str, ...] = ()


@dataclass(eq=False)
class Found:
    """What was found in a table; complete once `rows` has been gone through.

    Args:
        source: The table.
        schema: Its columns.
        history: The columns a customer's past adds, or None.
        threshold: From which score on a row raises an alarm.
        done: What was done, a sentence each.
        scored: From a batch and the number of its first row, from 0, to its scores.
        watch: Counts rows and scores for drift, where a model was given.
        folds: The folds, where none was given.
        x: The features (N, F), where none was given.
        model: Makes the model for the next table of this kind.
    """

    source: Source
    schema: Schema
    history: History | None
    threshold: Threshold
    done: tuple[str, ...]
    scored: Callable[[pa.RecordBatch, int], Scored]
    model: Callable[[], TableModel]
    watch: Watch | None = None
    folds: tuple[Fold, ...] = ()
    x: np.ndarray | None = None
    scores: list[np.ndarray] = field(default_factory=list)
    labels: list[np.ndarray] = field(default_factory=list)
    alarms: tuple[Alarm, ...] = ()

    def rows(self) -> Iterator[tuple[pa.RecordBatch, Mapping[str, Any]]]:
        """The batches of the table and what is put beside each, for `write_table`; begun again, all is counted anew."""
        start, names = 0, list(self.source.names)
        self.scores, self.labels, self.alarms = [], [], ()
        self.watch = Watch(self.watch.reference) if self.watch else None
        for batch in past_of(self.source, self.history):
            scored = self.scored(batch, start)
            labels = self.schema.labels(batch)
            places, alarms = alarms_in(batch, self.schema, scored, self.threshold, labels)
            because = np.full(batch.num_rows, "", object)
            because[places] = [alarm.because for alarm in alarms]
            self.keep(batch, scored, labels, alarms)
            start += batch.num_rows
            alarm = np.isin(np.arange(batch.num_rows), places)
            added = (scored.scores, scored.p_values, alarm, because.tolist())
            yield batch.select(names), dict(zip(ADDED, added, strict=True))

    def keep(self, batch: pa.RecordBatch, scored: Scored, labels: np.ndarray | None, alarms: Sequence[Alarm]) -> None:
        """Keep what the report needs of a batch: scores, labels, and the oddest alarms so far."""
        self.scores.append(scored.scores)
        if labels is not None:
            self.labels.append(labels)
        self.alarms = tuple(sorted((*self.alarms, *alarms), key=lambda alarm: -alarm.score)[:SHOWN])
        if self.watch is not None:
            self.watch.add(self.schema.features(batch), scored.scores)

    def report(self, *, peers: bool = True, seed: int = 0) -> Report:
        """The report, after `rows` has been gone through.

        Args:
            peers: Whether the classical methods are put beside, where rows to fit them on are at hand.
            seed: Decides what is random in them and in the intervals.
        """
        scores = np.concatenate(self.scores)
        known = np.concatenate(self.labels) if self.labels else np.array([], np.int8)
        usable = len(known) == len(scores) and set(np.unique(known).tolist()) == {0, 1}
        labels = known if usable else None
        made = Report(
            self.source.path.name, self.done, scores, self.threshold, labels=labels, alarms=self.alarms,
            judgement=None if labels is None else judge(scores, labels, seed=seed),
            drift=self.watch.drift(shower(self.schema)) if self.watch else None,
        )  # fmt: skip
        if not peers or self.x is None:
            return made
        others = cross_peer_scores(self.x, self.folds, seed=seed)
        return replace(made, beside=beside(scores, others, labels, seed=seed))


def with_model(source: Source, model: TableModel) -> Found:
    """Score a table by a model that was fitted on another one.

    Raises:
        ModelError: Columns are missing that the history of customers is made of.
    """
    check_names(source)
    needed = () if model.history is None else (model.history.customer, model.history.clock.name, model.history.amount)
    lacking = [name for name in needed if name is not None and name not in source.names]
    if lacking:
        raise ModelError(
            f"the table lacks {' and '.join(map(repr, lacking))}, of which the history of customers is made",
            expected="the columns the model was fitted on",
            code="model.columns",
        )
    done = (
        f"Scored by a model of {model.schema.rows:,} other rows.",
        *source.notes,
        *model.schema.aside(source.names),
    )
    return Found(
        source, model.schema, model.history, model.threshold, done, lambda batch, start: model.score(batch),
        lambda: model, watch=Watch(model.reference),
    )  # fmt: skip


def without_model(
    source: Source, columns: Columns | None = None, *, rule: Rule | None = None, folds: int = 5, seed: int = 0
) -> Found:
    """Score each row of a table by models that did not see it; the last of them is the model for the next table.

    Args:
        source: The table.
        columns: Which columns mean something of their own.
        rule: The rule for the threshold, fitted on the cross-fitted scores; the oddest hundredth without, or one row.
        folds: Folds, by time where a column of time is named.
        seed: Decides folds and models.

    Raises:
        InputError: Rows that cannot be parted, or no column that can be used.
        LimitError: A table too large to be held at once.
    """
    check_names(source)
    columns = columns or Columns()
    history = learn_history(source, columns)
    schema = Schema.fit(
        past_of(source, history), label=columns.label, time=columns.time, seed=seed,
        leave_out=[*columns.leave_out, *([columns.customer] if columns.customer else [])],
    )  # fmt: skip
    x, times, customers = gathered(source, schema, history, columns.customer)
    whose = None if customers is None else np.array(customers, object).astype(str)
    if times is None:
        parts = random_folds(x, seed=seed, count=folds, customers=whose)
    else:
        parts = time_folds(times, x, count=folds, customers=whose, seed=seed)
    crowd: list[Detector] = []

    def fit(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        crowd.append(Detector.fit(rows, groups=schema.groups, roles=schema.roles, seed=seed))
        return crowd[-1].score

    crossed = cross_fit(x, parts, fit)
    usual = Share(share=min(0.5, max(0.01, 1 / len(parts[-1].score))))
    rule, labels = rule or usual, labels_of(source, schema)
    threshold = rule.fit(crossed.scores, labels, times, on="cross-fitted rows")

    def model() -> TableModel:
        last = parts[-1]
        given = [None if each is None else each[last.score] for each in (labels, times)]
        own = crossed.scores[last.score]
        return TableModel(
            schema, crowd[-1], np.sort(own), lasting(rule, len(x)).fit(own, *given, on="held-out rows"),
            Reference.fit(x[last.fit], feature_names(schema), own), history,
        )  # fmt: skip

    told = {columns.label, columns.time, columns.customer, *columns.leave_out}
    left = tuple(f"{name} is not used: {why}." for name, why in schema.left.items() if name not in told)
    done = (crossed.done, by_words(times, columns.customer), *source.notes, *schema.notes, *left)
    scored = looked_up(x, crossed, crowd)
    return Found(source, schema, history, threshold, done, scored, model, folds=parts, x=x)


def lasting(rule: Rule, rows: int) -> Rule:
    """A rule for other tables: so many alerts in all are a share of the rows they were asked for.

    Example:
        >>> lasting(Budget(count=50), 1000).words
        'the oddest 0.05 of the rows'
    """
    if isinstance(rule, Budget) and rule.per == "all":
        return Share(share=min(rule.count / rows, 0.5))
    return rule


def looked_up(
    x: np.ndarray, crossed: CrossFitted, crowd: Sequence[Detector]
) -> Callable[[pa.RecordBatch, int], Scored]:
    """From a batch and the number of its first row to its cross-fitted scores, explained by the model of its fold."""

    def scored(batch: pa.RecordBatch, start: int) -> Scored:
        part = slice(start, start + batch.num_rows)

        def explain(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            given, fold = x[part][rows], crossed.fold[part][rows]
            parts, expected = np.zeros((len(rows), len(crowd[0].groups))), np.zeros_like(given)
            for number in np.unique(fold):
                own = fold == number
                parts[own], expected[own] = crowd[number].explain(given[own]), crowd[number].expected(given[own])
            return parts, expected

        return Scored(crossed.scores[part], crossed.p_values[part], explain)

    return scored


def check_names(source: Source) -> None:
    """Refuse a table that has been scored already, before anything is fitted.

    Raises:
        InputError: It has a column that would be put beside it.
    """
    taken = [name for name in ADDED if name in source.names]
    if taken:
        raise InputError(
            f"{source.path.name} has columns called {', '.join(map(repr, taken))} already",
            expected="a table that has not been scored",
            step="Rename those columns, or take them out",
            code="input.columns",
        )


def learn_history(source: Source, columns: Columns) -> History | None:
    """The history of customers, where a customer and a time are named."""
    if columns.customer is None or columns.time is None:
        return None
    return History.learn(source, customer=columns.customer, time=columns.time, amount=columns.amount)


def gathered(
    source: Source, schema: Schema, history: History | None, customer: str | None
) -> tuple[np.ndarray, np.ndarray | None, list[Any] | None]:
    """The features (N, F), times (N,) and customers of a table."""
    if schema.rows * schema.width > VALUES_LIMIT:
        raise LimitError(
            f"{schema.rows:,} rows of {schema.width:,} features",
            expected=f"at most {VALUES_LIMIT:,} features in all to score a table by its own rows",
            step="Fit a model on a part of it with --save, and score the rest with --model",
        )
    x, times, whose = [], [], []
    for batch in past_of(source, history):
        x.append(schema.features(batch))
        moments = schema.times(batch)
        if moments is not None:
            if not np.isfinite(moments).all():
                row = row_of(batch, int((~np.isfinite(moments)).argmax()))
                raise InputError(f"row {row:,} has no time", expected="a time in every row", code="input.time")
            times.append(moments)
        if customer is not None:
            whose += batch.column(customer).to_pylist()
    return np.concatenate(x), np.concatenate(times) if times else None, whose if customer is not None else None


def labels_of(source: Source, schema: Schema) -> np.ndarray | None:
    """The labels of all rows (N,), where each is known."""
    if schema.label is None:
        return None
    found = [schema.labels(batch) for batch in source]
    labels = np.concatenate([part for part in found if part is not None])
    return labels if (labels >= 0).all() else None


def by_words(times: np.ndarray | None, customer: str | None) -> str:
    """How the folds were cut, in words."""
    whose = f", and no customer ({customer}) is on both sides" if customer else ""
    if times is not None:
        return f"Folds follow each other in time: the past is fitted, what comes after it is scored{whose}."
    return f"Equal rows are in one fold{whose}."


def feature_names(schema: Schema) -> list[str]:
    """A name for each feature, in the words of the table."""
    return [told for column in schema.columns for told in column.features]


def shower(schema: Schema) -> Any:
    """From the number of a feature and a value of it to words: in the person's units, if its column is of numbers."""
    places = [(column, at) for column in schema.columns for at in range(column.width)]

    def show(number: int, value: float) -> str:
        column, at = places[number]
        return column.shown(at, value)

    return show


def default_names(path: Path) -> tuple[Path, Path]:
    """Where the scored table and the report of a table go, if nobody says so.

    Example:
        >>> [str(name) for name in default_names(Path("data/cards.parquet"))]
        ['cards-scored.parquet', 'cards-report.html']
    """
    return Path(f"{path.stem}-scored{path.suffix or '.csv'}"), Path(f"{path.stem}-report.html")
