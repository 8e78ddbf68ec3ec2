"""The channels of a recording in a table: a column each, a row an instant, in the order of time.

source -> columns of numbers (T, C), NaN where missing; times (T,); labels (T,)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from narrows.data.frames import Source
from narrows.data.frames.batch import decimal_of, row_of
from narrows.data.frames.cells import form_of, is_moment, is_text, numbers
from narrows.data.frames.marks import Clock, Label
from narrows.detect.rows import Columns, check_names
from narrows.errors import InputError, LimitError, ModelError, UsageError, counted, unknown

if TYPE_CHECKING:
    import pyarrow as pa

VALUES_LIMIT = 1 << 26
"""Values of a recording that are held at once, half a GiB."""

TEXT = 0.5
"""Share of the cells of a column that are no numbers, from which on it is no channel and not merely damaged."""

UNEVEN = 1.5
"""Longest step of time over the usual one, from which on steps are said to differ."""


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording.

    Args:
        names: Of its channels (C,).
        values: Instants (T, C) float64, NaN where missing.
        times: Seconds (T,), or None.
        labels: 1 for each odd instant, 0 for each usual one (T,), or None.
        notes: What a person should know of it.
    """

    names: tuple[str, ...]
    values: np.ndarray
    times: np.ndarray | None = None
    labels: np.ndarray | None = None
    notes: tuple[str, ...] = ()


@dataclass
class Cells:
    """What was read of one column, batch by batch, and the first cell that is no number."""

    parts: list[np.ndarray] = field(default_factory=list)
    wrong: int = 0
    where: str = ""

    def add(self, batch: pa.RecordBatch, place: int) -> None:
        """Read the cells of a batch."""
        values, bad = numbers(batch.column(place), decimal_of(batch))
        self.parts.append(np.asarray(values, np.float64))
        if bad is not None and bad.any():
            first = int(bad.argmax())
            if not self.wrong:
                text = str(batch.column(place)[first].as_py())[:40]
                self.where = f"{batch.schema.names[place]} has {text!r} in row {row_of(batch, first):,}"
            self.wrong += int(bad.sum())

    def reason(self) -> str:
        """Why the column is no channel, "" where it is one."""
        values = np.concatenate(self.parts)
        known = values[~np.isnan(values)]
        if self.wrong > TEXT * (self.wrong + len(known)):
            return "it has no numbers"
        if not len(known):
            return "it is empty"
        return "it never changes" if known.min() == known.max() and not self.wrong else ""


def read(source: Source, columns: Columns | None = None, names: tuple[str, ...] | None = None) -> Recording:
    """The recording in a table.

    Args:
        source: The table; a row an instant.
        columns: Which of its columns are the time, the label, or not used.
        names: The channels of a model, all of which must be there; every column of numbers that changes without.

    Raises:
        InputError: No rows, no channel, text or an infinity in one, or times that are missing or go back.
        LimitError: More values than are held at once.
        ModelError: Channels of the model are missing.
        UsageError: A column is named that is not there.
    """
    columns = columns or Columns()
    check_names(source)
    check_asked(source, columns, names)
    aside = {columns.time, columns.label, *columns.leave_out}
    wanted = names or tuple(name for name in source.names if name not in aside)
    cells, times = gathered(source, wanted, columns.time)
    left = {} if names else {name: why for name in wanted if (why := cells[name].reason())}
    used = tuple(name for name in wanted if name not in left)
    if not used:
        why = "; ".join(f"{name}: {reason}" for name, reason in list(left.items())[:8])
        said = f"no column that can be a channel ({why})" if left else "no column but time and label"
        raise InputError(said, expected="a column of numbers that change", code="input.columns")
    values = np.stack([np.concatenate(cells[name].parts) for name in used], 1)
    check_cells(used, cells, values)
    labels, about = labels_in(source, columns.label)
    notes = (*source.notes, *(f"{name} is not used: {why}." for name, why in left.items()), *about)
    return Recording(used, values, times, labels, (*notes, *gap_words(values, used), *step_words(times)))


def check_asked(source: Source, columns: Columns, names: tuple[str, ...] | None) -> None:
    """Refuse columns that are named and not there."""
    if columns.customer or columns.amount:
        raise UsageError("a customer or an amount of a series", expected="columns of a table of rows")
    for name in (columns.time, columns.label, *columns.leave_out):
        if name is not None and name not in source.names:
            raise unknown("column", name, source.names, code="usage.column")
    lacking = [name for name in names or () if name not in source.names]
    if lacking:
        raise ModelError(
            f"{source.path.name} lacks {counted(len(lacking), 'channel')}: {', '.join(map(repr, lacking[:12]))}",
            expected="the channels the model was fitted on",
            code="model.columns",
        )


def gathered(source: Source, wanted: tuple[str, ...], time: str | None) -> tuple[dict[str, Cells], np.ndarray | None]:
    """The cells of some columns, and the times (T,)."""
    cells, clock, rows = {name: Cells() for name in wanted}, None, 0
    moments: list[np.ndarray] = []
    for batch in source:
        rows += batch.num_rows
        if rows * max(1, len(wanted)) > VALUES_LIMIT:
            raise LimitError(
                f"more than {rows:,} instants of {counted(len(wanted), 'channel')}",
                expected=f"at most {VALUES_LIMIT:,} values in all",
                step="Cut the series, or leave columns out",
                code="limit.series",
            )
        places = {name: place for place, name in enumerate(batch.schema.names)}
        for name in wanted:
            cells[name].add(batch, places[name])
        if time is not None:
            column = batch.column(places[time])
            clock = clock or Clock(name=time, form=form_in(column))
            moments.append(rising(clock, batch, column, moments[-1][-1] if moments else -np.inf))
    if not rows:
        raise InputError(f"{source.path.name} has no rows", expected="a row an instant", code="input.empty")
    return cells, np.concatenate(moments) if moments else None


def form_in(column: pa.Array) -> str | None:
    """How times are written; None for numbers."""
    return form_of(column) if is_text(column.type) else "iso" if is_moment(column.type) else None


def rising(clock: Clock, batch: pa.RecordBatch, column: pa.Array, before: float) -> np.ndarray:
    """The times of a batch (B,), none missing and none before the one before it."""
    moments = clock.of(column, decimal_of(batch))
    bad = np.isnan(moments)
    if bad.any():
        row = row_of(batch, int(bad.argmax()))
        raise InputError(f"row {row:,} has no time", expected="a time in every row", code="input.time")
    back = np.diff(moments, prepend=before) < 0
    if back.any():
        raise InputError(
            f"the time {clock.name!r} goes back in row {row_of(batch, int(back.argmax())):,}",
            expected="rows in the order of time",
            step="Sort the table by its time",
            code="input.time",
        )
    return moments


def check_cells(names: tuple[str, ...], cells: dict[str, Cells], values: np.ndarray) -> None:
    """Refuse channels with text or infinities among their numbers; all that have text are named."""
    wrong = [cells[name].where for name in names if cells[name].wrong]
    if wrong:
        raise InputError(
            f"{counted(len(wrong), 'channel')} that cannot be read: {', '.join(wrong[:8])}",
            expected="numbers, or nothing where one is missing",
            code="input.text",
        )
    bad = np.isinf(values)
    if bad.any():
        row, channel = np.argwhere(bad)[0]
        raise InputError(
            f"{names[channel]} is infinite in row {row + 1:,}; {counted(int(bad.sum()), 'value')} in all",
            expected="finite numbers, or nothing where one is missing",
            code="input.nan",
        )


def labels_in(source: Source, name: str | None) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The labels of all instants (T,) where each is known, and what is to be said of them."""
    if name is None:
        return None, ()
    label = Label.learn(source, name)
    labels = np.concatenate([label.of(batch.column(name), decimal_of(batch)) for batch in source])
    if (labels < 0).any():
        return None, (f"The label {name!r} is empty in some rows: it is not used.",)
    return (labels if 0 < labels.sum() < len(labels) else None), tuple(label.notes())


def gap_words(values: np.ndarray, names: tuple[str, ...]) -> tuple[str, ...]:
    """What is done about missing values, where there are some."""
    gaps = np.isnan(values)
    if not gaps.any():
        return ()
    worst = int(gaps.sum(0).argmax())
    said = f"{counted(int(gaps.sum()), 'value')} missing, most in {names[worst]} ({gaps[:, worst].sum():,})"
    nothing = int(gaps.all(1).sum())
    empty = f"; {counted(nothing, 'instant')} without any value get a score of 0" if nothing else ""
    return (f"{said}: what is expected there stands in for it and adds nothing to a score{empty}.",)


def step_words(times: np.ndarray | None) -> tuple[str, ...]:
    """That steps of time differ, where they do.

    Example:
        >>> step_words(np.array([0.0, 10, 20, 50]))
        ('Steps of time differ, from 10 to 30: windows count rows and not time.',)
    """
    if times is None or len(times) < 3:
        return ()
    steps = np.diff(times)
    low, usual, high = steps.min(), np.median(steps), steps.max()
    if high <= UNEVEN * usual and low * UNEVEN >= usual:
        return ()
    return (f"Steps of time differ, from {low:.4g} to {high:.4g}: windows count rows and not time.",)
