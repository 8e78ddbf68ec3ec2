"""The reconstruction sheet: objects beside each other, what went in above what came out, what was lost below."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from narrows.cli.draw import paper
from narrows.cli.draw.mosaic import picture_sheet
from narrows.cli.draw.panels import panel_sheet
from narrows.cli.draw.tables import table_sheet
from narrows.cli.draw.values import Values
from narrows.errors import InputError, LimitError
from narrows.types import Kind

# Rows that are given, not made by a model; the first of TARGETS that is there is what the others are held against.
SOURCES = ("input", "corrupted", "target", "clean", "mask")
TARGETS = ("target", "clean", "input")
MOST = 98


@dataclass
class Rows:
    """The rows of a sheet, checked.

    Args:
        given: Row name to objects, in the values that errors are measured in.
        drawn: The same in the values that are drawn.
        low: Smallest value drawn.
        high: Largest value drawn.
        values: What the values are.
        captions: Lines of words under each object, by what they say.
        title: A line above all.
    """

    given: dict[str, np.ndarray]
    drawn: dict[str, np.ndarray]
    low: float
    high: float
    values: Values
    captions: Mapping[str, Sequence[str]]
    title: str | None
    target: str = field(init=False)

    def __post_init__(self) -> None:
        self.target = next((name for name in TARGETS if name in self.given), "")

    def __len__(self) -> int:
        return len(next(iter(self.given.values())))

    def reconstructions(self) -> list[str]:
        """Names of the rows that are held against the target."""
        return [name for name in self.given if name not in SOURCES and self.target]

    def losses(self, name: str) -> np.ndarray:
        """Difference of a row from the target in the values that errors are measured in, same shape."""
        return self.given[name].astype(np.float32) - self.given[self.target].astype(np.float32)

    def shares(self, name: str) -> np.ndarray:
        """Difference of a row from the target as a share of the range that is drawn, same shape."""
        difference = self.drawn[name].astype(np.float32) - self.drawn[self.target].astype(np.float32)
        return difference / (self.high - self.low)

    def squares(self, name: str) -> np.ndarray:
        """Mean squared error of each object, shape (N,)."""
        return np.square(self.losses(name)).reshape(len(self), -1).mean(1)

    def measure(self) -> str:
        """What the errors are, in words; nothing where nothing is held against anything."""
        return f"MSE: mean squared error, {self.values.measure}" if self.reconstructions() else ""


def reconstruction_sheet(
    rows: dict[str, np.ndarray],
    path: str | os.PathLike[str],
    *,
    kind: Kind,
    values: Values | None = None,
    captions: Mapping[str, Sequence[str]] | None = None,
    title: str | None = None,
) -> Path:
    """Draw input, output and error of some objects into one PNG.

    Pictures stand in columns, small ones enlarged by a whole number, each pixel as it is; under each reconstruction
    its error, enlarged by a stated factor. Series, spectra and sounds become lines, the error beneath; rows of tables
    become tables with the names of their columns. The number at an object is its mean squared error in the values
    given, whatever values are drawn.

    Args:
        rows: Row name to objects, all of one number N <= 98: pictures (N, C, H, W), series (N, C, L), tables and
            spectra (N, D). "input", "corrupted", "target", "clean" and "mask" are given; every other row ("output",
            "PCA") is held against "target", else "clean", else "input". One row named "" has no label.
        path: File to write, ending in .png.
        kind: What the objects are.
        values: What their values are; by default they are drawn as they are, from lowest to highest.
        captions: Lines of a few words under each object, by what they say ("class", "object").
        title: A line above all.

    Raises:
        InputError: Nothing to draw, values that are not finite, or rows that do not fit each other.
        LimitError: More than 98 objects.

    Example:
        >>> import tempfile
        >>> x = np.linspace(0, 1, 2 * 64, dtype=np.float32).reshape(2, 1, 8, 8)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     reconstruction_sheet({"input": x, "output": x**2}, Path(folder) / "sheet.png", kind="image").name
        'sheet.png'
    """
    checked = _checked(rows, values or Values(), captions or {}, title)
    if kind == "image" or all(row.ndim == 4 for row in checked.given.values()):
        image = picture_sheet(checked)
    elif kind == "table":
        image = table_sheet(checked)
    else:
        image = panel_sheet(checked)
    return paper.save_png(image, path)


def _checked(
    rows: dict[str, np.ndarray], values: Values, captions: Mapping[str, Sequence[str]], title: str | None
) -> Rows:
    given = {name: np.asarray(row) for name, row in rows.items()}
    _check_counts(given, captions)
    for name, row in given.items():
        if row.dtype.kind not in "fiub" or not np.isfinite(row).all():
            raise InputError(f"row {name!r} has values that are not finite numbers", code="input.nan")
    drawn = {name: row if row.dtype == bool else values.original(row) for name, row in given.items()}
    ranged = [row for row in drawn.values() if row.dtype != bool]
    low = float(min((row.min() for row in ranged), default=0)) if values.low is None else values.low
    high = float(max((row.max() for row in ranged), default=1)) if values.high is None else values.high
    checked = Rows(given, drawn, low, high if high > low else low + 1.0, values, captions, title)
    for name in checked.reconstructions():
        if given[name].shape != given[checked.target].shape:
            raise InputError(
                f"row {name!r} of shape {given[name].shape}",
                expected=f"the shape {given[checked.target].shape}",
                code="input.shape",
            )
    return checked


def _check_counts(given: dict[str, np.ndarray], captions: Mapping[str, Sequence[str]]) -> None:
    counts = {len(row) if row.ndim else 0 for row in given.values()}
    if len(counts) != 1 or counts == {0} or any(row.size == 0 for row in given.values()):
        raise InputError(
            "rows without objects, or of different numbers", expected="as many in each row", code="input.rows"
        )
    count = counts.pop()
    if count > MOST:
        raise LimitError(f"{count} objects on a sheet", expected=f"limit {MOST}", code="limit.objects")
    for words in captions.values():
        if len(words) != count:
            raise InputError(f"{len(words)} captions", expected=f"one for each of {count} objects", code="input.rows")
