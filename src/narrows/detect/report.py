"""A report of odd rows: one HTML file that needs nothing else and asks nobody, and lines for a terminal.

scores, threshold [labels, alarms, the methods beside, drift, check] -> Report -> page | lines | JSON
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from narrows.detect import charts
from narrows.detect.blame import SHOWN, Alarm
from narrows.detect.conformal import Check
from narrows.detect.curves import Judgement
from narrows.detect.drift import Drift, p_words
from narrows.detect.given import labels_of, scores_of
from narrows.detect.peers import Beside
from narrows.detect.sections import (
    alarm_list,
    done_list,
    drift_body,
    figure,
    peer_table,
    right_of,
    section,
    tile,
    wide,
)
from narrows.detect.svg import text_of
from narrows.detect.threshold import Cost, Threshold
from narrows.errors import counted
from narrows.files import write_atomic

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a page of a report may load: nothing but its own style."""

MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><path class="wide-end" d="M2 5 16 16 2 27z"/>'
    '<path class="other-end" d="M30 5 16 16l14 11z"/></svg>'
)


@dataclass(frozen=True, eq=False)
class Report:
    """What there is to say about the scores of a table.

    Args:
        title: Name of the table.
        done: What was done, a sentence each: which rows were fitted, whether they were cross-fitted or held out.
        scores: The score of each row (N,).
        threshold: From which score on a row raises an alarm.
        labels: 1 for each odd row, 0 for each normal one (N,), or None.
        judgement: How well the scores find the odd rows, or None without labels.
        alarms: The first alarms with their blame.
        beside: The classical methods on the same rows, or None.
        drift: Whether the rows look like those it was fitted on, or None.
        check: The rate of false alarms on held-out rows, or None.
        cost: What a miss and a false alarm cost, for the cost curve; that of the threshold's rule, if it has one.
        first: Sections that come before all others, HTML in which every word is escaped.
    """

    title: str
    done: tuple[str, ...]
    scores: np.ndarray
    threshold: Threshold
    labels: np.ndarray | None = None
    judgement: Judgement | None = None
    alarms: tuple[Alarm, ...] = ()
    beside: Beside | None = None
    drift: Drift | None = None
    check: Check | None = None
    cost: tuple[float, float] = (100.0, 1.0)
    first: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "scores", scores_of(self.scores))
        if self.labels is not None:
            known = labels_of(self.labels, len(self.scores), "curves")
            object.__setattr__(self, "labels", known)
        if isinstance(self.threshold.rule, Cost):
            object.__setattr__(self, "cost", (self.threshold.rule.miss, self.threshold.rule.false_alarm))

    @property
    def alarm_count(self) -> int:
        """How many rows raise an alarm."""
        return int((self.scores >= self.threshold.value).sum())

    @property
    def sentence(self) -> str:
        """How many alarms, and how many of them are right where labels tell."""
        said = f"{counted(self.alarm_count, 'alarm')} for {counted(len(self.scores), 'row')}"
        if self.labels is None:
            return f"{said}."
        alarms, right = right_of(self.scores, self.labels, self.threshold.value)
        share = f" ({right / alarms:.0%})" if alarms else ""
        found = f"{right / self.labels.sum():.0%} of the odd rows"
        return f"{said}, {right:,} of them right{share} by the labels: {found} are found."

    def as_dict(self) -> dict[str, Any]:
        """The report as one JSON-ready object, without the single scores."""
        parts = {"judgement": self.judgement, "beside": self.beside, "drift": self.drift, "check": self.check}
        return {
            "title": self.title,
            "sentence": self.sentence,
            "done": list(self.done),
            "rows": len(self.scores),
            "alarm_count": self.alarm_count,
            "threshold": {**self.threshold.model_dump(), "sentence": self.threshold.sentence},
            "alarms": [alarm.as_dict() for alarm in self.alarms],
            **{name: part.as_dict() if part else None for name, part in parts.items()},
        }


def lines(report: Report, alarms: int = 5) -> list[str]:
    """The report as lines for a terminal, with the first alarms; the caller prints them, and makes them safe to print.

    Example:
        >>> from narrows.detect.threshold import Share
        >>> scores = np.array([1.0, 2.0, 9.0, 3.0])
        >>> for line in lines(Report("cards.csv", ("Held out.",), scores, Share(share=0.25).fit(scores))):
        ...     print(line)
        cards.csv: 1 alarm for 4 rows.
        Held out.
        Alarm at a score of 9 or more: the oddest 0.25 of the rows, fitted on 4 rows, 1 of them at or above it.
    """
    parts = [report.judgement, report.check, report.beside, report.drift]
    said = [part.sentence for part in parts if part is not None]
    first = [
        f"{alarm.row}: score {alarm.score:.4g}{'' if alarm.p_value is None else f', p = {alarm.p_value:.2g}'}; "
        f"{alarm.because}"
        for alarm in report.alarms[:alarms]
    ]
    return [f"{report.title}: {report.sentence}", *report.done, report.threshold.sentence, *said, *first]


def write(report: Report, path: str | os.PathLike[str]) -> Path:
    """Write the page of a report, in one piece.

    Raises:
        EnvironmentProblem: The file cannot be written.
    """
    return write_atomic(path, page(report))


def page(report: Report) -> str:
    """The report as one HTML page, whole: no script, nothing loaded, every word escaped."""
    style = (files("narrows.detect") / "report.css").read_text("utf-8")
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>Odd rows of {text_of(report.title)}</title><style>{style}</style>"
    )
    top = (
        f'<header><div class="mark">{MARK}narrows</div><h1>Odd rows of {text_of(report.title, 120)}</h1>'
        f'<p class="quiet">{text_of(report.sentence, 300)}</p></header>'
    )
    body = f'<main>{tiles(report)}<div class="grid">{"".join(sections(report))}</div></main>'
    foot = "<footer>Made by narrows. This page loads nothing and sends nothing.</footer>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{top}{body}{foot}</body></html>'


def tiles(report: Report) -> str:
    """The numbers at the top."""
    shown = [
        tile("Alarms", f"{report.alarm_count:,}", f"of {counted(len(report.scores), 'row')}"),
        tile("Threshold", f"{report.threshold.value:.4g}", report.threshold.rule.words),
    ]
    if judged := report.judgement:
        area, auroc = judged.average_precision, judged.auroc
        shown += [
            tile(
                "Average precision",
                f"{area.value:.3f}",
                f"{area.low:.3f} to {area.high:.3f}; base rate {judged.base_rate:.3g}",
            ),
            tile("AUROC", f"{auroc.value:.3f}", f"{auroc.low:.3f} to {auroc.high:.3f}"),
        ]
    if seen := report.check:
        promised = f"{seen.rate:.2%} promised; {seen.low:.2%} to {seen.high:.2%}"
        shown.append(tile("False alarms, held out", f"{seen.observed:.2%}", promised))
    if report.drift:
        moved = f"{len(report.drift.moved):,} of {len(report.drift.columns):,}"
        shown.append(tile("Columns that moved", moved, f"corrected {p_words(report.drift.p)}"))
    return f'<dl class="tiles">{"".join(shown)}</dl>'


def sections(report: Report) -> list[str]:
    """The sections of the page, in order, those that there is something to say in."""
    parts = [*report.first, score_section(report), *curve_sections(report)]
    if report.beside:
        table = peer_table(report.beside)
        said = f'<p class="verdict">{text_of(report.beside.sentence, 600)}</p>'
        about = "Fitted on the same rows, judged on the same rows."
        parts.append(section("Beside the classical methods", [said, table], about=about, whole=True))
    parts.append(alarm_section(report))
    if report.drift:
        about = "Index: population stability index; below 0.1 a difference hardly matters, from 0.25 it is large."
        parts.append(
            section("Do the rows look like those it was fitted on?", drift_body(report.drift), about=about, whole=True)
        )
    checked = [report.check.sentence] if report.check else []
    judged = [report.judgement.sentence] if report.judgement else []
    sentences = [*report.done, report.threshold.sentence, *checked, *judged]
    return [*parts, section("What was done", [done_list(sentences)], whole=True)]


def score_section(report: Report) -> str:
    """The histogram of scores."""
    chart = charts.scores_chart(report.scores, report.threshold, report.labels)
    return section("Scores", [wide(chart, "Rows by score", "long")], about=report.threshold.sentence, whole=True)


def curve_sections(report: Report) -> list[str]:
    """The curves that labels allow; the red dot on each is the threshold."""
    if report.labels is None:
        return []
    scores, labels, threshold = report.scores, report.labels, report.threshold
    miss, false_alarm = report.cost
    judged = report.judgement
    cost = f"{miss:,.6g} a miss and {false_alarm:,.6g} a false alarm. The dot is the threshold."
    return [
        section(
            "Precision and recall",
            [figure(charts.precision_chart(scores, labels, threshold))],
            about=f"Average precision {judged.average_precision}. The dot is the threshold." if judged else "",
        ),
        section(
            "ROC",
            [figure(charts.roc_chart(scores, labels, threshold))],
            about=f"Area {judged.auroc}. The dot is the threshold." if judged else "",
        ),
        section("Cost", [figure(charts.cost_chart(scores, labels, threshold, miss, false_alarm))], about=cost),
        section(
            "Recall by alerts",
            [figure(charts.alerts_chart(scores, labels, threshold, judged))],
            about=f"{recall_words(judged)} are found." if judged and judged.recall else "",
        ),
    ]


def recall_words(judged: Judgement) -> str:
    """How many of the odd rows are among the first alerts."""
    found = [f"among the first {count:,} alerts {value}" for count, value in judged.recall.items()]
    return f"Of {counted(judged.odd, 'odd row')} {', '.join(found)}"


def alarm_section(report: Report) -> str:
    """The first alarms."""
    if not report.alarms:
        return section("Alarms", [], about="No row raises an alarm." if not report.alarm_count else "", whole=True)
    shown = f"The oddest {len(report.alarms):,} of {report.alarm_count:,}. " if report.alarm_count > SHOWN else ""
    about = f"{shown}Bars are what a column added to the score; all of them add up to it."
    return section("Alarms", [alarm_list(report.alarms)], about=about, whole=True)
