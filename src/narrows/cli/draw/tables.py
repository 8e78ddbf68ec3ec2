"""Rows of tables as tables: each column by its name, what went in, what came out, and what it adds to the error."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from narrows.cli.draw import paper
from narrows.cli.draw.panels import words_of
from narrows.cli.draw.style import INK, LINE, MUTED, RED, short_number
from narrows.cli.draw.values import Field, fields_of
from narrows.errors import LimitError

if TYPE_CHECKING:
    from narrows.cli.draw.sheet import Rows

MOST, ENTRIES = 26, 40
# Pixels: the narrowest and widest column of names, and of values; the bars; a line; what stands above the lines; the
# gap between cards; the widest row of them.
NAMES, VALUES, BAR, LINE_HEIGHT, HEAD, BETWEEN, WIDEST = (90, 220), (66, 110), 80, 21, 52, 40, 1840


class Entry(NamedTuple):
    """One line of every card: a column, what each row says, and what it adds to each object's error (N,)."""

    field: Field
    texts: dict[str, list[str]]
    added: np.ndarray


class Card(NamedTuple):
    """What all cards of a sheet share: the lines, the widths of names, of a value and of all, the longest bar."""

    entries: list[Entry]
    names: int
    value: int
    wide: int
    top: float


def table_sheet(rows: "Rows") -> Image.Image:
    """One card an object: a line a column, the values of each row, and a bar of what the column adds to the MSE."""
    if len(rows) > MOST:
        raise LimitError(f"{len(rows)} objects as tables on a sheet", expected=f"limit {MOST}", code="limit.objects")
    entries, left = _entries(rows)
    card = _measured(rows, entries)
    tall, note = HEAD + LINE_HEIGHT * len(entries), _note(rows, left, card.top)
    columns = min(len(rows), max(1, (WIDEST + BETWEEN) // (card.wide + BETWEEN)))
    bands, first = -(-len(rows) // columns), paper.heading_height(rows.title, note)
    across = columns * (card.wide + BETWEEN) - BETWEEN
    width = paper.MARGIN + max(across + paper.MARGIN, paper.heading_width(rows.title, note))
    image, pen = paper.sheet_of_paper(width, first + bands * (tall + BETWEEN) - BETWEEN + paper.MARGIN)
    paper.heading(pen, rows.title, note, width)
    for number in range(len(rows)):
        y, x = divmod(number, columns)
        corner = (paper.MARGIN + x * (card.wide + BETWEEN), first + y * (tall + BETWEEN))
        _draw_card(pen, rows, card, number, corner)
    return image


def _measured(rows: "Rows", entries: list[Entry]) -> Card:
    """A card wide enough for its names and for what stands above it."""
    names = max(paper.width_of(entry.field.name, paper.SMALL) for entry in entries) + 10
    texts = [text for entry in entries for texts in entry.texts.values() for text in texts]
    value = min(max(max(paper.width_of(text, paper.SMALL) for text in set(texts)) + 14, VALUES[0]), VALUES[1])
    values = value * len(rows.drawn) + BAR * bool(rows.reconstructions())
    above = max(paper.width_of(words_of(rows, number), paper.SMALL) for number in range(len(rows)))
    names = min(max(names, NAMES[0], above - values), NAMES[1])
    return Card(entries, names, value, names + values, max(float(entry.added.max()) for entry in entries))


def _entries(rows: "Rows") -> tuple[list[Entry], int]:
    """The lines to draw, those that matter most where there are many, and how many are left out."""
    width = next(iter(rows.drawn.values())).shape[1]
    fields, made = fields_of(rows.values, width), next(iter(rows.reconstructions()), None)
    squares = np.square(rows.losses(made)) / width if made else np.zeros((len(rows), width))
    added = [squares[:, list(field.at)].sum(1) for field in fields]
    chosen = sorted(sorted(range(len(fields)), key=lambda i: -float(added[i].mean()))[:ENTRIES])
    entries = [
        Entry(fields[i], {name: fields[i].texts(row) for name, row in rows.drawn.items()}, added[i]) for i in chosen
    ]
    return entries, len(fields) - len(chosen)


def _note(rows: "Rows", left: int, top: float) -> str:
    words = [rows.measure()] if rows.measure() else []
    if top:
        words.append(f"bar: what a column adds to that of the output, the longest {short_number(top)}")
    if left:
        words.append(f"{left:,} more columns{' of smaller error' if top else ''} are left out")
    return " · ".join(words)


def _draw_card(pen: ImageDraw.ImageDraw, rows: "Rows", card: Card, number: int, corner: tuple[int, int]) -> None:
    x, y = corner
    bars = x + card.wide - BAR + 16
    paper.write(pen, (x, y + 16), paper.fitted(words_of(rows, number), paper.SMALL, card.wide), paper.SMALL)
    for place, name in enumerate(rows.drawn, 1):
        head = paper.fitted(name.split(",")[0], paper.SMALL, card.value - 8)
        paper.write(pen, (x + card.names + place * card.value, y + 40), head, paper.SMALL, MUTED, "rs")
    if card.top:
        paper.write(pen, (bars, y + 40), "error", paper.SMALL, MUTED)
    pen.line((x, y + 47, x + card.wide, y + 47), fill=LINE)
    for line, entry in enumerate(card.entries):
        top = y + HEAD + line * LINE_HEIGHT
        name = paper.fitted(entry.field.name, paper.SMALL, card.names - 8)
        paper.write(pen, (x, top + LINE_HEIGHT - 6), name, paper.SMALL, MUTED)
        _draw_texts(pen, rows, entry, number, (x + card.names, top + LINE_HEIGHT - 6), card.value)
        length = round((BAR - 16) * float(entry.added[number]) / card.top) if card.top else 0
        if length:
            pen.rectangle((bars, top + 7, bars + length - 1, top + LINE_HEIGHT - 7), fill=RED)


def _draw_texts(
    pen: ImageDraw.ImageDraw, rows: "Rows", entry: Entry, number: int, corner: tuple[int, int], value: int
) -> None:
    """The values of one line, right-aligned; a word that came out as another is red."""
    right = entry.texts[rows.target][number] if rows.target else ""
    for place, (name, texts) in enumerate(entry.texts.items(), 1):
        wrong = bool(entry.field.words) and name in rows.reconstructions() and texts[number] != right
        text = paper.fitted(texts[number], paper.SMALL, value - 8)
        paper.write(pen, (corner[0] + place * value, corner[1]), text, paper.SMALL, RED if wrong else INK, "rs")
