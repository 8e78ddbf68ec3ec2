"""Curves: error against the size of the code, beside PCA's; the loss while it falls."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from narrows.cli.draw import figure
from narrows.cli.draw.style import GREY, INK, LINE, MUTED, PALETTE, PAPER, RED, VIOLET, plain, short_number
from narrows.errors import InputError

INKS = (VIOLET, *(PALETTE[i][0] for i in (3, 5, 1, 4, 2, 8)))
MARKS = ("o", "s", "^", "D", "v", "P", "X")
# Inches left of, above, right of and below the frame.
SIDES = (0.68, 0.88, 1.75, 0.7)
# How far below the lowest network, as a factor, a baseline is still drawn.
DEPTH = 30


@dataclass(frozen=True)
class Curve:
    """One line of a picture of errors.

    Args:
        name: What it is, written at the end of the line.
        sizes: Numbers in the code, rising.
        values: Error at each size.
        low: Lower edge of its band (over seeds, say), or None.
        high: Upper edge, or None.
        is_baseline: Whether it is what the others are held against: dashed and grey.
    """

    name: str
    sizes: Sequence[float]
    values: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    is_baseline: bool = False


def error_curves(
    series: Sequence[Curve],
    path: str | os.PathLike[str],
    *,
    title: str,
    x_label: str = "numbers in the code",
    y_label: str = "test MSE",
) -> Path:
    """Draw error against code size, each line named at its end; where the baseline wins, the mark is ringed in red.

    Args:
        series: The lines; the baseline (PCA) is drawn dashed and grey.
        path: File to write, ending in .png or .svg.
        title: A line above all.
        x_label: Name of the sizes.
        y_label: Name of the errors.

    Raises:
        InputError: No line, lines without points, of two lengths, or with values that are not finite.
        EnvironmentProblem: matplotlib is not installed.

    Example:
        >>> import tempfile
        >>> lines = [Curve("dense", [2, 8], [0.05, 0.02]), Curve("PCA", [2, 8], [0.06, 0.04], is_baseline=True)]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     error_curves(lines, Path(folder) / "error.svg", title="MNIST").name
        'error.svg'
    """
    figure.suffix_of(path, (".png", ".svg"))
    for curve in series:
        _check(curve)
    if not series:
        raise InputError("no line to draw", expected="one curve or more", code="input.empty")
    page = figure.new_figure(9, 5.6, "drawing curves")
    axes = figure.frame(page, *SIDES)
    figure.calm_axes(axes)
    _scales(axes, series)
    inks = _inks(series)
    for number, curve in enumerate(series):
        _draw(axes, curve, inks[number], MARKS[number % len(MARKS)], losing_points(curve, series))
    _name_ends(axes, series, inks)
    figure.title_and_labels(page, axes, plain(title, 90), plain(x_label), plain(y_label))
    if any(losing_points(curve, series).any() for curve in series):
        names = " and ".join(plain(c.name, 24) for c in series if c.is_baseline)
        note = f"red ring: {names} does better with as many numbers"
        x, y = 1 - SIDES[2] / 9, 1 - (figure.MARGIN + 0.33) / 5.6
        figure.write(page, x, y, note, color=RED, ha="right", va="top")
    return figure.save_figure(page, path)


def loss_curve(
    history: Mapping[str, Sequence[float]],
    path: str | os.PathLike[str],
    *,
    title: str = "Training",
    baseline: tuple[str, float] | None = None,
    x_label: str = "epoch",
    y_label: str = "loss",
) -> Path:
    """Draw how the loss falls, each line named at its end.

    Args:
        history: Name of a line ("train", "validation") to its value at each epoch; gaps may be NaN.
        path: File to write, ending in .png or .svg.
        title: A line above all.
        baseline: Name and value of a level to compare with, drawn dashed ("PCA", 0.0078).
        x_label: Name of the steps.
        y_label: Name of the values.

    Raises:
        InputError: Nothing finite to draw.
        EnvironmentProblem: matplotlib is not installed.
    """
    lines = []
    for name, values in history.items():
        numbers = np.asarray(values, dtype=float)
        known = np.isfinite(numbers)
        if known.any():
            steps = np.arange(1, len(numbers) + 1)
            lines.append(Curve(name, steps[known].tolist(), numbers[known].tolist()))
    if not lines:
        raise InputError("a history without a finite value", expected="one epoch or more", code="input.empty")
    if baseline is not None:
        last = max(curve.sizes[-1] for curve in lines)
        lines.append(Curve(baseline[0], [1, last], [baseline[1], baseline[1]], is_baseline=True))
    figure.suffix_of(path, (".png", ".svg"))
    page = figure.new_figure(9, 4.6, "drawing curves")
    axes = figure.frame(page, *SIDES)
    figure.calm_axes(axes)
    _fit_loss(axes, lines)
    inks = _inks(lines)
    for curve, ink in zip(lines, inks, strict=True):
        dashes = (0, (4, 3)) if curve.is_baseline else "solid"
        axes.plot(curve.sizes, curve.values, color=ink, linewidth=1.8, linestyle=dashes, solid_capstyle="round")
    _name_ends(axes, lines, inks)
    figure.title_and_labels(page, axes, plain(title, 90), plain(x_label), plain(y_label))
    return figure.save_figure(page, path)


def losing_points(curve: Curve, series: Sequence[Curve]) -> np.ndarray:
    """Where some baseline is lower at the same size (between its points, straight in the logarithms).

    Example:
        >>> pca = Curve("PCA", [2, 8], [0.04, 0.01], is_baseline=True)
        >>> losing_points(Curve("dense", [2, 4, 8], [0.03, 0.03, 0.009]), [pca])
        array([False,  True, False])
    """
    values, sizes = np.asarray(curve.values, float), np.asarray(curve.sizes, float)
    lost = np.zeros(len(values), dtype=bool)
    for other in [] if curve.is_baseline else [c for c in series if c.is_baseline]:
        x, y = np.asarray(other.sizes, float), np.asarray(other.values, float)
        positive = bool((x > 0).all() and (y > 0).all() and (sizes > 0).all())
        level = np.exp(np.interp(np.log(sizes), np.log(x), np.log(y))) if positive else np.interp(sizes, x, y)
        inside = (sizes >= x[0]) & (sizes <= x[-1])
        lost |= inside & (values > level * (1 + 1e-9))
    return lost


def _check(curve: Curve) -> None:
    parts = [curve.sizes, curve.values, *(p for p in (curve.low, curve.high) if p is not None)]
    arrays = [np.asarray(p, dtype=float) for p in parts]
    if not len(arrays[0]) or any(a.shape != arrays[0].shape or a.ndim != 1 for a in arrays):
        raise InputError(f"curve {curve.name!r} without points or of two lengths", code="input.shape")
    if not all(np.isfinite(a).all() for a in arrays) or (np.diff(arrays[0]) <= 0).any():
        raise InputError(
            f"curve {curve.name!r} has values that are not finite, or sizes that do not rise", code="input.nan"
        )


def _inks(series: Sequence[Curve]) -> list[str]:
    number = count()
    return [GREY if curve.is_baseline else INKS[next(number) % len(INKS)] for curve in series]


def floor_of(series: Sequence[Curve]) -> float:
    """The lowest error that is drawn in logarithms: a baseline near 0 must not flatten all the others.

    Example:
        >>> floor_of([Curve("dense", [2, 8], [0.6, 0.3]), Curve("PCA", [2, 8], [0.5, 1e-12], is_baseline=True)])
        0.01
    """
    others = [c for c in series if not c.is_baseline] or list(series)
    lowest = float(min(np.min(p) for c in others for p in (c.values, c.low) if p is not None))
    every = float(min(np.min(p) for c in series for p in (c.values, c.low) if p is not None))
    return max(every, lowest / DEPTH)


def _scales(axes: Any, series: Sequence[Curve]) -> None:
    """Logarithms where all networks are above 0 and all span more than a factor of three; a tick for each size."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    sizes = np.unique(np.concatenate([np.asarray(c.sizes, float) for c in series]))
    edges = [np.asarray(p, float) for c in series for p in (c.values, c.low, c.high) if p is not None]
    low, high = floor_of(series), float(np.concatenate(edges).max())
    if sizes[0] > 0 and sizes[-1] > 3 * sizes[0]:
        axes.set_xscale("log", base=2)
    axes.margins(x=0.03)
    if low > 0 and high > 3 * low:
        axes.set_yscale("log", nonpositive="clip")
        room = (high / low) ** 0.06
        axes.set_ylim(low / room, high * room)
        axes.yaxis.set_major_locator(FixedLocator(_round_levels(low / room, high * room)))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        low = float(np.concatenate(edges).min())
        reach = high - low or abs(high) or 1.0
        axes.set_ylim(low - 0.08 * reach, high + 0.08 * reach)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(FixedLocator(_apart(sizes, axes.get_xscale() == "log")))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: short_number(float(v))))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _level(float(v))))


def _round_levels(low: float, high: float) -> list[float]:
    """Levels 1, 2, 5 of each power of ten inside low..high; powers alone where that is too many.

    Example:
        >>> _round_levels(0.004, 0.06)
        [0.005, 0.01, 0.02, 0.05]
    """
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    levels = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    inside = [level for level in levels if low <= level <= high]
    if len(inside) > 9:
        inside = [level for level in inside if f"{level:e}".startswith("1")]
    return inside if len(inside) >= 2 else [float(f"{v:.2g}") for v in np.geomspace(low, high, 5)[1:-1]]


def _apart(sizes: np.ndarray, logarithmic: bool) -> list[float]:
    """Sizes that can carry a number without touching the last one that does."""
    places = np.log(sizes) if logarithmic else sizes
    least = (places[-1] - places[0]) / 18
    kept: list[int] = []
    for i in range(len(sizes)):
        if not kept or places[i] - places[kept[-1]] >= least:
            kept.append(i)
    return [float(sizes[i]) for i in kept]


def _level(value: float) -> str:
    written = f"{value:.12g}"
    return written.replace("0.", ".", 1) if written.startswith("0.") and abs(value) >= 1e-4 else written


def _draw(axes: Any, curve: Curve, ink: str, mark: str, lost: np.ndarray) -> None:
    sizes, values = np.asarray(curve.sizes, float), np.asarray(curve.values, float)
    if curve.low is not None and curve.high is not None:
        axes.fill_between(sizes, curve.low, curve.high, color=ink, alpha=0.13, linewidth=0)
    dashes = (0, (4, 3)) if curve.is_baseline else "solid"
    axes.plot(sizes, values, color=ink, linewidth=1.6 if curve.is_baseline else 2.0, linestyle=dashes, zorder=3)
    size = 0 if curve.is_baseline and len(sizes) > 1 else 6
    edge = {"markeredgecolor": PAPER, "markeredgewidth": 1, "clip_on": False}
    inside = values >= axes.get_ylim()[0]
    axes.plot(sizes[inside], values[inside], mark, color=ink, markersize=size, zorder=4, **edge)
    if lost.any():
        rings = {
            "markersize": 11,
            "markerfacecolor": "none",
            "markeredgecolor": RED,
            "markeredgewidth": 1.6,
            "clip_on": False,
        }
        axes.plot(sizes[lost], values[lost], "o", zorder=5, **rings)


def _name_ends(axes: Any, series: Sequence[Curve], inks: Sequence[str]) -> None:
    """The name of each line at its right end, moved up or down where two would touch."""
    axes.get_xlim()  # the limits are worked out late; the places below need them
    span = axes.transData + axes.transAxes.inverted()
    bottom = axes.get_ylim()[0]
    ends = [span.transform((curve.sizes[-1], max(curve.values[-1], bottom))) for curve in series]
    places = figure.spread([float(end[1]) for end in ends], 0.075, 0.0, 1.0)
    for curve, ink, end, place in zip(series, inks, ends, places, strict=True):
        if abs(place - end[1]) > 0.01 or end[0] < 0.97:
            axes.plot([end[0], 1.03], [end[1], place], transform=axes.transAxes, color=LINE, linewidth=1, clip_on=False)
        tone = MUTED if curve.is_baseline else INK
        shade = {"fontsize": 9.5, "va": "center_baseline", "transform": axes.transAxes}
        name = figure.write(
            axes, 1.04, place, plain(curve.name, 20), color=ink if not curve.is_baseline else tone, **shade
        )
        number = short_number(float(curve.values[-1])) + (" ↓" if curve.values[-1] < bottom else "")
        axes.annotate(
            number, (1, 0.5), xycoords=name, xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=9, color=MUTED, family=figure.typefaces(),
        )  # fmt: skip


def _fit_loss(axes: Any, lines: Sequence[Curve]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    values = np.concatenate([np.asarray(c.values, float) for c in lines])
    last = max(c.sizes[-1] for c in lines)
    axes.set_xlim(1, max(last, 2))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if values.min() > 0 and values.max() > 5 * values.min():
        _scales(axes, [Curve("", [1], [v]) for v in (values.min(), values.max())])
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set_xlim(1, max(last, 2))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _level(float(v))))
