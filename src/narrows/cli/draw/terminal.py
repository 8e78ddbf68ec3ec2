"""Small pictures for the terminal: a line of blocks for a history, half blocks for a picture."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from narrows.errors import InputError

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.-=*#"
SHADES = " .:-=+*#%@"
WIDEST = 36


def fancy_terminal(stream: Any = None) -> bool:
    """Whether a stream takes blocks and colours: UTF-8, not a dumb terminal, and NO_COLOR is not set."""
    stream = sys.stdout if stream is None else stream
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    return encoding == "utf8" and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def sparkline(values: Sequence[float] | np.ndarray, width: int = 40, *, blocks: str = BLOCKS) -> str:
    """One line of blocks, lowest value to highest; a value that is not finite is a gap.

    Args:
        values: The history, oldest first; more than `width` values are averaged in equal parts.
        width: Most characters to use.
        blocks: Characters from low to high; `ASCII_BLOCKS` for a terminal without UTF-8.

    Example:
        >>> sparkline([8, 4, 2, 1, 1])
        '█▄▂▁▁'
        >>> sparkline([1, float("nan"), 2], blocks=ASCII_BLOCKS)
        '_ #'
    """
    numbers = np.asarray(values, dtype=float).ravel()
    if len(numbers) > max(1, width):
        numbers = np.array([_mean(part) for part in np.array_split(numbers, max(1, width))])
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return " " * len(numbers)
    low, high = known.min(), known.max()
    step = (len(blocks) - 1) / (high - low) if high > low else 0.0
    return "".join(blocks[round((v - low) * step)] if np.isfinite(v) else " " for v in numbers)


def terminal_picture(
    images: np.ndarray | Sequence[np.ndarray],
    *,
    labels: Sequence[str] = (),
    low: float = 0.0,
    high: float = 1.0,
    fancy: bool | None = None,
) -> Any:
    """Small pictures side by side, two pixels a character, as a `rich.text.Text`.

    Args:
        images: One picture, shape (H, W) or (C, H, W), or a list of such; wider ones are thinned to 36 columns.
        labels: A word above each picture.
        low: Value drawn black.
        high: Value drawn white.
        fancy: Half blocks in colour, or plain characters; None asks the terminal (see `fancy_terminal`).

    Raises:
        InputError: A picture is neither (H, W) nor (C, H, W).

    Example:
        >>> print(terminal_picture(np.array([[0, 1], [0, 1], [1, 1], [1, 1]]), fancy=False))
         @
        @@
    """
    from rich.text import Text

    fancy = fancy_terminal() if fancy is None else fancy
    several = [images] if isinstance(images, np.ndarray) and not labels else list(images)
    pictures = [_colours(image, low, high) for image in several]
    rows = max(len(p) for p in pictures) // 2
    text = Text(no_wrap=True)
    if labels:
        words = [f"{name[: p.shape[1]]:<{p.shape[1]}}" for name, p in zip(labels, pictures, strict=True)]
        text.append("  ".join(words).rstrip() + "\n", style="dim" if fancy else "")
    for row in range(rows):
        for number, picture in enumerate(pictures):
            text.append("  " if number else "")
            _append_row(text, picture[2 * row : 2 * row + 2], picture.shape[1], fancy)
        text.append("\n" if row < rows - 1 else "")
    return text


def _mean(part: np.ndarray) -> float:
    known = part[np.isfinite(part)]
    return float(known.mean()) if known.size else float("nan")


def _colours(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """The picture as bytes (H, W, 3), thinned to fit, with an even number of rows."""
    image = np.asarray(image, dtype=np.float32)
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise InputError(f"a picture of shape {image.shape}", expected="(H, W) or (C, H, W)", code="input.shape")
    planes = image[None] if image.ndim == 2 else image
    planes = planes[[0, len(planes) // 2, -1]] if len(planes) >= 3 else planes[[0, 0, 0]]
    step = -(-planes.shape[2] // WIDEST)
    if step > 1:
        height, width = (planes.shape[1] // step or 1) * step, planes.shape[2] // step * step
        planes = np.pad(planes, ((0, 0), (0, max(0, height - planes.shape[1])), (0, 0)), mode="edge")
        planes = planes[:, :height, :width].reshape(3, height // step, step, width // step, step).mean((2, 4))
    if planes.shape[1] % 2:
        planes = np.pad(planes, ((0, 0), (0, 1), (0, 0)), constant_values=low)
    scaled = np.nan_to_num((planes - low) / ((high - low) or 1.0), nan=0.0)
    return (np.clip(scaled, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)


def _append_row(text: Any, pair: np.ndarray, width: int, fancy: bool) -> None:
    if not len(pair):
        text.append(" " * width)
    elif fancy:
        for top, bottom in zip(pair[0].tolist(), pair[1].tolist(), strict=True):
            text.append("▀", style="#{:02x}{:02x}{:02x} on #{:02x}{:02x}{:02x}".format(*top, *bottom))
    else:
        light = pair.mean((0, 2)) / 255 * (len(SHADES) - 1)
        text.append("".join(SHADES[round(v)] for v in light.tolist()))
