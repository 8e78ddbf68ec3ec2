"""What a page shows of an object under the pointer: its number, its picture, its line, or its row of a table."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from narrows.cli.draw.mosaic import bands_of
from narrows.cli.draw.style import plain, short_number
from narrows.cli.draw.values import Values, fields_of
from narrows.errors import InputError

SPRITE_SIDE, TILE_SIDE = 4096, 56
MOST_VALUES, LINE_LENGTH, MOST_FIELDS = 4_000_000, 96, 24


@dataclass(frozen=True, eq=False)
class Tips:
    """What a page shows of each object; what is None is not shown.

    Args:
        numbers: Number of each object among those it came from, shape (N,).
        origins: Where each object comes from.
        pictures: A picture of each object, (N, H, W) or (N, C, H, W).
        lines: The values of each object along a line, (N, L) or (N, C, L), of which the first channel is shown.
        rows: The row of each object in a table, (N, D).
        values: What the values of pictures, lines and rows are.
    """

    numbers: Sequence[int] | np.ndarray | None = None
    origins: Sequence[str] | None = None
    pictures: np.ndarray | None = None
    lines: np.ndarray | None = None
    rows: np.ndarray | None = None
    values: Values = field(default_factory=Values)

    def check(self, count: int) -> None:
        """Refuse lists that do not fit `count` dots.

        Raises:
            InputError: More or fewer entries than dots.
        """
        for name in ("numbers", "origins", "pictures", "lines", "rows"):
            given = getattr(self, name)
            if given is not None and len(given) != count:
                raise InputError(f"{len(given):,} {name} for {count:,} points", expected="as many", code="input.rows")

    def data(self) -> dict[str, Any]:
        """All of it, JSON-ready."""
        data: dict[str, Any] = {}
        if self.numbers is not None:
            data["ids"] = np.asarray(self.numbers).tolist()
        if self.origins is not None:
            data["origins"] = [plain(text, 160) for text in self.origins]
        if self.pictures is not None:
            address, columns, width, height = sprite(self.pictures, self.values)
            data["sprite"] = {"address": address, "columns": columns, "width": width, "height": height}
        if self.lines is not None:
            data["lines"] = lines(self.lines, self.values)
        if self.rows is not None:
            data["fields"] = entries(self.rows, self.values)
        return data


def packed(array: np.ndarray) -> str:
    """The bytes of an array as text."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def sprite(pictures: np.ndarray, values: Values) -> tuple[str, int, int, int]:
    """All small pictures on one PNG as a data address, with the columns and the width and height of a tile.

    Raises:
        InputError: Not (N, H, W) or (N, C, H, W), or values that are not finite.
    """
    tiles = _tiles(np.asarray(pictures), values)
    count, height, width, channels = tiles.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, channels), np.uint8)
    sheet[:count] = tiles
    sheet = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, columns * width, channels)
    buffer = io.BytesIO()
    Image.fromarray(sheet[..., 0] if channels == 1 else sheet).save(buffer, format="PNG", compress_level=9)
    written = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/png;base64,{written}", columns, width, height


def lines(given: np.ndarray, values: Values) -> dict[str, Any]:
    """Lines as bytes, long ones averaged to at most 96 values; one of a thousand values may be cut at either end.

    Raises:
        InputError: Not (N, L) or (N, C, L), or values that are not finite.
    """
    rows = np.asarray(given)[:, 0] if np.ndim(given) == 3 else np.asarray(given)
    if rows.ndim != 2 or 0 in rows.shape or not np.isfinite(rows).all():
        raise InputError(f"lines of shape {rows.shape}", expected="finite (N, L) or (N, C, L)", code="input.shape")
    step = -(-rows.shape[1] // max(16, min(LINE_LENGTH, MOST_VALUES // len(rows))))
    starts = np.arange(0, rows.shape[1], step)
    short = np.add.reduceat(rows, starts, axis=1, dtype=np.float32) / np.diff([*starts, rows.shape[1]])
    low, high = np.quantile(short, [0.0005, 0.9995]).tolist()
    heights = np.clip((short - low) / ((high - low) or 1.0), 0, 1) * 255
    reach = f"{short_number(float(f'{low:.3g}'))} to {short_number(float(f'{high:.3g}'))} {plain(values.unit)}".strip()
    return {
        "values": packed(heights.round().astype("u1")),
        "length": len(starts),
        "ends": [plain(end, 24) for end in values.ends],
        "reach": reach,
    }


def entries(rows: np.ndarray, values: Values) -> dict[str, Any]:
    """Rows of a table: the names of the columns, the first ones where they are many, and what stands in them."""
    fields = fields_of(values, rows.shape[1])
    shown = fields[: max(1, min(MOST_FIELDS, MOST_VALUES // len(rows)))]
    return {
        "names": [plain(entry.name, 40) for entry in shown],
        "words": [list(entry.words) for entry in shown],
        "values": packed(np.stack([entry.codes(rows) for entry in shown], 1).astype("<f4")),
        "more": len(fields) - len(shown),
    }


def _tiles(pictures: np.ndarray, values: Values) -> np.ndarray:
    """The pictures as bytes (N, h, w, 1 or 3), averaged down until all fit on one sheet."""
    planes = pictures[:, None] if pictures.ndim == 3 else pictures
    if planes.ndim != 4 or 0 in planes.shape or planes.dtype.kind not in "fiub" or not np.isfinite(planes).all():
        raise InputError(
            f"pictures of shape {pictures.shape}", expected="finite (N, H, W) or (N, C, H, W)", code="input.shape"
        )
    if planes.shape[1] not in (1, 3):
        planes = planes[:, bands_of(planes.shape[1])]
    low = float(planes.min()) if values.low is None else values.low
    high = float(planes.max()) if values.high is None else values.high
    largest = min(TILE_SIDE, SPRITE_SIDE // int(np.ceil(np.sqrt(len(planes)))))
    step = -(-max(planes.shape[2:]) // largest)
    if step > 1:
        height, width = (max(1, side // step) for side in planes.shape[2:])
        planes = np.pad(planes, ((0, 0), (0, 0), (0, step), (0, step)), mode="edge")
        planes = planes[:, :, : height * step, : width * step]
        planes = planes.reshape(*planes.shape[:2], height, step, width, step).mean((3, 5), dtype=np.float32)
    shares = np.clip((planes.astype(np.float32) - low) / ((high - low) or 1.0), 0, 1)
    return (shares * 255 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1)
