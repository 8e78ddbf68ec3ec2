"""Columns that are no features: the label, which says which rows are odd, and the clock, which orders them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from narrows.data.frames.batch import decimal_of
from narrows.data.frames.cells import numbers, seconds, words
from narrows.data.frames.evidence import Evidence
from narrows.data.frames.tally import Tally
from narrows.data.rows import CLASS_LIMIT
from narrows.errors import InputError, unknown
from narrows.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

ODD_WORDS = """1 true yes y t fraud fraudulent anomaly anomalous abnormal outlier attack odd malicious bad positive"""
ODD = frozenset(ODD_WORDS.split())
"""Words that mean that a row is odd."""


class Label(Settings):
    """The column that says which rows are odd."""

    name: str
    classes: dict[str, int]
    """Its words, and how many rows have each."""
    odd: tuple[str, ...]
    """Those that mean odd."""
    stated: bool = False
    """Whether a person said which those are."""

    @classmethod
    def learn(cls, batches: Iterable[pa.RecordBatch], name: str) -> Label:
        """The label of a table, from one pass over it.

        Raises:
            UsageError: A column that is not there.
            InputError: No rows, or more than 256 classes.
        """
        tally, first = Tally(count=True), None
        for batch in batches:
            if name not in batch.schema.names:
                raise unknown("column", name, batch.schema.names, code="usage.column")
            first = batch if first is None else first
            tally.add(batch.column(name), decimal_of(batch))
        if first is None:
            raise InputError("a table without rows", expected="at least one", code="input.empty")
        cells = first.column(name)
        seen = Evidence(name, cells, np.arange(1, len(cells) + 1), tally, decimal_of(first))
        return learn_label(seen, None)

    def of(self, cells: pa.Array, decimal: str) -> np.ndarray:
        """1 for odd rows, 0 for others, -1 where it is missing or a word that was not known, (B,) int8."""
        places, found = words(cells, decimal)
        table = [int(word in self.odd) if word in self.classes else -1 for word in found]
        return np.array([*table, -1], np.int8)[places]

    def notes(self) -> list[str]:
        """What a person should know of it."""
        if len(self.classes) < 2:
            only = f"one class only, {next(iter(self.classes))!r}" if self.classes else "nothing in it"
            return [f"The label {self.name!r} has {only}: how well odd rows are found cannot be measured with it."]
        normal = [word for word in self.classes if word not in self.odd]
        count = sum(self.classes[word] for word in self.odd)
        how = "" if self.stated else "; say otherwise if that is wrong"
        return [f"The label {self.name!r} calls {count:,} rows odd ({', '.join(self.odd[:5])}, not {normal[0]}){how}."]


def learn_label(seen: Evidence, odd: Sequence[str] | None) -> Label:
    """The classes of a label, and which of them are odd.

    Raises:
        InputError: More than 256 classes.
        UsageError: A class that is not there.
    """
    classes = dict(seen.levels)
    if len(classes) > CLASS_LIMIT:
        raise InputError(
            f"the label {seen.name!r} has {len(classes):,} different values",
            expected=f"at most {CLASS_LIMIT}, as a rule 2",
            step="Name another column",
            code="input.classes",
        )
    for word in odd or ():
        if word not in classes:
            raise unknown(f"class of {seen.name}", word, classes, code="usage.odd")
    known = [word for word in classes if word.lower() in ODD]
    found = list(odd) if odd is not None else known or list(classes)[1:]
    return Label(name=seen.name, classes=classes, odd=tuple(found), stated=odd is not None)


class Clock(Settings):
    """The column that orders the rows."""

    name: str
    form: str | None = None
    """How dates are written; None for numbers."""

    def of(self, cells: pa.Array, decimal: str) -> np.ndarray:
        """The moments of rows (B,) float64, NaN where missing.

        Raises:
            InputError: A cell that is no moment.
        """
        values, wrong = numbers(cells, decimal) if self.form is None else seconds(cells, self.form)
        if wrong is not None and wrong.any():
            text = str(cells[int(wrong.argmax())].as_py())[:40]
            raise InputError(
                f"the time column {self.name!r} has {text!r}",
                expected="numbers" if self.form is None else "dates written as in training",
                code="input.time",
            )
        return np.where(np.isfinite(values), values, np.nan)


def learn_clock(seen: Evidence) -> Clock:
    """How the time column is written.

    Raises:
        InputError: It has neither dates nor numbers.
    """
    if seen.form is not None:
        return Clock(name=seen.name, form=seen.form)
    if len(seen.no_number) or not len(seen.numbers):
        text = str(seen.cells[int(seen.no_number[0])].as_py())[:40] if len(seen.no_number) else "nothing"
        raise InputError(
            f"the time column {seen.name!r} has {text!r}",
            expected="dates all written in one way, such as 2024-03-31 23:59:00, or seconds",
            code="input.time",
        )
    return Clock(name=seen.name)
