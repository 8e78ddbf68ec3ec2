"""The detector of a series: windows in, how odd each instant is and which channels made it so out.

    window (C, L) -> units -> autoencoders -> residual -> over its spread         -> sharp: a spike, a step  \\
                                                       -> smoothed, then whitened -> broad: another form     /

What windows say of an instant is averaged over those that hold it. Both are measured in the spread that their
logarithms have over the training, and the larger one counts. The score is about ln 2 for a usual instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from narrows.detect.detector import TINY, joined, levels, standard
from narrows.detect.series.autoencoders import Autoencoders, Plan, train
from narrows.detect.series.windows import Grid, cut, held
from narrows.detect.units import Units
from narrows.detect.whitening import Whitening, fit_whitening
from narrows.errors import InputError, LimitError, counted
from narrows.train.device import Place

WIDEST = 1 << 14
"""Values of a window, at most."""

SMOOTHED, AROUND = 48, 6
"""Parts of a window over which its residual is smoothed, and over which oddness of form is averaged."""

MEASURED_VALUES = 1 << 24
"""Values of the residuals on which spreads are measured, at most."""

BLOCK_VALUES = 1 << 19
"""Values of windows that are computed at once."""

ROUNDS = 2
"""Times that the values of gaps are replaced by what the autoencoders would have expected there."""

SIDES = 2
"""Sharp and broad."""


@dataclass(frozen=True, eq=False)
class Said:
    """What windows say of their instants.

    Args:
        odd: How odd each value is, sharply and broadly (N, 2, C, L); 0 where it is missing.
        expected: What the autoencoders expected on average, in the units of the channels (N, C, L).
    """

    odd: np.ndarray
    expected: np.ndarray


@dataclass(frozen=True, eq=False)
class SeriesDetector:
    """A fitted detector of a series; `SeriesDetector.fit` makes one.

    Args:
        grid: How its windows lie.
        units: Of the C channels.
        autoencoders: Of the windows.
        sharp: The spread of the residuals, value by value.
        broad: The whitening of the smoothed residuals.
        levels: Median and spread of the logarithms of both (2, 2), float64.
    """

    grid: Grid
    units: Units
    autoencoders: Autoencoders
    sharp: Whitening
    broad: Whitening
    levels: Tensor

    @classmethod
    def fit(
        cls,
        values: np.ndarray,
        grid: Grid,
        *,
        parts: Sequence[tuple[int, int]] | None = None,
        plan: Plan | None = None,
        seed: int = 0,
    ) -> SeriesDetector:
        """Learn what a series usually looks like.

        Args:
            values: Instants (T, C), NaN where missing; a few of them may be odd.
            grid: How windows lie.
            parts: First instants and those after the last of the stretches to learn from; no window leaves one.
            plan: How autoencoders are trained.
            seed: Decides weights and order, and which windows are learned where there are many.

        Raises:
            InputError: Too few windows, a channel without values, none that changes, or an infinity.
            LimitError: Windows of too many values.

        Example:
            >>> time = np.arange(600)
            >>> values = np.sin(time / 4)[:, None]
            >>> detector = SeriesDetector.fit(values, Grid(25, 3, 24), plan=Plan(steps=100))
            >>> odd = values.copy()
            >>> odd[300:310] = 0
            >>> bool(295 <= detector.score(odd).scores.argmax() < 315)
            True
        """
        plan, rng = plan or Plan(), np.random.default_rng(seed)
        parts = parts or [(0, len(values))]
        check_values(values)
        check_width(values.shape[1], grid.length)
        learned = np.concatenate([values[begin:end] for begin, end in parts])
        check_channels(learned)
        units = Units.fit(held(learned, np.nanmedian(learned, 0))[0].astype(np.float32), rng)
        windows = training_windows(in_units(units, values), parts, grid, plan, rng)
        autoencoders = train(windows, plan, seed)
        most = max(2, MEASURED_VALUES // (len(autoencoders) * windows[0].size))
        some = torch.from_numpy(windows[rng.permutation(len(windows))[:most]])
        with Place("cpu", "float32", 1).scope():
            residual = torch.cat([x - autoencoders(x) for x in some.split(block_of(grid, values.shape[1]))], 1)
            sharp = fit_spread(residual.flatten(2), 1 - plan.trim)
            broad = fit_whitening(smoothed(residual).flatten(2), 1 - plan.trim)
        unlevelled = cls(grid, units, autoencoders, sharp, broad, torch.ones(SIDES, 2).double())
        sides = [unlevelled.sides(values[begin:end]) for begin, end in parts if end - begin >= grid.length]
        return cls(grid, units, autoencoders, sharp, broad, levels(torch.from_numpy(np.concatenate(sides, 1))))

    @property
    def channels(self) -> int:
        """Numbers of an instant, C."""
        return len(self.units.centre)

    def sides(self, values: np.ndarray) -> np.ndarray:
        """How odd each instant of values (T, C) that has a value is, sharply and broadly (2, n)."""
        found = self.score(values)
        return found.sides[:, found.seen]

    def score(self, values: np.ndarray) -> Instants:
        """How odd each instant of values (T, C) is; T is at least a window.

        Raises:
            InputError: Another number of channels, an infinity, or fewer values than a window.
        """
        from narrows.detect.series.stream import Stream

        if len(values) < self.grid.length:
            raise InputError(
                f"a series of {counted(len(values), 'sample')}",
                expected=f"at least {self.grid.length:,}, a window",
                code="input.few",
            )
        stream = Stream(self)
        return joined_instants([stream.push(values), stream.finish()])

    def window_scores(self, windows: np.ndarray) -> np.ndarray:
        """How odd whole windows (N, C, L) are, as a set of short series (N,): by their mean over all instants.

        Measure it in what held-out windows get: its level is not that of the scores of instants.
        """
        odd = self.windows(in_units(self.units, windows.swapaxes(1, 2)).swapaxes(1, 2), ~np.isnan(windows)).odd
        seen = np.maximum((~np.isnan(windows)).sum((1, 2)), 1)
        return joined(torch.from_numpy((odd.sum((2, 3)) / seen[:, None]).T), self.levels).numpy()

    def units_of(self, filled: np.ndarray) -> np.ndarray:
        """Values (..., C) without gaps in the units of their channels, float32."""
        return self.units(torch.from_numpy(filled.astype(np.float32))).numpy()

    def windows(self, x: np.ndarray, seen: np.ndarray) -> Said:
        """What windows x (N, C, L), in units and with something in their gaps, say of their instants.

        Args:
            x: Windows.
            seen: Where there is a value (N, C, L).
        """
        size = block_of(self.grid, self.channels)
        parts = [self.block(x[i : i + size], seen[i : i + size]) for i in range(0, max(len(x), 1), size)]
        return Said(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("odd", "expected")))

    def block(self, x: np.ndarray, seen: np.ndarray) -> Said:
        """The same for a few windows."""
        given, known = torch.from_numpy(x), torch.from_numpy(seen)
        with Place("cpu", "float32", 1).scope():
            back = self.autoencoders(given)
            for _ in range(0 if seen.all() else ROUNDS):
                given = torch.where(known, given, back.mean(0))
                back = self.autoencoders(given)
            residual = torch.where(known, given - back, 0)
            sharp = self.sharp(residual.flatten(2))
            broad = averaged(self.broad(smoothed(residual).flatten(2)).unflatten(1, given.shape[1:]))
            odd = torch.stack([sharp.unflatten(1, given.shape[1:]), broad], 1)
            expected = self.units.undo(back.mean(0).mT).mT
        return Said(torch.where(known.unsqueeze(1), odd, 0).double().numpy(), expected.numpy())


@dataclass(frozen=True, eq=False)
class Instants:
    """Instants that follow each other, scored.

    Args:
        first: Number of the first of them in its series, from 0.
        values: What was seen (T, C), NaN where nothing was.
        expected: What was expected (T, C), in the units of the channels.
        sides: How odd each is, sharply and broadly (2, T).
        parts: What each channel adds to the score (T, C), none below zero.
    """

    first: int
    values: np.ndarray
    expected: np.ndarray
    sides: np.ndarray
    parts: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def part(self, begin: int, end: int) -> Instants:
        """Those from place `begin` to before `end`."""
        cut = slice(begin, end)
        return Instants(self.first + begin, self.values[cut], self.expected[cut], self.sides[:, cut], self.parts[cut])

    @property
    def scores(self) -> np.ndarray:
        """The scores (T,), higher is odder; 0 where nothing was seen."""
        return self.parts.sum(1)

    @property
    def seen(self) -> np.ndarray:
        """Which instants have a value (T,)."""
        return ~np.isnan(self.values).all(1)


def instants_of(first: int, values: np.ndarray, expected: np.ndarray, odd: np.ndarray, level: Tensor) -> Instants:
    """Instants from how odd their values are (T, 2, C), shared out among the channels by the odder side."""
    seen = np.maximum((~np.isnan(values)).sum(1), 1)
    sides = torch.from_numpy(odd.sum(2) / seen[:, None]).T
    score = joined(sides, level).numpy() * ~np.isnan(values).all(1)
    oddest = standard(sides, level).argmax(0).numpy()
    own = odd[np.arange(len(odd)), oddest] + TINY * ~np.isnan(values)
    parts = score[:, None] * own / np.maximum(own.sum(1, keepdims=True), TINY)
    return Instants(first, values, expected, sides.numpy(), parts)


def joined_instants(pieces: Sequence[Instants]) -> Instants:
    """Pieces of one series, one after the other."""
    names = ("values", "expected", "parts")
    values, expected, parts = (np.concatenate([getattr(piece, name) for piece in pieces]) for name in names)
    return Instants(pieces[0].first, values, expected, np.concatenate([piece.sides for piece in pieces], 1), parts)


def in_units(units: Units, values: np.ndarray) -> np.ndarray:
    """Values (..., C) in the units of their channels, float32, with each gap holding the value before it.

    The gaps of the first instants hold the middle of their channel. Gaps are looked for along the last axis but one.
    """
    flat = values.reshape(-1, *values.shape[-2:])
    filled = np.stack([held(part, units.centre.numpy().astype(np.float64))[0] for part in flat])
    return units(torch.from_numpy(filled.astype(np.float32))).numpy().reshape(values.shape)


def training_windows(
    x: np.ndarray, parts: Sequence[tuple[int, int]], grid: Grid, plan: Plan, rng: np.random.Generator
) -> np.ndarray:
    """Windows (N, C, L) of x (T, C) from inside the parts, from as many places as the plan allows, in any order."""
    starts = np.concatenate([np.arange(begin, max(begin, end - grid.length + 1)) for begin, end in parts])
    if len(starts) < 2:
        raise InputError(
            f"{counted(len(starts), 'window')} of {grid.length:,} samples", expected="at least 2", code="input.few"
        )
    return cut(x, rng.permutation(starts)[: plan.windows], grid.length)


def block_of(grid: Grid, channels: int) -> int:
    """Windows that are computed at once."""
    return max(1, BLOCK_VALUES // (grid.length * channels))


def fit_spread(residual: Tensor, keep: float) -> Whitening:
    """The mean and the spread of each value of residuals (K, N, F), by the share of windows that fits best."""
    made = []
    for r in residual.double():
        kept = r[r.square().sum(1).argsort(stable=True)[: max(2, round(keep * len(r)))]]
        variance = kept.var(0, correction=0)
        made.append((kept.mean(0), (variance + 0.1 * variance.mean() + 1e-6).rsqrt()))
    mean, root = (torch.stack(parts).float().unsqueeze(1) for parts in zip(*made, strict=True))
    return Whitening(mean, root)


def smoothed(x: Tensor) -> Tensor:
    """Windows (..., L) smoothed by a Gaussian, its standard deviation a part of a window."""
    width = x.shape[-1] / SMOOTHED
    if width < 0.5:
        return x
    place = torch.arange(x.shape[-1], dtype=x.dtype)
    weight = torch.exp(-0.5 * ((place - place.unsqueeze(1)) / width).square())
    return x @ (weight / weight.sum(1, keepdim=True)).mT


def averaged(x: Tensor) -> Tensor:
    """Windows (..., L), each value the mean of those around it; fewer at the ends."""
    reach = max(0, round(x.shape[-1] / AROUND / 2))
    place = torch.arange(x.shape[-1])
    near = ((place - place.unsqueeze(1)).abs() <= reach).to(x.dtype)
    return x @ (near / near.sum(1, keepdim=True)).mT


def check_width(channels: int, length: int) -> None:
    """Refuse windows of too many values."""
    if channels * length > WIDEST:
        raise LimitError(
            f"{channels:,} channels in windows of {length:,} samples",
            expected=f"at most {WIDEST:,} values in a window",
            step="Leave channels out, or use shorter windows",
            code="limit.window",
        )


def check_values(values: np.ndarray, channels: int | None = None) -> None:
    """Refuse what is no series of numbers, of another number of channels, or has an infinity."""
    if values.ndim != 2 or not values.shape[1] or channels not in {None, values.shape[1]}:
        expected = "instants (T, C)" if channels is None else f"instants of {counted(channels, 'channel')}"
        raise InputError(f"an array of shape {values.shape}", expected=expected, code="input.shape")
    if values.dtype.kind != "f":
        raise InputError(f"values of type {values.dtype}", expected="floating numbers, NaN where one is missing")
    bad = np.isinf(values)
    if bad.any():
        row, channel = np.argwhere(bad)[0]
        raise InputError(
            f"channel {channel + 1} is infinite at instant {row + 1:,}; {counted(int(bad.sum()), 'value')} in all",
            expected="finite numbers, or nothing where one is missing",
            code="input.nan",
        )


def check_channels(values: np.ndarray) -> None:
    """Refuse values (T, C) of which a channel has none, or none ever changes."""
    empty = np.isnan(values).all(0)
    if empty.any():
        raise InputError(
            f"channel {int(empty.argmax()) + 1} has no values where it would be learned",
            expected="some in every stretch",
            step="Leave that channel out",
            code="input.constant",
        )
    if (np.nanmin(values, 0) == np.nanmax(values, 0)).all():
        raise InputError("no channel ever changes", expected="one that does, to learn from", code="input.constant")
