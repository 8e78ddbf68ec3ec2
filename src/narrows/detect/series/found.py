"""Odd instants of a series in a table, with a model or without: each is scored by detectors that did not see it.

without: table -> recording -> blocks of time -> scores -> threshold -> alarms, and the last block's model for the next
with:    table -> recording -> scores -> alarms
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.data.frames import Source
from narrows.detect.blame import SHOWN, Alarm
from narrows.detect.curves import judge
from narrows.detect.report import Report
from narrows.detect.rows import ADDED, Columns, lasting, usual_rule
from narrows.detect.series.autoencoders import Plan
from narrows.detect.series.blocks import cross_score, time_blocks
from narrows.detect.series.channels import Recording, read
from narrows.detect.series.detector import Instants
from narrows.detect.series.learn import chosen, model_of, seen_scores
from narrows.detect.series.model import SeriesModel, told_alarms
from narrows.detect.series.picture import pictures
from narrows.detect.threshold import Rule, Threshold
from narrows.errors import counted

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class SeriesFound:
    """What was found in a series.

    Args:
        source: The table.
        recording: What was read of it.
        instants: Its instants, scored.
        p_values: The p-value of each (T,).
        threshold: From which score on an instant raises an alarm.
        reach: Instants between two alarms up to which they are of one stretch.
        done: What was done, a sentence each.
        model: Makes the model for the next series of this kind.
    """

    source: Source
    recording: Recording
    instants: Instants
    p_values: np.ndarray
    threshold: Threshold
    reach: int
    done: tuple[str, ...]
    model: Callable[[], SeriesModel]

    @cached_property
    def alarmed(self) -> np.ndarray:
        """Places of the instants that raise an alarm (n,)."""
        return np.flatnonzero((self.instants.scores >= self.threshold.value) & self.instants.seen)

    @cached_property
    def stretches(self) -> list[np.ndarray]:
        """The same in stretches, the one with the oddest instant first."""
        if not len(self.alarmed):
            return []
        parts = np.split(self.alarmed, np.flatnonzero(np.diff(self.alarmed) > self.reach) + 1)
        return sorted(parts, key=lambda part: -self.instants.scores[part].max())

    def rows(self) -> Iterator[tuple[pa.RecordBatch, Mapping[str, Any]]]:
        """The batches of the table and what is put beside each, for `write_table`."""
        start, scores = 0, self.instants.scores
        alarm, because = np.zeros(len(scores), bool), np.full(len(scores), "", object)
        alarm[self.alarmed] = True
        because[self.alarmed] = [told.because for told in self.told(self.alarmed)]
        for batch in self.source:
            part = slice(start, start + batch.num_rows)
            start += batch.num_rows
            added = (scores[part], self.p_values[part], alarm[part], because[part].tolist())
            yield batch, dict(zip(ADDED, added, strict=True))

    def told(self, rows: np.ndarray, where: list[str] | None = None) -> tuple[Alarm, ...]:
        """Some instants in words."""
        known = self.recording
        return told_alarms(rows, self.instants, known.names, self.p_values, labels=known.labels, where=where)

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The oddest instant of each of the first stretches, in words."""
        first = self.stretches[:SHOWN]
        oddest = np.array([part[self.instants.scores[part].argmax()] for part in first], np.int64)
        return self.told(oddest, [span_of(part, row) for part, row in zip(first, oddest, strict=True)])

    def report(self, *, seed: int = 0) -> Report:
        """The report; a row is an instant."""
        scores, labels = self.instants.scores, self.recording.labels
        many = len(self.stretches)
        said = (f"The alarms make {counted(many, 'stretch', 'stretches')}.",) if many else ()
        return Report(
            self.source.path.name, (*self.done, *said), scores, self.threshold, labels=labels, alarms=self.alarms,
            judgement=None if labels is None else judge(scores, labels, seed=seed),
            first=pictures(self.instants, self.recording.names, self.threshold, self.stretches),
        )  # fmt: skip


def span_of(part: np.ndarray, oddest: int) -> str:
    """A stretch of alarms in words.

    Example:
        >>> span_of(np.array([9, 10, 12]), 10), span_of(np.array([4]), 4)
        ('rows 10 to 13, oddest 11', 'row 5')
    """
    first, last = part[0] + 1, part[-1] + 1
    return f"row {first:,}" if first == last else f"rows {first:,} to {last:,}, oddest {oddest + 1:,}"


def series_with_model(source: Source, model: SeriesModel, columns: Columns | None = None) -> SeriesFound:
    """Score a series by a model that was fitted on another one.

    Raises:
        ModelError: Channels are missing.
        InputError: Fewer instants than a window, text or an infinity.
    """
    recording = read(source, columns, model.names)
    instants = model.score(recording.values)
    done = (f"Scored by a model of {counted(model.samples, 'other instant')}.", *recording.notes)
    reach = model.detector.grid.length // 2
    return SeriesFound(
        source, recording, instants, model.p_values(instants), model.threshold, reach, done, lambda: model
    )


def series_without_model(
    source: Source,
    columns: Columns | None = None,
    *,
    window: int | None = None,
    rule: Rule | None = None,
    plan: Plan | None = None,
    seed: int = 0,
) -> SeriesFound:
    """Score each instant of a series by detectors of other times; the last of them is the model for the next series.

    Args:
        source: The table.
        columns: Which columns are the time, the label, or not used.
        window: Samples of a window; chosen by the period without.
        rule: The rule for the threshold, fitted on the cross-fitted scores; the oddest hundredth without.
        plan: How autoencoders are trained.
        seed: Decides the detectors.

    Raises:
        InputError: A series that is too short or cannot be used.
        LimitError: Too many values, in all or in a window.
    """
    recording = read(source, columns)
    taken, grid = chosen(recording, window)
    blocks = time_blocks(len(recording.values), grid.length)
    scored = cross_score(recording.values, grid, blocks, plan=plan, seed=seed)
    held = seen_scores(scored.instants, recording)
    rule = rule or usual_rule(len(held.scores))
    threshold = rule.fit(held.scores, held.labels, held.times, on="cross-fitted instants")

    def model() -> SeriesModel:
        begin = blocks[-1].begin
        kept = seen_scores(scored.instants.part(begin, len(scored.instants)), recording, begin)
        return model_of(recording, scored.detectors[-1], kept, lasting(rule, len(held.scores)))

    done = (
        f"Cross-fitted: each of {len(blocks)} blocks of time was scored by {(plan or Plan()).architecture} "
        "autoencoders of the other blocks, a window away from it on either side; no window is in two blocks.",
        taken.why,
        *recording.notes,
    )
    return SeriesFound(source, recording, scored.instants, scored.p_values, threshold, grid.length // 2, done, model)
