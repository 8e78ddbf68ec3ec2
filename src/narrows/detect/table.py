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
from narrows.data.frames.history import Past
from narrows.data.frames.marks import Label
from narrows.detect.blame import SHOWN, Alarm
from narrows.detect.crossfit import CrossFitted, Fold, cross_fit, random_folds, time_folds
from narrows.detect.curves import judge
from narrows.detect.detector import Detector
from narrows.detect.drift import Watch
from narrows.detect.learn import held_out, model_of
from narrows.detect.model import Scored, TableModel, alarms_in, past_of
from narrows.detect.peers import beside, cross_peer_scores
from narrows.detect.report import Report
from narrows.detect.rows import ADDED, Columns, Rows, check_names, lasting, shower, usual_rule
from narrows.detect.threshold import Rule, Threshold
from narrows.errors import ModelError, counted

if TYPE_CHECKING:
    import pyarrow as pa


WATCHED, SELDOM = 200_000, 8
"""Rows that are all counted for drift; of further ones every eighth."""


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
        gathers: Whether features are kept as rows are gone through.
        past: What customers did before the first row (see `Past.packed`), where a model was given.
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
    gathers: bool = False
    past: Mapping[str, np.ndarray] | None = None
    now: Mapping[str, np.ndarray] | None = None
    gathered: list[np.ndarray] = field(default_factory=list)
    scores: list[np.ndarray] = field(default_factory=list)
    labels: list[np.ndarray] = field(default_factory=list)
    alarms: tuple[Alarm, ...] = ()

    def rows(self) -> Iterator[tuple[pa.RecordBatch, Mapping[str, Any]]]:
        """The batches of the table and what is put beside each, for `write_table`; begun again, all is counted anew."""
        start, names = 0, list(self.source.names)
        self.scores, self.labels, self.alarms, self.gathered = [], [], (), []
        self.watch = Watch(self.watch.reference) if self.watch else None
        past = None if self.past is None else Past.unpacked(self.past)
        for batch in past_of(self.source, self.history, past):
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
        self.now = None if past is None else past.packed()

    def keep(self, batch: pa.RecordBatch, scored: Scored, labels: np.ndarray | None, alarms: Sequence[Alarm]) -> None:
        """Keep what the report needs of a batch: scores, labels, and the oddest alarms so far."""
        self.scores.append(scored.scores)
        if labels is not None:
            self.labels.append(labels)
        self.alarms = tuple(sorted((*self.alarms, *alarms), key=lambda alarm: -alarm.score)[:SHOWN])
        if self.watch is not None:
            # A table of millions is known well enough by a part of its rows.
            every = 1 if sum(map(len, self.scores)) <= WATCHED else SELDOM
            self.watch.add(scored.x[::every], scored.scores[::every])
            self.gathered += [scored.x] if self.gathers else []

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
        if not peers or (self.x is None and not self.gathered):
            return made
        x = np.concatenate(self.gathered) if self.x is None else self.x
        folds = self.folds or random_folds(x, seed=seed)
        return replace(made, beside=beside(scores, cross_peer_scores(x, folds, seed=seed), labels, seed=seed))


def with_model(source: Source, model: TableModel, *, label: str | None = None, gather: bool = False) -> Found:
    """Score a table by a model that was fitted on another one.

    Args:
        source: The table.
        model: Scores its rows.
        label: Column that says which rows are odd, to judge by; the label of the model without, if it is there.
        gather: Whether the features of all rows are kept, so that the classical methods can be put beside: they are
            fitted on the rows of this table, by folds, as they know of no others.

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
    schema, feedback = labelled(source, model.schema, label), model.feedback
    said = f"What was said of {counted(len(feedback.rows), 'row')} is heeded." if feedback else None
    done = (
        f"Scored by a model of {schema.rows:,} other rows.",
        *((said,) if said else ()),
        *source.notes,
        *schema.aside(source.names),
    )
    found = Found(
        source, schema, model.history, model.threshold, done, lambda batch, start: model.score(batch),
        lambda: replace(model, past=found.now), watch=Watch(model.reference), gathers=gather, past=model.past,
    )  # fmt: skip
    return found


def labelled(source: Source, schema: Schema, label: str | None) -> Schema:
    """The schema with the label of a table that was not the one it was learned from."""
    if label is None or (schema.label is not None and schema.label.name == label):
        return schema
    return schema.model_copy(update={"label": Label.learn(source, label)})


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
    columns = columns or Columns()
    rows = Rows.of(source, columns, seed)
    x, times, whose = rows.x, rows.times, rows.customers
    if times is None:
        parts = random_folds(x, seed=seed, count=folds, customers=whose)
    else:
        parts = time_folds(times, x, count=folds, customers=whose, seed=seed)
    crowd: list[Detector] = []

    def fit(features: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        crowd.append(Detector.fit(features, groups=rows.schema.groups, roles=rows.schema.roles, seed=seed))
        return crowd[-1].score

    crossed = cross_fit(x, parts, fit)
    rule = rule or usual_rule(len(parts[-1].score))
    threshold = rule.fit(crossed.scores, rows.labels, times, on="cross-fitted rows")

    def model() -> TableModel:
        if times is not None and whose is not None:
            # The last fold was fitted on the past of half of the customers, and those of tomorrow have a past.
            return model_of(rows, held_out(rows, seed), lasting(rule, len(x)), seed)
        last = parts[-1]
        return model_of(rows, last, lasting(rule, len(x)), seed, made=(crowd[-1], crossed.scores[last.score]))

    words = by_words(times, columns.customer)
    done = (crossed.done, words, *source.notes, *rows.schema.notes, *rows.left_words(columns))
    scored = looked_up(x, crossed, crowd)
    return Found(source, rows.schema, rows.history, threshold, done, scored, model, folds=parts, x=x)


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

        return Scored(crossed.scores[part], crossed.p_values[part], explain, x[part])

    return scored


def by_words(times: np.ndarray | None, customer: str | None) -> str:
    """How the folds were cut, in words."""
    whose = f", and no customer ({customer}) is on both sides" if customer else ""
    if times is not None:
        return f"Folds follow each other in time: the past is fitted, what comes after it is scored{whose}."
    return f"Equal rows are in one fold{whose}."


def default_names(path: Path) -> tuple[Path, Path]:
    """Where the scored table and the report of a table go, if nobody says so.

    Example:
        >>> [str(name) for name in default_names(Path("data/cards.parquet"))]
        ['cards-scored.parquet', 'cards-report.html']
    """
    return Path(f"{path.stem}-scored{path.suffix or '.csv'}"), Path(f"{path.stem}-report.html")
