"""Sheets of pictures: one row a kind of picture, one column an object, many objects in bands below each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from narrows.cli.draw import paper
from narrows.cli.draw.style import LINE, MUTED, short_number
from narrows.errors import InputError

if TYPE_CHECKING:
    from narrows.cli.draw.sheet import Rows

# Most objects of a sheet, the side of a picture in pixels, and objects in a band.
SIZES = ((26, 112, 13), (48, 84, 16), (98, 56, 25))
LINE_HEIGHT, WIDEST = paper.SMALL + 8, 2400


class Strip(NamedTuple):
    """A row to draw: its label, its enlarged pixels (N, h, w, 3), and the factor of an error (0: a picture)."""

    label: str
    pixels: np.ndarray
    gain: int


def picture_sheet(rows: "Rows") -> paper.Image.Image:
    """Draw checked rows of pictures (N, C, H, W)."""
    shapes = {row.shape[2:] for row in rows.drawn.values()}
    if len(shapes) != 1 or any(row.ndim != 4 for row in rows.drawn.values()):
        raise InputError("rows of pictures that differ in height or width", expected="(N, C, H, W)", code="input.shape")
    strips, lines, note = _strips(rows), {**_numbers(rows), **rows.captions}, _note(rows)
    height, width = strips[0].pixels.shape[1:3]
    left = _left([strip.label for strip in strips], list(lines))
    columns = _columns(len(rows), width, left)
    bands, top = -(-len(rows) // columns), paper.heading_height(rows.title, note)
    tall = len(strips) * (height + paper.GAP) + len(lines) * LINE_HEIGHT + 2 * paper.GAP
    wide = max(left + columns * (width + paper.GAP) - paper.GAP, paper.heading_width(rows.title, note)) + paper.MARGIN
    gain = max(strip.gain for strip in strips)
    bottom = top + bands * tall + (LINE_HEIGHT if gain else -2 * paper.GAP)
    image, pen = paper.sheet_of_paper(wide, bottom + paper.MARGIN)
    paper.heading(pen, rows.title, note, wide)
    for number in range(bands):
        part = slice(number * columns, min((number + 1) * columns, len(rows)))
        y = _draw_strips(image, pen, strips, part, (left, top + number * tall))
        _draw_lines(pen, {name: words[part] for name, words in lines.items()}, (left, y), width)
    if gain:
        _scale(pen, gain, (paper.MARGIN, bottom - 6))
    return image


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


def _left(labels: list[str], lines: list[str]) -> int:
    """Where the pictures begin: right of the labels, or at the margin where there are none."""
    widths = [paper.width_of(text, paper.TEXT) for text in labels] + [paper.width_of(t, paper.SMALL) for t in lines]
    return paper.MARGIN + (max(widths) + 2 * paper.GAP if max(widths) else 0)


def _columns(count: int, width: int, left: int) -> int:
    """Objects in a band: as many as fit, and bands about as full as each other."""
    most = max(1, min(_size(count)[1], (WIDEST - left) // (width + paper.GAP)))
    bands = -(-count // most)
    return -(-count // bands)


def _size(count: int) -> tuple[int, int]:
    """The side of a picture in pixels, and objects in a band."""
    return next(((side, columns) for most, side, columns in SIZES if count <= most), SIZES[-1][1:])


def _strips(rows: "Rows") -> list[Strip]:
    errors = {name: np.abs(rows.shares(name)).mean(1) for name in rows.reconstructions()}
    gain, side, strips = gain_of(list(errors.values())), _size(len(rows))[0], []
    for name, row in rows.drawn.items():
        pixels = _resized(as_pixels(row, rows.low, rows.high), side)
        strips.append(Strip(paper.fitted(name, paper.TEXT, 160), pixels, 0))
        if name in errors:
            label = f"error x {gain}" if gain > 1 else "error"
            strips.append(Strip(label, _resized(paper.ramp(errors[name] * gain), side), gain))
    return strips


def _resized(pixels: np.ndarray, side: int) -> np.ndarray:
    """Small pictures enlarged by a whole number, large ones averaged down by a whole number."""
    longest = max(pixels.shape[1:3])
    if longest <= 2 * side:
        factor = max(1, side // longest)
        return pixels.repeat(factor, 1).repeat(factor, 2)
    factor = -(-longest // (2 * side))
    height, width = (max(1, side // factor) for side in pixels.shape[1:3])
    cut = np.pad(pixels, ((0, 0), (0, factor), (0, factor), (0, 0)), mode="edge")
    cut = cut[:, : height * factor, : width * factor]
    return cut.reshape(-1, height, factor, width, factor, 3).mean((2, 4)).round().astype(np.uint8)


def _draw_strips(
    image: paper.Image.Image,
    pen: paper.ImageDraw.ImageDraw,
    strips: list[Strip],
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


def _numbers(rows: "Rows") -> dict[str, list[str]]:
    made = {name: [short_number(float(v)) for v in rows.squares(name)] for name in rows.reconstructions()}
    return {"MSE" if len(made) == 1 else paper.fitted(f"MSE {name}", paper.SMALL, 160): v for name, v in made.items()}


def _draw_lines(
    pen: paper.ImageDraw.ImageDraw, lines: dict[str, Sequence[str]], corner: tuple[int, int], width: int
) -> None:
    left, y = corner
    for name, words in lines.items():
        y += LINE_HEIGHT
        paper.write(pen, (paper.MARGIN, y - 8), name, paper.SMALL, MUTED)
        for column, text in enumerate(words):
            x = left + column * (width + paper.GAP) + width / 2
            fitting = paper.fitted(text, paper.SMALL, width + paper.GAP // 2)
            paper.write(pen, (x, y - 8), fitting, paper.SMALL, anchor="ms")


def _note(rows: "Rows") -> str:
    channels = max(row.shape[1] for row in rows.drawn.values())
    words = [rows.measure()] if rows.measure() else []
    if channels not in (1, 3):
        red, green, blue = bands_of(channels)
        words.append(f"shown: bands {red}, {green}, {blue} of {channels} (from 0) as red, green, blue")
    return " · ".join(words)


def _scale(pen: paper.ImageDraw.ImageDraw, gain: int, at: tuple[int, int]) -> None:
    x, y = at
    for text in ("error", "0"):
        paper.write(pen, (x, y), text, paper.SMALL, MUTED, "lm")
        x += paper.width_of(text, paper.SMALL) + paper.GAP
    for step in range(128):
        pen.line((x + step, y - 6, x + step, y + 6), fill=tuple(paper.ramp(np.array(step / 127)).tolist()))
    pen.rectangle((x - 1, y - 7, x + 128, y + 7), outline=LINE)
    paper.write(pen, (x + 138, y), f"{short_number(100 / gain)} % of the range", paper.SMALL, MUTED, "lm")
