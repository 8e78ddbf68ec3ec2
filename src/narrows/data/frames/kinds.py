"""Kinds of columns: what each learns from a stream, the features it makes of cells, and how it says them to a person.

    number    (value, scaled)                                      | missing
    yes/no    (1 for yes, 0 for no)                                | missing
    category  (how surprising, one 0/1 feature a frequent level, one for all others) | missing
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
from narrows.data.frames.levels import surprises
from narrows.data.frames.scales import Scale, learn_scale
from narrows.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

MOST_LEVELS = 32
"""Levels of a category with a feature of their own."""

KEPT_LEVELS = 1024
"""Levels of a category of which it is remembered how surprising they are."""

RARE = 2.0
"""Nats of surprise above which a level is called rare."""

FEWEST, LEAST_SHARE = 3, 0.01
"""Rows a level needs to have a feature of its own, and share of the rows."""

WEEK = 7 * DAY
MONDAY = 4 * DAY  # 1970-01-05
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
YES, NO = ("1", "true", "yes", "y", "t", "on"), ("0", "false", "no", "n", "f", "off")
MISSING = "nothing"

VALUE, LEVEL, SURPRISE = "value", "level", "surprise"
"""What a feature is: a number, 0 or 1 for one of several, or how surprising that one is."""

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

    @property
    def roles(self) -> tuple[str, ...]:
        """What each feature is (width,)."""
        return (VALUE,) * self.parts + (LEVEL,) * self.gaps

    @property
    def features(self) -> tuple[str, ...]:
        """What each feature is, in words (width,)."""
        said = self.said
        return (*said, f"{self.name} missing") if self.gaps else said

    @property
    def said(self) -> tuple[str, ...]:
        """The same but for missing cells (parts,)."""
        return (self.name,)

    def shown(self, place: int, value: float) -> str:
        """A value of a feature, for a person."""
        if self.roles[place] == LEVEL:
            return "yes" if value > 0.5 else "no"
        return f"{value:.3g}"

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

    def shown(self, place: int, value: float) -> str:
        return super().shown(place, value) if place else self.expected(np.array([value]))

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

    @property
    def roles(self) -> tuple[str, ...]:
        return (LEVEL,) * self.width

    def shown(self, place: int, value: float) -> str:
        return super().shown(place, value) if place else self.expected(np.array([value]))

    def expected(self, features: np.ndarray) -> str:
        return self.yes if features[0] > 0.5 else self.no


class Category(Kind):
    """One of several words: how surprising it is; a feature for each frequent one, and one that all others share."""

    kind: Literal["category"] = "category"
    levels: tuple[str, ...]
    """Levels with a feature of their own."""
    surprises: dict[str, float] = Field(default_factory=dict)
    """How surprising the levels that are remembered are, in nats, 0 or more."""
    unseen: float = Field(default=0.0, ge=0)
    """How surprising all others are."""
    missing: float = Field(default=0.0, ge=0)
    """How surprising a missing cell is."""

    @classmethod
    def learn(cls, seen: Evidence) -> Self | None:
        if len(seen.levels) < 2 and not seen.gaps:
            return None
        fewest = max(FEWEST, LEAST_SHARE * seen.tally.rows)
        frequent = [word for word, count in seen.levels if count >= fewest][:MOST_LEVELS]
        counts = [count for _, count in seen.levels] + [seen.tally.missing] * seen.gaps
        each, unseen = surprises(counts, seen.tally.rows if seen.gaps else seen.known)
        near = [round(float(value), 4) for value in each]
        kept = dict(zip([word for word, _ in seen.levels[:KEPT_LEVELS]], near, strict=False))
        missing = near[-1] if seen.gaps else unseen
        return cls(
            name=seen.name, gaps=seen.gaps, levels=tuple(frequent), surprises=kept, unseen=unseen, missing=missing
        )

    @property
    def parts(self) -> int:
        return 1 + len(self.levels) + 1

    @property
    def said(self) -> tuple[str, ...]:
        each = (f"{self.name} = {level[:80]}" for level in self.levels)
        return (f"{self.name} (how surprising)", *each, f"{self.name} (others)")

    @property
    def roles(self) -> tuple[str, ...]:
        return (SURPRISE, *(LEVEL,) * (self.width - 1))

    def fill(self, cells: pa.Array, decimal: str, out: np.ndarray) -> Wrong:
        places, found = words(cells, decimal)
        codes = {word: code for code, word in enumerate(self.levels, 1)}
        other = 1 + len(self.levels)
        # A missing cell is one of the others, unless it has a feature of its own.
        code = np.array([codes.get(word, other) for word in found] + [other + self.gaps])[places]
        out[np.arange(len(code)), code] = 1
        out[:, 0] = np.array([self.surprises.get(word, self.unseen) for word in found] + [self.missing])[places]
        return None

    def given(self, cell: object, decimal: str = ".") -> str:
        places, found = words(as_array(cell), decimal)
        if places[0] < 0:
            return "missing"
        word = found[places[0]]
        return f"{word[:80]} (rare)" if self.surprises.get(word, self.unseen) > RARE else word[:80]

    def expected(self, features: np.ndarray) -> str:
        best = int(np.argmax(features[1 : len(self.levels) + 2]))
        return self.levels[best][:80] if best < len(self.levels) else "one of many"


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
    def said(self) -> tuple[str, ...]:
        pairs = (("hour", self.day), ("weekday", self.week))
        around = [f"{self.name}, {part} ({axis})" for part, used in pairs if used for axis in ("sine", "cosine")]
        return (*around, self.name) if self.age is not None else tuple(around)

    def shown(self, place: int, value: float) -> str:
        if self.age is None or place != self.parts - 1:
            return super().shown(place, value)
        return self.model_copy(update={"day": False, "week": True}).text(self.age.undo(value))

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
