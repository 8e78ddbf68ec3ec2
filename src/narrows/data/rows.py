"""Columns of a table turned into rows of numbers: which are taken, words as 0/1, classes as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from narrows.data.columns import MISSING, Columns
from narrows.data.gaps import is_missing, refuse_gaps
from narrows.errors import InputError, LimitError, ModelError, counted, unknown
from narrows.storage import as_float32
from narrows.types import Layout

WORD_LIMIT = 50
CLASS_LIMIT = 256
VALUE_LIMIT = 1 << 30
FEW_WORDS = 20
"""Most different texts of a column that may be meant for the class."""

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


def drop_columns(table: Table, names: tuple[str, ...]) -> None:
    """Take out columns that are not wanted.

    Raises:
        UsageError: No such column.
    """
    for name in names:
        if name not in table.columns:
            raise unknown("column of data.leave_out", name, table.columns, code="usage.column")
        del table.columns[name]
        table.notes.append(f"The column {name!r} is left out, as asked.")


def uses(table: Table, vocabulary: dict[str, tuple[str, ...]]) -> str:
    """A note on what the columns are used as."""
    plain = ", ".join(name for name, column in table.columns.items() if column.dtype.kind == "f")
    spread = ", ".join(f"{name} ({counted(len(words), 'value')})" for name, words in vocabulary.items())
    kinds = {"numbers": plain, "categories": spread}
    return "Columns used: " + "; ".join(f"{names} as {kind}" for kind, names in kinds.items() if names) + "."


def hints(table: Table, vocabulary: dict[str, tuple[str, ...]]) -> list[str]:
    """What a person may have meant with columns that look like classes or row numbers."""
    found = []
    for name, words in vocabulary.items() if table.words is None else ():
        if 2 <= len(words) <= FEW_WORDS:
            found.append(f"{name} has {len(words)} texts: --set data.label={name} makes it the class.")
    for name, column in table.columns.items():
        if column.dtype.kind == "f" and len(column) > 2 and counts_up(column):
            found.append(f"{name} counts up: leave it out with --set data.leave_out={name}.")
    return found


def counts_up(column: np.ndarray) -> bool:
    """Whether numbers are whole and each larger than the one before it."""
    return bool((np.diff(column) > 0).all() and (column == np.floor(column)).all())


def choose_columns(table: Table, *, gaps: bool = False) -> dict[str, tuple[str, ...]]:
    """Leave out columns that are no use, with a note each, and give the words of those that become 0/1 columns.

    With `gaps` a missing text is no word: it will be filled or its row left out.
    """
    vocabulary: dict[str, tuple[str, ...]] = {}
    for name, column in list(table.columns.items()):
        reason = useless(name, column)
        if reason:
            table.notes.append(f"The column {name!r} is left out: {reason}.")
            del table.columns[name]
        elif column.dtype.kind == "O":
            words = set(column.tolist())
            vocabulary[name] = tuple(sorted(word for word in words if not (gaps and word.lower() in MISSING)))
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


def matrix(table: Table, layout: Layout, *, gaps: bool = False) -> np.ndarray:
    """The rows (N, D) of a table, float32, in the order of a layout's columns.

    A missing number is refused; with `gaps` it, or a missing word, becomes NaN in all columns that come of it.
    """
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
    if not gaps:
        refuse_gaps(table.name, {name: numbers(table, name) for name in layout.columns if name not in spread})
    x = np.empty((len(table), len(layout.columns)), np.float32)
    for number, name in enumerate(layout.columns):
        if name in spread:
            source, word = spread[name]
            said = spoken(table.columns[source])
            x[:, number] = said == word
            if gaps:
                x[is_missing(said), number] = np.nan
        else:
            x[:, number] = numbers(table, name)
    return x


def spoken(column: np.ndarray) -> np.ndarray:
    """A column as words: a file whose words happen to be numbers has read them as such."""
    return column if column.dtype.kind == "O" else as_words(column)


def numbers(table: Table, name: str) -> np.ndarray:
    """A column of numbers as float32, NaN where one is missing or too large.

    Raises:
        InputError: Text.
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
    return np.where(np.isfinite(small), small, np.float32(np.nan))


def is_number(word: str) -> bool:
    """Whether a word is a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True
