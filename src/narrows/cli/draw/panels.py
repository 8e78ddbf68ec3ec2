"""Lines of series, spectra and rows of tables: input and output on top of each other, what was lost beneath."""

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw

from narrows.cli.draw import paper
from narrows.cli.draw.style import CARD, GREY, INK, LINE, MUTED, RED, VIOLET, short_number
from narrows.errors import InputError, LimitError

COLUMNS, WIDTH, LANE, LOSS, MOST, LANES = 3, 400, 132, 48, 24, 3
SMOOTH = 3
INKS = {"input": INK, "target": INK, "clean": INK, "corrupted": GREY, "output": VIOLET}
OTHERS = ("#197945", "#a59307", "#1e9fae", "#832601")


def panel_sheet(
    rows: dict[str, np.ndarray],
    *,
    target: np.ndarray,
    errors: dict[str, np.ndarray],
    captions: Sequence[str],
    title: str | None,
    stems: bool,
    measure: str = "",
) -> Image.Image:
    """One panel an object: its lines (or, for a table, its columns as stems), and the error of the last row below.

    Args:
        rows: Row name to objects, shape (N, C, L) or (N, D).
        target: What reconstructions are held against, one of the rows, or empty.
        errors: Mean squared error of each object, by name of the reconstruction, shape (N,).
        captions: A few words above each panel, or empty.
        title: A line above all.
        stems: Draw a mark for each value and none between them: the columns of a table have no order.
        measure: On what scale the errors are.
    """
    lanes = {name: _lanes(name, row) for name, row in rows.items()}
    count = len(next(iter(lanes.values())))
    if count > MOST:
        raise LimitError(f"{count} objects as lines on a sheet", expected=f"limit {MOST}", code="limit.objects")
    inks, made = _inks(lanes), next(iter(errors), None)
    lost = _lost(lanes[made], _lanes(made, target)) if made else None
    top_loss = float(np.abs(lost).max()) if lost is not None else 0.0
    shown = min(next(iter(lanes.values())).shape[1], LANES)
    signed = lost is None or shown == 1
    note = " · ".join([_note(lanes, shown, stems), *_loss_note(top_loss, signed, measure)])
    image, pen, corners = _paper(count, shown * LANE + (LOSS if made else 0), title, note)
    _key(pen, {**inks, **({"error": RED} if made else {})}, corners[0][1] - 26)
    for number, (x, y) in enumerate(corners):
        words = _words(number, captions, errors)
        paper.write(pen, (x, y + 18), paper.fitted(words, paper.SMALL, WIDTH), paper.SMALL, MUTED)
        drawing = _panel({n: v[number, :shown] for n, v in lanes.items()}, inks, _limits(lanes), stems)
        image.paste(drawing, (x, y + 26))
        if lost is not None:
            image.paste(_loss(lost[number], top_loss, stems, signed), (x, y + 26 + drawing.height))
    return image


def _paper(
    count: int, tall: int, title: str | None, note: str
) -> tuple[Image.Image, ImageDraw.ImageDraw, list[tuple[int, int]]]:
    """A sheet with its heading for `count` panels `tall` pixels high, and the upper left corner of each."""
    columns, height = min(COLUMNS, count), tall + 2 * paper.GAP + 34
    wide = max(2 * paper.MARGIN + columns * (WIDTH + 2 * paper.GAP) - 2 * paper.GAP, 480)
    top = paper.heading_height(title, note) + 30
    image, pen = paper.sheet_of_paper(wide, top + -(-count // columns) * height + paper.MARGIN)
    paper.heading(pen, title, note, wide)
    places = (divmod(number, columns) for number in range(count))
    return image, pen, [(paper.MARGIN + x * (WIDTH + 2 * paper.GAP), top + y * height) for y, x in places]


def _lanes(name: str, row: np.ndarray) -> np.ndarray:
    """A row as (N, lanes, L)."""
    if row.ndim not in (2, 3):
        raise InputError(f"row {name!r} of shape {row.shape}", expected="(N, C, L) or (N, D)", code="input.shape")
    lanes = row[:, None] if row.ndim == 2 else row
    return lanes.astype(np.float32)


def _lost(made: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The error along the line, shape (N, L): signed for one channel, the root of the mean square for several."""
    difference = made - target
    return difference[:, 0] if difference.shape[1] == 1 else np.sqrt(np.square(difference).mean(1))


def _inks(lanes: dict[str, np.ndarray]) -> dict[str, str]:
    others = iter(OTHERS * len(lanes))
    return {name: INKS.get(name) or next(others) for name in lanes}


def _limits(lanes: dict[str, np.ndarray]) -> tuple[float, float]:
    low, high = (
        float(min(v.min() for v in lanes.values())),
        float(max(v.max() for v in lanes.values())),
    )
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _note(lanes: dict[str, np.ndarray], shown: int, stems: bool) -> str:
    first = next(iter(lanes.values()))
    low, high = _limits(lanes)
    words = [
        f"{first.shape[2]:,} {'columns' if stems else 'values'} each, from {short_number(low)} to {short_number(high)}"
    ]
    if first.shape[1] > shown:
        words.append(f"channels 1 to {shown} of {first.shape[1]}")
    return " · ".join(words)


def _loss_note(top: float, signed: bool, measure: str) -> list[str]:
    return [f"error panel to {'±' if signed else ''}{short_number(top)}", measure] if top else []


def _words(number: int, captions: Sequence[str], errors: dict[str, np.ndarray]) -> str:
    numbers = [f"{name} {short_number(float(v[number]))}" for name, v in errors.items()]
    measure = ["MSE " + numbers[0].removeprefix("output ")] if len(numbers) == 1 else numbers
    return " · ".join([*([captions[number]] if captions else []), *measure])


def _key(pen: ImageDraw.ImageDraw, inks: dict[str, str], y: int) -> None:
    x = paper.MARGIN
    for name, ink in inks.items():
        pen.line((x, y, x + 22, y), fill=ink, width=3)
        text = paper.fitted(name, paper.SMALL, 180)
        paper.write(pen, (x + 30, y), text, paper.SMALL, anchor="lm")
        x += 30 + paper.width_of(text, paper.SMALL) + 2 * paper.GAP


def _panel(
    values: dict[str, np.ndarray], inks: dict[str, str], limits: tuple[float, float], stems: bool
) -> Image.Image:
    lanes = len(next(iter(values.values())))
    image, pen = _large(lanes * LANE)
    low, high = limits
    for lane in range(lanes):
        y = lane * LANE * SMOOTH
        if lane:
            pen.line((0, y, WIDTH * SMOOTH, y), fill=LINE, width=SMOOTH)
        for order, (name, rows) in enumerate(values.items()):
            height = (rows[lane] - low) / (high - low)
            points = list(_points(height, y + 8 * SMOOTH, (LANE - 16) * SMOOTH))
            (_marks if stems else _line)(pen, points, inks[name], order)
    return _small(image)


def _loss(lost: np.ndarray, top: float, stems: bool, signed: bool) -> Image.Image:
    image, pen = _large(LOSS)
    middle = LOSS * SMOOTH // 2 if signed else (LOSS - 5) * SMOOTH
    height = 0.5 + lost / (2 * top or 1.0) if signed else lost / (top or 1.0)
    pen.line((0, middle, WIDTH * SMOOTH, middle), fill=LINE, width=SMOOTH)
    for x, y in _points(height, 5 * SMOOTH, (LOSS - 10) * SMOOTH):
        half = SMOOTH if stems else max(1, WIDTH * SMOOTH // (2 * len(lost)) + 1)
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


def _line(pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], ink: str, order: int) -> None:
    if len(points) == 1:
        _marks(pen, points, ink, order)
    else:
        pen.line(points, fill=ink, width=round(1.6 * SMOOTH), joint="curve")


def _marks(pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], ink: str, order: int) -> None:
    for x, y in points:
        r = 4 * SMOOTH - order * SMOOTH // 2
        pen.ellipse((x - r, y - r, x + r, y + r), outline=ink, fill=None if order == 0 else ink, width=SMOOTH + 2)
