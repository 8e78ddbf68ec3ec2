"""History: what a customer did before each row, as columns; from the rows above it in the file, never from later ones.

batches in order of time -> the last 128 rows of each customer -> batches with columns beside their own
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Self

import numpy as np

from narrows.data.frames.batch import decimal_of, row_of
from narrows.data.frames.cells import arrow, numbers, words
from narrows.data.frames.evidence import Evidence
from narrows.data.frames.marks import Clock, learn_clock
from narrows.data.frames.tally import Tally
from narrows.errors import InputError, UsageError, unknown
from narrows.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

DEPTH = 128
"""Rows of a customer that are remembered: counts, sums and medians look no further back."""

CUSTOMERS = 1 << 18
"""Customers that are remembered, 2 KiB each; then those not seen for longest are forgotten."""

PACKED = 1 << 20
"""Rows of all customers together that a saved past has at most, 16 bytes each."""

DIGEST = 8
"""Bytes of the digest a customer is known by."""

WINDOWS = {"1 h": 3600.0, "24 h": 86400.0, "30 d": 2592000.0}
CHUNK = 1 << 14


class History(Settings):
    """Columns that say what a customer did before.

    Of each row: seconds since the customer's last one; how many rows the customer has in the last hour, day and 30
    days, this one among them, and their sum; the amount by the median of the customer's earlier ones. A customer's
    first row has no last one and no median: those cells are missing, which is information too.

    Rows must be in order of time for each customer. A row is told by the rows above it alone, so later rows can
    never change it, nor can the way the rows are cut into batches.

    Example:
        >>> from narrows.data.frames.batch import batch_of
        >>> rows = batch_of({"card": ["a", "b", "a"], "second": [0, 5, 60], "amount": [10.0, 7.0, 30.0]})
        >>> history = History.learn([rows], customer="card", time="second", amount="amount")
        >>> (after,) = history.over([rows])
        >>> for name in history.names[:3] + history.names[-1:]:
        ...     print(name, after.column(name).to_pylist())
        card: seconds since the last [None, None, 60.0]
        card: rows in 1 h [1.0, 1.0, 2.0]
        card: amount in 1 h [10.0, 7.0, 40.0]
        card: amount / own median [None, None, 3.0]
    """

    customer: str
    """Column that says whose row it is."""
    clock: Clock
    """Column with the moment: a date, or seconds."""
    amount: str | None = None
    """Column that is summed."""

    @classmethod
    def learn(cls, batches: Iterable[pa.RecordBatch], *, customer: str, time: str, amount: str | None = None) -> Self:
        """Find out by the first batch how moments are written.

        Raises:
            UsageError: A column that is not there, or one named twice.
            InputError: No rows, or a time column with neither dates nor numbers.
        """
        first = next((batch for batch in batches if batch.num_rows), None)
        if first is None:
            raise InputError("a table without rows", expected="at least one", step="Check the file", code="input.empty")
        named = [name for name in (customer, time, amount) if name is not None]
        for name in named:
            if name not in first.schema.names:
                raise unknown("column", name, first.schema.names, code="usage.column")
        if len(set(named)) < len(named):
            raise UsageError(f"columns {', '.join(named)}", expected="a different one each", code="usage.column")
        decimal, tally = decimal_of(first), Tally()
        cells = first.column(time)
        tally.add(cells, decimal)
        seen = Evidence(time, cells, np.arange(1, first.num_rows + 1), tally, decimal)
        return cls(customer=customer, clock=learn_clock(seen), amount=amount)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns it adds."""
        made = [f"{self.customer}: seconds since the last"]
        for window in WINDOWS:
            made.append(f"{self.customer}: rows in {window}")
            made += [f"{self.customer}: {self.amount} in {window}"] if self.amount else []
        return (*made, f"{self.customer}: {self.amount} / own median") if self.amount else tuple(made)

    def over(self, batches: Iterable[pa.RecordBatch], past: Past | None = None) -> Iterator[pa.RecordBatch]:
        """The batches with the columns of the history added.

        Args:
            batches: The rows.
            past: What is remembered of rows before them, and then of them too; nothing without. What is not earlier
                than the first batch is forgotten.

        Raises:
            InputError: A row whose customer has a later one above it, or an amount that is no number.
        """
        pa, begun = arrow(), past is None
        past = past or Past()
        for batch in batches:
            if not begun:
                times = self.clock.of(batch.column(self.clock.name), decimal_of(batch))
                past.forget_from(float(np.nanmin(times, initial=np.inf)))
                begun = True
            made = self.columns(batch, past)
            added = [pa.array(column, from_pandas=True) for column in made]
            names = [*batch.schema.names, *self.names]
            whole = pa.RecordBatch.from_arrays([*batch.columns, *added], names=names)
            yield whole.replace_schema_metadata(batch.schema.metadata)

    def columns(self, batch: pa.RecordBatch, past: Past) -> list[np.ndarray]:
        """The columns of the history for the rows of a batch, each (B,), NaN where missing."""
        decimal = decimal_of(batch)
        times = self.clock.of(batch.column(self.clock.name), decimal)
        amounts = np.full(len(times), np.nan)
        if self.amount:
            amounts, wrong = numbers(batch.column(self.amount), decimal)
            if wrong is not None and wrong.any():
                row = int(wrong.argmax())
                text = str(batch.column(self.amount)[row].as_py())[:40]
                raise InputError(
                    f"column {self.amount!r} has {text!r} in row {row_of(batch, row):,}",
                    expected="a number",
                    code="input.text",
                )
            amounts = np.where(np.isfinite(amounts), amounts, np.nan)
        slots = past.slots(*words(batch.column(self.customer), decimal))
        rows = np.flatnonzero((slots >= 0) & np.isfinite(times))
        told = past.tell(slots[rows], times[rows], amounts[rows])
        if told.late is not None:
            raise InputError(
                f"row {row_of(batch, int(rows[told.late])):,} is earlier than one above it of the same {self.customer}",
                expected="rows in order of time",
                step=f"Sort the table by {self.clock.name!r}",
                code="input.order",
            )
        made = [told.since]
        for count, total in zip(told.counts, told.sums, strict=True):
            made += [count, total] if self.amount else [count]
        made += [told.ratio] if self.amount else []
        return [spread(column, rows, batch.num_rows) for column in made]


class Told:
    """What the past says of rows, each (R,).

    Args:
        since: Seconds since the customer's last row.
        counts: Rows in each window.
        sums: Their amounts.
        ratio: Amount by the median of earlier ones.
        late: The first row that is earlier than one before it; None as it should be.
    """

    def __init__(self, since, counts, sums, ratio, late: int | None = None):
        self.since, self.counts, self.sums, self.ratio, self.late = since, counts, sums, ratio, late


class Past:
    """The last rows of each customer: moments and amounts, the latest to the right, NaN where there is none."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.times = np.full((1024, DEPTH), np.nan)
        self.amounts = np.full((1024, DEPTH), np.nan)
        self.seen = np.zeros(1024, np.int64)
        self.batches = 0

    def slots(self, places: np.ndarray, found: list[str]) -> np.ndarray:
        """Where each row's customer is remembered, (B,); -1 without one."""
        self.batches += 1
        if len(self.known) + len(found) > CUSTOMERS:
            self.forget()
        table = np.array([*(self.known.setdefault(digest(word), len(self.known)) for word in found), -1], np.int64)
        if len(self.known) > len(self.times):
            more = max(len(self.times), len(self.known) - len(self.times))
            gaps = np.full((more, DEPTH), np.nan)
            self.times, self.amounts = np.concatenate([self.times, gaps]), np.concatenate([self.amounts, gaps])
            self.seen = np.concatenate([self.seen, np.zeros(more, np.int64)])
        self.seen[table[:-1]] = self.batches
        return table[places]

    def forget(self) -> None:
        """Keep the half of the customers that was seen last."""
        self.only(np.sort(np.argsort(-self.seen[: len(self.known)], kind="stable")[: CUSTOMERS // 2]))

    def only(self, kept: np.ndarray) -> None:
        """Keep some customers, by place (n,)."""
        names = list(self.known)
        self.known = {names[old]: place for place, old in enumerate(kept.tolist())}
        self.times, self.amounts, self.seen = self.times[kept], self.amounts[kept], self.seen[kept]

    def forget_from(self, moment: float) -> None:
        """Forget all rows that are not earlier than a moment."""
        late = self.times >= moment
        if late.any():
            self.times[late] = self.amounts[late] = np.nan
            # The latest are to the right.
            order = np.argsort(~np.isnan(self.times), axis=1, kind="stable")
            self.times = np.take_along_axis(self.times, order, 1)
            self.amounts = np.take_along_axis(self.amounts, order, 1)

    def packed(self, most: int = PACKED) -> dict[str, np.ndarray]:
        """The past as arrays, of the customers seen last if there are too many rows.

        Customers are known by a digest: their names are not in it.
        """
        count = np.isfinite(self.times[: len(self.known)]).sum(1)
        order = np.argsort(-self.seen[: len(count)], kind="stable")
        kept = np.sort(order[np.cumsum(count[order]) <= most])
        there, names = np.isfinite(self.times[kept]), np.array(list(self.known))[kept]
        return {
            "customers": np.frombuffer(bytearray.fromhex("".join(names.tolist())), np.uint8).reshape(-1, DIGEST),
            "counts": count[kept],
            "times": self.times[kept][there],
            "amounts": self.amounts[kept][there],
        }

    @classmethod
    def unpacked(cls, arrays: Mapping[str, np.ndarray]) -> Past:
        """The past that `packed` wrote.

        Raises:
            ValueError: Arrays that do not fit together.

        Example:
            >>> Past.unpacked(Past().packed()).known
            {}
        """
        customers, counts = arrays["customers"], arrays["counts"]
        if len(counts) != len(customers) or counts.min(initial=0) < 0 or counts.max(initial=0) > DEPTH:
            raise ValueError("the past of the customers does not fit together")
        past = cls()
        past.known = {bytes(name).hex(): place for place, name in enumerate(customers)}
        past.seen = np.zeros(len(customers), np.int64)
        there = np.arange(DEPTH) >= DEPTH - counts[:, None]
        past.times, past.amounts = np.full((2, len(customers), DEPTH), np.nan)
        past.times[there], past.amounts[there] = arrays["times"], arrays["amounts"]
        return past

    def tell(self, slots: np.ndarray, times: np.ndarray, amounts: np.ndarray) -> Told:
        """What is known of rows by those before them, which then become part of the past.

        Args:
            slots: Customer of each row (R,).
            times: Its moment, finite.
            amounts: Its amount, NaN where missing.
        """
        customers, groups = np.unique(slots, return_inverse=True)
        old = np.isfinite(self.times[customers])
        group = np.concatenate([np.nonzero(old)[0], groups])
        order = np.argsort(group, kind="stable")
        group = group[order]
        time = np.concatenate([self.times[customers][old], times])[order]
        amount = np.concatenate([self.amounts[customers][old], amounts])[order]
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        mine, first = place[old.sum() :], np.searchsorted(group, np.arange(len(customers) + 1))
        late = np.flatnonzero((np.diff(time) < 0) & (np.diff(group) == 0)) + 1
        if len(late):
            return Told(times, [], [], times, int(order[late].min() - old.sum()))
        begin = np.maximum(first[group[mine]], mine - DEPTH)
        since = np.where(mine > begin, time[mine] - time[np.maximum(mine - 1, 0)], np.nan)
        counts, sums = [], []
        for span in WINDOWS.values():
            start = first_within(time, np.maximum(begin, mine - DEPTH + 1), mine, span)
            counts.append((mine - start + 1).astype(np.float64))
            sums.append(sums_of(amount, start, mine))
        ratio = amounts / medians(amount, begin, mine)
        self.keep(customers, group, first, time, amount)
        return Told(since, counts, sums, ratio)

    def keep(self, customers, group, first, time, amount) -> None:
        """Remember the last rows of each customer."""
        column = np.arange(len(group)) - first[group + 1] + DEPTH
        last = column >= 0
        for store, values in ((self.times, time), (self.amounts, amount)):
            store[customers] = np.nan
            store[customers[group[last]], column[last]] = values[last]


def digest(customer: str) -> str:
    """What a customer is known by: a digest that is short, and does not tell the name.

    Example:
        >>> digest("card 17")
        'db1bbb7bd6ff39f0'
    """
    return blake2b(customer.encode(), digest_size=DIGEST).hexdigest()


def first_within(time: np.ndarray, low: np.ndarray, high: np.ndarray, span: float) -> np.ndarray:
    """For each row at `high` (R,) the first one from `low` on that is less than `span` seconds older, by halving."""
    since, high = time[high] - span, high.copy()
    low = low.copy()
    while (low < high).any():
        middle = (low + high) // 2
        inside = time[middle] > since
        high = np.where(inside, middle, high)
        low = np.where(inside, low, np.minimum(middle + 1, high))
    return low


def sums_of(amount: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Sums of amounts from each start to its stop, both among them, (R,); missing ones count as 0."""
    if not len(start):
        return np.zeros(0)
    # Differences of a running sum would depend, in their last digits, on where a batch begins.
    ends = np.stack([start, stop + 1], 1).ravel()
    return np.add.reduceat(np.append(np.nan_to_num(amount), 0.0), ends)[::2]


def medians(amount: np.ndarray, begin: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Medians of the amounts from each begin to before its stop, (R,); NaN where there is none, or where it is 0."""
    found = np.full(len(begin), np.nan)
    for at in range(0, len(begin), CHUNK):
        part = slice(at, at + CHUNK)
        places = stop[part, None] - 1 - np.arange(DEPTH)
        inside = places >= begin[part, None]
        earlier = np.sort(np.where(inside, amount[np.where(inside, places, 0)], np.nan), 1)
        count = np.isfinite(earlier).sum(1)
        some, half = np.flatnonzero(count), np.maximum(count, 1)
        pair = earlier[some, (half[some] - 1) // 2], earlier[some, half[some] // 2]
        found[at + some] = (pair[0] + pair[1]) / 2
    return np.where(found == 0, np.nan, found)


def spread(column: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Values of some rows (R,) as a column (B,), NaN elsewhere."""
    whole = np.full(count, np.nan)
    whole[rows] = column
    return whole
