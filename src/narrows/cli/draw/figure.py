"""What the figures share: matplotlib without its global state, text that is never read as mathematics, whole files."""

import atexit
import os
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from narrows.cli.draw.style import INK, LINE, MUTED, PAPER
from narrows.errors import UsageError, missing_extra
from narrows.files import atomic

DPI = 160
# Inches from the edges to the title and the frame.
MARGIN = 0.24


def new_figure(width: float, height: float, purpose: str) -> Any:
    """An empty matplotlib figure on paper, in inches.

    Raises:
        EnvironmentProblem: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("matplotlib", "plot", purpose) from error
    return Figure(figsize=(width, height), dpi=DPI, facecolor=PAPER)


@cache
def typefaces() -> tuple[str, ...]:
    """The typeface of the sheets, made known to matplotlib, and matplotlib's own for letters that it lacks."""
    from matplotlib import font_manager
    from PIL import ImageFont

    own = "DejaVu Sans"
    face = ImageFont.load_default(16)
    if not isinstance(face, ImageFont.FreeTypeFont) or not hasattr(face.path, "getvalue"):
        return (own,)
    folder = TemporaryDirectory(prefix="narrows-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "face.ttf"
    path.write_bytes(face.path.getvalue())
    font_manager.fontManager.addfont(path)
    return (str(face.getname()[0]), own)


def suffix_of(path: str | os.PathLike[str], choices: Sequence[str]) -> str:
    """The suffix of a name, one of `choices`.

    Raises:
        UsageError: Another suffix, or none.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in choices:
        raise UsageError(
            f"a picture named {Path(path).name!r}",
            expected=f"a name ending in {', '.join(choices)}",
            step=f"Write {Path(path).stem + choices[0]!r}",
            code="usage.suffix",
        )
    return suffix


def save_figure(figure: Any, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG or SVG, the same bytes for the same figure, whole or not at all."""
    import matplotlib as mpl

    suffix = suffix_of(path, (".png", ".svg"))
    stamp = {"Date": None, "Creator": None} if suffix == ".svg" else {"Software": None}
    # Names in a script that the font lacks are drawn as boxes; that is no reason to warn.
    with warnings.catch_warnings(), mpl.rc_context({"svg.hashsalt": "narrows"}), atomic(path) as temporary:
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(temporary, format=suffix[1:], metadata=stamp, facecolor=PAPER)
    return Path(path)


def write(axes: Any, x: float, y: float, text: str, **style: Any) -> Any:
    """Set a text as it is: a dollar sign stays a dollar sign."""
    return axes.text(x, y, text, **{"parse_math": False, "color": INK, "fontsize": 9, "family": typefaces(), **style})


def calm_axes(axes: Any) -> None:
    """No box and no ticks; a quiet grid, muted numbers."""
    axes.set_facecolor(PAPER)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.grid(True, which="major", axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=9, labelcolor=MUTED, pad=6, labelfontfamily=typefaces())


def frame(page: Any, left: float, top: float, right: float, bottom: float) -> Any:
    """Axes with so many inches free at each side of a figure."""
    width, height = page.get_size_inches()
    return page.add_axes((left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height))


def title_and_labels(page: Any, axes: Any, title: str, x_label: str, y_label: str) -> None:
    """The title at the upper left corner, the name of the upright axis above the axes, the other below."""
    width, height = page.get_size_inches()
    write(page, MARGIN / width, 1 - MARGIN / height, title, fontsize=13, va="top")
    write(page, MARGIN / width, 1 - (MARGIN + 0.33) / height, y_label, color=MUTED, va="top")
    axes.set_xlabel(x_label, color=MUTED, fontsize=9, labelpad=8, parse_math=False, family=typefaces())


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places of labels moved as little as needed to stand `gap` apart, in the same order, within low..high.

    Example:
        >>> spread([0.5, 0.5, 0.9], 0.1, 0, 1)
        [0.5, 0.6, 0.9]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    floor = low
    for i in order:
        moved[i] = floor = max(places[i], floor)
        floor += gap
    ceiling = high
    for i in reversed(order):
        moved[i] = ceiling = min(moved[i], ceiling)
        ceiling -= gap
    return [round(place, 6) for place in moved]
