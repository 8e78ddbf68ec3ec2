"""Reviewed rows of a table: a column in which a person said of some rows whether they are odd.

source, model -> features (R, F) and verdicts (R,) of the rows of which something is said
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from narrows.data.frames import Source
from narrows.data.frames.batch import decimal_of, row_of
from narrows.data.frames.cells import words
from narrows.data.frames.marks import ODD
from narrows.detect.model import TableModel, past_of
from narrows.errors import InputError, UsageError, unknown

if TYPE_CHECKING:
    import pyarrow as pa

FINE_WORDS = """0 false no n f normal usual legit legitimate genuine ok fine good benign negative cleared"""
FINE = frozenset(FINE_WORDS.split())
"""Words that clear a row."""


def verdicts_in(source: Source, model: TableModel, column: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Features (R, F) of the reviewed rows of a table, and 1 where one is odd, -1 where it is not (R,).

    Args:
        source: The table; rows in which the column is empty were not reviewed.
        model: Knows the columns.
        column: Says which rows are odd; the label of the model without.

    Raises:
        UsageError: No such column, or none is known.
        InputError: A word that says neither, or no reviewed row.
    """
    name = column or (model.schema.label.name if model.schema.label else None)
    if name is None:
        raise UsageError(
            "--feedback without --label", expected="the column that says which rows are odd", code="usage.feedback"
        )
    if name not in source.names:
        raise unknown("column", name, source.names, code="usage.column")
    known = model.schema.label.odd if model.schema.label and model.schema.label.name == name else ()
    x, verdicts = [], []
    for batch in past_of(source, model.history, model.remembered()):
        said = said_in(batch, name, known)
        rows = np.flatnonzero(said)
        if len(rows):
            x.append(model.schema.features(batch)[rows])
            verdicts.append(said[rows])
    if not x:
        raise InputError(
            f"column {name!r} of {source.path.name} is empty",
            expected="yes or no where a row was reviewed",
            code="input.verdicts",
        )
    return np.concatenate(x), np.concatenate(verdicts)


def said_in(batch: pa.RecordBatch, name: str, known: tuple[str, ...]) -> np.ndarray:
    """What a column says of the rows of a batch (B,): 1 for odd, -1 for not odd, 0 where it is empty."""
    places, found = words(batch.column(name), decimal_of(batch))
    said = [1 if w in known or w.lower() in ODD else -1 if known or w.lower() in FINE else None for w in found]
    if None in said:
        bad = said.index(None)
        row = row_of(batch, int(np.argmax(places == bad)))
        raise InputError(
            f"column {name!r} says {found[bad][:40]!r} in row {row:,}",
            expected="yes or no, 1 or 0, fraud or normal, or nothing where a row was not reviewed",
            code="input.verdicts",
        )
    return np.array([*said, 0], np.int8)[places]
