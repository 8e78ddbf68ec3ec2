"""A model of a table whose rows are believed to be normal: most are fitted, the rest set threshold and p-values.

table -> rows to fit | held out: the last fifth by time, else any fifth -> model for the tables to come
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from narrows.data.frames import Source
from narrows.data.splits import duplicate_groups
from narrows.detect.crossfit import FOLDS, Fold, checked, random_folds, stretches, without
from narrows.detect.curves import Judgement, judge
from narrows.detect.detector import Detector
from narrows.detect.drift import Reference
from narrows.detect.held import Held
from narrows.detect.model import TableModel
from narrows.detect.networks import Plan
from narrows.detect.rows import Columns, Rows, feature_names, lasting, usual_rule
from narrows.detect.threshold import Rule
from narrows.errors import InputError, counted

BELIEVED = Plan(trim=0.01)
"""How rows that are believed to be normal are learned: one in a hundred may still be odd."""


@dataclass(frozen=True, eq=False)
class Learned:
    """A model, and what there is to say of how it was made.

    Args:
        model: For the tables to come.
        done: What was done, a sentence each.
        judgement: How well it finds the odd rows among those held out, where labels tell of some.
    """

    model: TableModel
    done: tuple[str, ...]
    judgement: Judgement | None

    def as_dict(self) -> dict[str, Any]:
        """The same as one JSON-ready object."""
        threshold = self.model.threshold
        return {
            "done": list(self.done),
            "rows": self.model.schema.rows,
            "columns": list(self.model.schema.names),
            "threshold": {**threshold.model_dump(), "sentence": threshold.sentence},
            "judgement": self.judgement.as_dict() if self.judgement else None,
        }


def learn(source: Source, columns: Columns | None = None, *, rule: Rule | None = None, seed: int = 0) -> Learned:
    """Learn a table whose rows are believed to be normal; a few of them may be odd.

    With a column of labels the rows it calls odd are not fitted, and those held out judge the model.

    Args:
        source: The table.
        columns: Which columns mean something of their own.
        rule: The rule for the threshold, fitted on the rows held out; their oddest hundredth without.
        seed: Decides which rows are held out where no time is known, and the model.

    Raises:
        InputError: Rows that cannot be parted, or no column that can be used.
        LimitError: A table too large to be held at once.
    """
    columns = columns or Columns()
    rows = Rows.of(source, columns, seed)
    fold = normal_only(held_out(rows, seed), rows.labels)
    rule = lasting(rule or usual_rule(len(fold.score)), len(rows.x))
    model = model_of(rows, fold, rule, seed, plan=BELIEVED)
    odd = 0 if rows.labels is None else int(rows.labels.sum())
    done = (
        f"Fitted on {counted(len(fold.fit), 'row')}; {len(fold.score):,} "
        f"{'of later times ' if rows.times is not None else ''}were held out to set threshold and p-values.",
        *((f"{counted(odd, 'row')} that {columns.label!r} calls odd {'was' if odd == 1 else 'were'} not fitted.",)
          if odd else ()),
        *source.notes, *rows.schema.notes, *rows.left_words(columns),
    )  # fmt: skip
    return Learned(model, done, judged(model, rows, fold, seed))


def judged(model: TableModel, rows: Rows, fold: Fold, seed: int) -> Judgement | None:
    """How well a model finds the odd rows among those held out; None where no label tells them apart."""
    if rows.labels is None:
        return None
    labels = rows.labels[fold.score]
    return (
        judge(model.detector.score(rows.x[fold.score]), labels, seed=seed) if 0 < labels.sum() < len(labels) else None
    )


def model_of(
    rows: Rows,
    fold: Fold,
    rule: Rule,
    seed: int,
    *,
    plan: Plan | None = None,
    made: tuple[Detector, np.ndarray] | None = None,
) -> TableModel:
    """The model of a fold: fitted on some rows, its threshold on others.

    Args:
        rows: The rows of a table.
        fold: Those to fit, and those to set the threshold by.
        rule: The rule for it.
        seed: Decides the model.
        plan: How the networks are trained, and how far the rows are trusted.
        made: The detector and its scores of the rows to set the threshold by, where they are at hand.
    """
    schema = rows.schema
    detector = made[0] if made else Detector.fit(rows.x[fold.fit], groups=schema.groups, roles=schema.roles, seed=seed)
    scores = made[1] if made else detector.score(rows.x[fold.score])
    times, labels = (None if each is None else each[fold.score] for each in (rows.times, rows.labels))
    reference = Reference.fit(rows.x[fold.fit], feature_names(rows.schema))
    held = Held(rows.x[fold.score], times, labels)
    return TableModel.of(
        rows.schema, detector, rule, reference, held, scores=scores, history=rows.history, past=rows.past
    )


def held_out(rows: Rows, seed: int) -> Fold:
    """Rows to fit and rows to hold out, a fifth: the last ones where times are known, and no equal rows in both.

    Without times no customer is in both. With them a customer of the past may come back, as in the tables to come.

    Raises:
        InputError: All rows are of one moment, of one customer, or equal.
    """
    if rows.times is None:
        return random_folds(rows.x, seed=seed, count=FOLDS, customers=rows.customers)[-1]
    stretch, equal = stretches(rows.times, FOLDS), duplicate_groups(rows.x)
    last = int(stretch.max())
    own = np.flatnonzero(stretch == last)
    fold = Fold(without(np.flatnonzero(stretch < last), own, equal), own)
    return checked([fold, fold], len(rows.x))[0]


def normal_only(fold: Fold, labels: np.ndarray | None) -> Fold:
    """The fold without the rows to fit that are labelled odd.

    Raises:
        InputError: All are.
    """
    if labels is None:
        return fold
    kept = fold.fit[labels[fold.fit] == 0]
    if not len(kept):
        raise InputError(f"{counted(len(fold.fit), 'row')} to fit, all labelled odd", expected="normal rows")
    return Fold(kept, fold.score)
