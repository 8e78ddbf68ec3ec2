"""What is known of a column when its kind is decided: cells of a sample, and what was counted of all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from narrows.data.frames.cells import form_of, is_moment, is_text, numbers, words
from narrows.data.frames.tally import Tally, ordered

if TYPE_CHECKING:
    import pyarrow as pa

FEW_MISSING = 0.001
"""Share of missing cells above which they get a feature of their own, if they are more than `FEW_ROWS`."""

FEW_ROWS = 4


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a column.

    Args:
        name: Its name.
        cells: The cells of the sampled rows, an Arrow array.
        rows: The numbers of those rows, (N,).
        tally: What was counted of all rows.
        decimal: Decimal sign of numbers that are text.
        orders: Whether this is the column that orders the rows in time.
    """

    name: str
    cells: pa.Array
    rows: np.ndarray
    tally: Tally
    decimal: str = "."
    orders: bool = False

    @property
    def text(self) -> bool:
        """Whether the file keeps text."""
        return is_text(self.cells.type)

    @property
    def moment(self) -> bool:
        """Whether the file keeps dates or times."""
        return is_moment(self.cells.type)

    @cached_property
    def numbers(self) -> np.ndarray:
        """Finite numbers of the sample (M,)."""
        values = numbers(self.cells, self.decimal)[0]
        return values[np.isfinite(values)]

    @cached_property
    def no_number(self) -> np.ndarray:
        """Places in the sample of cells that are there and are no numbers."""
        bad = numbers(self.cells, self.decimal)[1]
        return np.flatnonzero(bad) if bad is not None else np.zeros(0, np.int64)

    @cached_property
    def range(self) -> tuple[float, float]:
        """Smallest and largest number, as far as they are known."""
        low, high = self.tally.low, self.tally.high
        if low > high and len(self.numbers):
            low, high = float(self.numbers.min()), float(self.numbers.max())
        return low, high

    @cached_property
    def levels(self) -> list[tuple[str, int]]:
        """Different words and how often each is there, the commonest first: of all rows or by the sample."""
        if self.tally.counting and self.tally.levels:
            return ordered(self.tally.levels)
        places, found = words(self.cells, self.decimal)
        counts = np.bincount(places + 1, minlength=len(found) + 1)[1:] * (self.tally.rows / max(1, len(self.cells)))
        return ordered({word: max(1, round(count)) for word, count in zip(found, counts.tolist(), strict=True)})

    @cached_property
    def variety(self) -> float:
        """Share of the sample's known cells that are different words, 0..1."""
        places, _ = words(self.cells, self.decimal)
        known = places[places >= 0]
        return len(np.unique(known)) / len(known) if len(known) else 0.0

    @cached_property
    def form(self) -> str | None:
        """How dates are written, None where this is no date."""
        if self.moment:
            return "iso"
        return form_of(self.cells) if self.text else None

    @property
    def known(self) -> int:
        """Cells that are not missing."""
        return self.tally.rows - self.tally.missing

    @property
    def gaps(self) -> bool:
        """Whether more than a few cells are missing."""
        return self.tally.missing > max(FEW_ROWS, FEW_MISSING * self.tally.rows)
