"""What a stream of batches is remembered by: a sample of its rows, and for each column counts in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from narrows.data.frames.batch import decimal_of
from narrows.data.frames.cells import WORD_LIMIT, arrow, is_moment, is_text, numbers, quick_numbers, words
from narrows.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = 100_000
CELLS = 8_000_000
"""Most cells of a sample: wide tables keep fewer rows."""

LEVELS = 10_000
"""Different words of a column that are counted at once."""

FEW_NUMBERS = 1000
"""Different numbers up to which text that is numbers is counted as words as well."""

LONE_SHARE = 0.5
"""Where more than this share of the words are new, counting them all says nothing: the sample will do."""


class Sample:
    """A random sample of rows, the same for the same rows and seed however they are cut into batches.

    Every row draws a number; those with the smallest stay.

    Args:
        columns: How many columns the table has.
        seed: Decides the rows.

    Example:
        >>> from narrows.data.frames.batch import batch_of, part_of
        >>> whole, one, two = batch_of({"a": range(9)}), Sample(1, 0, size=4), Sample(1, 0, size=4)
        >>> one.add(whole), two.add(part_of(whole, 0, 5)), two.add(part_of(whole, 5, 9))
        (None, None, None)
        >>> one.rows()[0].column("a").to_pylist() == two.rows()[0].column("a").to_pylist()
        True
    """

    def __init__(self, columns: int, seed: int, *, size: int = SAMPLE):
        self.size = max(100, min(size, CELLS // max(1, columns))) if size == SAMPLE else size
        self.rng = np.random.default_rng(seed)
        self.bound, self.seen, self.held = 1.0, 0, 0
        self.parts: list[tuple[np.ndarray, np.ndarray, pa.Table]] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Let the rows of a batch draw."""
        keys = self.rng.random(batch.num_rows)
        chosen = np.flatnonzero(keys < self.bound)
        if len(chosen):
            kept = [short(column.take(arrow().array(chosen))) for column in batch.columns]
            table = arrow().Table.from_arrays(kept, names=batch.schema.names)
            self.parts.append((keys[chosen], self.seen + chosen, table))
            self.held += len(chosen)
        self.seen += batch.num_rows
        if self.held > 2 * self.size:
            self.shrink()

    def shrink(self) -> None:
        """Keep the rows with the smallest keys."""
        keys, places, table = self.joined()
        if len(keys) > self.size:
            best = np.sort(np.argpartition(keys, self.size)[: self.size])
            self.bound = float(keys[best].max())
            keys, places, table = keys[best], places[best], table.take(arrow().array(best))
        self.parts, self.held = [(keys, places, table)], len(keys)

    def joined(self) -> tuple[np.ndarray, np.ndarray, pa.Table]:
        """All that is held, as one."""
        pa = arrow()
        keys, places, tables = zip(*self.parts, strict=True)
        try:
            table = pa.concat_tables(tables, promote_options="permissive")
        except pa.ArrowException as error:
            raise InputError(
                f"batches of one table whose columns differ ({error})",
                expected="one kind in each",
                code="input.columns",
            ) from None
        return np.concatenate(keys), np.concatenate(places), table.combine_chunks()

    def rows(self) -> tuple[pa.Table, np.ndarray]:
        """The rows in their order, and their numbers from 1."""
        self.shrink()
        _, places, table = self.parts[0]
        return table, places + 1


def short(array: pa.Array) -> pa.Array:
    """A column to be kept: texts as such, none longer than can be told apart."""
    pa = arrow()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return pa.compute.utf8_slice_codeunits(array.cast(pa.string()), 0, WORD_LIMIT + 2) if is_text(array.type) else array


class Tally:
    """What is counted of a column: cells, missing ones, infinite ones, the smallest and largest number, its words.

    Args:
        count: Whether the words of a column of numbers are counted too.
    """

    def __init__(self, count: bool = False):
        self.count = count
        self.rows = self.missing = self.infinite = self.counted = 0
        self.low, self.high = np.inf, -np.inf
        self.levels: dict[str, int] = {}
        self.complete = self.counting = True

    def add(self, array: pa.Array, decimal: str) -> None:
        """Count the cells of a batch."""
        self.rows += len(array)
        if not is_text(array.type) and not is_moment(array.type):
            self.add_numbers(numbers(array, decimal)[0])
            if not self.count:
                return
            self.add_words(*words(array, decimal))
        elif is_moment(array.type):
            self.missing += array.null_count
        elif not self.count and self.counting and self.add_plainly(array, decimal):
            return
        elif self.counting:
            places, found = words(array, decimal)
            self.missing += int((places < 0).sum())
            self.add_words(places, found)
        else:
            values, wrong = numbers(array, decimal)
            if wrong is None:
                self.add_numbers(values)
            else:
                self.missing += int((np.isnan(values) & ~wrong).sum())

    def add_plainly(self, array: pa.Array, decimal: str) -> bool:
        """Count text that is nothing but numbers, most of them different, as such; whether it is."""
        values = quick_numbers(array, decimal)
        if values is None or arrow().compute.count_distinct(array).as_py() <= FEW_NUMBERS:
            return False
        self.add_numbers(values)
        self.counting = self.complete = False
        return True

    def add_numbers(self, values: np.ndarray) -> None:
        """Count numbers (B,)."""
        finite = np.isfinite(values)
        known = int(finite.sum())
        if known < len(values):
            self.missing += len(values) - known
            self.infinite += int(np.isinf(values).sum())
            values = values[finite]
        if known:
            self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))

    def add_words(self, places: np.ndarray, found: list[str]) -> None:
        """Count words, as long as that says something."""
        if not self.counting:
            return
        for word, count in zip(found, np.bincount(places + 1, minlength=len(found) + 1)[1:].tolist(), strict=True):
            self.levels[word] = self.levels.get(word, 0) + count
        self.counted += len(places)
        if len(self.levels) <= LEVELS:
            return
        self.complete = False
        self.counting = len(self.levels) <= LONE_SHARE * self.counted
        self.levels = dict(ordered(self.levels)[: LEVELS // 2]) if self.counting else {}


def ordered(levels: dict[str, int]) -> list[tuple[str, int]]:
    """Words with their counts, the commonest first, equally common ones by the alphabet."""
    return sorted(levels.items(), key=lambda level: (-level[1], level[0]))


def gather(batches, seed: int, counted: frozenset[str]) -> tuple[Sample, dict[str, Tally], str]:
    """Go through a stream once.

    Args:
        batches: Record batches with the same columns.
        seed: Decides the sample.
        counted: Columns of numbers whose values are counted as words.

    Returns:
        The sample, the tally of each column by name, and the decimal sign of the texts.

    Raises:
        InputError: No batch with a row, or batches with different columns.
    """
    sample: Sample | None = None
    tallies: dict[str, Tally] = {}
    decimal = "."
    for batch in batches:
        names = batch.schema.names
        if sample is None:
            sample, decimal = Sample(len(names), seed), decimal_of(batch)
            tallies = {name: Tally(name in counted) for name in names}
        if list(tallies) != list(names):
            differ = ", ".join(sorted(set(tallies) ^ set(names))[:8]) or "another order"
            raise InputError(
                f"batches with different columns: {differ}",
                expected="the columns of the first in its order",
                code="input.columns",
            )
        sample.add(batch)
        for name, column in zip(names, batch.columns, strict=True):
            tallies[name].add(column, decimal)
    if sample is None or not sample.seen:
        raise InputError("a table without rows", expected="at least one", step="Check the file", code="input.empty")
    return sample, tallies, decimal
