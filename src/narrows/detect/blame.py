"""Alarms in words: which row, how odd, and the columns that made it so, in the units of the person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from narrows.detect.given import scores_of
from narrows.detect.threshold import Threshold
from narrows.errors import InputError

Told = Callable[[int, int], tuple[str, str]]
"""From the numbers of a row and of a column to what was given there and what was expected, in the person's units."""

SHOWN, COLUMNS = 20, 4
"""Alarms in a report, and columns of each."""


@dataclass(frozen=True)
class Blame:
    """What one column did to the score of a row.

    Args:
        column: Its name.
        part: What it added to the score.
        given: What was there, in the person's units.
        expected: What the model would have expected there, such as "about 31" or "GB".
    """

    column: str
    part: float
    given: str
    expected: str

    @property
    def words(self) -> str:
        """The column in words.

        Example:
            >>> Blame("amount", 3.0, "2,125.87", "about 31").words
            'amount 2,125.87, expected about 31'
        """
        return f"{self.column} {self.given}" + (f", expected {self.expected}" if self.expected else "")


@dataclass(frozen=True)
class Alarm:
    """One row that raised an alarm.

    Args:
        row: Which it is, in words: "row 17".
        score: Its score.
        p_value: Its p-value, where there is one.
        odd: Whether its label says so, where there is one.
        blames: The columns that added the most, the largest first.
        others: What all other columns added.
    """

    row: str
    score: float
    p_value: float | None
    odd: bool | None
    blames: tuple[Blame, ...]
    others: float

    @property
    def because(self) -> str:
        """The columns in words, for one cell of a table."""
        return "; ".join(blame.words for blame in self.blames)

    def as_dict(self) -> dict[str, Any]:
        """The alarm as one JSON-ready object."""
        return {**asdict(self), "because": self.because}


def first_alarms(scores: ArrayLike, threshold: Threshold, most: int = SHOWN) -> np.ndarray:
    """Numbers of the rows that raise an alarm (n,), the oddest first, at most so many.

    Example:
        >>> from narrows.detect.threshold import Share
        >>> first_alarms([1, 9, 2, 8], Share(share=0.5).fit([1, 9, 2, 8])).tolist()
        [1, 3]
    """
    given = scores_of(scores)
    order = np.argsort(-given, kind="stable")[:most]
    return order[given[order] >= threshold.value]


def alarms_of(
    rows: np.ndarray,
    scores: ArrayLike,
    contributions: np.ndarray,
    names: Sequence[str],
    told: Told,
    *,
    p_values: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    where: Sequence[str] | None = None,
    most: int = COLUMNS,
) -> tuple[Alarm, ...]:
    """The alarms of some rows, in words.

    Args:
        rows: Numbers of the rows (n,), as `first_alarms` gives them.
        scores: Scores of all rows (N,).
        contributions: What each column added to the score of each of `rows` (n, D).
        names: Name of each column (D,).
        told: What was given and what was expected of a row and a column.
        p_values: P-values of all rows (N,).
        labels: Labels of all rows (N,).
        where: Which row each of `rows` is, in words (n,); "row 1" for the first of all rows without.
        most: Columns of an alarm; those that made it less odd are never among them.

    Raises:
        InputError: Contributions of another shape.

    Example:
        >>> told = lambda row, column: ("2,125.87", "about 31")
        >>> alarm, = alarms_of(np.array([1]), [0.1, 3.0], np.array([[2.5, 0.5]]), ["amount", "hour"], told, most=1)
        >>> alarm.row, alarm.because, alarm.others
        ('row 2', 'amount 2,125.87, expected about 31', 0.5)
    """
    parts = np.asarray(contributions, np.float64)
    if parts.shape != (len(rows), len(names)) or not np.isfinite(parts).all():
        raise InputError(
            f"contributions of shape {parts.shape}", expected=f"finite numbers ({len(rows)}, {len(names)})"
        )
    given = scores_of(scores)
    p, odd = (None if values is None else np.asarray(values) for values in (p_values, labels))
    alarms = []
    for place, row in enumerate(np.asarray(rows).tolist()):
        columns = [c for c in np.argsort(-parts[place], kind="stable")[:most].tolist() if parts[place, c] > 0]
        alarms.append(
            Alarm(
                row=where[place] if where is not None else f"row {row + 1:,}",
                score=float(given[row]),
                p_value=None if p is None else float(p[row]),
                odd=None if odd is None else bool(odd[row]),
                blames=tuple(Blame(str(names[c]), float(parts[place, c]), *told(row, c)) for c in columns),
                others=float(np.delete(parts[place], columns).sum()),
            )
        )
    return tuple(alarms)
