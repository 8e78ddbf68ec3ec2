"""Named columns out of text files (comma, semicolon, tab, bar or spaces between fields) and out of Parquet.

A column is an array of float64, NaN where a field is missing, or an array of str objects.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from narrows.errors import DamagedError, InputError, LimitError, missing_extra

BYTE_LIMIT = 4 << 30
VALUE_LIMIT = 1 << 30
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}
DELIMITERS = ("\t", ";", "|", ",", " ")

Columns = dict[str, np.ndarray]


def read_columns(path: Path) -> tuple[Columns, tuple[str, ...]]:
    """The columns of a table by name, and notes on those that could not be taken.

    Columns of a text file without a header are called "column 1", "column 2" ...

    Raises:
        InputError: Empty, not text, or a line with more or fewer fields than the first.
        LimitError: A text file of more than 4 GiB, or a Parquet file of more than 2^30 values.
        DamagedError: A Parquet file that cannot be read.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file", step="Check the path", code="input.missing")
    if path.suffix.lower() == ".parquet":
        return read_parquet(path)
    return read_text(path), ()


def read_text(path: Path) -> Columns:
    """The columns of a text file."""
    size = path.stat().st_size
    if size > BYTE_LIMIT:
        raise LimitError(f"{path.name} has {size:,} bytes", expected=f"limit {BYTE_LIMIT:,}", code="limit.bytes")
    encoding = encoding_of(path)
    delimiter = delimiter_of(path, encoding)
    first = next((row for _, row in rows_of(path, encoding, delimiter)), [])
    if not first:
        raise InputError(
            f"{path.name} is empty", expected="a line of column names and rows below it", code="input.empty"
        )
    header = not any(is_number(field, delimiter) for field in first)
    names = unique_names(first) if header else [f"column {number + 1}" for number in range(len(first))]
    plain = all_numbers(path, encoding, delimiter, header)
    if plain is not None and plain.shape[1] == len(names):
        return dict(zip(names, plain.T, strict=True))
    rows = islice(rows_of(path, encoding, delimiter, width=len(names)), int(header), None)
    fields = list(zip(*(row for _, row in rows), strict=True)) or [()] * len(names)
    return {name: as_column(column, delimiter) for name, column in zip(names, fields, strict=True)}


def encoding_of(path: Path) -> str:
    """UTF-8 with or without its mark, UTF-16 by its mark, else Latin-1."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16"
        if b"\0" in head:
            raise InputError(f"{path.name} is not text", expected="a table such as CSV", code="input.binary")
        file.seek(0)
        try:
            for _ in iter(lambda: file.readline(1 << 20).decode("utf-8-sig"), ""):
                pass
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8-sig"


def delimiter_of(path: Path, encoding: str) -> str:
    """The sign between fields: the first one that cuts each of the first lines into as many fields, more than one."""
    with path.open(encoding=encoding, newline="") as file:
        lines = [line for line in islice(file, 30) if line.strip()]
    for delimiter in DELIMITERS:
        counts = {len(row) for row in parsed(path, lines, delimiter)}
        if len(counts) == 1 and counts.pop() > 1:
            return delimiter
    # No sign fits all lines: the commonest in the first one, so that the odd line can be named.
    return max(DELIMITERS[:-1], key=lambda sign: (lines[0].count(sign) if lines else 0, sign == ","))


def rows_of(path: Path, encoding: str, delimiter: str, width: int | None = None) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of its last line; blank lines are passed over.

    Raises:
        InputError: A row that does not have `width` fields.
    """
    with path.open(encoding=encoding, newline="") as file:
        reader = parsed(path, file, delimiter)
        for number, row in enumerate(reader, 1):
            if width is not None and len(row) != width:
                raise InputError(
                    f"{path.name}: row {number}, counted from the first line, has {len(row)} fields",
                    expected=f"{width}, as the first",
                    step="Mend that row; text with the separator in it goes into quotes",
                    code="input.ragged",
                )
            yield number, row


def parsed(path: Path, lines, delimiter: str) -> Iterator[list[str]]:
    """Lines cut into fields; blank ones are passed over."""
    try:
        for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True):
            fields = [field for field in row if field] if delimiter == " " else row
            if any(field.strip() for field in fields):
                yield fields
    except csv.Error as error:
        raise InputError(f"{path.name} cannot be cut into fields ({error})", code="input.ragged") from None


def is_number(field: str, delimiter: str) -> bool:
    """Whether a field is a number."""
    try:
        float(decimal(field, delimiter))
    except ValueError:
        return False
    return field.strip().lower() not in MISSING


def decimal(field: str, delimiter: str) -> str:
    """A field with the point as decimal sign: where semicolons part the fields, a comma may be that sign."""
    return field.replace(",", ".") if delimiter == ";" else field


def all_numbers(path: Path, encoding: str, delimiter: str, header: bool) -> np.ndarray | None:
    """The rows as (N, D) by numpy's own fast reader; None where a field is not a plain number."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.loadtxt(
                path,
                delimiter=None if delimiter == " " else delimiter,
                skiprows=int(header),
                quotechar='"',
                comments=None,
                encoding=encoding,
                ndmin=2,
            )
    except ValueError:
        return None


def as_column(fields: tuple[str, ...], delimiter: str) -> np.ndarray:
    """Fields as numbers, NaN where one is missing, or as text where any other is no number."""
    words = [field.strip() for field in fields]
    there = [word.lower() not in MISSING for word in words]
    try:
        numbers = [
            float(decimal(word, delimiter)) if known else np.nan for word, known in zip(words, there, strict=True)
        ]
        return np.array(numbers, np.float64)
    except ValueError:
        column = np.empty(len(words), object)
        column[:] = words
        return column


def unique_names(fields: list[str]) -> list[str]:
    """Column names, a second of the same name with a number behind it.

    Example:
        >>> unique_names(["a", "b", "a", "", "a"])
        ['a', 'b', 'a (2)', 'unnamed 4', 'a (3)']
    """
    names: dict[str, None] = {}
    times: dict[str, int] = {}
    for number, field in enumerate(fields, 1):
        name = made = field.strip() or f"unnamed {number}"
        while made in names:
            times[name] = times.get(name, 1) + 1
            made = f"{name} ({times[name]})"
        names[made] = None
    return list(names)


def read_parquet(path: Path) -> tuple[Columns, tuple[str, ...]]:
    """The columns of a Parquet file that are numbers or text, and a note on the others."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise missing_extra("pyarrow", "table", "reading a Parquet table") from None
    try:
        file = parquet.ParquetFile(path)
        size = file.metadata.num_rows * file.metadata.num_columns
        if size > VALUE_LIMIT:
            raise LimitError(f"{path.name} has {size:,} values", expected=f"limit {VALUE_LIMIT:,}", code="limit.memory")
        table = file.read()
    except (ArrowException, OSError) as error:
        raise DamagedError(
            f"{path} cannot be read ({error})", step="Fetch or write it again", code="damaged.file"
        ) from None
    columns = {name: arrow_column(table.column(i)) for i, name in enumerate(unique_names(table.column_names))}
    left = [name for name, column in columns.items() if column is None]
    notes = (f"Left out, neither numbers nor text: {', '.join(left)}.",) if left else ()
    return {name: column for name, column in columns.items() if column is not None}, notes


def arrow_column(column) -> np.ndarray | None:
    """An Arrow column as numbers or text; None for dates, lists and the like."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    ):
        return column.cast(pa.float64(), safe=False).to_numpy()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        words = np.empty(len(column), object)
        words[:] = [word or "" for word in column.to_pylist()]
        return words
    return None
