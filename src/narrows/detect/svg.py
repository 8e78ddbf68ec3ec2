"""Small drawings as SVG text: axes, curves, a histogram; colours and sizes are left to classes of a style sheet."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np

LETTER = 6.4
"""Width of a letter of an axis, about."""


def text_of(words: object, most: int = 80) -> str:
    """Any words as text of a page: escaped, on one line, without what turns or hides letters, and cut.

    Example:
        >>> text_of("<b>" + chr(0x202E) + "a" + chr(10) + "b")
        '&lt;b&gt;a b'
    """
    plain = "".join(" " if letter in "\t\r\n" else letter for letter in str(words))
    plain = "".join(letter for letter in plain if unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return html.escape(plain if len(plain) <= most else plain[: most - 1] + "…")


@dataclass(frozen=True)
class Axis:
    """From values to places on the paper.

    Args:
        low: Value at `start`.
        high: Value at `end`, above `low`.
        start: Place of the lowest value.
        end: Place of the highest.
        log: Whether equal steps are equal factors; then `low` is above 0.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: np.ndarray | float) -> np.ndarray:
        """Places of values, those beyond an end at it."""
        inside = np.clip(np.asarray(values, np.float64), self.low, self.high)
        low, high = self.low, self.high
        if self.log:
            inside, low, high = np.log10(inside), log10(low), log10(high)
        return self.start + (inside - low) / (high - low) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values along it.

        Example:
            >>> Axis(0, 1, 0, 100).ticks(), Axis(1, 5000, 0, 100, log=True).ticks()
            ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [1.0, 10.0, 100.0, 1000.0])
        """
        if self.log and self.high / self.low >= 100:
            powers = range(ceil(log10(self.low) - 1e-9), floor(log10(self.high) + 1e-9) + 1)
            return [10.0**power for power in powers][:: ceil(len(powers) / most)]
        raw = (self.high - self.low) / (most - 1)
        size = 10.0 ** floor(log10(raw))
        step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw * 0.999)
        numbers = range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1)
        return [round(number * step, 12) for number in numbers]


def short(value: float) -> str:
    """A number for an axis.

    Example:
        >>> [short(value) for value in (0, 0.25, 1500, 2e6, 0.00001)]
        ['0', '0.25', '1,500', '2M', '1e-05']
    """
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.3g}M" if abs(value) < 1e9 else f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def path(x: np.ndarray, y: np.ndarray, kind: str, *, steps: bool = False) -> str:
    """A line through places (P,), with steps first across, then upright; without points nearer than half a unit."""
    places = np.round(np.column_stack([x, y]) * 2) / 2
    kept = np.append(True, (np.diff(places, axis=0) != 0).any(1))
    kept[-1] = True
    points = places[kept].tolist()
    words = [f"M{points[0][0]:g} {points[0][1]:g}"]
    words += [f"H{a:g}V{b:g}" if steps else f"L{a:g} {b:g}" for a, b in points[1:]]
    return f'<path class="{kind}" d="{"".join(words)}"/>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def words(x: float, y: float, text: object, kind: str = "", anchor: str = "start") -> str:
    """Words at a place."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text_of(text)}</text>'


def dot(x: float, y: float, kind: str) -> str:
    """A dot."""
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'


def drawing(width: float, height: float, parts: Sequence[str], about: str) -> str:
    """A whole drawing, with a sentence for those who do not see it."""
    inside = "".join(parts)
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{text_of(about, 400)}">{inside}</svg>'


@dataclass(frozen=True)
class Frame:
    """The paper of a chart: its size, and the margins that hold the axes."""

    width: float = 470
    height: float = 270
    left: float = 52
    right: float = 14
    top: float = 12
    bottom: float = 44

    def across(self, low: float, high: float, log: bool = False) -> Axis:
        """The axis across."""
        return Axis(low, high, self.left, self.width - self.right, log)

    def upright(self, low: float, high: float, log: bool = False) -> Axis:
        """The upright axis."""
        return Axis(low, high, self.height - self.bottom, self.top, log)

    def axes(self, x: Axis, y: Axis, x_name: str, y_name: str, show: Callable[[float], str] = short) -> list[str]:
        """Grid lines, numbers and names of both axes."""
        parts = []
        for value in y.ticks():
            place = float(y(value))
            parts += [line(x.start, place, x.end, place, "grid"), words(x.start - 7, place + 4, show(value), "", "end")]
        parts += numbers(x, y.start)
        parts += [words((x.start + x.end) / 2, self.height - 8, x_name, "name", "middle")]
        middle = (y.start + y.end) / 2
        turned = f'<g transform="translate(13 {middle:.1f}) rotate(-90)">{words(0, 0, y_name, "name", "middle")}</g>'
        return [*parts, turned]


def numbers(x: Axis, floor_line: float, most: int = 6) -> list[str]:
    """The numbers below an axis across, and its line; of numbers that would touch every other is left out."""
    ticks = x.ticks(most)
    width = max((len(short(value)) for value in ticks), default=1) * LETTER + 10
    step = max(1, ceil(width * len(ticks) / (x.end - x.start)))
    parts = [line(x.start, floor_line, x.end, floor_line, "axis")]
    return parts + [words(float(x(value)), floor_line + 17, short(value), "", "middle") for value in ticks[::step]]


def histogram(counts: np.ndarray, edges: np.ndarray, y: Axis, kinds: Sequence[str]) -> list[str]:
    """Bars from the start of `y`, as high as their counts, between places (n + 1,), each of its own kind.

    Empty bins have none; `y` begins below 1, so that a single row is seen.
    """
    parts = []
    for count, left, right, kind in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), kinds, strict=True):
        if count:
            top, bottom = sorted((float(y(count)), y.start))
            size = f'width="{max(right - left - 1, 0.8):.1f}" height="{bottom - top:.1f}"'
            parts.append(f'<rect class="{kind}" x="{left + 0.5:.1f}" y="{top:.1f}" {size} rx="1"/>')
    return parts
