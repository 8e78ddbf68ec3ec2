"""What the values of drawn objects are: their range, unit and names, and how errors are measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from narrows.cli.draw.style import plain, short_number


def as_given(row: np.ndarray) -> np.ndarray:
    """Values that are drawn as they are."""
    return row


@dataclass(frozen=True)
class Values:
    """What the values of drawn objects are.

    Args:
        low: Smallest value possible (drawn black); None takes the smallest there is.
        high: Largest value possible (drawn white); None takes the largest there is.
        unit: Unit of one value ("reflectance"), or "".
        columns: Names along the last axis, or none.
        ends: What stands at the left and the right end of a line ("0 Hz", "8000 Hz"), or "".
        original: From the values that errors are measured in, rows (N, *shape), to those that are drawn.
        measure: The values that errors are measured in, in a few words.
    """

    low: float | None = None
    high: float | None = None
    unit: str = ""
    columns: Sequence[str] = ()
    ends: tuple[str, str] = ("", "")
    original: Callable[[np.ndarray], np.ndarray] = as_given
    measure: str = "values as they are"


@dataclass(frozen=True)
class Field:
    """One entry of a table's row: a column of numbers, or columns of 0 and 1 that stand for a word.

    Args:
        name: Name of the column.
        at: Places of its values.
        words: The word each place stands for, or none for a number.
    """

    name: str
    at: tuple[int, ...]
    words: tuple[str, ...] = ()

    def codes(self, rows: np.ndarray) -> np.ndarray:
        """The number of each row (N, D), or which word is the likeliest: -1 where none is above 0."""
        values = rows[:, list(self.at)]
        if not self.words:
            return values[:, 0]
        return np.where(values.max(1) > 0, values.argmax(1), -1)

    def texts(self, rows: np.ndarray) -> list[str]:
        """What stands in each row (N, D), to read."""
        codes = self.codes(rows)
        if self.words:
            return [self.words[code] if code >= 0 else "none" for code in codes.tolist()]
        # Scaling there and back leaves noise in the last digits.
        noise = 1e-6 * float(np.abs(codes).max())
        return [short_number(float(f"{value:.5g}") if abs(value) > noise else 0) for value in codes.tolist()]


def fields_of(values: Values, width: int) -> list[Field]:
    """The entries of rows of `width` values, in their order; columns without names are counted from 0.

    Neighbouring columns called "name=word" are one entry, as the loaders of tables spread words into columns.

    Example:
        >>> values = Values(columns=("age", "city=Bern", "city=Genf"))
        >>> [(entry.name, entry.at, entry.words) for entry in fields_of(values, 3)]
        [('age', (0,), ()), ('city', (1, 2), ('Bern', 'Genf'))]
    """
    named = len(values.columns) == width
    names = list(values.columns) if named else [f"column {number}" for number in range(width)]
    fields: list[Field] = []
    for stem, group in groupby(range(width), key=lambda number: names[number].partition("=")[0]):
        at = tuple(group)
        if len(at) > 1 and all("=" in names[number] for number in at):
            words = tuple(plain(names[number].partition("=")[2]) for number in at)
            fields.append(Field(plain(stem), at, words))
        else:
            fields += [Field(plain(names[number]), (number,)) for number in at]
    return fields
