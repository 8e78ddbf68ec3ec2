"""The reconstruction sheet: objects beside each other, what went in above what came out, what was lost below."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from narrows.cli.draw import paper
from narrows.cli.draw.panels import panel_sheet
from narrows.cli.draw.style import LINE, MUTED, short_number
from narrows.errors import InputError, LimitError
from narrows.types import Kind

# Rows that are given, not made by a model; the first of TARGETS that is there is what the others are held against.
SOURCES = ("input", "corrupted", "target", "clean", "mask")
TARGETS = ("target", "clean", "input")
CELL, BAND, MOST = 112, 12, 96


@dataclass
class Rows:
    """The rows of a sheet, checked: the target, what reconstructs it, and the range of the values."""

    values: dict[str, np.ndarray]
    low: float
    high: float
    captions: Sequence[str] = ()
    target: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.target = next((self.values[name] for name in TARGETS if name in self.values), np.empty(0))

    def measure(self) -> str:
        """On what scale the errors are."""
        scaled = "" if (self.low, self.high) == (0, 1) else " scaled to 0..1"
        return f"MSE: mean squared error, values from {short_number(self.low)} to {short_number(self.high)}{scaled}"

    def reconstructions(self) -> dict[str, np.ndarray]:
        """The rows that are held against the target."""
        return {name: row for name, row in self.values.items() if name not in SOURCES and len(self.target)}

    def errors(self, name: str) -> np.ndarray:
        """Difference of a row from the target as a share of the range of the values, same shape."""
        return (self.values[name].astype(np.float32) - self.target.astype(np.float32)) / (self.high - self.low)

    def squares(self, name: str) -> np.ndarray:
        """Mean squared error of each object, values scaled to 0..1, shape (N,)."""
        return np.square(self.errors(name)).reshape(len(self.target), -1).mean(1)


def reconstruction_sheet(
    rows: dict[str, np.ndarray],
    path: str | os.PathLike[str],
    *,
    kind: Kind,
    low: float | None = None,
    high: float | None = None,
    captions: Sequence[str] | None = None,
    title: str | None = None,
) -> Path:
    """Draw input, output and error of some objects into one PNG.

    Pictures stand in columns, small ones enlarged by a whole number, each pixel as it is; under each reconstruction
    its error, enlarged by a stated factor. Series, spectra, sounds and tables become lines, the error beneath.

    Args:
        rows: Row name to objects, all of one number N <= 96: pictures (N, C, H, W), series (N, C, L), tables and
            spectra (N, D). "input", "corrupted", "target", "clean" and "mask" are given; every other row ("output",
            "PCA") is held against "target", else "clean", else "input".
        path: File to write, ending in .png.
        kind: What the objects are.
        low: Smallest value possible (drawn black); None takes the smallest there is.
        high: Largest value possible (drawn white); None takes the largest there is.
        captions: A few words under each object.
        title: A line above all.

    Raises:
        InputError: Nothing to draw, values that are not finite, or rows that do not fit each other.
        LimitError: More than 96 objects.

    Example:
        >>> import tempfile
        >>> x = np.linspace(0, 1, 2 * 64, dtype=np.float32).reshape(2, 1, 8, 8)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     reconstruction_sheet({"input": x, "output": x**2}, Path(folder) / "sheet.png", kind="image").name
        'sheet.png'
    """
    own_scales = kind == "table" and low is None and high is None
    checked = _checked(_on_own_scales(rows) if own_scales else rows, low, high, captions)
    if kind == "image" or all(row.ndim == 4 for row in checked.values.values()):
        image = _picture_sheet(checked, title)
    else:
        image = panel_sheet(
            checked.values,
            target=checked.target,
            errors={name: checked.squares(name) for name in checked.reconstructions()},
            captions=checked.captions,
            title=title,
            stems=kind == "table",
            measure="each column scaled to 0..1 over these objects" if own_scales else checked.measure(),
        )
    return paper.save_png(image, path)


def gain_of(errors: Sequence[np.ndarray]) -> int:
    """The factor, a power of two up to 32, that makes errors visible without clipping more than 1 in 100.

    Example:
        >>> gain_of([np.full(100, 0.2)])
        4
    """
    tops = [float(np.quantile(np.abs(e), 0.99)) for e in errors if e.size]
    fitting = [g for g in (2, 4, 8, 16, 32) if max(tops, default=1.0) * g <= 1]
    return max(fitting, default=1)


def as_pixels(row: np.ndarray, low: float, high: float) -> np.ndarray:
    """Pictures (N, C, H, W) as bytes (N, H, W, 3): grey for one channel, else three channels as red, green, blue."""
    if row.dtype == bool:
        row, low, high = row.astype(np.float32), 0.0, 1.0
    bands = bands_of(row.shape[1])
    scaled = (row[:, bands].astype(np.float64) - low) / (high - low)
    return (np.clip(scaled, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1)


def bands_of(channels: int) -> list[int]:
    """The three channels shown as red, green and blue; for many bands, from long to short waves.

    Example:
        >>> bands_of(1), bands_of(3), bands_of(103)
        ([0, 0, 0], [0, 1, 2], [76, 51, 26])
    """
    if channels in (1, 3):
        return [0, 0, 0] if channels == 1 else [0, 1, 2]
    return [round(share * (channels - 1)) for share in (0.75, 0.5, 0.25)]


def _on_own_scales(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each column of a table moved to 0..1 by its lowest and highest value in any row."""
    arrays = [np.asarray(row) for row in rows.values()]
    if (
        len({a.shape for a in arrays}) != 1
        or arrays[0].ndim != 2
        or not arrays[0].size
        or arrays[0].dtype.kind not in "fiub"
    ):
        return rows
    stacked = np.stack(arrays).astype(np.float64)
    low, high = stacked.min((0, 1)), stacked.max((0, 1))
    return dict(zip(rows, (stacked - low) / np.where(high > low, high - low, 1.0), strict=True))


def _checked(
    rows: dict[str, np.ndarray], low: float | None, high: float | None, captions: Sequence[str] | None
) -> Rows:
    values = {name: np.asarray(row) for name, row in rows.items()}
    counts = {len(row) if row.ndim else 0 for row in values.values()}
    if len(counts) != 1 or counts == {0} or any(row.size == 0 for row in values.values()):
        raise InputError(
            "rows without objects, or of different numbers", expected="as many in each row", code="input.rows"
        )
    count = counts.pop()
    if count > MOST:
        raise LimitError(f"{count} objects on a sheet", expected=f"limit {MOST}", code="limit.objects")
    if captions is not None and len(captions) != count:
        raise InputError(f"{len(captions)} captions", expected=f"one for each of {count} objects", code="input.rows")
    for name, row in values.items():
        if row.dtype.kind not in "fiub" or not np.isfinite(row).all():
            raise InputError(f"row {name!r} has values that are not finite numbers", code="input.nan")
    ranged = [row for row in values.values() if row.dtype != bool]
    low = float(min((row.min() for row in ranged), default=0)) if low is None else low
    high = float(max((row.max() for row in ranged), default=1)) if high is None else high
    checked = Rows(values, low, high if high > low else low + 1.0, captions or ())
    for name, row in checked.reconstructions().items():
        if row.shape != checked.target.shape:
            raise InputError(
                f"row {name!r} of shape {row.shape}", expected=f"the shape {checked.target.shape}", code="input.shape"
            )
    return checked


def _picture_sheet(rows: Rows, title: str | None) -> paper.Image.Image:
    shapes = {row.shape[2:] for row in rows.values.values()}
    if len(shapes) != 1 or any(row.ndim != 4 for row in rows.values.values()):
        raise InputError("rows of pictures that differ in height or width", expected="(N, C, H, W)", code="input.shape")
    strips = _strips(rows)
    labels = [label for label, _, _ in strips]
    height, width = strips[0][1].shape[1:3]
    numbers = _numbers(rows)
    left = paper.MARGIN + max(paper.width_of(text, paper.TEXT) for text in [*labels, *numbers]) + 2 * paper.GAP
    count = len(strips[0][1])
    columns = max(1, min(count, BAND, (2400 - left) // (width + paper.GAP)))
    lines = len(numbers) + bool(rows.captions)
    line = paper.SMALL + 8
    band = len(strips) * (height + paper.GAP) + lines * line + 3 * paper.GAP
    note = _note(rows)
    top, bands = paper.heading_height(title, note), -(-count // columns)
    wide = max(left + columns * (width + paper.GAP) + paper.MARGIN, 480)
    image, pen = paper.sheet_of_paper(wide, top + bands * band + 2 * paper.MARGIN)
    paper.heading(pen, title, note, wide)
    for first in range(0, count, columns):
        part = slice(first, min(first + columns, count))
        y = _draw_band(image, pen, strips, part, (left, top))
        for name, written in numbers.items():
            paper.write(pen, (paper.MARGIN, y + line), name, paper.SMALL, MUTED)
            _under(pen, written[part], (left, y + line), width)
            y += line
        if rows.captions:
            _under(pen, list(rows.captions[part]), (left, y + line), width)
        top += band
    _scale(pen, strips, (paper.MARGIN, top + paper.GAP))
    return image


def _strips(rows: Rows) -> list[tuple[str, np.ndarray, int]]:
    """Each row to draw: its label, its enlarged pixels (N, h, w, 3), and the factor of an error (0: a picture)."""
    errors = {name: np.abs(rows.errors(name)).mean(1) for name in rows.reconstructions()}
    gain = gain_of(list(errors.values()))
    strips = []
    for name, row in rows.values.items():
        strips.append((paper.fitted(name, paper.TEXT, 160), _resized(as_pixels(row, rows.low, rows.high)), 0))
        if name in errors:
            label = f"error x {gain}" if gain > 1 else "error"
            strips.append((label, _resized(paper.ramp(errors[name] * gain)), gain))
    return strips


def _resized(pixels: np.ndarray) -> np.ndarray:
    """Small pictures enlarged by a whole number, large ones averaged down by a whole number."""
    longest = max(pixels.shape[1:3])
    if longest <= 2 * CELL:
        factor = max(1, CELL // longest)
        return pixels.repeat(factor, 1).repeat(factor, 2)
    factor = -(-longest // (2 * CELL))
    height, width = (max(1, side // factor) for side in pixels.shape[1:3])
    cut = np.pad(pixels, ((0, 0), (0, factor), (0, factor), (0, 0)), mode="edge")
    cut = cut[:, : height * factor, : width * factor]
    return cut.reshape(-1, height, factor, width, factor, 3).mean((2, 4)).round().astype(np.uint8)


def _draw_band(
    image: paper.Image.Image,
    pen: paper.ImageDraw.ImageDraw,
    strips: list[tuple[str, np.ndarray, int]],
    part: slice,
    corner: tuple[int, int],
) -> int:
    left, y = corner
    for label, pixels, gain in strips:
        height, width = pixels.shape[1:3]
        paper.write(pen, (paper.MARGIN, y + height / 2), label, ink=MUTED if gain else paper.INK, anchor="lm")
        for column, cell in enumerate(pixels[part]):
            x = left + column * (width + paper.GAP)
            pen.rectangle((x - 1, y - 1, x + width, y + height), outline=LINE)
            image.paste(paper.Image.fromarray(cell), (x, y))
        y += height + paper.GAP
    return y


def _numbers(rows: Rows) -> dict[str, list[str]]:
    made = {name: [short_number(float(v)) for v in rows.squares(name)] for name in rows.reconstructions()}
    return {"MSE" if len(made) == 1 else paper.fitted(f"MSE {name}", paper.SMALL, 160): v for name, v in made.items()}


def _under(pen: paper.ImageDraw.ImageDraw, texts: list[str], at: tuple[int, int], width: int) -> None:
    for column, text in enumerate(texts):
        x = at[0] + column * (width + paper.GAP) + width / 2
        paper.write(pen, (x, at[1]), paper.fitted(text, paper.SMALL, width + paper.GAP // 2), paper.SMALL, anchor="ms")


def _note(rows: Rows) -> str:
    channels = max(row.shape[1] for row in rows.values.values())
    words = []
    if rows.reconstructions():
        words.append(rows.measure())
    if channels not in (1, 3):
        red, green, blue = (band + 1 for band in bands_of(channels))
        words.append(f"shown: bands {red}, {green}, {blue} of {channels} as red, green, blue")
    return " · ".join(words)


def _scale(pen: paper.ImageDraw.ImageDraw, strips: list[tuple[str, np.ndarray, int]], at: tuple[int, int]) -> None:
    gain = next((gain for _, _, gain in strips if gain), 0)
    if not gain:
        return
    x, y = at
    paper.write(pen, (x, y), "error", paper.SMALL, MUTED, "lm")
    paper.write(pen, (x := x + paper.width_of("error", paper.SMALL) + paper.GAP, y), "0", paper.SMALL, MUTED, "lm")
    x += 2 * paper.GAP
    for step in range(128):
        pen.line((x + step, y - 6, x + step, y + 6), fill=tuple(paper.ramp(np.array(step / 127)).tolist()))
    pen.rectangle((x - 1, y - 7, x + 128, y + 7), outline=LINE)
    paper.write(pen, (x + 138, y), f"{short_number(100 / gain)} % of the range", paper.SMALL, MUTED, "lm")
