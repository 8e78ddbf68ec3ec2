"""The charts of a report of odd rows: scores with the threshold, precision and recall, ROC, cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from narrows.detect.curves import Curve, Judgement, cost_curve, precision_recall, reached, roc
from narrows.detect.svg import Axis, Frame, dot, drawing, histogram, line, numbers, path, words
from narrows.detect.threshold import Threshold
from narrows.errors import counted

BINS = 90
TAIL = 20
"""From so many times the middle score on, scores are drawn by their factor, or the last ones in one bin."""


@dataclass(frozen=True, eq=False)
class Bins:
    """Rows by their scores, in bins of equal width on the paper.

    Args:
        axis: The axis across.
        edges: Scores between the bins (n + 1,); one of them is the threshold.
        calm: Rows of each bin that are not odd by their labels, or all (n,).
        odd: Rows that are (n,), zeros without labels.
        beyond: Rows above the axis, drawn in the last bin.
    """

    axis: Axis
    edges: np.ndarray
    calm: np.ndarray
    odd: np.ndarray
    beyond: int


def binned(scores: np.ndarray, threshold: Threshold, labels: np.ndarray | None, frame: Frame) -> Bins:
    """Scores in bins, the threshold on a border between two."""
    low, high = float(min(scores.min(), threshold.value)), float(max(scores.max(), threshold.value))
    middle = float(np.median(scores))
    log = low > 0 and high > TAIL * middle
    if not log and high - middle > TAIL * max(float(np.quantile(scores, 0.99)) - middle, 1e-300):
        kept = float(np.quantile(scores, 0.999, method="lower"))
        high = max(kept, threshold.value + 0.1 * (threshold.value - low))
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-280):
        low, high, log = low - 0.5, high + 0.5, False
    if not log:
        high += (high - low) / BINS
    axis = frame.across(low, high * 1.02 if log else high, log)
    spread = np.geomspace if log else np.linspace
    edges = spread(axis.low, axis.high, BINS + 1)
    edges[[0, -1]] = axis.low, axis.high
    edges[1 + int(np.abs(edges[1:-1] - threshold.value).argmin())] = threshold.value
    edges = np.unique(edges)
    odd = np.zeros(len(scores), bool) if labels is None else labels.astype(bool)
    inside = np.clip(scores, axis.low, axis.high)
    calm, marked = (np.histogram(inside[kind], edges)[0] for kind in (~odd, odd))
    return Bins(axis, edges, calm, marked, int((scores > axis.high).sum()))


def scores_chart(scores: np.ndarray, threshold: Threshold, labels: np.ndarray | None) -> str:
    """How many rows have which score; those with an alarm in red, and below them the odd ones by their labels."""
    frame = Frame(width=1040, height=270 if labels is None else 350)
    bins = binned(scores, threshold, labels, frame)
    ground = frame.height - frame.bottom - (0 if labels is None else 90)
    most = max(int(bins.calm.max()), int(bins.odd.max()), 10)
    up, down = (Axis(0.7, most * 1.3, ground, end, log=True) for end in (frame.top + 22, 2 * ground - frame.top - 22))
    places = bins.axis(bins.edges)
    kinds = ["loud" if edge >= threshold.value else "calm" for edge in bins.edges[:-1]]
    border = float(bins.axis(threshold.value))
    parts = grid(up, bins.axis)
    parts += histogram(bins.calm, places, up, kinds)
    if labels is not None:
        below = Axis(0.7, most * 1.3, ground + 1, min(down.end, frame.height - frame.bottom), log=True)
        parts += histogram(bins.odd, places, below, ["odd"] * len(kinds))
        parts += [words(bins.axis.end, frame.height - frame.bottom - 8, "odd by their labels", "odd", "end")]
    parts += numbers(bins.axis, frame.height - frame.bottom, 10)
    parts += [line(bins.axis.start, ground, bins.axis.end, ground, "axis")]
    parts += threshold_mark(border, frame, int((scores >= threshold.value).sum()), len(scores))
    more = f" ({bins.beyond:,} above {bins.axis.high:.3g} in the last bar)" if bins.beyond else ""
    name = f"score{', equal steps are equal factors' if bins.axis.log else ''}{more}"
    parts += [words((bins.axis.start + bins.axis.end) / 2, frame.height - 8, name, "name", "middle")]
    return drawing(frame.width, frame.height, parts, f"Rows by score. {threshold.sentence}")


def grid(up: Axis, across: Axis) -> list[str]:
    """Lines and numbers of rows, 1, 10, 100 ..."""
    parts = []
    for value in up.ticks(5):
        place = float(up(value))
        parts.append(line(across.start, place, across.end, place, "grid"))
        parts.append(words(across.start - 7, place + 4, f"{value:,.0f}", "", "end"))
    return [*parts, words(4, up.end - 12, "rows", "name")]


def threshold_mark(place: float, frame: Frame, alarms: int, rows: int) -> list[str]:
    """The line of the threshold, and beside it how many alarms there are."""
    right = place < frame.width * 0.72
    said = f"{counted(alarms, 'alarm')} of {counted(rows, 'row')}"
    text = words(place + (7 if right else -7), frame.top + 9, said, "loud", "start" if right else "end")
    return [line(place, frame.top, place, frame.height - frame.bottom, "border"), text]


def here(curve: Curve, threshold: Threshold) -> int | None:
    """The point of a curve at the threshold: the last whose scores reach it, or None where no row does."""
    reached = np.flatnonzero(curve.thresholds >= threshold.value)
    return int(reached[-1]) if len(reached) else None


def marked(curve: Curve, threshold: Threshold, x: Axis, y: Axis) -> list[str]:
    """The dot at the threshold."""
    point = here(curve, threshold)
    return [] if point is None else [dot(float(x(curve.x[point])), float(y(curve.y[point])), "here")]


def precision_chart(scores: np.ndarray, labels: np.ndarray, threshold: Threshold) -> str:
    """Precision against recall in steps, with the base rate."""
    frame, curve, base = Frame(), precision_recall(scores, labels), float(np.mean(labels))
    x, y = frame.across(0, 1), frame.upright(0, 1)
    level = float(y(base))
    parts = frame.axes(x, y, "recall: share of the odd rows found", "precision: share of alarms right")
    parts += [line(x.start, level, x.end, level, "dashed")]
    parts += [path(x(np.append(0, curve.x)), y(np.append(curve.y[0], curve.y)), "own", steps=True)]
    parts += [words(x.start + 6, level - 6 if base < 0.9 else level + 15, f"base rate {base:.3g}")]
    parts += marked(curve, threshold, x, y)
    return drawing(frame.width, frame.height, parts, f"Precision against recall; base rate {base:.3g}")


def roc_chart(scores: np.ndarray, labels: np.ndarray, threshold: Threshold) -> str:
    """Recall against the rate of false alarms, with the line of chance."""
    frame, curve = Frame(), roc(scores, labels)
    x, y = frame.across(0, 1), frame.upright(0, 1)
    parts = frame.axes(x, y, "false alarms: share of the normal rows", "recall: share of the odd rows found")
    parts += [line(x.start, y.start, x.end, y.end, "dashed")]
    parts += [path(x(curve.x), y(curve.y), "own"), *marked(curve, threshold, x, y)]
    return drawing(frame.width, frame.height, parts, "Recall against the rate of false alarms")


def alerts_chart(scores: np.ndarray, labels: np.ndarray, threshold: Threshold, judged: Judgement | None) -> str:
    """Recall against the number of alerts, with the 95% intervals of those that were judged."""
    frame, (values, hits, false) = Frame(), reached(scores, labels)
    found = Curve(hits + false, hits / hits[-1], values)
    x, y = frame.across(1, max(len(scores), 2), log=True), frame.upright(0, 1)
    parts = frame.axes(x, y, "alerts, equal steps are equal factors", "recall: share of the odd rows found")
    parts += [path(x(np.maximum(found.x, 1)), y(found.y), "own")]
    for alerts, recall in judged.recall.items() if judged else ():
        place = float(x(alerts))
        parts += [line(place, float(y(recall.low)), place, float(y(recall.high)), "range")]
    parts += marked(found, threshold, x, y)
    return drawing(frame.width, frame.height, parts, "Recall against alerts")


def cost_chart(scores: np.ndarray, labels: np.ndarray, threshold: Threshold, miss: float, false_alarm: float) -> str:
    """What misses and false alarms cost, against the number of alerts."""
    frame = Frame(left=64)
    curve = cost_curve(scores, labels, miss=miss, false_alarm=false_alarm)
    x = frame.across(1, max(len(scores), 2), log=True)
    y = frame.upright(0, float(curve.y.max()) * 1.05)
    parts = frame.axes(x, y, "alerts, equal steps are equal factors", "cost")
    parts += [path(x(np.maximum(curve.x, 1)), y(curve.y), "own")]
    parts += marked(curve, threshold, x, y)
    return drawing(frame.width, frame.height, parts, f"Cost against alerts; least {curve.y.min():,.6g}")
