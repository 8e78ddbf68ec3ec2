"""A batch: some rows of a table as an Arrow record batch that knows where in its file it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from narrows.data.frames.cells import arrow
from narrows.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

ROW, DECIMAL = b"narrows.row", b"narrows.decimal"


def batch_of(columns: Mapping[str, Any], *, first: int = 1, decimal: str = ".") -> pa.RecordBatch:
    """Rows from arrays or lists by the name of their column.

    Args:
        columns: What each column holds, all of one length.
        first: Number of the first row in its table, from 1.
        decimal: Sign before the fractions of numbers that are text.

    Raises:
        InputError: Columns of different lengths, or of values that no column can hold.

    Example:
        >>> batch = batch_of({"amount": [1.5, 2.0], "country": ["GB", "FR"]})
        >>> batch.num_rows, row_of(batch, 1)
        (2, 2)
    """
    pa = arrow()
    try:
        arrays = [pa.array(values) for values in columns.values()]
        batch = pa.RecordBatch.from_arrays(arrays, names=list(columns))
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise InputError(f"columns that make no table ({error})", code="input.columns") from None
    return placed(batch, first, decimal)


def placed(batch: pa.RecordBatch, first: int, decimal: str = ".") -> pa.RecordBatch:
    """The same batch, knowing the number of its first row and its decimal sign."""
    known = {**(batch.schema.metadata or {}), ROW: str(first).encode(), DECIMAL: decimal.encode()}
    return batch.replace_schema_metadata(known)


def row_of(batch: pa.RecordBatch, place: int) -> int:
    """Number of a row in its table, counted from 1 below the header."""
    return int((batch.schema.metadata or {}).get(ROW, b"1")) + place


def decimal_of(batch: pa.RecordBatch) -> str:
    """The sign before the fractions of numbers that are text."""
    return (batch.schema.metadata or {}).get(DECIMAL, b".").decode()


def part_of(batch: pa.RecordBatch, start: int, stop: int) -> pa.RecordBatch:
    """The rows from `start` to before `stop`, still knowing where they stand."""
    return placed(batch.slice(start, stop - start), row_of(batch, start), decimal_of(batch))
