"""The picture of a series: what was seen, what was expected, the alarms, and the scores with the threshold.

instants -> the whole, a column of the paper an extreme -> the oddest stretches, each instant
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from narrows.detect.sections import section, wide
from narrows.detect.series.detector import Instants
from narrows.detect.svg import Axis, Frame, drawing, line, numbers, path, short, words
from narrows.detect.threshold import Threshold
from narrows.errors import counted

CHANNELS, STRETCHES = 4, 3
"""Channels that are drawn, and stretches of alarms that are drawn from near, at most."""

LANE, GAP, TOP = 110, 22, 30
"""Heights: of a channel, between two, and above the first."""

COLUMNS = 900
"""Columns of the paper into which a long series is drawn together."""

AROUND = 96
"""Instants before and after a stretch of alarms, at most."""


def pictures(
    instants: Instants, names: Sequence[str], threshold: Threshold, stretches: Sequence[np.ndarray]
) -> tuple[str, ...]:
    """The sections of a report that show a series: the whole of it, and its oddest stretches from near."""
    alarmed = np.sort(np.concatenate(stretches)) if stretches else np.array([], np.int64)
    shown = most_blamed(instants, alarmed)
    more = f" The {len(shown)} channels of {len(names)} that alarms blame most." if len(shown) < len(names) else ""
    about = f"Grey: what was seen. Violet: what was expected. Red: alarms.{more}"
    whole = drawn(instants, names, shown, threshold, alarmed, 0, len(instants))
    parts = [section("The series", [wide(whole, "The series with its scores", "long")], about=about, whole=True)]
    for part in stretches[:STRETCHES]:
        first, last = int(part[0]), int(part[-1])
        if last - first + 2 * AROUND >= len(instants):
            continue
        begin, end = max(0, first - AROUND), min(len(instants), last + 1 + AROUND)
        near = drawn(instants, names, most_blamed(instants, part), threshold, alarmed, begin, end)
        title = f"Rows {begin + 1:,} to {end:,}"
        parts.append(section(title, [wide(near, title, "long")], whole=True))
    return tuple(parts)


def most_blamed(instants: Instants, rows: np.ndarray) -> list[int]:
    """The channels that add the most to the scores of some instants, or of all without any, in their order."""
    parts = instants.parts[rows] if len(rows) else instants.parts
    return sorted(np.argsort(-parts.sum(0), kind="stable")[:CHANNELS].tolist())


def drawn(
    instants: Instants, names: Sequence[str], channels: Sequence[int], threshold: Threshold, alarmed: np.ndarray,
    begin: int, end: int,
) -> str:  # fmt: skip
    """The instants from `begin` to before `end`: a lane for each channel, and one for the scores."""
    frame = Frame(width=1040, height=TOP + (len(channels) + 1) * (LANE + GAP) + 34, left=64)
    x = frame.across(begin + 1, max(end, begin + 2))
    own = alarmed[(alarmed >= begin) & (alarmed < end)]
    floor_line = frame.height - 50
    parts = bands(own, x, TOP - 12, floor_line)
    for lane, channel in enumerate(channels):
        top = TOP + lane * (LANE + GAP)
        series = (instants.values[begin:end, channel], instants.expected[begin:end, channel])
        parts += channel_lane(series, x, top, names[channel])
    parts += score_lane(instants.scores[begin:end], x, floor_line - LANE, threshold)
    parts += numbers(x, floor_line, 10)
    parts += [words((x.start + x.end) / 2, frame.height - 8, "row", "name", "middle")]
    about = f"Rows {begin + 1:,} to {end:,}: {', '.join(names[c] for c in channels)}, and the scores; "
    return drawing(frame.width, frame.height, parts, f"{about}{counted(len(own), 'instant')} with an alarm")


def channel_lane(series: tuple[np.ndarray, np.ndarray], x: Axis, top: float, name: str) -> list[str]:
    """What was seen and what was expected of a channel."""
    both = np.concatenate(series)
    known = both[np.isfinite(both)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    y = Axis(low, high if high > low else low + 1, top + LANE, top)
    parts = [line(x.start, top + LANE, x.end, top + LANE, "grid"), words(x.start, top - 5, name, "said")]
    parts += [words(x.start - 7, float(y(value)) + 4, short(value), "", "end") for value in (y.low, y.high)]
    for values, kind in zip(series, ("seen", "own thin"), strict=True):
        parts += lines(values, x, y, kind)
    return parts


def score_lane(scores: np.ndarray, x: Axis, top: float, threshold: Threshold) -> list[str]:
    """The scores and the threshold."""
    high = max(float(scores.max()), threshold.value) * 1.05
    y = Axis(0, high if high > 0 else 1, top + LANE, top)
    border = float(y(threshold.value))
    parts = [words(x.start, top - 5, "score", "said"), *lines(scores, x, y, "seen")]
    parts += [words(x.start - 7, float(y(value)) + 4, short(value), "", "end") for value in y.ticks(3)]
    return [*parts, line(x.start, border, x.end, border, "border")]


def lines(values: np.ndarray, x: Axis, y: Axis, kind: str) -> list[str]:
    """A line through values, broken where one is missing; of a long series the extremes of each column of the paper."""
    rows, kept = extremes(values)
    known = np.isfinite(kept)
    runs = np.split(np.arange(len(kept)), np.flatnonzero(np.diff(known)) + 1)
    return [path(x(x.low + rows[run]), y(kept[run]), kind) for run in runs if known[run[0]] and len(run) > 1]


def extremes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places and values of a series, of a long one the lowest and the highest of each of some equal parts.

    Example:
        >>> rows, kept = extremes(np.sin(np.arange(9000.0)))
        >>> len(kept), bool(kept.max() > 0.999)
        (1800, True)
    """
    if len(values) <= 2 * COLUMNS:
        return np.arange(len(values)), values
    edges = np.linspace(0, len(values), COLUMNS + 1).astype(int)
    places = []
    for begin, end in pairwise(edges):
        part = values[begin:end]
        known = np.isfinite(part).any()
        ends = {begin + int(np.nanargmin(part)), begin + int(np.nanargmax(part))} if known else {begin}
        places += sorted(ends)
    return np.array(places), values[places]


def bands(alarmed: np.ndarray, x: Axis, top: float, bottom: float) -> list[str]:
    """A red band behind each run of alarms, wide enough to be seen."""
    if not len(alarmed):
        return []
    parts = []
    for run in np.split(alarmed, np.flatnonzero(np.diff(alarmed) > 1) + 1):
        left, right = float(x(run[0] + 0.5)), float(x(run[-1] + 1.5))
        width = max(right - left, 2)
        parts.append(
            f'<rect class="band" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{bottom - top:.1f}"/>'
        )
    return parts
