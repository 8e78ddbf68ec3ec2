"""The latent map as PNG or SVG: dots at the left, the legend and the numbers at the right."""

import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.cli.draw import figure
from narrows.cli.draw.style import CARD, LINE, MUTED, UNLABELLED, VIOLET, plain

if TYPE_CHECKING:
    from narrows.cli.draw.map import Scene

MARKERS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D", "cross": "X", "plus": "P", "down": "v"}
VECTOR_DOTS = 20_000
WIDTH, HEIGHT, SIDE = 12.0, 7.5, 3.0
# Inches left of, above, right of and below the frame of the dots.
LEFT, TOP, RIGHT, BOTTOM = 0.42, 0.66, 3.48, 0.42
# Inches a line of the legend; lines of one, two and three of its columns, and the most there may be.
LINE_HEIGHT, ROWS, MOST_ROWS = 0.23, 20, 40


def plot_map(scene: "Scene", path: str | os.PathLike[str]) -> Path:
    """Draw a checked map as PNG or SVG; from 20,000 dots on, those of an SVG are pixels."""
    entries = _entries(scene)
    columns = min(3, max(1, -(-len(entries) // ROWS)))
    rows = min(MOST_ROWS, -(-len(entries) // columns))
    need = _legend_height(rows, len(entries) - rows * columns) + sum(_number_height(n) for n in scene.numbers)
    height = max(HEIGHT, need + TOP + BOTTOM)
    page = figure.new_figure(WIDTH, height, "drawing maps as PNG or SVG (a .html map needs no package)")
    axes = figure.frame(page, LEFT, TOP, RIGHT, BOTTOM)
    _dots(axes, scene, height - TOP - BOTTOM)
    figure.write(page, figure.MARGIN / WIDTH, 1 - figure.MARGIN / height, plain(scene.title, 80), fontsize=14, va="top")
    side = figure.frame(page, WIDTH - SIDE - figure.MARGIN, TOP, figure.MARGIN, BOTTOM)
    side.set_axis_off()
    side.set_xlim(0, SIDE)
    side.set_ylim(height - TOP - BOTTOM, 0)
    _legend(side, scene, entries, columns, rows)
    _numbers(side, scene, _legend_height(rows, len(entries) - rows * columns))
    return figure.save_figure(page, path)


def dot_size(count: int, shapes: bool) -> float:
    """Diameter of a dot in points.

    Example:
        >>> dot_size(100, False) > dot_size(10_000, False) > dot_size(1_000_000, False)
        True
    """
    size = float(np.clip(14.0 * count**-0.18 - 0.6, 0.9, 6.5))
    return max(size, 3.0) if shapes else size


def layers(scene: "Scene") -> list[tuple[np.ndarray, str, float]]:
    """What is drawn after what: the dots (their numbers), their shape and their size.

    Dots without a class lie behind all, then common classes, rare ones on top; classes about as common mix as they
    came, so that none of them covers the others.
    """
    bare = np.flatnonzero(scene.labels < 0)
    shapes = any(style.shape != "circle" for style in scene.styles)
    drawn = [(bare, "circle", dot_size(len(scene.points), False))] if len(bare) else []
    size = dot_size(max(1, len(scene.points) - len(bare)), shapes)
    most = max(scene.counts[:-1], default=1)
    groups: dict[tuple[int, str], list[int]] = {}
    for k, (n, style) in enumerate(zip(scene.counts, scene.styles, strict=False)):
        groups.setdefault((int(np.log2(most / n)), style.shape), []).append(k)
    for (_, shape), classes in sorted(groups.items(), key=lambda item: item[0]):
        drawn.append((np.flatnonzero(np.isin(scene.labels, classes)), shape, size))
    return drawn


def _dots(axes: Any, scene: "Scene", height: float) -> None:
    axes.set_facecolor(CARD)
    axes.set_xticks([])
    axes.set_yticks([])
    for edge in axes.spines.values():
        edge.set(color=LINE, linewidth=0.8)
    for layer, (chosen, marker, size) in enumerate(layers(scene)):
        inks = np.array([style.light for style in scene.styles] + [UNLABELLED[0] if scene.classes else VIOLET])
        axes.scatter(
            *scene.points[chosen].T,
            s=size**2,
            c=inks[scene.labels[chosen]].tolist(),
            marker=MARKERS[marker],
            alpha=0.85,
            linewidths=0,
            zorder=2 + layer / 1000,
            rasterized=len(scene.points) >= VECTOR_DOTS,
        )
    stretched = _limits(axes, scene.points, height)
    across = scene.axis_names[0] + (" (the axes are stretched apart)" if stretched else "")
    style = {"transform": axes.transAxes, "color": MUTED, "fontsize": 9}
    figure.write(axes, 1, -0.015, f"{across} →", ha="right", va="top", **style)
    figure.write(axes, -0.01, 1, f"{scene.axis_names[1]} →", rotation=90, ha="right", va="top", **style)
    figure.write(axes, 0, -0.015, scene.note, va="top", **style)


def _limits(axes: Any, points: np.ndarray, height: float) -> bool:
    """One scale for both axes, so that near means near; a very long map is stretched, and True says so."""
    low, high = points.min(0).astype(float), points.max(0).astype(float)
    centre, span = (low + high) / 2, high - low
    span = np.where(span > 1e-9 * np.maximum(1, np.abs(centre)), span, 1.0)
    room = np.array([WIDTH - LEFT - RIGHT, height])
    scale = span / room
    stretched = bool(scale.max() > 4 * scale.min())
    half = (span if stretched else scale.max() * room) * 0.54
    axes.set_xlim(centre[0] - half[0], centre[0] + half[0])
    axes.set_ylim(centre[1] - half[1], centre[1] + half[1])
    return stretched


def _entries(scene: "Scene") -> list[tuple[str, int, str, str]]:
    """The lines of the legend: name, dots, ink and marker."""
    entries = [
        (name, n, style.light, MARKERS[style.shape])
        for name, n, style in zip(scene.classes, scene.counts, scene.styles, strict=False)
    ]
    if scene.counts[-1] and entries:
        entries.append(("without a class", scene.counts[-1], UNLABELLED[0], "o"))
    return entries


def _legend_height(rows: int, left: int) -> float:
    """Inches taken by a legend of `rows` lines, with `left` classes that have none."""
    return 0.4 + (rows + (left > 0)) * LINE_HEIGHT + 0.08


def _legend(side: Any, scene: "Scene", entries: list[tuple[str, int, str, str]], columns: int, rows: int) -> None:
    """The names of the classes and how many dots each has."""
    figure.write(side, 0, 0.08, f"{len(scene.points):,} objects", color=MUTED, va="center")
    width = SIDE / columns
    for number, (name, n, ink, marker) in enumerate(entries[: rows * columns]):
        x, y = number // rows * width, 0.4 + number % rows * LINE_HEIGHT
        side.plot([x + 0.06], [y], marker, color=ink, markersize=6, markeredgewidth=0, clip_on=False)
        letters, size = ((34, 9.5), (15, 9.0), (12, 8.0))[columns - 1]
        figure.write(side, x + 0.2, y, plain(name, letters), va="center_baseline", fontsize=size)
        if columns < 3:
            right = x + width - (0.0 if columns == 1 else 0.14)
            figure.write(side, right, y, f"{n:,}", color=MUTED, ha="right", va="center_baseline")
    left = len(entries) - rows * columns
    if left > 0:
        figure.write(side, 0, 0.4 + rows * LINE_HEIGHT, f"and {left} more classes", color=MUTED, va="center")


def _explained(meaning: str) -> list[str]:
    return textwrap.wrap(meaning, 52)[:2]


def _number_height(number: tuple[str, str, str]) -> float:
    """Inches taken by one number and what it means."""
    return 0.33 + 0.16 * len(_explained(number[2]))


def _numbers(side: Any, scene: "Scene", top: float) -> None:
    for name, value, meaning in scene.numbers:
        side.plot([0, SIDE], [top, top], color=LINE, linewidth=0.8, clip_on=False)
        figure.write(side, 0, top + 0.16, plain(name, 30), va="center", fontsize=9.5)
        figure.write(side, SIDE, top + 0.16, value, va="center", ha="right", fontsize=9.5)
        for line, words in enumerate(_explained(meaning)):
            figure.write(side, 0, top + 0.35 + 0.16 * line, words, va="center", color=MUTED, fontsize=8)
        top += _number_height((name, value, meaning))
