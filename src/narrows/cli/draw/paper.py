"""Drawing on paper with pillow: text that is measured before it is set, lines that are smooth, files written whole."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from narrows.cli.draw.style import INK, MUTED, PAPER, plain
from narrows.errors import LimitError, UsageError
from narrows.files import atomic

MARGIN, GAP = 32, 10
TITLE, TEXT, SMALL, TINY = 22, 16, 14, 12
LARGEST = 60_000_000
WIDEST_HEADING = 1400

# From white to dark red in OKLab, the lightness in equal steps.
RAMP = ("#ffffff", "#f8d9d3", "#eeb3a8", "#e18c7e", "#d26555", "#c0392a", "#96291f", "#6f1914", "#4a0a0a")


@lru_cache(maxsize=16)
def font(size: int, wide: bool = False) -> Any:
    """The font that pillow brings along, in pixels; `wide`: one with more scripts, where the machine has it."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size - 1) if wide else ImageFont.load_default(size)
    except OSError:
        return ImageFont.load_default(size)


@lru_cache(maxsize=4096)
def covered(letter: str) -> bool:
    """Whether pillow's own font can draw a letter."""
    return letter == " " or bytes(font(16).getmask(letter)) != bytes(font(16).getmask("\uffff"))


def font_for(text: str, size: int) -> Any:
    """The font that can draw a text."""
    return font(size, not all(covered(letter) for letter in text))


def width_of(text: str, size: int) -> int:
    """Width of a text in pixels, rounded up."""
    return int(np.ceil(font_for(text, size).getlength(text)))


def fitted(text: object, size: int, width: int) -> str:
    """The text, cut with an ellipsis where it is wider than `width` pixels."""
    line = plain(text, 200)
    if width_of(line, size) <= width:
        return line
    while line and width_of(line + "…", size) > width:
        line = line[:-1].rstrip()
    return line + "…"


def sheet_of_paper(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty sheet and the pen for it."""
    if width * height > LARGEST:
        raise LimitError(
            f"a picture of {width:,} x {height:,} pixels",
            expected=f"limit {LARGEST:,} pixels",
            step="Draw fewer objects",
            code="limit.picture",
        )
    image = Image.new("RGB", (width, height), PAPER)
    return image, ImageDraw.Draw(image)


def write(
    pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int = TEXT, ink: str = INK, anchor: str = "ls"
) -> None:
    """Set one line of text; `anchor` as in pillow ("ls": left end of the baseline)."""
    pen.text((round(at[0]), round(at[1])), text, fill=ink, font=font_for(text, size), anchor=anchor)


def heading(pen: ImageDraw.ImageDraw, title: str | None, note: str, width: int) -> None:
    """The title at the top left and a muted note beside or below it."""
    top = MARGIN + TITLE
    if title:
        write(pen, (MARGIN, top), fitted(title, TITLE, width - 2 * MARGIN), TITLE)
        top += 2 * GAP + SMALL - 6
    if note:
        write(pen, (MARGIN, top), fitted(note, SMALL, width - 2 * MARGIN), SMALL, MUTED)


def heading_height(title: str | None, note: str) -> int:
    """Pixels taken by `heading`, the gap after it included."""
    return MARGIN + (TITLE if title or note else 0) + (2 * GAP + SMALL - 6 if title and note else 0) + 2 * GAP


def heading_width(title: str | None, note: str) -> int:
    """Pixels from the left edge to the end of the longer line of a heading, within what a screen shows."""
    lines = (width_of(plain(title or "", 200), TITLE), width_of(plain(note, 200), SMALL))
    return MARGIN + min(max(*lines, 416), WIDEST_HEADING)


def ramp(values: np.ndarray) -> np.ndarray:
    """Colours of values in 0..1 on the ramp from white to dark red: shape (..., 3), uint8."""
    anchors = np.array([ImageColor.getrgb(c) for c in RAMP], dtype=float)
    at = np.clip(values, 0, 1) * (len(anchors) - 1)
    channels = [np.interp(at, np.arange(len(anchors)), anchors[:, c]) for c in range(3)]
    return (np.stack(channels, -1) + 0.5).astype(np.uint8)


def save_png(image: Image.Image, path: str | os.PathLike[str]) -> Path:
    """Write a picture as PNG, whole or not at all.

    Raises:
        UsageError: The name ends in something other than .png.
    """
    if Path(path).suffix.lower() != ".png":
        raise UsageError(
            f"a sheet named {Path(path).name!r}", expected="a name ending in .png", code="usage.suffix", step=""
        )
    with atomic(path) as temporary:
        image.save(temporary, format="PNG", optimize=True)
    return Path(path)
