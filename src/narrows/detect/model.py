"""A detector of the odd rows of one kind of table: the columns it knows, the crowd that scores them, what scores mean.

batches -> history -> schema -> detector -> scores -> p-values and alarms -> the columns to blame
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as format_safetensors

from narrows.data.frames import History, Schema
from narrows.data.frames.batch import decimal_of, row_of
from narrows.detect.blame import Alarm, alarms_of
from narrows.detect.conformal import p_values
from narrows.detect.detector import Detector
from narrows.detect.drift import Reference
from narrows.detect.threshold import Threshold
from narrows.errors import DamagedError, ModelError
from narrows.files import parse_json, write_atomic
from narrows.train.packing import as_json

if TYPE_CHECKING:
    import pyarrow as pa

ABOUT, CALIBRATION, FORMAT = "table.json", "calibration.safetensors", 2

Explain = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From places of rows in a batch (n,) to what columns added to their scores (n, D), and what was expected (n, F)."""


@dataclass(frozen=True, eq=False)
class Scored:
    """The rows of a batch, scored.

    Args:
        scores: Scores (B,), higher is odder.
        p_values: P-values (B,).
        explain: What made some of them odd.
    """

    scores: np.ndarray
    p_values: np.ndarray
    explain: Explain


@dataclass(frozen=True, eq=False)
class TableModel:
    """A detector with all that it takes to use it on another table of the same kind.

    Args:
        schema: The columns.
        detector: The crowd.
        calibration: Rising scores (M,) of rows that their models had not seen.
        threshold: From which score on a row raises an alarm.
        reference: How the rows to fit were spread.
        history: The columns a customer's past adds, or None.
    """

    schema: Schema
    detector: Detector
    calibration: np.ndarray
    threshold: Threshold
    reference: Reference
    history: History | None = None

    def score(self, batch: pa.RecordBatch) -> Scored:
        """The scores of the rows of a batch, which has the columns of the history already.

        Raises:
            ModelError: Columns are missing.
            InputError: Cells of another kind than they were.
        """
        x = self.schema.features(batch)
        scores = self.detector.score(x)

        def explain(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return self.detector.explain(x[rows]), self.detector.expected(x[rows])

        return Scored(scores, p_values(scores, self.calibration), explain)

    def to_files(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model into a folder, JSON and safetensors; the file that vouches for the others last.

        Raises:
            EnvironmentProblem: The folder cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ABOUT).unlink(missing_ok=True)
        self.detector.to_files(folder)
        numbers = format_safetensors({"scores": torch.from_numpy(np.ascontiguousarray(self.calibration))})
        write_atomic(folder / CALIBRATION, numbers)
        about = {
            "format": FORMAT,
            "schema": self.schema.model_dump(mode="json"),
            "history": self.history.model_dump(mode="json") if self.history else None,
            "threshold": self.threshold.model_dump(mode="json"),
            "reference": self.reference.as_dict(),
            "sha256": sha256(numbers).hexdigest(),
        }
        write_atomic(folder / ABOUT, as_json(about))
        return folder

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
            return cls(
                Schema.model_validate(about["schema"]),
                Detector.from_files(folder),
                parse_safetensors(numbers)["scores"].numpy(),
                Threshold.model_validate(about["threshold"]),
                Reference.from_dict(about["reference"]),
                History.model_validate(history) if history else None,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"{ABOUT} describes no detector of tables ({error})", step="Save it again") from None


def past_of(batches: Iterable[pa.RecordBatch], history: History | None) -> Iterable[pa.RecordBatch]:
    """Batches with the columns of the history, if there is one."""
    return batches if history is None else history.over(batches)


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
