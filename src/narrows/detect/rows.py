"""The rows of a table at hand, as those who learn from it need them: features, times, customers and labels.

source -> [history] -> schema -> x (N, F), times (N,), customers (N,), labels (N,)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from narrows.data.frames import History, Schema, Source
from narrows.data.frames.batch import row_of
from narrows.data.frames.history import Past
from narrows.detect.model import past_of
from narrows.detect.threshold import Budget, Rule, Share
from narrows.errors import InputError, LimitError

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


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a table.

    Args:
        schema: Its columns.
        history: The columns a customer's past adds, or None.
        x: Features (N, F), float32.
        times: Seconds (N,), or None.
        customers: Whose each row is (N,), or None.
        labels: 1 for each odd row, 0 for each normal one (N,), or None where one is not known.
        past: What customers did last, with a history (see `Past.packed`).
    """

    schema: Schema
    history: History | None
    x: np.ndarray
    times: np.ndarray | None
    customers: np.ndarray | None
    labels: np.ndarray | None
    past: Mapping[str, np.ndarray] | None

    @classmethod
    def of(cls, source: Source, columns: Columns, seed: int) -> Rows:
        """Read a table, three times.

        Raises:
            InputError: No rows, no column that can be used, or a row without a time.
            LimitError: A table too large to be held at once.
        """
        check_names(source)
        history = learn_history(source, columns)
        schema = Schema.fit(
            past_of(source, history),
            label=columns.label,
            time=columns.time,
            leave_out=[*columns.leave_out, *([columns.customer] if columns.customer else [])],
            quiet=history.names if history else (),
            seed=seed,
        )
        past = None if history is None else Past()
        x, times, customers = gathered(source, schema, history, columns.customer, past)
        whose = None if customers is None else np.array(customers, object).astype(str)
        return cls(schema, history, x, times, whose, labels_of(source, schema), past.packed() if past else None)

    def left_words(self, columns: Columns) -> tuple[str, ...]:
        """A sentence for each column that is not used though nobody said so."""
        told = {columns.label, columns.time, columns.customer, *columns.leave_out}
        left = tuple(f"{name} is not used: {why}." for name, why in self.schema.left.items() if name not in told)
        empty = self.schema.label is not None and self.labels is None
        return (*left, *((f"The label {columns.label!r} is empty in some rows: it is not used.",) if empty else ()))


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
    source: Source, schema: Schema, history: History | None, customer: str | None, past: Past | None
) -> tuple[np.ndarray, np.ndarray | None, list[Any] | None]:
    """The features (N, F), times (N,) and customers of a table."""
    if schema.rows * schema.width > VALUES_LIMIT:
        raise LimitError(
            f"{schema.rows:,} rows of {schema.width:,} features",
            expected=f"at most {VALUES_LIMIT:,} features in all to score a table by its own rows",
            step="Fit a model on a part of it with --save, and score the rest with --model",
        )
    x, times, whose = [], [], []
    for batch in past_of(source, history, past):
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


def lasting(rule: Rule, rows: int) -> Rule:
    """A rule for other tables: so many alerts in all are a share of the rows they were asked for.

    Example:
        >>> lasting(Budget(count=50), 1000).words
        'the oddest 0.05 of the rows'
    """
    if isinstance(rule, Budget) and rule.per == "all":
        return Share(share=min(rule.count / rows, 0.5))
    return rule


def usual_rule(rows: int) -> Rule:
    """The rule where none is asked for: the oddest hundredth of so many rows, or one row.

    Example:
        >>> usual_rule(20).words
        'the oddest 0.05 of the rows'
    """
    return Share(share=min(0.5, max(0.01, 1 / rows)))
