"""Columns of a table turned into rows of numbers: which are taken, words as 0/1, classes as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from narrows.data.columns import MISSING, Columns
from narrows.errors import InputError, LimitError, ModelError
from narrows.storage import as_float32
from narrows.types import Layout

WORD_LIMIT = 50
CLASS_LIMIT = 256
VALUE_LIMIT = 1 << 30
ROW_NAMES = {"id", "index", "row", "unnamed: 0", "unnamed 1"}
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}:\d{2}(:\d{2})?$")


@dataclass(eq=False)
class Table:
    """A table being made ready.

    Args:
        name: Name of the file.
        columns: Its columns by name, without the class.
        words: Class of each row as the file has it, "" where it has none; None without a class column.
        notes: What had to be decided.
    """

    name: str
    columns: Columns
    words: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), self.words if self.words is not None else ()))


def class_names(table: Table) -> tuple[str, ...]:
    """The classes of a table: numbers by value, words by the alphabet."""
    if table.words is None:
        return ()
    found = np.setdiff1d(table.words, [""]).tolist()
    if len(found) > CLASS_LIMIT:
        raise InputError(
            f"{table.name}: the class column has {len(found):,} different values",
            expected=f"at most {CLASS_LIMIT}",
            step="Name another column with --set data.label=NAME",
            code="input.classes",
        )
    try:
        return tuple(sorted(found, key=float))
    except ValueError:
        return tuple(found)


def class_numbers(table: Table, classes: tuple[str, ...]) -> np.ndarray | None:
    """The class of each row, -1 where it has none or one that is not known; None without a class column."""
    if table.words is None or not classes:
        return None
    known = {name: number for number, name in enumerate(classes)}
    if set(classes) == {"genuine", "fraud"} and set(table.words.tolist()) <= {"0", "1", ""}:
        known = {"0": classes.index("genuine"), "1": classes.index("fraud")}
    return np.array([known.get(word, -1) for word in table.words.tolist()], np.int64)


def as_words(column: np.ndarray) -> np.ndarray:
    """A class column as words, "" where a row has none."""
    if column.dtype.kind == "f":
        return np.array(["" if np.isnan(value) else f"{value:g}" for value in column.tolist()], np.str_)
    return np.array(["" if word.lower() in MISSING else word for word in column.tolist()], np.str_)


def choose_columns(table: Table) -> dict[str, tuple[str, ...]]:
    """Leave out columns that are no use, with a note each, and give the words of those that become 0/1 columns."""
    vocabulary: dict[str, tuple[str, ...]] = {}
    for name, column in list(table.columns.items()):
        reason = useless(name, column)
        if reason:
            table.notes.append(f"The column {name!r} is left out: {reason}.")
            del table.columns[name]
        elif column.dtype.kind == "O":
            vocabulary[name] = tuple(sorted(set(column.tolist())))
    return vocabulary


def useless(name: str, column: np.ndarray) -> str:
    """Why a column is left out, or ""."""
    if column.dtype.kind == "f":
        if name.lower() in ROW_NAMES and len(column) > 1 and (np.diff(column) == 1).all():
            return "it numbers the rows"
        return "it is empty" if len(column) and np.isnan(column).all() else ""
    words = [word for word in column.tolist() if word.lower() not in MISSING]
    if words and all(DATE.match(word) for word in words[:50]):
        return "it holds dates or times"
    different = len(set(words))
    if len(column) >= 20 and different > 0.5 * len(column):
        return "it has a different text in almost every row"
    return f"it has {different:,} different words, more than {WORD_LIMIT}" if different > WORD_LIMIT else ""


def matrix(table: Table, layout: Layout) -> np.ndarray:
    """The rows (N, D) of a table, float32, in the order of a layout's columns."""
    spread = {f"{name}={word}": (name, word) for name, words in layout.vocabulary.items() for word in words}
    sources = {name: spread.get(name, (name, ""))[0] for name in layout.columns}
    missing = sorted(set(sources.values()) - table.columns.keys())
    if missing:
        shown = ", ".join(missing[:8]) + (" ..." if len(missing) > 8 else "")
        raise ModelError(
            f"{table.name} lacks {len(missing)} column{'s' * (len(missing) > 1)}: {shown}",
            expected=f"the {len(set(sources.values()))} columns {layout.name} has",
            code="model.shape",
        )
    if len(table) * len(layout.columns) > VALUE_LIMIT:
        raise LimitError(
            f"{table.name} has {len(table):,} rows of {len(layout.columns)} values",
            expected=f"limit {VALUE_LIMIT:,} values",
            step="Use a part of it",
            code="limit.memory",
        )
    x = np.empty((len(table), len(layout.columns)), np.float32)
    for number, name in enumerate(layout.columns):
        if name in spread:
            source, word = spread[name]
            x[:, number] = spoken(table.columns[source]) == word
        else:
            x[:, number] = numbers(table, name)
    return x


def spoken(column: np.ndarray) -> np.ndarray:
    """A column as words: a file whose words happen to be numbers has read them as such."""
    return column if column.dtype.kind == "O" else as_words(column)


def numbers(table: Table, name: str) -> np.ndarray:
    """A column of numbers as float32.

    Raises:
        InputError: Text, or a number that is missing or too large, named by its first row.
    """
    column = table.columns[name]
    if column.dtype.kind != "f":
        row = next(i for i, word in enumerate(column.tolist()) if not is_number(word))
        raise InputError(
            f"{table.name}: column {name!r} has the text {column[row][:40]!r} in row {row + 1}",
            expected="a number",
            code="input.numbers",
        )
    small = as_float32(column)
    bad = np.flatnonzero(~np.isfinite(small))
    if len(bad):
        raise InputError(
            f"{table.name}: column {name!r} has no finite number in row {bad[0] + 1}, and {len(bad) - 1:,} more",
            expected="numbers everywhere",
            step="Fill the gaps or remove those rows or that column first",
            code="input.nan",
        )
    return small


def is_number(word: str) -> bool:
    """Whether a word is a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True
