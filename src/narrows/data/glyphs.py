"""Glyphs: letters and digits of 28 x 28 pixels drawn from installed fonts, bent and blurred; no download.

Every glyph is drawn large once; each object then reads it through its own turn, slant, stretch and bend.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from narrows.data.splits import SHARES, part
from narrows.errors import EnvironmentProblem, LimitError
from narrows.types import Layout, Split, Splits

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIDE, LARGE = 28, 64
COUNT, VALUE_LIMIT = 12_000, 1 << 30
FAMILIES = ("DejaVuSans", "DejaVuSerif", "STIXGeneral", "cmr10", "cmss10", "cmtt10", "cmb10")
SHARPNESS = (1.0, 1.6, 2.4)
CHUNK = 2000


def load_glyphs(source: Path | None, *, seed: int, limit: int | None = None) -> Splits:
    """Letters and digits drawn from the fonts that matplotlib ships, or else Pillow's own.

    Every font is on every side of the split: the test asks for unseen bends of seen letters.

    Args:
        source: Not used.
        seed: Decides fonts, bends and split.
        limit: Training objects wanted; 8,400 by default.

    Raises:
        EnvironmentProblem: No font is found.
        LimitError: More than the memory should be asked for.
    """
    count = COUNT if limit is None else max(30, round(limit / SHARES[0]))
    if count * SIDE**2 > VALUE_LIMIT:
        raise LimitError(
            f"{count:,} glyphs of {SIDE**2} pixels", expected=f"limit {VALUE_LIMIT:,} pixels", code="limit.memory"
        )
    rng = np.random.default_rng(seed)
    drawn = large_glyphs()
    y = np.arange(count) % len(CHARACTERS)
    font = rng.integers(0, drawn.shape[0], count)
    blur = rng.integers(0, len(SHARPNESS), count)
    parts = [bend(drawn[font[i], y[i], blur[i]], rng) for i in np.array_split(np.arange(count), -(-count // CHUNK))]
    layout = Layout("glyphs", "image", (1, SIDE, SIDE), tuple(CHARACTERS), units="grey level 0..255", low=0, high=255)
    return part(layout, Split(np.concatenate(parts)[:, None], y.astype(np.int64)), seed=seed)


@cache
def large_glyphs() -> np.ndarray:
    """Every character in every font and sharpness, white on black, shape (fonts, 36, sharpness, 64, 64), 0..1."""
    from PIL import Image, ImageDraw
    from scipy.ndimage import gaussian_filter

    fonts = usable_fonts()
    planes = np.zeros((len(fonts), len(CHARACTERS), len(SHARPNESS), LARGE, LARGE), np.float32)
    for f, font in enumerate(fonts):
        for c, character in enumerate(CHARACTERS):
            canvas = Image.new("L", (LARGE, LARGE))
            ImageDraw.Draw(canvas).text((LARGE / 2, LARGE / 2), character, fill=255, font=font, anchor="mm")
            plane = np.asarray(canvas, np.float32) / 255
            planes[f, c] = [gaussian_filter(plane, sigma) for sigma in SHARPNESS]
    return planes


def usable_fonts() -> list:
    """The fonts to draw with."""
    from PIL import ImageFont, features

    if not features.check("freetype2"):
        raise EnvironmentProblem(
            "glyphs needs a Pillow that can draw text, and this one lacks FreeType",
            step="Install Pillow from its own wheels, or use the data set digits",
            code="environment.fonts",
        )
    files = font_files()
    if files:
        return [ImageFont.truetype(str(file), 46) for file in files]
    return [ImageFont.load_default(46)]


def font_files() -> list[Path]:
    """The text fonts that matplotlib ships; none where it is not installed."""
    found = find_spec("matplotlib")
    if found is None or not found.submodule_search_locations:
        return []
    folder = Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
    return sorted(
        file for file in folder.glob("*.ttf") if file.stem.startswith(FAMILIES) and "Display" not in file.stem
    )


def bend(planes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Read large glyphs (B, 64, 64) of 0..1 through a random turn, slant, stretch and wave: (B, 28, 28) bytes."""
    B = len(planes)
    line = np.linspace(-1, 1, SIDE, dtype=np.float32)
    v, u = np.meshgrid(line, line, indexing="ij")

    def draw(spread: float) -> np.ndarray:
        return rng.uniform(-spread, spread, (B, 1, 1)).astype(np.float32)

    angle, slant = draw(np.deg2rad(15)), draw(0.25)
    stretch_x, stretch_y = 1 + draw(0.15), 1 + draw(0.15)
    wave_x, wave_y, phase_x, phase_y = draw(0.08), draw(0.08), draw(np.pi), draw(np.pi)
    x = u * stretch_x + slant * v + wave_x * np.sin(3 * v + phase_x) + draw(0.08)
    y = v * stretch_y + wave_y * np.sin(3 * u + phase_y) + draw(0.08)
    turned_x, turned_y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    read = bilinear(planes, (turned_y + 1) * (LARGE - 1) / 2, (turned_x + 1) * (LARGE - 1) / 2)
    return np.clip(read * 255 * 1.15, 0, 255).astype(np.uint8)


def bilinear(planes: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Values of planes (B, H, W) at fractional places (B, h, w); 0 outside."""
    H, W = planes.shape[1:]
    inside = (row >= 0) & (row <= H - 1) & (column >= 0) & (column <= W - 1)
    r, c = np.clip(row, 0, H - 1.001), np.clip(column, 0, W - 1.001)
    top, left = r.astype(np.int32), c.astype(np.int32)
    down, right = r - top, c - left
    each = np.arange(len(planes))[:, None, None]
    upper = planes[each, top, left] * (1 - right) + planes[each, top, left + 1] * right
    lower = planes[each, top + 1, left] * (1 - right) + planes[each, top + 1, left + 1] * right
    return (upper * (1 - down) + lower * down) * inside
