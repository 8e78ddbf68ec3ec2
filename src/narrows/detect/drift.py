"""Drift: whether today's rows still look like the rows a detector was fitted on, column by column.

rows to fit -> Reference (bins and counts, JSON) -> today's rows in the same bins -> Drift: which columns moved, and how

References:
    Sulla determinazione empirica di una legge di distribuzione (Kolmogorov, 1933); Smirnov (1948): two samples
    Connecting discrete and continuous path-dependent options (Broadie, Glasserman and Kou, 1999): what a maximum seen
    at borders of bins only falls short of
    A simple sequentially rejective multiple test procedure (Holm, 1979), https://www.jstor.org/stable/4615733
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from narrows.errors import DamagedError, InputError, LimitError, counted

BINS, FEWEST_BINS, ALL_BINS = 64, 4, 20_000
"""Bins of a column, and of all columns together: a reference stays below 1 MB of JSON."""

MOST_COLUMNS = 4_000
SAMPLE = 100_000
"""Rows that decide the borders of the bins; all rows are counted in them."""

BLOCK = 65_536

SLIGHT = 0.1
"""Population stability index below which a difference does not matter in practice, however sure it is."""

LEVEL = 0.01
"""Corrected p-value at or below which a difference is no chance."""

SHORTFALL, ENOUGH_BINS = 0.5826, 16
"""How far a maximum at borders falls short, in spreads of a bin: -zeta(1/2) / sqrt(2 pi); for so many bins or more."""

FEW = 12
"""Up to so many different values a column is described by how often they occur, not by its median."""

Show = Callable[[int, float], str]
"""From the number of a column and a value to the value in the person's units."""


@dataclass(frozen=True, eq=False)
class Column:
    """How the values of a column are spread.

    Args:
        name: Its name.
        edges: Rising borders of bins (E,); a value belongs to the bin that begins at the last border it reaches.
        counts: Rows (E + 2,) that are missing, below the first border, and in the bin of each border.
        low: Smallest value, 0 where there is none.
        high: Largest value.
    """

    name: str
    edges: np.ndarray
    counts: np.ndarray
    low: float = 0.0
    high: float = 0.0

    @classmethod
    def binned(cls, name: str, sample: np.ndarray, bins: int) -> Column:
        """A column without rows, with borders at the quantiles of a sample (n,), or at its values if they are few."""
        values = np.unique(sample[~np.isnan(sample)])
        if len(values) > bins:
            values = np.unique(np.nanquantile(sample, np.arange(1, bins) / bins))
        # As short as can be written; rows are counted by the borders as they are written.
        edges = np.unique([float(str(np.float32(value))) for value in values])
        return cls(name, edges, np.zeros(len(edges) + 2, np.int64))

    def add(self, values: np.ndarray) -> Column:
        """The column with more rows (n,); NaN is a missing value."""
        known = values[~np.isnan(values)]
        place = np.searchsorted(self.edges, known, "right")
        counts = np.append(len(values) - len(known), np.bincount(place, minlength=len(self.edges) + 1))
        if not len(known):
            return replace(self, counts=self.counts + counts)
        low, high = float(known.min()), float(known.max())
        if self.counts[1:].any():
            low, high = min(low, self.low), max(high, self.high)
        return replace(self, counts=self.counts + counts, low=low, high=high)

    def emptied(self) -> Column:
        """The same bins without rows."""
        return replace(self, counts=np.zeros_like(self.counts), low=0.0, high=0.0)

    @property
    def shares(self) -> np.ndarray:
        """Share of the rows in each of `counts` (E + 2,)."""
        return self.counts / max(self.counts.sum(), 1)

    def quantile(self, share: float) -> float:
        """The value below which a share of the known values lies, along a straight line within a bin."""
        inside = np.append(0, np.cumsum(self.counts[1:]))
        ends = np.clip(np.concatenate([[self.low], self.edges, [self.high]]), self.low, self.high)
        return float(np.interp(share * inside[-1], inside, ends)) if inside[-1] else float("nan")

    def as_dict(self) -> dict[str, Any]:
        """The column as JSON-ready values; numbers stand in one text, which is short and can be read."""
        written = {"edges": " ".join(map(repr, self.edges.tolist())), "counts": " ".join(map(str, self.counts))}
        return {"name": self.name, **written, "low": self.low, "high": self.high}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Column:
        """The column written by `as_dict`.

        Raises:
            DamagedError: It is none.
        """
        try:
            edges = np.array([float(text) for text in values["edges"].split()])
            counts = np.array([int(text) for text in values["counts"].split()], np.int64)
            column = cls(str(values["name"]), edges, counts, float(values["low"]), float(values["high"]))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise damaged(f"{type(error).__name__}: {str(error)[:80]}") from None
        if (
            len(counts) != len(edges) + 2
            or counts.min() < 0
            or not np.isfinite([*edges, column.low, column.high]).all()
        ):
            raise damaged(f"the bins of {column.name[:80]!r} do not fit")
        if (np.diff(edges) <= 0).any():
            raise damaged(f"the borders of {column.name[:80]!r} do not rise")
        return column


@dataclass(frozen=True, eq=False)
class Reference:
    """How the rows to fit were spread: of bounded size, whatever their number.

    Args:
        columns: Each column.
        scores: The scores of rows that were not fitted on, or None.
    """

    columns: tuple[Column, ...]
    scores: Column | None = None

    @classmethod
    def fit(cls, x: np.ndarray, names: Sequence[str], scores: ArrayLike | None = None) -> Reference:
        """The reference of rows (N, D), in which NaN is a missing value.

        Args:
            x: Rows to fit, features or values in the person's units.
            names: Name of each column.
            scores: Scores (M,) of rows that were not fitted on: those of rows that were are lower.

        Raises:
            InputError: No rows, infinite values, or another number of names.
            LimitError: More than 4,000 columns.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> reference = Reference.fit(rng.normal(size=(2000, 2)), ["amount", "hour"])
            >>> print(drift(reference, rng.normal(size=(500, 2))).sentence)
            No sign of drift in 2 columns over 500 rows (corrected p = 0.83).
            >>> print(drift(reference, rng.normal(size=(500, 2)) + [1, 0]).columns[0].words)
            amount: median -0.03, now 0.97; the middle 90% -1.7 to 1.6, now -0.68 to more than 2.1
        """
        rows = table(x, len(names))
        if len(names) > MOST_COLUMNS:
            raise LimitError(f"{len(names):,} columns", expected=f"limit {MOST_COLUMNS:,}", step="Watch some of them")
        bins = int(np.clip(ALL_BINS // len(names), FEWEST_BINS, BINS))
        sample = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).astype(np.int64))]
        empty = tuple(Column.binned(str(name), sample[:, d].astype(float), bins) for d, name in enumerate(names))
        made = cls(added(empty, rows))
        return made if scores is None else made.with_scores(scores)

    def with_scores(self, scores: ArrayLike) -> Reference:
        """The same with other scores (M,)."""
        known = table(np.asarray(scores)[:, None], 1)[:, 0].astype(float)
        return replace(self, scores=Column.binned("score", known, BINS).add(known))

    def as_dict(self) -> dict[str, Any]:
        """The reference as JSON-ready values."""
        columns = [column.as_dict() for column in self.columns]
        return {"columns": columns, "scores": self.scores.as_dict() if self.scores else None}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Reference:
        """The reference written by `as_dict`.

        Raises:
            DamagedError: It is none.
        """
        if not isinstance(values, dict) or not isinstance(values.get("columns"), list) or not values["columns"]:
            raise damaged("no columns")
        scores = values.get("scores")
        return cls(tuple(map(Column.from_dict, values["columns"])), Column.from_dict(scores) if scores else None)


@dataclass(frozen=True)
class Moved:
    """One column today beside the rows to fit.

    Args:
        name: Its name.
        psi: Population stability index of ten bins; from 0.1 a shift worth a look, from 0.25 a large one.
        ks: Largest gap of the shares below a border, in [0, 1]; missing values are below all others.
        p: Its p-value for this column alone.
        corrected: The same corrected for the number of columns (Holm).
        words: From what to what.
    """

    name: str
    psi: float
    ks: float
    p: float
    corrected: float
    words: str

    @property
    def moved(self) -> bool:
        """Whether it moved: too far for chance, and far enough to matter."""
        return self.corrected <= LEVEL and self.psi >= SLIGHT


@dataclass(frozen=True)
class Drift:
    """Today's rows beside the rows a detector was fitted on.

    Args:
        rows: Today's rows.
        columns: Each column, in the order of the table.
        scores: The scores, where they were given both times.
    """

    rows: int
    columns: tuple[Moved, ...]
    scores: Moved | None

    @property
    def p(self) -> float:
        """P-value that no column differs, corrected for their number."""
        return min(column.corrected for column in self.columns)

    @property
    def moved(self) -> tuple[Moved, ...]:
        """The columns that moved, the farthest first."""
        return tuple(sorted((column for column in self.columns if column.moved), key=lambda c: -c.psi))

    @property
    def sentence(self) -> str:
        """What there is to say in one or two sentences."""
        of = f"{counted(len(self.columns), 'column')} over {counted(self.rows, 'row')}"
        if self.moved:
            names = ", ".join(column.name for column in self.moved[:3])
            more = " and others" if len(self.moved) > 3 else ""
            said = f"{len(self.moved)} of {of} moved (corrected {p_words(self.p)}): {names}{more}."
        elif self.p <= LEVEL:
            largest = max(column.psi for column in self.columns)
            said = f"Slight drift in {of}: sure (corrected {p_words(self.p)}) but small (largest index {largest:.2g})."
        else:
            said = f"No sign of drift in {of} (corrected {p_words(self.p)})."
        return f"{said} The scores moved too: fit a new threshold." if self.scores and self.scores.moved else said

    def as_dict(self) -> dict[str, Any]:
        """The drift as one JSON-ready object."""
        columns = [{**asdict(column), "moved": column.moved} for column in self.columns]
        scores = {**asdict(self.scores), "moved": self.scores.moved} if self.scores else None
        return {"rows": self.rows, "p": self.p, "columns": columns, "scores": scores, "sentence": self.sentence}


class Watch:
    """Today's rows, counted in the bins of a reference as they come; its size does not grow.

    Args:
        reference: How the rows to fit were spread.
    """

    def __init__(self, reference: Reference):
        self.reference = reference
        self.columns = tuple(column.emptied() for column in reference.columns)
        self.scores = reference.scores.emptied() if reference.scores else None

    def add(self, x: np.ndarray, scores: ArrayLike | None = None) -> None:
        """Count rows (B, D) and, where the reference has them, their scores (B,)."""
        self.columns = added(self.columns, table(x, len(self.columns)))
        if self.scores is not None and scores is not None:
            self.scores = self.scores.add(table(np.asarray(scores)[:, None], 1)[:, 0].astype(float))

    def drift(self, show: Show | None = None) -> Drift:
        """What moved so far.

        Args:
            show: From the number of a column and one of its values to words; four digits of the number without.
        """
        rows = int(self.columns[0].counts.sum())
        if not rows:
            raise InputError("no rows to compare", expected="at least one row")
        pairs = list(zip(self.reference.columns, self.columns, strict=True))
        tests = [kolmogorov_smirnov(old, new) for old, new in pairs]
        corrected = holm([p for _, p in tests])
        columns = [
            Moved(old.name, psi(old, new), ks, p, holms, described(old, new, number, show or plainly))
            for number, ((old, new), (ks, p), holms) in enumerate(zip(pairs, tests, corrected, strict=True))
        ]
        return Drift(rows, tuple(columns), self.score_drift())

    def score_drift(self) -> Moved | None:
        """How the scores moved, where there are any."""
        old, new = self.reference.scores, self.scores
        if old is None or new is None or not new.counts.any():
            return None
        ks, p = kolmogorov_smirnov(old, new)
        return Moved(old.name, psi(old, new), ks, p, p, described(old, new, 0, plainly))


def drift(reference: Reference, x: np.ndarray, scores: ArrayLike | None = None, show: Show | None = None) -> Drift:
    """Whether rows (N, D) look like those of a reference; `Watch` does the same in pieces."""
    watch = Watch(reference)
    watch.add(x, scores)
    return watch.drift(show)


def added(columns: tuple[Column, ...], rows: np.ndarray) -> tuple[Column, ...]:
    """Columns with rows (N, D) counted in, some at a time."""
    for start in range(0, len(rows), BLOCK):
        block = np.ascontiguousarray(rows[start : start + BLOCK].T, np.float64)
        columns = tuple(column.add(values) for column, values in zip(columns, block, strict=True))
    return columns


def kolmogorov_smirnov(old: Column, new: Column) -> tuple[float, float]:
    """The two-sample Kolmogorov-Smirnov statistic at the borders of the bins, and its p-value.

    Between borders the gap may be larger than at them. Where bins are many, the p-value allows for it on average, by
    the smallest of them; where they are few, it is larger than it need be.
    """
    n, m = int(old.counts.sum()), int(new.counts.sum())
    if not n or not m:
        return 0.0, 1.0
    statistic = float(np.abs(np.cumsum(old.shares - new.shares)).max())
    size, pooled = n * m / (n + m), (old.counts + new.counts)[2:-1] / (n + m)
    inner = pooled[pooled > 0]
    shortfall = SHORTFALL * np.sqrt(inner.min() / size) if len(inner) + 2 >= ENOUGH_BINS else 0.0
    reach = min(statistic + shortfall, 1.0) if statistic > 0 else 0.0
    return statistic, chance_of(reach, size)


def chance_of(gap: float, size: float) -> float:
    """The probability of so large a gap in [0, 1] between shares, or a larger, for `size` rows, n m / (n + m) of two.

    Kolmogorov's distribution, the gap raised a little for what is missing to infinitely many rows (Stephens, 1970,
    https://doi.org/10.1111/j.2517-6161.1970.tb00821.x).

    Example:
        >>> round(chance_of(0.2, 50), 4), chance_of(1, 1e6)
        (0.0314, 0.0)
    """
    # Of scipy.stats, which knows the exact distribution, the import takes longer than all the rest of a small table.
    from scipy.special import kolmogorov

    root = sqrt(max(size, 1.0))
    return float(kolmogorov(gap * (root + 0.12 + 0.11 / root)))


def psi(old: Column, new: Column, groups: int = 10) -> float:
    """The population stability index: sum of (q - p) log(q / p) over tenths of the reference and missing values.

    Half a row is added to every count, so that an empty bin is no infinity.
    """
    known = np.cumsum(old.counts[1:]) - old.counts[1:] / 2
    tenth = np.floor(groups * known / max(old.counts[1:].sum(), 1)).astype(np.int64).clip(0, groups - 1)
    group = np.unique(np.append(-1, tenth), return_inverse=True)[1]
    rows = np.stack([np.bincount(group, weights=column.counts) for column in (old, new)])
    filled = rows[:, rows.any(0)] + 0.5
    p, q = filled / filled.sum(1, keepdims=True)
    return float(((q - p) * np.log(q / p)).sum())


def holm(p: Sequence[float]) -> list[float]:
    """Holm's corrected p-values.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    raised = np.minimum(np.maximum.accumulate(np.array(p)[order] * np.arange(len(p), 0, -1)), 1.0)
    return [float(raised[rank]) for rank in np.argsort(order)]


def described(old: Column, new: Column, number: int, show: Show) -> str:
    """A column in words: what of it is not as it was."""
    gap = new.shares - old.shares
    largest = np.flatnonzero(np.abs(gap) > np.abs(gap).max() - 1e-9)
    # Of a yes and a no that moved alike, the yes is told.
    most = int(largest[-1 if largest[0] > 1 else 0])
    if not gap[most]:
        return f"{old.name}: as it was"
    if most == 0:
        return f"{old.name}: missing in {old.shares[0]:.2%} of the rows, now in {new.shares[0]:.2%}"
    if len(old.edges) <= FEW:
        value = show(number, old.edges[most - 2]) if most > 1 else f"less than {show(number, old.edges[0])}"
        return f"{old.name}: {value} in {old.shares[most]:.2%} of the rows, now in {new.shares[most]:.2%}"
    then = [show(number, old.quantile(share)) for share in (0.5, 0.05, 0.95)]
    now = [today(old, new, share, number, show) for share in (0.5, 0.05, 0.95)]
    middle = f"the middle 90% {then[1]} to {then[2]}, now {now[1]} to {now[2]}"
    return f"{old.name}: median {then[0]}, now {now[0]}; {middle}"


def today(old: Column, new: Column, share: float, number: int, show: Show) -> str:
    """A quantile of today in words; beyond the last border it is only known to be there, if more rows are than were."""
    value, ends = new.quantile(share), new.edges[[0, -1]]
    more = new.shares[[1, -1]] > 2 * old.shares[[1, -1]]
    if value < ends[0] and more[0]:
        return f"less than {show(number, ends[0])}"
    return f"more than {show(number, ends[1])}" if value > ends[1] and more[1] else show(number, value)


def p_words(p: float) -> str:
    """A p-value in words; where it is smaller than anybody can believe, only that.

    Example:
        >>> p_words(0.031), p_words(0.0)
        ('p = 0.031', 'p < 1e-12')
    """
    return f"p = {p:.2g}" if p >= 1e-12 else "p < 1e-12"


def plainly(number: int, value: float) -> str:
    """A value as a number of two digits or more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"


def table(x: np.ndarray, columns: int) -> np.ndarray:
    """Rows (N, D), checked: numbers, none infinite, at least one row."""
    rows = np.asarray(x)
    if rows.ndim != 2 or not rows.size or rows.shape[1] != columns or rows.dtype.kind not in "fiub":
        shape = f"rows of shape {rows.shape} and type {rows.dtype}"
        raise InputError(shape, expected=f"numbers (N, {columns}), a name for each column", code="input.shape")
    if np.isinf(rows).any():
        raise InputError("infinite values in the rows", expected="finite ones, or NaN for what is missing")
    return rows


def damaged(what: str) -> DamagedError:
    """The error for a summary of columns that cannot be read."""
    return DamagedError(f"a summary of columns cannot be read ({what})", step="Fit the detector again")
