"""A detector of the odd rows of one kind of table: the columns it knows, the crowd that scores them, what scores mean.

batches -> history -> schema -> detector -> scores -> p-values and alarms -> the columns to blame
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as format_safetensors

from narrows.data.frames import History, Schema
from narrows.data.frames.batch import decimal_of, row_of
from narrows.data.frames.history import Past
from narrows.data.splits import fingerprints
from narrows.detect.blame import Alarm, alarms_of
from narrows.detect.conformal import p_values
from narrows.detect.detector import Detector
from narrows.detect.drift import Reference
from narrows.detect.feedback import Feedback, Reviewed
from narrows.detect.held import NAMES as HELD_NAMES
from narrows.detect.held import Held
from narrows.detect.threshold import Rule, Threshold
from narrows.errors import DamagedError, InputError, ModelError, counted
from narrows.files import parse_json, write_atomic
from narrows.train.packing import as_json

if TYPE_CHECKING:
    import pyarrow as pa

ABOUT, CALIBRATION, FORMAT = "table.json", "calibration.safetensors", 2
HELD, REVIEWED, PAST = "held.", "reviewed.", "past."
"""Before the names of arrays in the file of the calibration."""

UNSEEN = "held-out rows"
"""The rows a threshold is fitted on, in words."""

Explain = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From places of rows in a batch (n,) to what columns added to their scores (n, D), and what was expected (n, F)."""


@dataclass(frozen=True, eq=False)
class Scored:
    """The rows of a batch, scored.

    Args:
        scores: Scores (B,), higher is odder.
        p_values: P-values (B,).
        explain: What made some of them odd.
        x: Their features (B, F).
    """

    scores: np.ndarray
    p_values: np.ndarray
    explain: Explain
    x: np.ndarray


@dataclass(frozen=True, eq=False)
class TableModel:
    """A detector with all that it takes to use it on another table of the same kind.

    Args:
        schema: The columns.
        detector: The crowd.
        calibration: Rising scores (M,) of normal rows that the detector had not seen.
        threshold: From which score on a row raises an alarm.
        reference: How the rows to fit were spread.
        held: Rows that the detector had not seen.
        history: The columns a customer's past adds, or None.
        feedback: What a person said of rows, or None.
        past: What customers did last (see `Past.packed`), or None: a table to come begins with it.
    """

    schema: Schema
    detector: Detector
    calibration: np.ndarray
    threshold: Threshold
    reference: Reference
    held: Held
    history: History | None = None
    feedback: Feedback | None = None
    past: Mapping[str, np.ndarray] | None = None

    @classmethod
    def of(
        cls,
        schema: Schema,
        detector: Detector,
        rule: Rule,
        reference: Reference,
        held: Held,
        *,
        scores: np.ndarray | None = None,
        history: History | None = None,
        past: Mapping[str, np.ndarray] | None = None,
    ) -> TableModel:
        """A model whose threshold and p-values rest on rows that the detector had not seen.

        Args:
            schema: The columns.
            detector: The crowd.
            rule: The rule for the threshold.
            reference: How the rows to fit were spread.
            held: Rows that the detector had not seen; all are asked, some are kept.
            scores: Their scores (M,), where they are known already.
            history: The columns a customer's past adds.
            past: What customers did last.
        """
        own = detector.score(held.x) if scores is None else scores
        threshold = rule.fit(own, held.labels, held.times, on=UNSEEN)
        kept = Held.of(held.x, held.times, held.labels)
        calibration = normal(own, held.labels)
        known = reference.with_scores(own)
        return cls(schema, detector, calibration, threshold, known, kept, history, past=past)

    def remembered(self) -> Past | None:
        """The past of the customers, to go on with."""
        return None if self.past is None else Past.unpacked(self.past)

    @property
    def scorer(self) -> Detector | Reviewed:
        """What scores rows: the detector, heeding what a person said."""
        return self.detector if self.feedback is None else Reviewed(self.detector, self.feedback)

    def ruled(self, rule: Rule) -> TableModel:
        """The same model with a threshold by another rule, fitted on the rows it kept.

        Raises:
            UsageError: The rule needs labels or times that those rows do not have, or cannot be kept on so few.
        """
        scores = self.scorer.score(self.held.x)
        return replace(self, threshold=rule.fit(scores, self.held.labels, self.held.times, on=UNSEEN))

    def heeding(self, x: np.ndarray, verdicts: np.ndarray) -> TableModel:
        """The same model, heeding what a person said of rows; threshold and p-values are fitted anew.

        Args:
            x: Features of reviewed rows (R, F); among the rows it kept they are passed over.
            verdicts: 1 for a row that was confirmed to be odd, -1 for one that was cleared (R,).

        Raises:
            InputError: Verdicts of another number or kind, or of all rows that were kept.
        """
        feedback = Reviewed.by(self.detector, x, verdicts, self.feedback).feedback
        known = np.isin(fingerprints(self.held.x), fingerprints(np.ascontiguousarray(x, np.float32)))
        if known.all():
            raise InputError(
                f"verdicts on all {counted(len(known), 'row')} the model kept to set its threshold by",
                expected="some of them without one",
                code="input.verdicts",
            )
        held = self.held.only(~known)
        scores = Reviewed(self.detector, feedback).score(held.x)
        return replace(
            self,
            calibration=normal(scores, held.labels),
            threshold=self.threshold.rule.fit(scores, held.labels, held.times, on=UNSEEN),
            reference=self.reference.with_scores(scores),
            held=held,
            feedback=feedback,
        )

    def score(self, batch: pa.RecordBatch) -> Scored:
        """The scores of the rows of a batch, which has the columns of the history already.

        Raises:
            ModelError: Columns are missing.
            InputError: Cells of another kind than they were.
        """
        x = self.schema.features(batch)
        scorer = self.scorer
        scores = scorer.score(x)

        def explain(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return scorer.explain(x[rows]), scorer.expected(x[rows])

        return Scored(scores, p_values(scores, self.calibration), explain, x)

    def to_files(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model into a folder, JSON and safetensors; the file that vouches for the others last.

        Raises:
            EnvironmentProblem: The folder cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ABOUT).unlink(missing_ok=True)
        self.detector.to_files(folder)
        numbers = format_safetensors(self.tensors())
        write_atomic(folder / CALIBRATION, numbers)
        about = {
            "format": FORMAT,
            "schema": self.schema.model_dump(mode="json"),
            "history": self.history.model_dump(mode="json") if self.history else None,
            "threshold": self.threshold.model_dump(mode="json"),
            "reference": self.reference.as_dict(),
            "reach": self.feedback.reach if self.feedback else None,
            "sha256": sha256(numbers).hexdigest(),
        }
        write_atomic(folder / ABOUT, as_json(about))
        return folder

    def tensors(self) -> dict[str, torch.Tensor]:
        """The numbers of the calibration, by name."""
        arrays = {"scores": self.calibration, **{HELD + name: value for name, value in self.held.arrays().items()}}
        arrays |= {PAST + name: value for name, value in (self.past or {}).items()}
        made = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
        if self.feedback is not None:
            made |= {REVIEWED + "rows": self.feedback.rows, REVIEWED + "verdicts": self.feedback.verdicts}
        return made

    @classmethod
    def from_files(cls, folder: str | os.PathLike[str]) -> TableModel:
        """The model in a folder.

        Raises:
            ModelError: No model there.
            DamagedError: A file that is cut short or altered.
        """
        folder = Path(folder)
        try:
            text, numbers = (folder / ABOUT).read_bytes(), (folder / CALIBRATION).read_bytes()
        except OSError as error:
            step = "Give a folder that `narrows detect --save` wrote"
            raise ModelError(f"no detector of tables in {folder} ({error.strerror})", step=step) from None
        try:
            about: dict[str, Any] = parse_json(text)
            if about["format"] != FORMAT or about["sha256"] != sha256(numbers).hexdigest():
                raise ValueError("the calibration is not the one it describes")
            history = about["history"]
            # Copies lie where torch puts them: the alignment of the bytes could change the last bit of a product.
            tensors = {name: tensor.clone() for name, tensor in parse_safetensors(numbers).items()}
            kept = {name: tensors[HELD + name].numpy() for name in HELD_NAMES if HELD + name in tensors}
            past = {name[len(PAST) :]: held.numpy() for name, held in tensors.items() if name.startswith(PAST)}
            made = cls(
                Schema.model_validate(about["schema"]),
                Detector.from_files(folder),
                tensors["scores"].numpy(),
                Threshold.model_validate(about["threshold"]),
                Reference.from_dict(about["reference"]),
                Held(**kept),
                History.model_validate(history) if history else None,
                feedback_in(tensors, about["reach"]),
                past or None,
            )
            made.remembered()
            return made
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"{ABOUT} describes no detector of tables ({error})", step="Save it again") from None


def normal(scores: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Rising scores of the rows that no label calls odd.

    Example:
        >>> normal(np.array([3.0, 1.0, 9.0]), np.array([0, 0, 1])).tolist()
        [1.0, 3.0]
    """
    return np.sort(scores if labels is None or labels.all() else scores[labels == 0])


def feedback_in(tensors: dict[str, torch.Tensor], reach: float | None) -> Feedback | None:
    """The feedback among the tensors of a model, if there is any."""
    if reach is None:
        return None
    return Feedback(tensors[REVIEWED + "rows"], tensors[REVIEWED + "verdicts"], float(reach))


def past_of(
    batches: Iterable[pa.RecordBatch], history: History | None, past: Past | None = None
) -> Iterable[pa.RecordBatch]:
    """Batches with the columns of the history, if there is one; the past goes on with them."""
    return batches if history is None else history.over(batches, past)


def alarms_in(
    batch: pa.RecordBatch, schema: Schema, scored: Scored, threshold: Threshold, labels: np.ndarray | None = None
) -> tuple[np.ndarray, tuple[Alarm, ...]]:
    """Places of the rows of a batch that raise an alarm (n,), and the alarms in words.

    Args:
        batch: The rows.
        schema: Their columns.
        scored: Their scores.
        threshold: From which score on a row raises an alarm.
        labels: 1 for odd rows, 0 for others, -1 where it is not known (B,).
    """
    rows = np.flatnonzero(threshold.alarms(scored.scores))
    parts, expected = scored.explain(rows)
    place = {int(row): at for at, row in enumerate(rows)}

    def told(row: int, column: int) -> tuple[str, str]:
        what = schema.columns[column]
        cell = batch.column(what.name)[row].as_py()
        return what.given(cell, decimal_of(batch)), schema.expected(column, expected[place[row]])

    known = labels if labels is not None and (labels >= 0).all() else None
    where = [f"row {row_of(batch, int(row)):,}" for row in rows]
    alarms = alarms_of(
        rows, scored.scores, parts, schema.names, told, p_values=scored.p_values, labels=known, where=where
    )
    return rows, alarms
