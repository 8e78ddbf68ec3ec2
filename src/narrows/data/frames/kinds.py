"""Kinds of columns: what each learns from a stream, the features it makes of cells, and how it says them to a person.

    number    (value, scaled)                                      | missing
    yes/no    (1 for yes, 0 for no)                                | missing
    category  (one 0/1 feature a frequent level, one for all others, how rare) | missing
    date      (sine and cosine of the hour, of the weekday, age)   | missing

A feature for missing cells is there where more than a few were. Without it a missing cell is like the middle one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field

from narrows.data.frames.cells import DAY, numbers, seconds, words
from narrows.data.frames.evidence import Evidence
from narrows.data.frames.scales import Scale, learn_scale
from narrows.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

MOST_LEVELS = 32
"""Levels of a category with a feature of their own."""

KEPT_LEVELS = 1024
"""Levels of a category whose number is remembered, to say how rare they are."""

FEWEST = 3
"""Rows a level needs to have a feature of its own."""

WEEK = 7 * DAY
MONDAY = 4 * DAY  # 1970-01-05
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
YES, NO = ("1", "true", "yes", "y", "t", "on"), ("0", "false", "no", "n", "f", "off")
MISSING = "nothing"

Wrong = np.ndarray | None
"""Which cells (B,) cannot be of this kind; None where all can."""


class Kind(Settings):
    """What all kinds have."""

    name: str
    """Name of the column."""
    gaps: bool = False
    """Whether missing cells have a feature of their own, the last one."""

    @property
    def parts(self) -> int:
        """Features but the one for missing cells."""
        return 1

    @property
    def width(self) -> int:
        """Features."""
        return self.parts + self.gaps

    def fill(self, cells: pa.Array, decimal: str, out: np.ndarray) -> Wrong:
        """Write the features of cells into `out` (B, width), which holds zeros; returns which cells do not fit."""
        raise NotImplementedError

    def lacking(self, missing: np.ndarray, out: np.ndarray) -> None:
        """Mark missing cells (B,)."""
        if self.gaps:
            out[:, -1] = missing

    def given(self, cell: object, decimal: str = ".") -> str:
        """What a cell holds, for a person."""
        return "missing" if cell is None or not str(cell).strip() else str(cell)[:80]

    def expected(self, features: np.ndarray) -> str:
        """What features (width,) mean, for a person."""
        raise NotImplementedError

    def guess(self, features: np.ndarray) -> str:
        """What features mean, or that nothing was expected."""
        return MISSING if self.gaps and features[-1] > 0.5 else self.expected(features)


class Number(Kind):
    """A number, by the median and the quartiles; by its signed logarithm where tails are heavy."""

    kind: Literal["number"] = "number"
    scale: Scale
    whole: bool = False
    """Whether all numbers seen were whole."""

    @classmethod
    def learn(cls, seen: Evidence) -> Self | None:
        scale = learn_scale(seen.numbers, *seen.range)
        if scale is None:
            # All known cells are equal: whether one is there may still say something.
            scale = Scale(center=seen.range[0] if len(seen.numbers) else 0.0, unit=1.0) if seen.gaps else None
        if scale is None:
            return None
        whole = bool((seen.numbers == np.floor(seen.numbers)).all())
        return cls(name=seen.name, gaps=seen.gaps, scale=scale, whole=whole)

    def fill(self, cells: pa.Array, decimal: str, out: np.ndarray) -> Wrong:
        values, wrong = numbers(cells, decimal)
        finite = np.isfinite(values)
        if finite.all():
            out[:, 0] = self.scale.apply(values)
            return wrong
        out[:, 0] = np.where(finite, self.scale.apply(np.where(finite, values, 0.0)), 0.0)
        self.lacking(~finite, out)
        return wrong

    def given(self, cell: object, decimal: str = ".") -> str:
        value = float(cell if isinstance(cell, int | float) else numbers(as_array(cell), decimal)[0][0])
        if np.isinf(value):
            return "infinite"
        return super().given(cell) if np.isnan(value) else number_text(value)

    def expected(self, features: np.ndarray) -> str:
        value = self.scale.undo(float(features[0]))
        return f"about {about_text(round(value) if self.whole else value)}"


class YesNo(Kind):
    """Yes or no, in whatever words."""

    kind: Literal["yes/no"] = "yes/no"
    yes: str = "yes"
    no: str = "no"

    @classmethod
    def learn(cls, seen: Evidence) -> Self | None:
        found = {word.lower(): word for word, _ in seen.levels}
        yes, no = next(iter(found.keys() & set(YES)), None), next(iter(found.keys() & set(NO)), None)
        if not seen.gaps and (yes is None or no is None):
            return None
        pair = YES.index(yes) if yes else NO.index(no) if no else 0
        return cls(
            name=seen.name, gaps=seen.gaps, yes=found.get(YES[pair], YES[pair]), no=found.get(NO[pair], NO[pair])
        )

    def fill(self, cells: pa.Array, decimal: str, out: np.ndarray) -> Wrong:
        places, found = words(cells, decimal)
        table = np.array(
            [1.0 if word.lower() in YES else 0.0 if word.lower() in NO else np.nan for word in found] + [0.0]
        )
        values = table[places]
        wrong = np.isnan(values)
        out[:, 0] = np.where(wrong, 0, values)
        self.lacking(places < 0, out)
        return wrong if wrong.any() else None

    def expected(self, features: np.ndarray) -> str:
        return self.yes if features[0] > 0.5 else self.no


class Category(Kind):
    """One of several words; frequent ones have a feature each, rare and unseen ones share one.

    With more than 32 levels one more feature says how rare a level is: the negative decimal logarithm of its share.
    """

    kind: Literal["category"] = "category"
    levels: tuple[str, ...]
    """Levels with a feature of their own."""
    counts: dict[str, Annotated[int, Field(gt=0)]] = Field(default_factory=dict)
    """Rows of each level that is remembered, where there are more than have a feature."""
    rows: int = Field(gt=0)
    """Rows there were."""

    @classmethod
    def learn(cls, seen: Evidence) -> Self | None:
        frequent = [word for word, count in seen.levels if count >= FEWEST][:MOST_LEVELS]
        if len(seen.levels) < 2 and not seen.gaps:
            return None
        many = len(seen.levels) > MOST_LEVELS
        counts = dict(seen.levels[:KEPT_LEVELS]) if many else {}
        return cls(name=seen.name, gaps=seen.gaps, levels=tuple(frequent), counts=counts, rows=seen.tally.rows)

    @property
    def parts(self) -> int:
        return len(self.levels) + 1 + bool(self.counts)

    def rarity(self, word: str) -> float:
        """How rare a level is: the negative decimal logarithm of its share of the rows."""
        return float(np.log10(self.rows / self.counts.get(word, 1)))

    def fill(self, cells: pa.Array, decimal: str, out: np.ndarray) -> Wrong:
        places, found = words(cells, decimal)
        codes = {word: code for code, word in enumerate(self.levels)}
        other = len(self.levels)
        # A missing cell is one of the others, unless it has a feature of its own.
        table = np.array([codes.get(word, other) for word in found] + [-1 if self.gaps else other])
        code = table[places]
        rows = np.flatnonzero(code >= 0)
        out[rows, code[rows]] = 1
        if self.counts:
            rare = np.array([self.rarity(word) for word in found] + [0.0 if self.gaps else self.rarity("")])
            out[:, other + 1] = rare[places]
        self.lacking(places < 0, out)
        return None

    def given(self, cell: object, decimal: str = ".") -> str:
        places, found = words(as_array(cell), decimal)
        word = found[places[0]] if places[0] >= 0 else "missing"
        return word[:80] if word in self.levels or places[0] < 0 else f"{word[:80]} (rare)"

    def expected(self, features: np.ndarray) -> str:
        best = int(np.argmax(features[: len(self.levels) + 1]))
        return self.levels[best][:80] if best < len(self.levels) else "a rare one"


class Moment(Kind):
    """A date, a moment or a time of day: its place in the day and in the week, and how far on it is."""

    kind: Literal["date"] = "date"
    form: str = "iso"
    """How text is written."""
    day: bool = False
    """Whether the hour says something."""
    week: bool = False
    """Whether the weekday says something."""
    age: Scale | None = None
    """Scale of the seconds since 1970, where that is a feature."""

    @classmethod
    def learn(cls, seen: Evidence) -> Self | None:
        form = seen.form
        if form is None:
            return None
        values = seconds(seen.cells, form)[0]
        values = values[np.isfinite(values)]
        if not len(values):
            return None
        low, high = float(values.min()), float(values.max())
        hours = len(np.unique(values % DAY)) > 1
        dated = high >= DAY or low < 0
        age = learn_scale(values, low, high) if dated and not seen.orders else None
        made = cls(name=seen.name, gaps=seen.gaps, form=form, day=hours, week=dated and high - low >= DAY, age=age)
        return made if made.width else None

    @property
    def parts(self) -> int:
        return 2 * self.day + 2 * self.week + (self.age is not None)

    def fill(self, cells: pa.Array, decimal: str, out: np.ndarray) -> Wrong:
        values, wrong = seconds(cells, self.form)
        missing = ~np.isfinite(values)
        values = np.where(missing, 0.0, values)
        made = []
        for used, start, period in ((self.day, 0, DAY), (self.week, MONDAY, WEEK)):
            if used:
                angle = 2 * np.pi / period * ((values - start) % period)
                made += [np.sin(angle), np.cos(angle)]
        if self.age is not None:
            made.append(self.age.apply(values))
        for place, feature in enumerate(made):
            out[:, place] = np.where(missing, 0.0, feature)
        self.lacking(missing, out)
        return wrong

    def given(self, cell: object, decimal: str = ".") -> str:
        value = float(seconds(as_array(cell), self.form)[0][0])
        return super().given(cell) if np.isnan(value) else self.text(value)

    def text(self, value: float) -> str:
        """Seconds since 1970 for a person."""
        try:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
        except OverflowError:
            return f"{value:.3g} seconds"
        clock = f"{moment:%H:%M}" if self.day else ""
        if not self.week and self.age is None:
            return clock
        return " ".join(filter(None, (f"{moment:%Y-%m-%d}", clock, f"({WEEKDAYS[moment.weekday()]})")))

    def expected(self, features: np.ndarray) -> str:
        said, place = [], 0
        if self.day:
            hours = angle_of(features[0:2]) / (2 * np.pi) * 24
            said.append(f"about {int(hours) % 24:02d}:{int(hours % 1 * 60):02d}")
            place = 2
        if self.week:
            said.append(f"on a {WEEKDAYS[int(angle_of(features[place : place + 2]) / (2 * np.pi) * 7) % 7]}")
            place += 2
        if self.age is not None:
            plain = self.model_copy(update={"day": False, "week": True})
            said.append(f"near {plain.text(self.age.undo(float(features[place]))).split(' (')[0]}")
        return " ".join(said)


Column = Annotated[Number | YesNo | Category | Moment, Field(discriminator="kind")]
KINDS: dict[str, type[Number] | type[YesNo] | type[Category] | type[Moment]] = {
    "number": Number,
    "yes/no": YesNo,
    "category": Category,
    "date": Moment,
}


def as_array(cell: object) -> pa.Array:
    """A cell as a column of one row."""
    import pyarrow as pa

    return pa.array([cell])


def angle_of(pair: np.ndarray) -> float:
    """The angle whose sine and cosine are given, 0..2 pi."""
    return float(np.arctan2(pair[0], pair[1]) % (2 * np.pi))


def number_text(value: float) -> str:
    """A number as given, for a person.

    Example:
        >>> number_text(2125.87), number_text(3.0), number_text(0.000123456789), number_text(1e21)
        ('2,125.87', '3', '0.000123457', '1e+21')
    """
    if 1000 <= abs(value) < 1e15:
        return f"{value:,.2f}".removesuffix(".00")
    return f"{value:.6g}"


def about_text(value: float) -> str:
    """A number to two digits, for a person.

    Example:
        >>> about_text(31.37), about_text(2125.87), about_text(0.0), about_text(-0.01234)
        ('31', '2,100', '0', '-0.012')
    """
    near = float(f"{value:.2g}")
    return f"{near:,.15g}" if abs(near) < 1e15 else f"{near:.2g}"
