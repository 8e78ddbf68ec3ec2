"""What the figures share: matplotlib without its global state, text that is never read as mathematics, whole files."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from narrows.cli.draw.style import INK, LINE, MUTED, PAPER
from narrows.errors import UsageError, missing_extra
from narrows.files import atomic

DPI = 160


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
    return axes.text(x, y, text, **{"parse_math": False, "color": INK, "fontsize": 9, **style})


def calm_axes(axes: Any) -> None:
    """No box and no ticks; a quiet grid, muted numbers."""
    axes.set_facecolor(PAPER)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.grid(True, which="major", axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=9, labelcolor=MUTED, pad=6)


def title_and_labels(axes: Any, title: str, x_label: str, y_label: str) -> None:
    """The title at the left, the name of the upright axis under it, the other below."""
    write(axes, 0, 1.11, title, transform=axes.transAxes, fontsize=13, fontweight="bold", va="bottom")
    write(axes, 0, 1.04, y_label, transform=axes.transAxes, color=MUTED, va="bottom")
    axes.set_xlabel(x_label, color=MUTED, fontsize=9, labelpad=8, parse_math=False)


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
