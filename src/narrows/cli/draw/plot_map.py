"""The latent map as PNG or SVG: dots at the left, the legend and the numbers at the right."""

import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.cli.draw import figure
from narrows.cli.draw.style import CARD, INK, LINE, MUTED, UNLABELLED, VIOLET, plain

if TYPE_CHECKING:
    from narrows.cli.draw.map import Scene

MARKERS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D", "cross": "X", "plus": "P", "down": "v"}
VECTOR_DOTS = 20_000
WIDTH, HEIGHT = 12.0, 7.5
# Inches a line of the legend, and lines in one of its columns.
LINE_HEIGHT, ROWS = 0.23, 20


def plot_map(scene: "Scene", path: str | os.PathLike[str]) -> Path:
    """Draw a checked map as PNG or SVG; from 20,000 dots on, those of an SVG are pixels."""
    page = figure.new_figure(WIDTH, HEIGHT, "drawing maps as PNG or SVG (a .html map needs no package)")
    axes = page.add_axes((0.035, 0.06, 0.675, 0.83))
    _dots(axes, scene)
    figure.write(axes, 0, 1.025, plain(scene.title, 80), transform=axes.transAxes, fontsize=14, fontweight="bold")
    side = page.add_axes((0.735, 0.06, 0.25, 0.83))
    side.set_axis_off()
    side.set_xlim(0, 0.25 * WIDTH)
    side.set_ylim(0.83 * HEIGHT, 0)
    below = _legend(side, scene)
    _numbers(side, scene, below)
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


def _dots(axes: Any, scene: "Scene") -> None:
    axes.set_facecolor(CARD)
    axes.set_xticks([])
    axes.set_yticks([])
    for edge in axes.spines.values():
        edge.set(color=LINE, linewidth=0.8)
    for height, (chosen, marker, size) in enumerate(layers(scene)):
        inks = np.array([style.light for style in scene.styles] + [UNLABELLED[0] if scene.classes else VIOLET])
        axes.scatter(
            *scene.points[chosen].T,
            s=size**2,
            c=inks[scene.labels[chosen]].tolist(),
            marker=MARKERS[marker],
            alpha=0.85,
            linewidths=0,
            zorder=2 + height / 1000,
            rasterized=len(scene.points) >= VECTOR_DOTS,
        )
    stretched = _limits(axes, scene.points)
    across = scene.axis_names[0] + (" (the axes are stretched apart)" if stretched else "")
    style = {"transform": axes.transAxes, "color": MUTED, "fontsize": 8.5}
    figure.write(axes, 1, -0.018, f"{across} →", ha="right", va="top", **style)
    figure.write(axes, -0.012, 1, f"{scene.axis_names[1]} →", rotation=90, ha="right", va="top", **style)


def _limits(axes: Any, points: np.ndarray) -> bool:
    """One scale for both axes, so that near means near; a very long map is stretched, and True says so."""
    low, high = points.min(0).astype(float), points.max(0).astype(float)
    centre, span = (low + high) / 2, high - low
    span = np.where(span > 1e-9 * np.maximum(1, np.abs(centre)), span, 1.0)
    room = np.array([0.675 * WIDTH, 0.83 * HEIGHT])
    scale = span / room
    stretched = bool(scale.max() > 4 * scale.min())
    half = (span if stretched else scale.max() * room) * 0.54
    axes.set_xlim(centre[0] - half[0], centre[0] + half[0])
    axes.set_ylim(centre[1] - half[1], centre[1] + half[1])
    return stretched


def _legend(side: Any, scene: "Scene") -> float:
    """The names of the classes and how many dots each has; returns where the next thing can stand."""
    entries = [
        (name, n, style.light, MARKERS[style.shape])
        for name, n, style in zip(scene.classes, scene.counts, scene.styles, strict=False)
    ]
    if scene.counts[-1] and entries:
        entries.append(("without a class", scene.counts[-1], UNLABELLED[0], "o"))
    if not entries:
        figure.write(side, 0, 0.12, f"{len(scene.points):,} objects", color=MUTED, va="center")
        return 0.5
    columns = min(3, -(-len(entries) // ROWS))
    rows = -(-len(entries) // columns) if columns > 1 and len(entries) <= 3 * ROWS + 2 else ROWS
    rows = max(1, min(rows, len(entries), ROWS + 1))
    width = 0.25 * WIDTH / columns
    figure.write(side, 0, 0.1, f"{len(scene.points):,} objects", color=MUTED, va="center")
    for number, (name, n, ink, marker) in enumerate(entries[: rows * columns]):
        x, y = number // rows * width, 0.4 + number % rows * LINE_HEIGHT
        side.plot([x + 0.06], [y], marker, color=ink, markersize=6, markeredgewidth=0, clip_on=False)
        letters = (30, 13, 8)[columns - 1]
        figure.write(side, x + 0.2, y, plain(name, letters), va="center_baseline", fontsize=(9, 8.5, 7.5)[columns - 1])
        if columns < 3:
            right = x + width - (0.0 if columns == 1 else 0.14)
            figure.write(side, right, y, f"{n:,}", color=MUTED, ha="right", va="center_baseline", fontsize=8.5)
    left = len(entries) - rows * columns
    if left > 0:
        figure.write(
            side, 0, 0.4 + rows * LINE_HEIGHT, f"and {left} more classes", color=MUTED, va="center", fontsize=8.5
        )
    return 0.4 + (rows + (left > 0)) * LINE_HEIGHT + 0.12


def _numbers(side: Any, scene: "Scene", top: float) -> None:
    room, y = 0.83 * HEIGHT, top
    for name, value, meaning in scene.numbers:
        explained = textwrap.wrap(meaning, 54)[:2]
        need = 0.26 + 0.15 * len(explained) + 0.1
        if y + 0.26 > room:
            break
        side.plot([0, 0.25 * WIDTH], [y - 0.08, y - 0.08], color=LINE, linewidth=0.8)
        figure.write(side, 0, y + 0.09, plain(name, 30), va="center")
        figure.write(side, 0.25 * WIDTH, y + 0.09, value, va="center", ha="right", fontweight="bold", color=INK)
        if y + need <= room:
            for line, words in enumerate(explained):
                figure.write(side, 0, y + 0.27 + 0.15 * line, words, va="center", color=MUTED, fontsize=7.5)
            y += need
        else:
            y += 0.26
