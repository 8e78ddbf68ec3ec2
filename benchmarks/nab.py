"""NAB's 58 series: the causal scorer beside silence, random numbers, NAB's own baseline, and perfection.

    python benchmarks/nab.py [--seeds 5]

The standard profile: a window found counts up to 1, the earlier the more, a window missed -1, an alarm outside up to
-.11, more the farther it lies behind a window. 0 is the detector that says nothing, 100 the one that alarms once at the
start of every window. NAB has one threshold for all series, the one that gives the best score: it is tuned on the
labels. The columns `own` have a threshold without labels: an alarm where a score is among the largest of the last 2,000
of its series, one in `RARE`. Every second series by name was looked at to choose the scorer's settings and that rate;
the others are told apart. Needs NARROWS_DATA.

References:
    Evaluating real-time anomaly detection algorithms: the Numenta anomaly benchmark (Lavin and Ahmad, 2015),
    arXiv 1510.03336
"""

import argparse
import csv
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import erfc, sqrt
from pathlib import Path

import numpy as np

from narrows.detect.series.causal import Causal, Rarity

FOUND, FALSE, MISSED = 1.0, 0.11, 1.0
"""The standard profile: weights of a window found, an alarm outside, and a window missed."""

PROBATION, LONGEST = 0.15, 5000
"""Share of a series that is not judged, and the most values of it that the share is taken of."""

FAR = 3.0
"""Widths of the last window behind its end from which on a false alarm weighs in full."""

RARE = 300
"""One alarm in so many instants is what our own threshold allows."""

RESAMPLES = 2000
"""Draws of as many series, for the intervals."""


@dataclass(frozen=True, eq=False)
class Series:
    """Values (N,), and first and last place of each labelled window (W, 2)."""

    name: str
    values: np.ndarray
    windows: np.ndarray

    @property
    def probation(self) -> int:
        """Values at the start that a detector may learn from and that are not judged."""
        return int(min(PROBATION * len(self.values), PROBATION * LONGEST))


def load(folder: Path) -> list[Series]:
    """The series by name, from NAB's files in one zip."""
    with zipfile.ZipFile(folder / "nab_data.zip") as packed:
        labels = json.loads(packed.read("labels/combined_windows.json"))
        return [one_series(packed, name, labels[name]) for name in sorted(labels)]


def one_series(packed: zipfile.ZipFile, name: str, windows: list[list[str]]) -> Series:
    rows = list(csv.DictReader(io.StringIO(packed.read(f"data/{name}").decode())))
    times = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    places = [[times.index(datetime.fromisoformat(edge)) for edge in window] for window in windows]
    values = np.array([float(row["value"]) for row in rows])
    return Series(name, values, np.array(places, int).reshape(-1, 2))


def worth(position: np.ndarray) -> np.ndarray:
    """What an alarm is worth by its place: -1 at the start of a window, 0 at its end, above 0 behind it, in widths."""
    return np.where(position >= FAR, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, FAR))) - 1)


def weights(series: Series) -> tuple[np.ndarray, np.ndarray]:
    """What an alarm at each place would count (N,), and the window it lies in (N,), -1 for none."""
    place = np.arange(len(series.values))
    position, inside = np.full(len(place), FAR), np.full(len(place), -1)
    for number, (first, last) in enumerate(series.windows):
        width = last - first + 1
        behind = place > last
        position[behind] = (place[behind] - last) / max(width - 1, 1)
        within = slice(first, last + 1)
        position[within], inside[within] = (place[within] - last - 1) / width, number
    value = worth(position)
    return np.where(inside >= 0, FOUND * value / worth(np.array(-1.0)), FALSE * value), inside


@dataclass(frozen=True, eq=False)
class Judge:
    """NAB's score of detectors on some series."""

    series: list[Series]

    def curve(self, scores: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Falling thresholds (T,), infinity first, and the score at each, 0 for silence and 100 at best (T,).

        Args:
            scores: Of each series how odd every instant is (N,).
        """
        parts = [self.changes(*pair) for pair in zip(self.series, scores, strict=True)]
        score, change = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(-score, kind="stable")
        score, total = score[order], change[order].cumsum()
        last = np.flatnonzero(np.append(score[1:] != score[:-1], True))
        return np.append(np.inf, score[last]), np.append(0, total[last]) * self.unit

    @property
    def unit(self) -> float:
        """Hundredths of the way from silence to perfection in a weight of 1."""
        return 100 / ((FOUND + MISSED) * sum(len(one.windows) for one in self.series))

    @staticmethod
    def changes(series: Series, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The scores of the instants that are judged, and what each adds once the threshold falls to it."""
        weight, inside = weights(series)
        judged = np.arange(len(scores)) >= series.probation
        change = np.where(inside < 0, weight, 0.0)
        for number in range(len(series.windows)):
            own = np.flatnonzero((inside == number) & judged)
            own = own[np.argsort(-scores[own], kind="stable")]
            change[own] = np.diff(np.maximum.accumulate(weight[own]), prepend=-MISSED)
        return scores[judged], change[judged]

    def best(self, scores: list[np.ndarray]) -> tuple[float, float]:
        """The best score, and the one threshold for all series that gives it: NAB's rule, tuned on the labels."""
        thresholds, total = self.curve(scores)
        return float(total.max()), float(thresholds[total.argmax()])

    def at(self, alarms: list[np.ndarray]) -> float:
        """The score of alarms (N,) that a detector chose itself."""
        heard = any(alarm[one.probation :].any() for one, alarm in zip(self.series, alarms, strict=True))
        return float(self.curve([np.asarray(alarm, float) for alarm in alarms])[1][1]) if heard else 0.0


def windowed_gaussian(values: np.ndarray, window: int = 6400, step: int = 100) -> np.ndarray:
    """NAB's baseline: one minus the tail of the normal distribution of past values, moved on by steps."""
    scores, first, mean, deviation = np.zeros(len(values)), 0, 0.0, 1.0
    for i, value in enumerate(values):
        if i:
            scores[i] = 1 - 0.5 * erfc(abs(value - mean) / deviation / sqrt(2))
        seen = i + 1
        if seen <= window or (seen - window) % step == 0:
            first = max(0, seen - window)
            mean, deviation = values[first:seen].mean(), values[first:seen].std() or 1e-6
    return scores


def perfect(series: Series) -> np.ndarray:
    """The detector that knows: an alarm at the start of each window."""
    scores = np.zeros(len(series.values))
    scores[series.windows[:, 0]] = 1
    return scores


def narrows(series: Series, seed: int) -> np.ndarray:
    """The scorer with its defaults; it learns from what is not judged."""
    return Causal(series.probation, seed=seed).push(series.values)


DETECTORS: dict[str, tuple[Callable[[Series, int], np.ndarray], str]] = {
    "silence": (lambda one, _: np.zeros(len(one.values)), "0"),
    "random numbers": (lambda one, seed: np.random.default_rng(seed).random(len(one.values)), "11.0"),
    "Windowed Gaussian": (lambda one, _: windowed_gaussian(one.values), "39.6"),
    "narrows": (narrows, "-"),
    "perfection": (lambda one, _: perfect(one), "100"),
}
"""Scores of a series with a seed, and the figure NAB has published."""

SEEDED = {"random numbers", "narrows"}


def own(scores: list[np.ndarray]) -> list[np.ndarray]:
    """The alarms of our own threshold."""
    return [(score > 0) & (Rarity()(score) <= 1 / RARE) for score in scores]


def columns(series: list[Series], scores: list[np.ndarray]) -> dict[str, float]:
    """The figures of a detector by column."""
    made = {}
    for name, part in {"all": slice(None), "chosen on": slice(0, None, 2), "the others": slice(1, None, 2)}.items():
        judge = Judge(series[part])
        made[f"{name}, tuned"] = judge.best(scores[part])[0]
        made[f"{name}, own"] = judge.at(own(scores[part]))
    threshold, others = Judge(series[::2]).best(scores[::2])[1], Judge(series[1::2])
    made["the others, by the threshold tuned on those chosen on"] = others.at(
        [one >= threshold for one in scores[1::2]]
    )
    return made


def interval(series: list[Series], scores: list[np.ndarray]) -> tuple[float, float]:
    """Where 95 of 100 scores of as many series drawn again lie, at the threshold that is best for those at hand."""
    threshold = Judge(series).best(scores)[1]
    parts = [Judge.changes(*pair) for pair in zip(series, scores, strict=True)]
    gain = np.array([change[score >= threshold].sum() for score, change in parts])
    windows = np.array([len(one.windows) for one in series])
    drawn = np.random.default_rng(0).integers(len(series), size=(RESAMPLES, len(series)))
    low, high = np.quantile(50 * gain[drawn].sum(1) / windows[drawn].sum(1), [0.025, 0.975])
    return float(low), float(high)


def told(series: list[Series], name: str, seeds: int) -> str:
    """The row of a detector: mean and spread over seeds, the interval with the first one."""
    detector, published = DETECTORS[name]
    runs = [[detector(one, seed) for one in series] for seed in range(seeds if name in SEEDED else 1)]
    figures = [columns(series, scores) for scores in runs]
    low, high = interval(series, runs[0])
    cells = []
    for column in figures[0]:
        values = np.array([one[column] for one in figures])
        spread = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
        cells.append(f"{values.mean():.1f}{spread}")
    cells[0] += f" ({low:.0f} to {high:.0f})"
    return " | ".join([f"| {name}", *cells, f"{published} |"])


def main() -> None:
    parser = argparse.ArgumentParser(description="NAB's score of detectors of odd instants.")
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    series = load(Path(os.environ["NARROWS_DATA"]) / "nab")
    heads = ["detector", *columns(series, [perfect(one) for one in series]), "published"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for name in DETECTORS:
        print(told(series, name, seeds), flush=True)


if __name__ == "__main__":
    main()
