"""Tables as text: counted before they are read."""

import csv
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

from narrows.data.columns import delimiter_of, encoding_of, read_columns, rows_of
from narrows.errors import InputError, LimitError
from narrows.studio.intake.fitting import fitting

ROWS_LIMIT, COLUMNS_LIMIT, FIELD_LIMIT, LINE_LIMIT, NAME_LIMIT = 5_000_000, 2_000, 1 << 16, 1 << 20, 256
SHOWN_ROWS, SHOWN_COLUMNS = 5, 30


def read_table(raw: Path, out: Path, form: str) -> dict[str, Any]:
    """One table."""
    csv.field_size_limit(FIELD_LIMIT)
    check_lines(raw)
    path = out / f"data.{form}"
    shutil.copyfile(raw, path)
    encoding = encoding_of(path)
    delimiter = delimiter_of(path, encoding)
    check_columns(len(next((row for _, row in rows_of(path, encoding, delimiter)), [])))
    columns, notes = read_columns(path)
    check_names(list(columns))
    facts = {
        "rows": len(next(iter(columns.values()))),
        "columns": [
            {"name": name, "kind": "number" if values.dtype.kind == "f" else "text"} for name, values in columns.items()
        ],
    }
    shown = [row for _, row in islice(rows_of(path, encoding, delimiter), SHOWN_ROWS + 1)]
    preview = [[field[:40] for field in row[:SHOWN_COLUMNS]] for row in shown]
    return {"kind": "table", "facts": facts, "notes": list(notes), "preview": preview, **fitting(path.name, out)}


def check_lines(raw: Path) -> None:
    """Refuse a file of too many lines, or of one without end, before it is read as a table."""
    lines = longest = 0
    with raw.open("rb") as file:
        while piece := file.readline(LINE_LIMIT + 1):
            lines, longest = lines + 1, max(longest, len(piece))
            if longest > LINE_LIMIT:
                raise LimitError(f"Line {lines:,} has more than {LINE_LIMIT:,} bytes", code="limit.line")
            if lines > ROWS_LIMIT:
                raise LimitError(f"More than {ROWS_LIMIT:,} rows", step="Give a part of them", code="limit.rows")


def check_columns(count: int) -> None:
    """Refuse too many columns."""
    if count > COLUMNS_LIMIT:
        raise LimitError(f"{count:,} columns", expected=f"at most {COLUMNS_LIMIT:,}", code="limit.columns")


def check_names(names: list[str]) -> None:
    """Refuse names of columns that are no names."""
    long = next((name for name in names if len(name) > NAME_LIMIT), None)
    if long is not None:
        raise InputError(f"A column is called {long[:40]!r} ...", expected=f"at most {NAME_LIMIT} letters")
