"""A table in a file as a stream of batches: any number of rows, bounded memory, as often as it is asked for."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from narrows.data.columns import unique_names
from narrows.data.frames.batch import placed
from narrows.data.frames.cells import arrow, is_text, is_usable
from narrows.data.frames.dialect import Dialect, find_dialect, refuse_encoding, twice
from narrows.errors import DamagedError, InputError, LimitError

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 1 << 16
CELLS = 1 << 22
"""Most cells of a batch: wide tables come in fewer rows at once."""

BLOCK = 1 << 22
"""Bytes of a text file that are cut at once: the longest row there may be."""

TEXT_LIMIT = 1 << 20
"""Bytes of the longest text in a cell of a Parquet file."""

CHUNK_LIMIT = 1 << 31
"""Bytes of text, unpacked, in a column of a row group of a Parquet file."""


class Source(Protocol):
    """A table that can be gone through again and again."""

    path: Path
    names: tuple[str, ...]
    notes: tuple[str, ...]

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...


def open_table(path: str | Path, *, rows: int = ROWS, encoding: str | None = None) -> Source:
    """A CSV, TSV or Parquet file as batches of at most `rows` rows.

    Nothing but the head is read before the batches are asked for (a text file is looked through once for its
    encoding). Cells of a text file are text in every batch; what they mean is for a `Schema` to say.

    Args:
        path: The file; .parquet and .pq are Parquet, all others text.
        rows: Most rows of a batch; wide tables come in fewer.
        encoding: "utf-8", "utf-16" or "latin-1" of a text file; found out without.

    Raises:
        InputError: No such file, empty, not text; and while it is read: a row with more or fewer fields.
        DamagedError: A Parquet file that cannot be read.
        LimitError: A row of text of more than 4 MiB, or a cell of Parquet of more than 1 MiB.
        EnvironmentProblem: pyarrow is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "a.csv").write_text("amount;country\\n1,5;GB\\n2,5;FR\\n")
        ...     table = open_table(Path(folder) / "a.csv")
        ...     table.names, [batch.num_rows for batch in table], table.notes
        (('amount', 'country'), [2], ('The comma is taken for the decimal sign.',))
    """
    arrow()
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is not a file", step="Check the path", code="input.missing")
    if path.suffix.lower() not in (".parquet", ".pq"):
        return TextTable(path, find_dialect(path, encoding), rows)
    if encoding is not None:
        raise refuse_encoding(path.name)
    return ParquetTable(path, rows)


def row_limit(columns: int, rows: int) -> int:
    """Rows of a batch of so many columns."""
    return max(1, min(rows, CELLS // max(1, columns)))


def in_parts(batches: Iterator[pa.RecordBatch], limit: int, decimal: str = ".") -> Iterator[pa.RecordBatch]:
    """Batches of at most `limit` rows that know where they stand."""
    row = 1
    for batch in batches:
        for start in range(0, batch.num_rows, limit):
            part = batch.slice(start, limit)
            yield placed(part, row, decimal)
            row += part.num_rows


class TextTable:
    """A text file as batches of text.

    Args:
        path: The file.
        dialect: How it is written.
        rows: Most rows of a batch.
    """

    def __init__(self, path: Path, dialect: Dialect, rows: int = ROWS):
        self.path, self.dialect, self.rows = path, dialect, rows
        self.names, self.notes = dialect.names, dialect.notes

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from in_parts(self.blocks(), row_limit(len(self.names), self.rows), self.dialect.decimal)

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """The rows, as many at once as a block of the file has."""
        pa = arrow()
        try:
            reader = self.reader()
            while True:
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    return
                if batch.num_rows:
                    yield batch
        except pa.ArrowInvalid as error:
            raise self.problem(str(error)) from None
        except (pa.ArrowException, OSError, UnicodeError) as error:
            raise DamagedError(
                f"{self.path} cannot be read ({error})", step="Check the file", code="damaged.file"
            ) from None

    def reader(self) -> Any:
        """Arrow's own reader, told to leave all cells as text."""
        from pyarrow import csv as arrow_csv

        look, pa = self.dialect, arrow()
        return arrow_csv.open_csv(
            str(self.path),
            read_options=arrow_csv.ReadOptions(
                block_size=BLOCK,
                use_threads=False,
                encoding="utf8" if look.encoding == "utf-8" else look.encoding,
                column_names=list(look.names),
                skip_rows_after_names=int(look.header),
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=look.separator, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(look.names, pa.string()), strings_can_be_null=False
            ),
        )

    def problem(self, said: str) -> Exception:
        """The error for what Arrow says of the file."""
        if "straddling" in said or "block size" in said:
            return LimitError(
                f"{self.path.name} has a row of more than {BLOCK:,} bytes",
                expected="rows of a table",
                step="Look for a quotation mark that is never closed",
                code="limit.line",
            )
        if "UTF8" in said or "utf" in said.lower():
            return InputError(f"{self.path.name} is not UTF-8 everywhere", step="Write it again", code="input.encoding")
        line, fields = self.ragged()
        where = f"line {line:,} has {fields} fields" if line else said
        return InputError(
            f"{self.path.name}: {where}",
            expected=f"{len(self.names)}, as the first",
            step="Mend that line; text with the separator in it goes into quotes",
            code="input.ragged",
        )

    def ragged(self) -> tuple[int, int]:
        """The line at which the first row with another number of fields ends, and that number; 0, 0 if unknown."""
        look = self.dialect
        encoding = "utf-8-sig" if look.encoding == "utf-8" else look.encoding
        with self.path.open(encoding=encoding, newline="", errors="replace") as file:
            reader = csv.reader(file, delimiter=look.separator)
            try:
                return next((reader.line_num, len(row)) for row in reader if row and len(row) != len(look.names))
            except (StopIteration, csv.Error):
                return 0, 0


class ParquetTable:
    """A Parquet file as batches; texts come as dictionaries, so that one that is repeated is held once.

    Args:
        path: The file.
        rows: Most rows of a batch.
    """

    def __init__(self, path: Path, rows: int = ROWS):
        self.path, self.rows = path, rows
        with self.opened() as file:
            schema, metadata = file.schema_arrow, file.metadata
            check_chunks(path.name, metadata)
        every = unique_names(schema.names)
        self.places = [place for place, kind in enumerate(schema.types) if is_usable(kind)]
        self.names = tuple(every[place] for place in self.places)
        self.texts = [schema.names[place] for place in self.places if is_text(schema.types[place])]
        self.plain = len(set(schema.names)) == len(schema.names) and "." not in "".join(schema.names)
        self.wanted = [schema.names[place] for place in self.places]
        left = [name for place, name in enumerate(every) if place not in set(self.places)]
        notes = [twice(schema.names)]
        if left:
            notes.append(f"Left out, neither numbers nor text nor dates: {', '.join(left[:12])}.")
        self.notes = tuple(filter(None, notes))

    def opened(self) -> Any:
        """The file, open."""
        from pyarrow import parquet

        pa = arrow()
        try:
            return parquet.ParquetFile(
                self.path, read_dictionary=getattr(self, "texts", None), buffer_size=1 << 20, pre_buffer=False
            )
        except (pa.ArrowException, OSError) as error:
            raise self.damaged(error) from None

    def damaged(self, error: Exception) -> DamagedError:
        """The error for a file that is cut short or altered."""
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        return DamagedError(f"{self.path} cannot be read ({said})", step="Fetch or write it again", code="damaged.file")

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from in_parts(self.batches(), self.rows)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, with the columns that can be used."""
        pa = arrow()
        limit = row_limit(len(self.names), self.rows)
        try:
            with self.opened() as file:
                for batch in file.iter_batches(limit, columns=self.wanted if self.plain else None):
                    arrays = batch.columns if self.plain else [batch.column(place) for place in self.places]
                    for name, array in zip(self.names, arrays, strict=True):
                        check_texts(self.path.name, name, array)
                    yield pa.RecordBatch.from_arrays(arrays, names=list(self.names))
        except (pa.ArrowException, OSError) as error:
            raise self.damaged(error) from None


def check_chunks(name: str, metadata: Any) -> None:
    """Refuse a Parquet file whose texts, unpacked, would not fit.

    Raises:
        LimitError: More than 2 GiB of text in a column of a row group.
    """
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for place in range(row_group.num_columns):
            chunk = row_group.column(place)
            if chunk.physical_type == "BYTE_ARRAY" and chunk.total_uncompressed_size > CHUNK_LIMIT:
                raise LimitError(
                    f"{name}: column {chunk.path_in_schema} unpacks to {chunk.total_uncompressed_size:,} bytes of text "
                    f"in row group {group + 1}",
                    expected=f"at most {CHUNK_LIMIT:,}",
                    step="Write the file in smaller row groups, or without that column",
                    code="limit.memory",
                )


def check_texts(name: str, column: str, array: pa.Array) -> None:
    """Refuse a text that is too long to be a cell of a table.

    Raises:
        LimitError: More than 1 MiB.
    """
    if not hasattr(array, "dictionary") or not is_text(array.type):
        return
    longest = arrow().compute.max(arrow().compute.binary_length(array.dictionary)).as_py() or 0
    if longest > TEXT_LIMIT:
        raise LimitError(
            f"{name}: column {column} has a text of {longest:,} bytes",
            expected=f"at most {TEXT_LIMIT:,}",
            step="Leave that column out of the file",
            code="limit.text",
        )
