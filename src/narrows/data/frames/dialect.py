"""How a text table is written: its encoding, the sign between fields, the decimal sign, whether it has a header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from narrows.data.columns import DELIMITERS, MISSING, unique_names
from narrows.errors import InputError, LimitError, UsageError, unknown

HEAD = 1 << 20
"""Bytes that are looked at."""

CHUNK = 1 << 22
LINES = 200
SIGNS = tuple(sign for sign in DELIMITERS if sign != " ")
SIGN_NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}
ENCODINGS = ("utf-8", "utf-16", "latin-1")
POINT = re.compile(r"[-+]?\d*\.\d+([eE][-+]?\d+)?")
COMMA = re.compile(r"[-+]?(\d+|\d{1,3}(\.\d{3})+),\d+([eE][-+]?\d+)?")


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Args:
        encoding: "utf-8", "utf-16" or "latin-1".
        separator: Sign between fields.
        decimal: Sign before fractions.
        names: The columns, each name once.
        header: Whether the first line names them.
        notes: What a person should know of it.
    """

    encoding: str
    separator: str
    decimal: str
    names: tuple[str, ...]
    header: bool
    notes: tuple[str, ...] = ()


def find_dialect(path: Path, encoding: str | None = None) -> Dialect:
    """How a text file is written, by its first lines; the encoding by all of it.

    Raises:
        InputError: Empty, or not text.
        LimitError: The first line is longer than 1 MiB.
        UsageError: An encoding that is not known.
    """
    if encoding is not None and encoding not in ENCODINGS:
        raise unknown("encoding", encoding, ENCODINGS, code="usage.encoding")
    found = encoding_of(path) if encoding is None else encoding
    return dialect_in(head_of(path, found), path.name, found, encoding)


def dialect_in(lines: list[str], name: str, found: str = "utf-8", asked: str | None = "utf-8") -> Dialect:
    """How the first lines of a text table are written.

    Args:
        lines: Whole lines.
        name: Of the file, for the error.
        found: Their encoding.
        asked: The one that was asked for.

    Raises:
        InputError: Empty lines only.

    Example:
        >>> dialect_in(["a;b\\n", "1,5;2\\n"], "a.csv").names
        ('a', 'b')
    """
    separator = separator_of(lines)
    rows = [row for row in cut(lines, separator) if any(field.strip() for field in row)]
    if not rows:
        raise InputError(f"{name} is empty", expected="a line of column names and rows below it", code="input.empty")
    decimal = decimal_of_rows(rows, separator)
    first = rows[0]
    header = not any(looks_like_number(field, decimal) for field in first)
    names = unique_names(first) if header else [f"column {number + 1}" for number in range(len(first))]
    return Dialect(found, separator, decimal, tuple(names), header, tuple(said(found, asked, decimal, first, header)))


def said(found: str, asked: str | None, decimal: str, first: list[str], header: bool) -> list[str]:
    """Notes on how a file is written, where it could have been read in another way."""
    notes = []
    if found == "latin-1" and asked is None:
        notes.append("It is not UTF-8 and was read as Latin-1: look whether letters with accents are right.")
    if decimal == ",":
        notes.append("The comma is taken for the decimal sign.")
    if not header:
        notes.append("The first line has numbers, so it is taken for a row: columns are called 'column 1', ...")
    return notes + ([twice(first)] if header and twice(first) else [])


def twice(names: list[str]) -> str:
    """A note on column names that are there more than once, "" without any.

    Example:
        >>> twice(["a", "b", "a"])
        "More than one column is called 'a': the later ones are called 'a (2)' and so on."
    """
    plain = [name.strip() for name in names if name.strip()]
    again = sorted({name for name in plain if plain.count(name) > 1}) if len(set(plain)) < len(plain) else []
    words = ", ".join(map(repr, again[:5]))
    return (
        f"More than one column is called {words}: the later ones are called '{again[0]} (2)' and so on."
        if again
        else ""
    )


def encoding_of(path: Path) -> str:
    """UTF-16 by its mark, UTF-8 if all bytes of the file are, else Latin-1.

    Raises:
        InputError: A zero byte, which no text has.
    """
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        file.seek(0)
        decoder, good, lines = codecs.getincrementaldecoder("utf-8")(), True, 1
        while chunk := file.read(CHUNK):
            if b"\0" in chunk:
                lines += chunk.count(b"\n", 0, chunk.index(b"\0"))
                raise InputError(
                    f"{path.name} is not readable as text: line {lines:,} has a zero byte",
                    expected="a table as text, or Parquet in a file called .parquet",
                    step="Write the file again",
                    code="input.binary",
                )
            lines += chunk.count(b"\n")
            good = good and decodes(decoder, chunk)
        return "utf-8" if good and decodes(decoder, b"", final=True) else "latin-1"


def decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    """Whether bytes go on as text."""
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def head_of(path: Path, encoding: str) -> list[str]:
    """The first whole lines."""
    with path.open("rb") as file:
        raw = file.read(HEAD)
    more = len(raw) == HEAD
    try:
        text = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)().decode(raw)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name} is not {encoding} ({error.reason} at byte {error.start:,})",
            expected="text",
            step="Name its encoding, or write it again as UTF-8",
            code="input.encoding",
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(
            f"{path.name} is not readable as text: line {line:,} has a zero byte",
            expected="a table as text",
            step="Write the file again",
            code="input.binary",
        )
    lines = list(io.StringIO(text, newline=""))
    if more and len(lines) < 2:
        raise LimitError(
            f"{path.name} has a first line of more than {HEAD:,} bytes",
            expected="a table of text with a line for each row",
            code="limit.line",
        )
    return lines[:-1][:LINES] if more else lines[:LINES]


def separator_of(lines: list[str]) -> str:
    r"""The sign between fields: the one that cuts most lines into as many fields as the first, more than one.

    Example:
        >>> separator_of(["a;b\n", "1,5;2\n"]), separator_of(["a\n", "1\n"])
        (';', ',')
    """
    best, most = ",", (0.0, 0)
    for sign in SIGNS:
        counts = [len(row) for row in cut(lines, sign) if row]
        if not counts or counts[0] < 2:
            continue
        agree = counts.count(counts[0]) / len(counts), counts[0]
        if agree > most:
            best, most = sign, agree
    return best


def cut(lines: list[str], separator: str) -> list[list[str]]:
    """Lines cut into fields, as far as they can be."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=separator, skipinitialspace=True):
            rows.append(row)
    except csv.Error:
        pass
    return rows


def decimal_of_rows(rows: list[list[str]], separator: str) -> str:
    """The decimal sign: a comma where it does not part the fields and more numbers have one than a point."""
    if separator == ",":
        return "."
    fields = [field.strip() for row in rows for field in row]
    commas = sum(1 for field in fields if COMMA.fullmatch(field))
    return "," if commas > sum(1 for field in fields if POINT.fullmatch(field)) else "."


def looks_like_number(field: str, decimal: str) -> bool:
    """Whether a field is a number."""
    try:
        float(field.replace(",", ".") if decimal == "," else field)
    except ValueError:
        return False
    return field.strip().lower() not in MISSING


def refuse_encoding(name: str) -> UsageError:
    """The error for an encoding stated for a file that has none."""
    return UsageError(f"an encoding for {name}", expected="none: a Parquet file knows its own", code="usage.encoding")
