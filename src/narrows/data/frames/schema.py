"""A schema: which columns of a table are used and as what, learned in one pass over a stream; rows to features.

batches -> sample and counts -> a kind for each column -> schema (JSON) ; batch -> float32 (B, F)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, ValidationError

from narrows.data.frames.batch import decimal_of, row_of
from narrows.data.frames.cells import FORMATS, parsed_moments, plain
from narrows.data.frames.decide import decide
from narrows.data.frames.evidence import Evidence
from narrows.data.frames.kinds import Column
from narrows.data.frames.marks import Clock, Label, learn_clock, learn_label
from narrows.data.frames.tally import gather
from narrows.errors import DamagedError, InputError, LimitError, ModelError, UsageError, counted, unknown
from narrows.files import parse_json
from narrows.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

JSON_LIMIT = 1 << 24
"""Bytes of a schema as JSON: ten thousand columns take two million."""

SHOWN = 8
"""Columns that a message names."""


class Schema(Settings):
    """The columns of a table as a model sees them.

    D columns are used and make F features, the slice of each in `groups`. Fit it with `Schema.fit`; it travels as
    JSON, and rows get the same features however they are cut into batches.

    Example:
        >>> from narrows.data.frames.batch import batch_of
        >>> rng = np.random.default_rng(0)
        >>> table = batch_of({
        ...     "amount": [*rng.normal(31, 4, 398), 2125.87, None],
        ...     "country": ["GB", "GB", "FR", "GB"] * 100,
        ...     "note": [f"payment {row}" for row in range(400)],
        ... })
        >>> schema = Schema.fit([table])
        >>> schema.names, schema.groups, schema.left
        (('amount', 'country'), [(0, 1), (1, 5)], {'note': 'its texts name the rows: nearly all are different'})
        >>> x = schema.features(table)
        >>> x.shape, x.dtype, x[:3, 2:].tolist()
        ((400, 5), dtype('float32'), [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        >>> schema.roles
        ('value', 'surprise', 'level', 'level', 'level')
        >>> usual = np.array([0, 0, 1, 0, 0], np.float32)
        >>> schema.describe("amount", table, 398, usual), schema.describe("country", table, 398, usual)
        ('amount 2,125.87, expected about 31', 'country FR, expected GB')
    """

    model_config = ConfigDict(allow_inf_nan=False)

    format: Literal["narrows.schema"] = "narrows.schema"
    version: Literal[2] = 2
    columns: tuple[Column, ...]
    """The columns that are used, in the order of their features."""
    left: dict[str, str] = Field(default_factory=dict)
    """Columns that are not used, and why."""
    label: Label | None = None
    """The column that says which rows are odd; never a feature."""
    time: Clock | None = None
    """The column that orders the rows."""
    rows: int
    """Rows it was learned from."""
    notes: tuple[str, ...] = ()
    """What a person should know."""

    @classmethod
    def fit(
        cls,
        batches: Iterable[pa.RecordBatch],
        *,
        label: str | None = None,
        time: str | None = None,
        leave_out: Sequence[str] = (),
        kinds: Mapping[str, str] | None = None,
        odd: Sequence[str] | None = None,
        quiet: Sequence[str] = (),
        seed: int = 0,
    ) -> Self:
        """Learn the columns of a table in one pass, in bounded memory.

        Kinds are decided, and medians and quartiles taken, on a random sample of at most 100,000 rows (fewer of wide
        tables); missing cells, ranges and the levels of categories are counted over all rows.

        Args:
            batches: The rows, for instance from `open_table`.
            label: Column that says which rows are odd.
            time: Column that orders the rows; of a date the hour and the weekday are features, its age is not.
            leave_out: Columns not to use.
            kinds: Kinds a person states: "number", "category", "yes/no" or "date" by column.
            odd: Words of the label column that mean odd; without it such as 1, true, fraud, or all but the commonest.
            quiet: Columns whose missing cells say nothing: they are like the middle one.
            seed: Decides the sample.

        Raises:
            InputError: No rows, no column that can be used, or text in a column of numbers.
            UsageError: A column or a kind that does not exist.
        """
        kinds = dict(kinds or {})
        named = frozenset(kinds) | frozenset(filter(None, (label, time)))
        sample, tallies, decimal = gather(batches, seed, named)
        check_names(tallies, {*named, *leave_out}, label, time)
        cells, rows = sample.rows()
        columns: list[Column] = []
        left: dict[str, str] = {}
        notes: list[str] = []
        for name in tallies:
            seen = Evidence(name, flat(cells.column(name)), rows, tallies[name], decimal, orders=name == time)
            if name == label:
                marked = learn_label(seen, odd)
                left[name], notes = "it is the label", [*notes, *marked.notes()]
                continue
            if name in leave_out:
                left[name] = "as asked"
                continue
            if name == time:
                clock = learn_clock(seen)
                if clock.form is None:
                    left[name] = "it orders the rows"
                    continue
            verdict = decide(seen, kinds.get(name))
            if isinstance(verdict, str):
                left[name] = verdict
            else:
                columns.append(verdict.model_copy(update={"gaps": False}) if name in quiet else verdict)
            notes += remarks(seen, verdict)
        if not columns:
            why = "; ".join(f"{name}: {reason}" for name, reason in list(left.items())[:SHOWN])
            raise InputError(f"no column that can be used ({why})", expected="at least one", code="input.columns")
        return cls(
            columns=tuple(columns),
            left=left,
            label=marked if label else None,
            time=clock if time else None,
            rows=sample.seen,
            notes=tuple(notes),
        ).checked()

    def checked(self) -> Self:
        """The same schema, if it is not too large to travel."""
        size = len(self.to_json())
        if size > JSON_LIMIT:
            raise LimitError(
                f"a schema of {counted(len(self.columns), 'column')} and {size:,} bytes",
                expected=f"at most {JSON_LIMIT:,}",
                step="Leave columns with many long texts out",
                code="limit.columns",
            )
        return self

    @cached_property
    def groups(self) -> list[tuple[int, int]]:
        """For each column that is used, where its features start and stop."""
        stops = np.cumsum([0, *(column.width for column in self.columns)]).tolist()
        return list(pairwise(stops))

    @property
    def roles(self) -> tuple[str, ...]:
        """What each feature is (F,)."""
        return tuple(role for column in self.columns for role in column.roles)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are used."""
        return tuple(column.name for column in self.columns)

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each column that is used."""
        return {column.name: column.kind for column in self.columns}

    @property
    def width(self) -> int:
        """Number of features, F."""
        return self.groups[-1][1]

    def features(self, batch: pa.RecordBatch) -> np.ndarray:
        """The rows of a batch as features (B, F) float32, always finite.

        Columns are found by name: their order does not matter, and others are passed over.

        Raises:
            ModelError: Columns are missing; all are named.
            InputError: Cells that cannot be of the kind their column was learned as; all such columns are named.
        """
        places = self.places(batch)
        out = np.zeros((batch.num_rows, self.width), np.float32)
        decimal, wrong = decimal_of(batch), {}
        for column, (start, stop) in zip(self.columns, self.groups, strict=True):
            found = column.fill(batch.column(places[column.name]), decimal, out[:, start:stop])
            if found is not None and found.any():
                wrong[column.name] = int(found.argmax())
        if wrong:
            raise self.mistyped(batch, wrong)
        return out

    def places(self, batch: pa.RecordBatch) -> dict[str, int]:
        """Where each column of a batch stands; those of the schema must be there."""
        places = {name: place for place, name in enumerate(batch.schema.names)}
        lacking = [name for name in self.names if name not in places]
        if lacking:
            known = {*self.names, *self.left}
            others = [name for name in places if name not in known]
            there = f"; it has {shown(others)} instead" if others else ""
            raise ModelError(
                f"the table lacks {counted(len(lacking), 'column')}: {shown(lacking)}{there}",
                expected="the columns the model was trained on, in any order",
                code="model.columns",
            )
        return places

    def mistyped(self, batch: pa.RecordBatch, wrong: Mapping[str, int]) -> InputError:
        """The error for cells that cannot be read, one for each such column."""
        kinds = self.kinds
        words = [
            f"{name} has {str(batch.column(name)[row].as_py())[:40]!r} in row {row_of(batch, row):,} where "
            f"a {kinds[name]} was"
            for name, row in list(wrong.items())[:SHOWN]
        ]
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        return InputError(
            f"{counted(len(wrong), 'column')} that cannot be read: {', '.join(words)}{more}",
            expected="the kinds of the columns the model was trained on",
            step="Mend those cells, or empty them: a missing cell is allowed",
            code="input.text",
        )

    def aside(self, names: Iterable[str]) -> tuple[str, ...]:
        """Notes on the columns of a table beside those of the schema.

        Example:
            >>> Schema(columns=({"kind": "category", "name": "a", "levels": ()},), rows=1).aside(["b", "a"])
            ("1 column is not known to the model and passed over: 'b'.",)
        """
        others = [name for name in names if name not in {*self.names, *self.left}]
        if not others:
            return ()
        verb = "is" if len(others) == 1 else "are"
        return (f"{counted(len(others), 'column')} {verb} not known to the model and passed over: {shown(others)}.",)

    def gaps(self, batch: pa.RecordBatch) -> dict[str, int]:
        """Missing cells by column, where no more than a few were in training: they are taken for the middle value."""
        places, found = self.places(batch), {}
        for column in self.columns:
            if not column.gaps:
                marked = column.model_copy(update={"gaps": True})
                out = np.zeros((batch.num_rows, marked.width), np.float32)
                marked.fill(batch.column(places[column.name]), decimal_of(batch), out)
                found[column.name] = int(out[:, -1].sum())
        return {name: count for name, count in found.items() if count}

    def labels(self, batch: pa.RecordBatch) -> np.ndarray | None:
        """1 for odd rows, 0 for others, -1 where it is not known, (B,) int8; None without a column of labels."""
        if self.label is None or self.label.name not in batch.schema.names:
            return None
        return self.label.of(batch.column(self.label.name), decimal_of(batch))

    def times(self, batch: pa.RecordBatch) -> np.ndarray | None:
        """The moment of each row in seconds, or in the unit of the column, (B,) float64; None without such a column."""
        if self.time is None or self.time.name not in batch.schema.names:
            return None
        return self.time.of(batch.column(self.time.name), decimal_of(batch))

    def describe(self, column: str | int, batch: pa.RecordBatch, row: int, expected: np.ndarray | None = None) -> str:
        """What a cell holds and what was expected there, in the units of the table.

        Args:
            column: Its name, or its place among the columns that are used.
            batch: Rows.
            row: Which of them, from 0.
            expected: Features the model would have expected of that row, (F,).
        """
        place = self.place(column)
        what = self.columns[place]
        cell = batch.column(what.name)[row].as_py()
        given = f"{what.name} {what.given(cell, decimal_of(batch))}"
        return given if expected is None else f"{given}, expected {self.expected(place, expected)}"

    def expected(self, column: str | int, features: np.ndarray) -> str:
        """What features (F,) mean for one column, in the units of the table."""
        place = self.place(column)
        start, stop = self.groups[place]
        return self.columns[place].guess(np.asarray(features)[start:stop])

    def place(self, column: str | int) -> int:
        """The place of a column among those that are used."""
        if isinstance(column, str) and column not in self.names:
            raise unknown("column of the schema", column, self.names, code="usage.column")
        return self.names.index(column) if isinstance(column, str) else int(column)

    def to_json(self) -> str:
        """The schema as strict JSON."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The schema that `to_json` wrote.

        Raises:
            DamagedError: Not strict JSON, of another version, or with fields that do not fit.
        """
        content = text.encode() if isinstance(text, str) else text
        try:
            parse_json(content, JSON_LIMIT)
            return cls.model_validate_json(content, strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            reason = f"{where}: {first['msg']}"
        except ValueError as error:
            reason = str(error)
        raise DamagedError(
            f"a schema that cannot be read ({reason})",
            expected="version 2 of a schema written by narrows",
            step="Train again, or restore the file",
            code="damaged.schema",
        )


def flat(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def shown(names: Sequence[str]) -> str:
    """Names for a message, not too many."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name[:60]) for name in names[:SHOWN]) + more


def check_names(there: Iterable[str], wanted: Iterable[str], label: str | None, time: str | None) -> None:
    """Refuse names of columns that are not there, and one column in two parts."""
    for name in sorted(set(wanted) - set(there)):
        raise unknown("column", name, there, code="usage.column")
    if label is not None and label == time:
        raise UsageError(f"the column {label!r} as label and as time", expected="two columns", code="usage.column")


def remarks(seen: Evidence, verdict: object) -> list[str]:
    """What is said of a column beside its kind."""
    notes = []
    if seen.tally.infinite or (seen.text and len(seen.numbers) and has_infinite(seen)):
        notes.append(f"{seen.name}: infinite numbers are treated as missing.")
    form = getattr(verdict, "form", "")
    other = form.replace("%d/%m", "%m/%d")
    if other != form and other in FORMATS and parsed_moments(plain(seen.cells), other)[1] is None:
        notes.append(f"{seen.name}: dates such as 03/04 are read with the day first.")
    return notes


def has_infinite(seen: Evidence) -> bool:
    """Whether text in the sample says that a number is infinite."""
    from narrows.data.frames.cells import numbers

    return bool(np.isinf(numbers(seen.cells, seen.decimal)[0]).any())
