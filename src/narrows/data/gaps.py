"""Gaps in a table: named all at once, left out with their rows, or filled from the training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from narrows.data.columns import MISSING
from narrows.errors import InputError, counted
from narrows.types import Layout

if TYPE_CHECKING:
    from narrows.data.rows import Table

SHOWN = 12
"""Columns with gaps that a message names."""


def is_missing(column: np.ndarray) -> np.ndarray:
    """Which fields of a column of numbers or words are missing, (N,)."""
    if column.dtype.kind == "f":
        return ~np.isfinite(column)
    return np.array([word.lower() in MISSING for word in column.tolist()], bool)


def refuse_gaps(name: str, columns: dict[str, np.ndarray]) -> None:
    """Refuse columns of numbers with gaps: all of them are named, with how many and the first row.

    Raises:
        InputError: A value is missing, or too large to be one.
    """
    gaps = {each: np.flatnonzero(is_missing(column)) for each, column in columns.items()}
    gaps = {each: rows for each, rows in gaps.items() if len(rows)}
    if not gaps:
        return
    words = [f"{each} ({counted(len(rows), 'row')}, first {rows[0] + 1})" for each, rows in list(gaps.items())[:SHOWN]]
    more = f" and {len(gaps) - SHOWN} more" if len(gaps) > SHOWN else ""
    raise InputError(
        f"{name} has no finite number everywhere in {counted(len(gaps), 'column')}: {', '.join(words)}{more}",
        expected="numbers everywhere",
        step="Train with --set data.missing=drop (leave those rows out) or --set data.missing=mean (fill the gaps), "
        f"or without those columns: --set data.leave_out={','.join(list(gaps)[:SHOWN])}",
        code="input.nan",
    )


def drop_rows(table: Table) -> np.ndarray:
    """Take the rows with gaps out of a table, with a note; returns which rows stay, (N,).

    Raises:
        InputError: Every row has one.
    """
    keep = np.ones(len(table), bool)
    for column in table.columns.values():
        keep &= ~is_missing(column)
    if not keep.any():
        raise InputError(
            f"{table.name} has a gap in every row",
            expected="some rows without one",
            step="Use --set data.missing=mean, or leave columns out with --set data.leave_out=NAME",
            code="input.nan",
        )
    lost = int((~keep).sum())
    if lost:
        table.notes.append(f"{counted(lost, 'row')} of {len(keep):,} left out for gaps.")
    table.columns = {name: column[keep] for name, column in table.columns.items()}
    table.words = None if table.words is None else table.words[keep]
    return keep


def fill_values(x: np.ndarray, layout: Layout) -> tuple[float, ...]:
    """What a gap of each column becomes, from training rows x (N, D) with NaN for gaps.

    The mean of a column of numbers; of the 0/1 columns of a text, 1 for the most frequent word and 0 for the others.

    Example:
        >>> layout = Layout("a", "table", (3,), columns=("n", "k=u", "k=v"), vocabulary={"k": ("u", "v")})
        >>> fill_values(np.array([[1, 1, 0], [3, 0, 1], [np.nan, 0, 1]]), layout)
        (2.0, 0.0, 1.0)
    """
    count = np.maximum((~np.isnan(x)).sum(0), 1)
    mean = np.nansum(x, 0, dtype=np.float64) / count
    for name, words in layout.vocabulary.items():
        own = [layout.columns.index(f"{name}={word}") for word in words]
        best = own[int(mean[own].argmax())]
        mean[own] = 0
        mean[best] = 1
    return tuple(mean.tolist())


def without_gaps(x: np.ndarray, fill: tuple[float, ...]) -> np.ndarray:
    """Rows x (N, D) with the NaN of each column replaced; unchanged without values to fill in."""
    return np.where(np.isnan(x), np.array(fill, np.float32), x).astype(np.float32) if fill else x
