"""Lines of series, spectra and sounds: input and output on top of each other, what was lost beneath."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from narrows.cli.draw import paper
from narrows.cli.draw.style import CARD, GREY, INK, LINE, MUTED, RED, VIOLET, short_number
from narrows.errors import InputError, LimitError

if TYPE_CHECKING:
    from narrows.cli.draw.sheet import Rows

COLUMNS, WIDTH, LANE, LOSS, MOST, LANES = 3, 400, 132, 48, 26, 3
# Room for the numbers at the left of a panel, for the words above it and for what stands below it.
GUTTER, ABOVE, BELOW = 46, 26, 22
SMOOTH = 3
INKS = {"input": INK, "target": INK, "clean": INK, "corrupted": GREY, "output": VIOLET, "": VIOLET}
OTHERS = ("#197945", "#a59307", "#1e9fae", "#832601")


def panel_sheet(rows: "Rows") -> Image.Image:
    """One panel an object: its lines in the values that are drawn, and the error of the first reconstruction below."""
    lanes = {name: _lanes(name, row) for name, row in rows.drawn.items()}
    if len(rows) > MOST:
        raise LimitError(f"{len(rows)} objects as lines on a sheet", expected=f"limit {MOST}", code="limit.objects")
    inks, made = _inks(lanes), next(iter(rows.reconstructions()), None)
    lost = _lost(_lanes(made, rows.losses(made))) if made else None
    shown, limits = min(next(iter(lanes.values())).shape[1], LANES), _limits(lanes)
    note = _note(rows, lanes, lost)
    named = {**inks, **({"error": RED} if made else {})} if list(inks) != [""] else {}
    top = paper.heading_height(rows.title, note) + (30 if named else 0)
    image, pen, corners = _paper(rows, shown * LANE + (LOSS if made else 0), note, top)
    _key(pen, named, top - 16)
    for number, (x, y) in enumerate(corners):
        words = paper.fitted(words_of(rows, number), paper.SMALL, WIDTH)
        paper.write(pen, (x, y + 18), words, paper.SMALL, MUTED)
        drawing = _panel({n: v[number, :shown] for n, v in lanes.items()}, inks, limits)
        image.paste(drawing, (x, y + ABOVE))
        bottom = y + ABOVE + drawing.height
        _scale(pen, (x - 6, y + ABOVE), shown, limits)
        if lost is not None:
            image.paste(_loss(lost[number], _top(lost), bool((lost < 0).any())), (x, bottom))
        _ends(pen, rows.values.ends, (x, bottom + (LOSS if made else 0) + 15))
    return image


def words_of(rows: "Rows", number: int) -> str:
    """What stands above one object: its captions and its errors."""
    errors = [
        f"{name.split(',')[0]} {short_number(float(rows.squares(name)[number]))}" for name in rows.reconstructions()
    ]
    if errors:
        errors[0] = "MSE " + errors[0].removeprefix("output ")
    named = [f"{name} {plain[number]}".strip() for name, plain in rows.captions.items() if plain[number]]
    return " · ".join([*named, *errors])


def _paper(
    rows: "Rows", tall: int, note: str, top: int
) -> tuple[Image.Image, ImageDraw.ImageDraw, list[tuple[int, int]]]:
    """A sheet with its heading and room from `top` on for panels `tall` pixels high, and the corner of each."""
    count, title = len(rows), rows.title
    columns = min(COLUMNS, count)
    across, down = GUTTER + WIDTH + paper.GAP, ABOVE + tall + BELOW * any(rows.values.ends) + paper.GAP
    wide = paper.MARGIN + max(columns * across - paper.GAP + paper.MARGIN, paper.heading_width(title, note))
    image, pen = paper.sheet_of_paper(wide, top + -(-count // columns) * down + paper.MARGIN - paper.GAP)
    paper.heading(pen, title, note, wide)
    places = (divmod(number, columns) for number in range(count))
    return image, pen, [(paper.MARGIN + GUTTER + x * across, top + y * down) for y, x in places]


def _lanes(name: str, row: np.ndarray) -> np.ndarray:
    """A row as (N, lanes, L)."""
    if row.ndim not in (2, 3):
        raise InputError(f"row {name!r} of shape {row.shape}", expected="(N, C, L) or (N, D)", code="input.shape")
    lanes = row[:, None] if row.ndim == 2 else row
    return lanes.astype(np.float32)


def _lost(difference: np.ndarray) -> np.ndarray:
    """The error along the line, shape (N, L): signed for one channel, the root of the mean square for several."""
    return difference[:, 0] if difference.shape[1] == 1 else np.sqrt(np.square(difference).mean(1))


def _top(lost: np.ndarray) -> float:
    return float(np.abs(lost).max())


def _inks(lanes: dict[str, np.ndarray]) -> dict[str, str]:
    others = iter(OTHERS * len(lanes))
    return {name: INKS.get(name) or next(others) for name in lanes}


def _limits(lanes: dict[str, np.ndarray]) -> tuple[float, float]:
    low, high = (
        float(min(v.min() for v in lanes.values())),
        float(max(v.max() for v in lanes.values())),
    )
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _note(rows: "Rows", lanes: dict[str, np.ndarray], lost: np.ndarray | None) -> str:
    first = next(iter(lanes.values()))
    words = [f"{first.shape[2]:,} values each" + (f", upright: {rows.values.unit}" if rows.values.unit else "")]
    if first.shape[1] > LANES:
        words.append(f"the first {LANES} of {first.shape[1]} channels")
    if lost is not None and _top(lost):
        sign = "±" if (lost < 0).any() else ""
        words += [rows.measure(), f"error in the same values, to {sign}{short_number(_top(lost))}"]
    return " · ".join(words)


def _key(pen: ImageDraw.ImageDraw, inks: dict[str, str], y: int) -> None:
    x = paper.MARGIN
    for name, ink in inks.items():
        pen.line((x, y, x + 22, y), fill=ink, width=3)
        text = paper.fitted(name, paper.SMALL, 180)
        paper.write(pen, (x + 30, y), text, paper.SMALL, anchor="lm")
        x += 30 + paper.width_of(text, paper.SMALL) + 2 * paper.GAP


def _scale(pen: ImageDraw.ImageDraw, corner: tuple[int, int], lanes: int, limits: tuple[float, float]) -> None:
    """The highest and the lowest value beside each lane of a panel."""
    x, top = corner
    for y in range(top, top + lanes * LANE, LANE):
        for place, value in ((y + 9, limits[1]), (y + LANE - 9, limits[0])):
            paper.write(pen, (x, place), short_number(float(f"{value:.3g}")), paper.TINY, MUTED, "rm")


def _ends(pen: ImageDraw.ImageDraw, ends: tuple[str, str], corner: tuple[int, int]) -> None:
    """What stands at either end of the line, below a panel."""
    paper.write(pen, (corner[0] + 8, corner[1]), ends[0], paper.TINY, MUTED)
    paper.write(pen, (corner[0] + WIDTH - 8, corner[1]), ends[1], paper.TINY, MUTED, "rs")


def _panel(values: dict[str, np.ndarray], inks: dict[str, str], limits: tuple[float, float]) -> Image.Image:
    lanes = len(next(iter(values.values())))
    image, pen = _large(lanes * LANE)
    low, high = limits
    for lane in range(lanes):
        y = lane * LANE * SMOOTH
        if lane:
            pen.line((0, y, WIDTH * SMOOTH, y), fill=LINE, width=SMOOTH)
        for name, rows in values.items():
            height = (rows[lane] - low) / (high - low)
            _line(pen, list(_points(height, y + 8 * SMOOTH, (LANE - 16) * SMOOTH)), inks[name])
    return _small(image)


def _loss(lost: np.ndarray, top: float, signed: bool) -> Image.Image:
    image, pen = _large(LOSS)
    middle = LOSS * SMOOTH // 2 if signed else (LOSS - 5) * SMOOTH
    height = 0.5 + lost / (2 * top or 1.0) if signed else lost / (top or 1.0)
    pen.line((0, middle, WIDTH * SMOOTH, middle), fill=LINE, width=SMOOTH)
    half = max(1, WIDTH * SMOOTH // (2 * len(lost)) + 1)
    for x, y in _points(height, 5 * SMOOTH, (LOSS - 10) * SMOOTH):
        pen.rectangle((x - half, min(y, middle), x + half, max(y, middle)), fill=RED)
    return _small(image)


def _large(height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (WIDTH * SMOOTH, height * SMOOTH), CARD)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, WIDTH * SMOOTH - 1, height * SMOOTH - 1), outline=LINE, width=SMOOTH)
    return image, pen


def _small(image: Image.Image) -> Image.Image:
    return image.resize((image.width // SMOOTH, image.height // SMOOTH), Image.Resampling.BOX)


def _points(height: np.ndarray, top: float, span: float) -> Iterator[tuple[float, float]]:
    """Values in 0..1 as pixels of a panel; a long line keeps the lowest and the highest of each pixel column."""
    inner = (WIDTH - 20) * SMOOTH
    at = np.linspace(0, 1, len(height)) if len(height) > 1 else np.array([0.5])
    if len(height) > 2 * inner:
        parts = np.array_split(np.arange(len(height)), inner)
        keep = np.unique([i for p in parts for i in (p[height[p].argmin()], p[height[p].argmax()])])
        at, height = at[keep], height[keep]
    yield from zip((10 * SMOOTH + at * inner).tolist(), (top + (1 - height) * span).tolist(), strict=True)


def _line(pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], ink: str) -> None:
    if len(points) > 1:
        pen.line(points, fill=ink, width=round(1.6 * SMOOTH), joint="curve")
        return
    (x, y), r = points[0], 4 * SMOOTH
    pen.ellipse((x - r, y - r, x + r, y + r), fill=ink)
