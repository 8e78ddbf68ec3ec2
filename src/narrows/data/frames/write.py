"""Writing a table as a stream: the rows as they came and columns beside them; no cell that a spreadsheet would run.

(batch, added columns) -> text that begins like a formula gets an apostrophe -> temporary file -> rename
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narrows.data.frames.batch import decimal_of
from narrows.data.frames.cells import arrow, is_text
from narrows.errors import InputError, UsageError
from narrows.files import atomic

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA = r"^[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
"""How a cell begins that a spreadsheet may take for a formula, in letters of either width."""

HARMLESS = r"^[-+]?[\d.,]*([eE][-+]?\d+)?%?$|^[-+](?i:inf|infinity|nan)$"
"""Numbers, and a lone sign."""

QUOTED = '[";|\t\r\n]|^\\s|\\s$'
"""What a field has that stands between quotation marks, beside the separator."""

TEXT_BYTES = 1 << 26
"""About the bytes of text that are written at once."""

Rows = Iterable[tuple["pa.RecordBatch", Mapping[str, Any]]]


def write_table(path: str | Path, rows: Rows, *, replace: bool = False) -> int:
    """Write rows and columns beside them as CSV, TSV or Parquet, by the suffix; returns how many rows.

    Texts, and names of columns, that begin with = + - @, a tab or a line end get an apostrophe before them; numbers
    stay as they are. Rows of a file with decimal commas are written with semicolons and decimal commas. The file is
    there whole or not at all.

    Args:
        path: Where to: .csv, .txt, .tsv, .parquet or .pq.
        rows: Batches and, for each, what the added columns hold by name, (B,) each.
        replace: Whether a file that is there may be replaced.

    Raises:
        UsageError: A file that is there, or another suffix.
        InputError: No rows, an added column that is there already, or of another length.
        EnvironmentProblem: The disk is full or cannot be written.

    Example:
        >>> import tempfile
        >>> from narrows.data.frames.batch import batch_of
        >>> table = batch_of({"amount": ["-5.30", "12"], "note": ["=1+1", "-"]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     count = write_table(Path(folder) / "scored.csv", [(table, {"score": [0.5, 7.25]})])
        ...     print(count, (Path(folder) / "scored.csv").read_text().split())
        2 ['amount,note,score', "-5.30,'=1+1,0.5", '12,-,7.25']
    """
    path = Path(path)
    if path.suffix.lower() not in WRITERS:
        raise UsageError(f"a table called {path.name}", expected=f"one of {', '.join(WRITERS)}", code="usage.format")
    if path.exists() and not replace:
        raise UsageError(
            f"{path} is there already", step="Choose another name, or say that it may be replaced", code="usage.exists"
        )
    with atomic(path) as temporary:
        count = WRITERS[path.suffix.lower()](temporary, joined(rows))
        if not count:
            raise InputError("a table without rows", expected="at least one", code="input.empty")
    return count


def joined(rows: Rows) -> Iterator[pa.RecordBatch]:
    """The batches with their added columns, all texts safe."""
    for batch, added in rows:
        yield beside(batch, added)


def beside(batch: pa.RecordBatch, added: Mapping[str, Any]) -> pa.RecordBatch:
    """A batch with columns added, all texts safe."""
    pa = arrow()
    again = [name for name in added if name in batch.schema.names]
    if again:
        raise InputError(
            f"the table has columns called {', '.join(map(repr, again))} already",
            expected="names that are free",
            step="Rename those columns, or take them out",
            code="input.columns",
        )
    columns = list(batch.columns)
    for name, values in added.items():
        array = pa.array(values)
        if len(array) != batch.num_rows:
            raise InputError(
                f"column {name!r} with {len(array):,} values", expected=f"{batch.num_rows:,}", code="input.columns"
            )
        columns.append(array.cast(pa.string()) if pa.types.is_null(array.type) else array)
    names = safe(pa.array([*batch.schema.names, *added], pa.string())).to_pylist()
    whole = pa.RecordBatch.from_arrays([safe(column) for column in columns], names=names)
    return whole.replace_schema_metadata(batch.schema.metadata)


def safe(column: pa.Array) -> pa.Array:
    """A column whose texts no spreadsheet takes for formulas; columns of other kinds as they are.

    Example:
        >>> safe(arrow().array(["=A1", "+44 20", "-3,5", "plain"])).to_pylist()
        ["'=A1", "'+44 20", '-3,5', 'plain']
    """
    pa, c = arrow(), arrow().compute
    if not is_text(column.type):
        return column
    if pa.types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(column.indices, safe(column.dictionary))
    text = column.cast(pa.string()) if pa.types.is_string_view(column.type) else column
    odd = c.match_substring_regex(text, FORMULA)
    if not c.any(odd).as_py():
        return text
    odd = c.and_(odd, c.invert(c.match_substring_regex(text, HARMLESS)))
    return c.if_else(odd, c.binary_join_element_wise(pa.scalar("'", text.type), text, pa.scalar("", text.type)), text)


def write_text(path: Path, batches: Iterable[pa.RecordBatch], separator: str = "") -> int:
    """Write batches as text; returns how many rows."""
    count = 0
    with path.open("xb") as file:
        for batch in batches:
            sign = separator or (";" if decimal_of(batch) == "," else ",")
            if not count:
                head = [
                    quoted(arrow().array([name]), sign, len(batch.schema.names))[0].as_py()
                    for name in batch.schema.names
                ]
                file.write((sign.join(head) + "\n").encode())
            step = rows_at_once(batch)
            for start in range(0, batch.num_rows, step):
                file.write(lines(batch.slice(start, step), sign, decimal_of(batch)))
            count += batch.num_rows
    return count


def rows_at_once(batch: pa.RecordBatch) -> int:
    """Rows whose text fits: long texts are written a few at a time."""
    c, longest = arrow().compute, 1
    for column in batch.columns:
        if is_text(column.type):
            texts = getattr(column, "dictionary", column)
            longest += c.max(c.binary_length(texts)).as_py() or 0
    return max(1, TEXT_BYTES // longest)


def lines(batch: pa.RecordBatch, separator: str, decimal: str) -> bytes:
    """The rows of a batch as lines of text."""
    pa, c = arrow(), arrow().compute
    if not batch.num_rows:
        return b""
    fields = [quoted(as_text(column, decimal), separator, batch.num_columns) for column in batch.columns]
    rows = c.binary_join_element_wise(*fields, pa.scalar(separator, pa.large_string()))
    whole = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
    return c.binary_join(whole, pa.scalar("\n", pa.large_string()))[0].as_buffer().to_pybytes() + b"\n"


def as_text(column: pa.Array, decimal: str) -> pa.Array:
    """A column as text, empty where missing."""
    pa, c = arrow(), arrow().compute
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    text = c.cast(column, pa.large_string())
    if decimal == "," and (pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)):
        text = c.replace_substring(text, ".", ",")
    return c.fill_null(text, "")


def quoted(text: pa.Array, separator: str, columns: int) -> pa.Array:
    """Fields, between quotation marks where they need them; an empty line would be no row."""
    pa, c = arrow(), arrow().compute
    text = c.cast(text, pa.large_string())
    wanted = f"{QUOTED}|\\Q{separator}\\E" if columns > 1 else f"{QUOTED}|^$"
    need = c.match_substring_regex(text, wanted)
    if not c.any(need).as_py():
        return text
    mark, none = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
    return c.if_else(need, c.binary_join_element_wise(mark, c.replace_substring(text, '"', '""'), mark, none), text)


def write_tabs(path: Path, batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches as text with tabs; returns how many rows."""
    return write_text(path, batches, "\t")


def write_parquet(path: Path, batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches as Parquet; returns how many rows.

    Raises:
        InputError: Batches whose columns differ.
    """
    from pyarrow import parquet

    pa, count, writer = arrow(), 0, None
    try:
        for batch in batches:
            plain = batch.replace_schema_metadata(None)
            # Numbers seldom repeat: a dictionary of them costs more than all the rest of writing.
            texts = [field.name for field in plain.schema if pa.types.is_dictionary(field.type) or is_text(field.type)]
            writer = writer or parquet.ParquetWriter(path, plain.schema, use_dictionary=texts)
            if plain.schema != writer.schema:
                said = "batches of one table whose columns differ"
                raise InputError(said, expected="one kind in each", code="input.columns")
            writer.write_batch(plain)
            count += batch.num_rows
    except pa.ArrowException as error:
        raise InputError(f"rows that cannot be written ({error})", code="input.columns") from None
    finally:
        if writer is not None:
            writer.close()
    return count


WRITERS: dict[str, Callable[[Path, Iterable[pa.RecordBatch]], int]] = {
    ".csv": write_text,
    ".txt": write_text,
    ".tsv": write_tabs,
    ".parquet": write_parquet,
    ".pq": write_parquet,
}
