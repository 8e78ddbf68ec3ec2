"""The studio's paper, ink and colours, and how classes are told apart: by colour, then by shape."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isnan

PAPER, CARD, INK, MUTED, LINE = "#fcfbf8", "#ffffff", "#1c2127", "#666b73", "#e3e0d8"
VIOLET, RED, GREY = "#6b3fb0", "#b3261e", "#8b9098"

# Ten (on light, on dark) pairs. Found by a search that keeps the look's hues, holds 3:1 against either paper and
# spreads the smallest OKLab distance for normal, protanope and deuteranope eyes (Machado et al., 2009).
PALETTE: tuple[tuple[str, str], ...] = (
    ("#173dac", "#3971ee"),
    ("#a59307", "#fcc613"),
    ("#cf2700", "#ff7f1d"),
    ("#1e9fae", "#9bebb0"),
    ("#197945", "#54b976"),
    ("#f05589", "#f399c0"),
    ("#831be7", "#a78bff"),
    ("#8180e5", "#67caff"),
    ("#832601", "#b56309"),
    ("#6a587e", "#908998"),
)

UNLABELLED = ("#cfccc4", "#3d434b")
SHAPES = ("circle", "square", "triangle", "diamond", "cross", "plus", "down")

# Words of land-cover names and their natural colours; the first word found decides.
NATURAL: dict[str, tuple[str, str]] = {
    "shadow": ("#4b3f8f", "#8d84d8"),
    "metal": ("#1f8fd0", "#5cc0f5"),
    "bitumen": ("#17181c", "#f2f0ea"),
    "asphalt": ("#878c95", "#9aa0aa"),
    "road": ("#878c95", "#9aa0aa"),
    "street": ("#878c95", "#9aa0aa"),
    "highway": ("#5f646d", "#c3c7ce"),
    "railway": ("#6b4f6b", "#c39ac3"),
    "parking": ("#a08fa0", "#b8a8c0"),
    "concrete": ("#9a9488", "#c9c3b6"),
    "gravel": ("#c09a5b", "#dcb877"),
    "sand": ("#b8963c", "#ecd58a"),
    "brick": ("#d0432f", "#f0705a"),
    "tile": ("#e07a2c", "#f59a50"),
    "roof": ("#c4553f", "#e57a62"),
    "building": ("#c4553f", "#e57a62"),
    "residential": ("#c4553f", "#e57a62"),
    "commercial": ("#9c3f8f", "#d07cc4"),
    "meadow": ("#5cab2e", "#8fd95a"),
    "grass": ("#5cab2e", "#8fd95a"),
    "lawn": ("#5cab2e", "#8fd95a"),
    "tree": ("#0f5c34", "#2f9a63"),
    "forest": ("#0f5c34", "#2f9a63"),
    "wood": ("#0f5c34", "#2f9a63"),
    "vegetation": ("#3c8a3f", "#68b86b"),
    "crop": ("#9aa51c", "#cfd84f"),
    "soil": ("#7d4f22", "#b9834d"),
    "dirt": ("#7d4f22", "#b9834d"),
    "earth": ("#7d4f22", "#b9834d"),
    "rock": ("#75695c", "#a89a8a"),
    "water": ("#1f5fbf", "#5b93ea"),
    "river": ("#1f5fbf", "#5b93ea"),
    "sea": ("#1f5fbf", "#5b93ea"),
}


@dataclass(frozen=True)
class ClassStyle:
    """How one class is drawn: its colour on light paper, on dark paper, and the shape of its dots."""

    light: str
    dark: str
    shape: str


def class_styles(names: Sequence[str]) -> list[ClassStyle]:
    """A colour and a shape for each class: natural colours for land cover, else the palette.

    The first ten classes differ by colour, each further ten by the shape of the dot as well. Natural colours are
    taken where at least half of the names are land cover; the other names get what is left of the palette.

    Args:
        names: Names of the classes.

    Example:
        >>> [s.shape for s in class_styles([str(n) for n in range(12)])][9:]
        ['circle', 'square', 'square']
        >>> class_styles(["asphalt", "meadows"])[1].light
        '#5cab2e'
    """
    natural = [_natural(name) for name in names]
    if 2 * sum(pair is not None for pair in natural) < len(names) or len(names) < 2:
        natural = [None] * len(names)
    used: dict[tuple[str, str], int] = {}
    styles, nth = [], 0
    for pair in natural:
        colours = pair or PALETTE[nth % len(PALETTE)]
        nth += pair is None
        again = used.get(colours, 0)
        used[colours] = again + 1
        styles.append(ClassStyle(*colours, SHAPES[again % len(SHAPES)]))
    return styles


def plain(text: object, limit: int = 60) -> str:
    """Text that is safe to draw on one line: no control or direction characters, cut with an ellipsis.

    Example:
        >>> plain("two\\nlines\\u202e and more", limit=12)
        'two lines a…'
    """
    spaced = re.sub(r"\s+", " ", str(text))
    clean = "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co")).strip()
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def short_number(value: float | str) -> str:
    """A number as the studio writes it: three digits that matter, no leading zero before the point.

    Example:
        >>> [short_number(v) for v in (0.8831, 12.34, 12345, 0.00042, 4.2e-7, 3, -0.25)]
        ['.883', '12.3', '12,345', '.00042', '4.2e-7', '3', '-.250']
    """
    if isinstance(value, str):
        return plain(value, 24)
    if not isfinite(value):
        return "not a number" if isnan(value) else "∞" if value > 0 else "-∞"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size < 1e-5:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    digits = (
        1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4 if size >= 0.001 else 5 if size >= 1e-4 else 6
    )
    written = f"{value:.{digits}f}"
    return written.replace("0.", ".", 1) if size < 1 and written.lstrip("-").startswith("0.") else written


def _natural(name: str) -> tuple[str, str] | None:
    words = re.findall(r"[a-z]+", name.lower())
    found = (pair for word, pair in NATURAL.items() if any(w in (word, word + "s", word + "es") for w in words))
    return next(found, None)
