"""Tables: rows of CSV, TSV or Parquet as objects; text columns become 0/1 columns, one of them names the class.

file -> columns by name -> the class column aside -> numbers as they are, words as 0/1 -> rows (N, D)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from narrows.data.columns import read_columns
from narrows.data.gaps import drop_rows, fill_values, without_gaps
from narrows.data.options import refuse_others
from narrows.data.rows import (
    CLASS_LIMIT,
    Table,
    as_words,
    choose_columns,
    class_names,
    class_numbers,
    drop_columns,
    hints,
    matrix,
    uses,
)
from narrows.data.splits import FEWEST, SHARES, apart, part
from narrows.data.ucr import HALVES
from narrows.errors import InputError, ModelError, UsageError, counted
from narrows.types import Layout, Split, Splits

CLASS_COLUMNS = ("class", "label", "target", "y")


def load_table(
    source: Path | None,
    *,
    seed: int = 0,
    limit: int | None = None,
    window: int | None = None,
    label: str | None = None,
    missing: str = "stop",
    leave_out: tuple[str, ...] = (),
) -> Splits:
    """The rows of a CSV, TSV or Parquet file, parted 70 : 10 : 20; equal rows stay on one side.

    Columns of numbers are taken as they are. A column of at most 50 different words becomes as many 0/1 columns
    ("merchant=grocery"). Dates, row numbers and columns of free text or names are left out, and the notes say so.
    With `window` the file is taken for a recording, a sample a row.

    Args:
        source: The file; the separator, the encoding and whether it has a header are found out.
        seed: Decides the split.
        limit: Most training rows.
        window: Length of the windows of a recording.
        label: Column with the class; without it one called class, label, target or y is taken.
        missing: Rows with gaps are refused ("stop") or left out ("drop"), or filled from the training rows ("mean").
        leave_out: Columns not to use.

    Raises:
        InputError: No rows, no numbers, a number that is missing, or rows of different lengths.
        UsageError: No column called as `label` says.
    """
    assert source is not None
    if window or HALVES.search(source.stem):
        from narrows.data.series import load_series

        refuse_others(source.name, ("window", "label"), {"missing": missing, "leave_out": leave_out})
        return load_series(source, seed=seed, limit=limit, window=window, label=label)
    table = read_rows(source, label)
    if not len(table):
        raise InputError(f"{source.name} has column names and no rows", step="Check the file", code="input.empty")
    drop_columns(table, leave_out)
    vocabulary = choose_columns(table, gaps=missing != "stop")
    where = row_names(len(table))
    if missing == "drop":
        where = where[drop_rows(table)]
    names = [name for name, column in table.columns.items() if column.dtype.kind == "f"]
    columns = (*names, *(f"{name}={word}" for name, words in vocabulary.items() for word in words))
    if not columns:
        raise InputError(
            f"{source.name} has no column of numbers. {' '.join(table.notes)}".strip().removesuffix("."),
            expected="at least one",
            code="input.numbers",
        )
    classes = class_names(table)
    layout = Layout(source.stem, "table", (len(columns),), classes, columns, "value", vocabulary=vocabulary)
    table.notes += [uses(table, vocabulary), *hints(table, vocabulary)]
    x = matrix(table, layout, gaps=missing == "mean")
    whole = Split(x, class_numbers(table, classes), where)
    made = part(layout, whole, seed=seed, notes=tuple(table.notes)).limited(limit)
    return filled(made) if missing == "mean" else made


def filled(data: Splits) -> Splits:
    """The same with every gap filled from the training rows; rows that then equal one of an earlier part are left out.

    Numbers get the mean, words the most frequent one.
    """
    layout = replace(data.layout, fill=fill_values(np.asarray(data.train.x), data.layout))
    whole = (data.train, data.valid, data.test)
    gaps = sum(int(np.isnan(split.x).any(1).sum()) for split in whole)
    parts = [replace(split, x=without_gaps(np.asarray(split.x), layout.fill)) for split in whole]
    (train, valid, test), repeated = apart(*parts, what="rows")
    notes = (*data.notes, f"The gaps of {counted(gaps, 'row')} are filled from the training rows.", *repeated)
    return Splits(layout, train, valid, test, notes)


def read_table(source: Path, *, like: Layout, label: str | None = None, missing: str = "stop") -> Split:
    """Every row of a table in the layout of a trained model: its columns by name, in its order.

    Gaps are filled as they were in training, or with missing="drop" their rows left out. A word the model does not
    know leaves all 0/1 columns of its column at 0. Columns the model does not know are passed over.

    Raises:
        ModelError: A column of the model is missing.
        InputError: A number is missing, or there is text where numbers were.
    """
    if like.kind == "series":
        from narrows.data.series import read_series

        return read_series(source, like=like, label=label)
    table = read_rows(source, label, needed=like.columns)
    if not len(table):
        raise InputError(f"{source.name} has column names and no rows", step="Check the file", code="input.empty")
    if not like.columns:
        table.columns = {name: column for name, column in table.columns.items() if column.dtype.kind == "f"}
        if len(table.columns) != like.values:
            raise ModelError(
                f"{source.name} has {len(table.columns)} columns of numbers",
                expected=f"{like.values}",
                code="model.shape",
            )
        like = Layout(like.name, like.kind, like.shape, like.classes, tuple(table.columns))
    where = row_names(len(table))
    if missing == "drop":
        table.columns = {n: c for n, c in table.columns.items() if n in like.columns or n in like.vocabulary}
        where = where[drop_rows(table)]
    x = without_gaps(matrix(table, like, gaps=bool(like.fill)), like.fill)
    return Split(x, class_numbers(table, like.classes), where, tuple(table.notes))


def load_creditcard(source: Path | None, *, seed: int = 0, limit: int | None = None) -> Splits:
    """The card transactions of the ULB, parted in order of time: 70 % training, 10 % validation, 20 % test.

    A row that equals one of an earlier part, at whatever time, is left out.

    Of Time, V1 to V28, Amount and Class, Time orders the rows and names them but is no feature: it grows, so a model
    would know test rows by it.

    Args:
        source: creditcard.csv as published, or a Parquet file with the same columns.
        seed: Decides the order of the training rows.
        limit: Most training rows.

    References:
        Calibrating Probability with Undersampling for Unbalanced Classification (Dal Pozzolo, Caelen, Johnson and
        Bontempi, 2015), https://www.kaggle.com/datasets/mlg-ulb/creditcardfraud
    """
    assert source is not None
    table = read_rows(source, "Class")
    columns = (*(f"V{number}" for number in range(1, 29)), "Amount")
    if "Time" not in table.columns:
        raise InputError(
            f"{source.name} has no column Time", expected="Time, V1 to V28, Amount, Class", code="input.columns"
        )
    if len(table) < FEWEST:
        raise InputError(f"{source.name} has {len(table)} rows", expected=f"at least {FEWEST}", code="input.few")
    layout = Layout("creditcard", "table", (len(columns),), ("genuine", "fraud"), columns, "value")
    time, x = table.columns["Time"], matrix(table, layout)
    assert table.words is not None
    y = (table.words == "1").astype(np.int64)
    order = np.argsort(time, kind="stable")
    # Rows of one second stay together.
    ends = [int(np.searchsorted(time[order], time[order][round(end * len(x))])) for end in np.cumsum(SHARES)[:-1]]
    parts = np.split(order, ends)
    if not all(len(at) for at in parts):
        raise InputError(f"{source.name} has too few different times to part", expected="at least 10", code="input.few")
    parts[0] = np.random.default_rng(seed).permutation(parts[0])[:limit]
    where = np.array([f"second {int(second)}" for second in time.tolist()], np.str_)
    notes = (
        "Parted in order of time: 70 % training, 10 % validation, 20 % test.",
        f"{y.mean():.2%} of the rows are fraud; in the whole set it is 0.17 %.",
    )
    (train, valid, test), repeated = apart(*(Split(x[at], y[at], where[at]) for at in parts), what="rows")
    return Splits(layout, train, valid, test, (*notes, *repeated))


def read_rows(source: Path, label: str | None, needed: tuple[str, ...] = ()) -> Table:
    """The columns of a file, the class column set aside."""
    columns, notes = read_columns(source)
    table = Table(source.name, columns, notes=list(notes))
    if label is not None and label not in columns and not needed:
        raise UsageError(
            f"{source.name} has no column {label!r}", expected=f"one of {', '.join(columns)}", code="usage.label"
        )
    found = label if label in columns else None
    if label is None:
        usual = (name for want in CLASS_COLUMNS for name in columns if name.lower() == want and name not in needed)
        found = next((name for name in usual if could_be_class(columns[name])), None)
    if found is not None:
        table.words = as_words(columns.pop(found))
        if label is None:
            table.notes.append(f"The column {found!r} is taken for the class.")
    return table


def could_be_class(column: np.ndarray) -> bool:
    """Whether a column has few enough values to be classes."""
    values = set(as_words(column).tolist()) - {""}
    whole = column.dtype.kind == "O" or not any("." in value or "e" in value for value in values)
    return whole and len(values) <= min(CLASS_LIMIT, max(2, len(column) // 2))


def row_names(count: int) -> np.ndarray:
    """The place of each row, counted from 1 below the header."""
    return np.array([f"row {number}" for number in range(1, count + 1)], np.str_)
