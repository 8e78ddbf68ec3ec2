"""A model of a series that is believed to be usual: most of it is fitted, its end sets threshold and p-values.

recording -> instants to fit, a gap of a window, the last fifth held out -> model for the series to come
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from narrows.data.frames import Source
from narrows.detect.curves import Judgement, judge
from narrows.detect.rows import Columns, lasting, usual_rule
from narrows.detect.series.autoencoders import Plan
from narrows.detect.series.blocks import time_blocks
from narrows.detect.series.channels import Recording, read
from narrows.detect.series.detector import Instants, SeriesDetector, check_width
from narrows.detect.series.model import HeldScores, SeriesModel
from narrows.detect.series.period import Window, choose_window
from narrows.detect.series.windows import Grid, held, usual_grid
from narrows.detect.threshold import Rule
from narrows.errors import InputError, counted

BELIEVED = 0.01
"""Share of the windows that is not trusted where the series is believed to be usual."""


@dataclass(frozen=True, eq=False)
class SeriesLearned:
    """A model, and what there is to say of how it was made.

    Args:
        model: For the series to come.
        done: What was done, a sentence each.
        judgement: How well it finds the odd instants among those held out, where labels tell of some.
    """

    model: SeriesModel
    done: tuple[str, ...]
    judgement: Judgement | None

    def as_dict(self) -> dict[str, Any]:
        """The same as one JSON-ready object."""
        threshold = self.model.threshold
        return {
            "done": list(self.done),
            "instants": self.model.samples,
            "channels": list(self.model.names),
            "window": self.model.detector.grid.length,
            "threshold": {**threshold.model_dump(), "sentence": threshold.sentence},
            "judgement": self.judgement.as_dict() if self.judgement else None,
        }


def learn_series(
    source: Source,
    columns: Columns | None = None,
    *,
    window: int | None = None,
    rule: Rule | None = None,
    plan: Plan | None = None,
    seed: int = 0,
) -> SeriesLearned:
    """Learn a series that is believed to be usual; a few of its instants may be odd.

    With a column of labels no window with an odd instant is fitted, and those held out judge the model.

    Args:
        source: The table.
        columns: Which columns are the time, the label, or not used.
        window: Samples of a window; chosen by the period without.
        rule: The rule for the threshold, fitted on the instants held out; their oddest hundredth without.
        plan: How autoencoders are trained.
        seed: Decides the detector.

    Raises:
        InputError: A series that is too short or cannot be used.
        LimitError: Too many values, in all or in a window.
    """
    recording = read(source, columns)
    taken, grid = chosen(recording, window)
    block = time_blocks(len(recording.values), grid.length)[-1]
    parts = usual_parts(block.fit, recording.labels, grid.length)
    plan = plan or Plan(trim=BELIEVED)
    detector = SeriesDetector.fit(recording.values, grid, parts=parts, plan=plan, seed=seed)
    instants = detector.score(recording.values[block.begin : block.end])
    kept = seen_scores(instants, recording, block.begin)
    model = model_of(recording, detector, kept, lasting(rule or usual_rule(len(kept.scores)), len(recording.values)))
    fitted = sum(end - begin for begin, end in parts)
    odd = 0 if recording.labels is None else int(recording.labels.sum())
    done = (
        f"{plan.architecture.capitalize()} autoencoders fitted on {counted(fitted, 'instant')}; "
        f"the last {len(instants):,} were held out to set threshold and p-values, with a gap of a window before them.",
        *((f"No window with one of {counted(odd, 'odd instant')} was fitted.",) if odd else ()),
        taken.why,
        *recording.notes,
    )  # fmt: skip
    return SeriesLearned(model, done, judged(kept, seed))


def judged(kept: HeldScores, seed: int) -> Judgement | None:
    """How well the scores find the odd instants; None where no label tells them apart."""
    labels = kept.labels
    return judge(kept.scores, labels, seed=seed) if labels is not None and 0 < labels.sum() < len(labels) else None


def chosen(recording: Recording, asked: int | None) -> tuple[Window, Grid]:
    """The windows for a recording, and how they lie."""
    values = recording.values
    middle = np.nanmedian(values, 0)
    window = choose_window(held(values, middle)[0], asked)
    check_width(values.shape[1], window.length)
    return window, usual_grid(window.length)


def usual_parts(
    parts: tuple[tuple[int, int], ...], labels: np.ndarray | None, length: int
) -> tuple[tuple[int, int], ...]:
    """The stretches of `parts` without an odd instant that are as long as a window.

    Raises:
        InputError: There are none.

    Example:
        >>> usual_parts(((0, 10),), np.array([0, 0, 0, 0, 1, 0, 0, 1, 0, 0]), 3)
        ((0, 4),)
    """
    if labels is None:
        return parts
    found = []
    for begin, end in parts:
        edges = [begin - 1, *(begin + np.flatnonzero(labels[begin:end])).tolist(), end]
        found += [(a + 1, b) for a, b in pairwise(edges) if b - a - 1 >= length]
    if not found:
        raise InputError(
            f"no window of {length:,} samples without an odd instant",
            expected="usual ones to learn from",
            step="Ask for shorter windows, or leave the label out",
            code="input.labels",
        )
    return tuple(found)


def seen_scores(instants: Instants, recording: Recording, begin: int = 0) -> HeldScores:
    """The scores of instants, the first of which is number `begin` of a recording, without those of no value."""
    seen, part = instants.seen, slice(begin, begin + len(instants))
    if not seen.any():
        raise InputError("the end of the series has no values", expected="some, to set the threshold by")
    times, labels = (None if each is None else each[part][seen] for each in (recording.times, recording.labels))
    return HeldScores(instants.scores[seen], times, labels)


def model_of(recording: Recording, detector: SeriesDetector, kept: HeldScores, rule: Rule) -> SeriesModel:
    """The model of a detector whose threshold and p-values rest on instants it did not see."""
    return SeriesModel(recording.names, detector, kept, kept.threshold(rule), len(recording.values))
