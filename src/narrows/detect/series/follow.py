"""A growing text file, followed: rows as soon as they are whole, scored as soon as no later row can change them.

file -> what was added, up to the last line end -> rows -> Stream -> lines with scores; state is bounded
"""

from __future__ import annotations

import csv
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from narrows.data.frames.cells import arrow, numbers
from narrows.data.frames.dialect import LINES, Dialect, dialect_in
from narrows.detect.series.detector import Instants
from narrows.detect.series.model import SeriesModel
from narrows.errors import InputError, LimitError, ModelError, counted

PIECE = 1 << 18
"""Bytes of the file that are read at once."""

LONGEST = 1 << 20
"""Bytes of a line, at most."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows that are scored for good.

    Args:
        first: Number of the first of them in its file, from 1.
        fields: Their cells as they were written.
        instants: The same, scored.
        dialect: How they were written.
    """

    first: int
    fields: tuple[tuple[str, ...], ...]
    instants: Instants
    dialect: Dialect


@dataclass(eq=False)
class Tail:
    """What was added to a text file since it was last asked: whole lines only.

    Args:
        path: The file; it need not be there yet.
    """

    path: Path
    file: BinaryIO | None = None
    rest: bytes = b""
    """The begin of a line that is not whole yet."""

    def lines(self) -> list[bytes]:
        """Some more whole lines; none where there are no more now.

        Raises:
            LimitError: A line of more than 1 MiB.
        """
        if self.file is None:
            if not self.path.is_file():
                return []
            self.file = self.path.open("rb")
        *whole, self.rest = (self.rest + self.file.read(PIECE)).split(b"\n")
        if len(self.rest) > LONGEST:
            said = f"{self.path.name} has a line of more than {LONGEST:,} bytes"
            raise LimitError(said, expected="a row a line", code="limit.line")
        return whole

    def begins_anew(self) -> str:
        """Why the file is read from its first byte again, "" where it goes on."""
        if self.file is None or not self.path.is_file():
            return ""
        own, now = os.fstat(self.file.fileno()), os.stat(self.path)
        if (own.st_ino, own.st_dev) != (now.st_ino, now.st_dev):
            self.close()
            return "another file was put in its place"
        place = self.file.tell()
        if now.st_size >= place:
            return ""
        self.close()
        return f"it was cut from {place:,} bytes to {now.st_size:,}"

    def close(self) -> None:
        """Leave the file."""
        if self.file is not None:
            self.file.close()
        self.file, self.rest = None, b""


@dataclass(eq=False)
class Follower:
    """A growing series, scored by a model.

    Args:
        path: A text file; it need not be there yet.
        model: Scores it.
        say: Told, in a sentence, what a person should know: a file that begins anew, a row that cannot be read.
    """

    path: Path
    model: SeriesModel
    say: Callable[[str], None] = lambda words: None
    dialect: Dialect | None = None
    head: list[str] = field(default_factory=list)
    """Lines that were read before there were enough to say how they are written."""
    waiting: deque[tuple[str, ...]] = field(default_factory=deque)
    """Rows that are not scored for good."""
    row: int = 0
    """Rows that were read of this file."""

    def __post_init__(self) -> None:
        self.tail, self.stream = Tail(self.path), self.model.stream()

    @property
    def delay(self) -> int:
        """Rows after one until its score is final."""
        return self.stream.delay

    def pieces(self, stop: Callable[[], bool], *, poll: float = 0.5) -> Iterator[Piece]:
        """Rows as they are scored, until `stop` says so; then those that are left, by a last window.

        Args:
            stop: Asked between two looks at the file.
            poll: Seconds between two looks where nothing was added.
        """
        try:
            while not stop():
                lines = self.tail.lines()
                piece = self.advance(lines) if lines else None
                if piece is not None:
                    yield piece
                why = "" if lines else self.tail.begins_anew()
                if why:
                    self.say(f"{self.path.name} begins anew: {why}.")
                    yield from self.finish()
                elif not lines:
                    time.sleep(poll)
            yield from self.finish()
        finally:
            self.tail.close()

    def advance(self, lines: list[bytes]) -> Piece | None:
        """The rows that are final once some lines came."""
        texts = [line.decode("utf-8", "replace").strip("\r\ufeff") for line in lines]
        texts = [text for text in texts if text.strip()]
        if self.dialect is None:
            self.head += texts
            # With a header alone nobody knows how rows are written.
            if len(self.head) < 2:
                return None
            texts, self.head = self.head, []
            self.dialect = dialect_in([text + "\n" for text in texts[:LINES]], self.path.name)
            self.check_names(self.dialect.names)
            texts = texts[int(self.dialect.header) :]
        if not texts:
            return None
        rows = [self.fields(text, self.dialect) for text in texts]
        values = self.numbers(rows, self.dialect)
        self.waiting.extend(rows)
        return self.told(self.stream.push(values))

    def fields(self, text: str, dialect: Dialect) -> tuple[str, ...]:
        """The cells of a line, as many as there are columns."""
        self.row += 1
        cells = next(csv.reader([text], delimiter=dialect.separator, skipinitialspace=True), [])
        width = len(dialect.names)
        if len(cells) == width:
            return tuple(cells)
        self.say(f"Row {self.row:,} has {counted(len(cells), 'field')} instead of {width}: taken as missing.")
        return ("",) * width

    def numbers(self, rows: list[tuple[str, ...]], dialect: Dialect) -> np.ndarray:
        """The channels of rows (n, C), NaN where a cell is no finite number, which is said."""
        first, found = self.row - len(rows) + 1, []
        for name in self.model.names:
            place = dialect.names.index(name)
            cells = [row[place] for row in rows]
            values, bad = numbers(arrow().array(cells), dialect.decimal)
            values = np.array(values, np.float64)
            wrong = np.isinf(values) | (False if bad is None else bad)
            for at in np.flatnonzero(wrong).tolist():
                self.say(f"Row {first + at:,}: {name} is {cells[at][:40]!r}, no finite number: taken as missing.")
            found.append(np.where(wrong, np.nan, values))
        return np.stack(found, 1)

    def told(self, instants: Instants) -> Piece | None:
        """The rows of some instants, which wait no longer."""
        if not len(instants) or self.dialect is None:
            return None
        first = self.row - len(self.waiting) + 1
        rows = tuple(self.waiting.popleft() for _ in range(len(instants)))
        return Piece(first, rows, instants, self.dialect)

    def finish(self) -> Iterator[Piece]:
        """The rows that are left, and a fresh state."""
        try:
            piece = self.told(self.stream.finish())
            if piece is not None:
                yield piece
        except InputError:
            if self.waiting:
                self.say(f"{counted(len(self.waiting), 'row')} were too few for a window and got no score.")
        self.dialect, self.stream, self.row = None, self.model.stream(), 0
        self.head.clear()
        self.waiting.clear()

    def check_names(self, names: tuple[str, ...]) -> None:
        """Refuse a file without the channels of the model."""
        lacking = [name for name in self.model.names if name not in names]
        if lacking:
            raise ModelError(
                f"{self.path.name} lacks {counted(len(lacking), 'channel')}: {', '.join(map(repr, lacking[:12]))}",
                expected="the channels the model was fitted on",
                code="model.columns",
            )
