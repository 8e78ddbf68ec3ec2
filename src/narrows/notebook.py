"""Small pictures for a notebook: words, curves and objects as one piece of HTML that needs nothing else.

Arrays and numbers in; nothing known of models or training. Everything is drawn in the text colour of the page, so that
it can be read on light and on dark.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite, log10

import numpy as np
from PIL import Image

TILE = 56
"""Side of an object in pixels of the screen."""

STYLES = ("", "stroke-dasharray='4 3'", "stroke-dasharray='1 3'")
"""How the lines of a chart differ: not by colour, which not everybody sees."""


def card(
    title: str,
    facts: Mapping[str, object],
    *,
    rows: Mapping[str, np.ndarray] | None = None,
    curves: Mapping[str, Sequence[float]] | None = None,
    bounds: tuple[float, float] | None = None,
) -> str:
    """One piece of HTML: a title, facts, rows of objects one above the other, and curves.

    Args:
        title: What it is about; any text, escaped here.
        facts: Short words by name.
        rows: Objects (E, *shape) by the name of their row; pictures (C, H, W), series (C, L) or rows of values (D,).
        curves: Values by name, drawn over 1, 2, 3 ... on a logarithmic scale.
        bounds: What black and white stand for in pictures; None takes the smallest and the largest value.

    Example:
        >>> card("a < b", {"error": 0.5})[-62:]
        '><b>a &lt; b</b><div style="opacity:.75">error 0.5</div></div>'
    """
    said = " · ".join(f"{escape(str(name))} {escape(str(value))}".strip() for name, value in facts.items())
    parts = [f'<b>{escape(title)}</b><div style="opacity:.75">{said}</div>']
    if rows:
        parts.append(tiles(rows, bounds))
    if curves and any(curves.values()):
        parts.append(chart(curves))
    return f'<div style="font:13px/1.5 sans-serif;color:inherit;max-width:560px">{"".join(parts)}</div>'


def tiles(rows: Mapping[str, np.ndarray], bounds: tuple[float, float] | None) -> str:
    """Rows of objects as a table, each object a tile."""
    shown = np.concatenate(list(rows.values()))
    low, high = bounds or (float(shown.min()), float(shown.max()))
    lines = []
    for name, objects in rows.items():
        cells = "".join(f'<td style="padding:2px">{tile(x, low, high, name)}</td>' for x in objects)
        head = f'<th style="text-align:left;font-weight:normal;opacity:.75">{escape(name)}</th>'
        lines.append(f'<tr style="background:none">{head}{cells}</tr>')
    return f'<table style="border-collapse:collapse;margin:6px 0">{"".join(lines)}</table>'


def tile(x: np.ndarray, low: float, high: float, name: str) -> str:
    """One object: a picture of 1 or 3 channels as pixels, anything else as a line over its values."""
    share = (x - low) / max(high - low, 1e-12)
    if x.ndim == 3 and x.shape[0] in (1, 3):
        return picture(share, name)
    line = points(np.linspace(0, 1, max(x.shape[-1], 2)), np.resize(share.reshape(-1, x.shape[-1])[0], max(x.size, 2)))
    return (
        f'<svg width="{TILE}" height="{TILE}" viewBox="-.02 -.02 1.04 1.04" role="img" aria-label="{escape(name)}">'
        f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="1.2" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )


def picture(share: np.ndarray, name: str) -> str:
    """A picture (C, H, W) of shares of white as an image that carries its own bytes."""
    levels = (np.moveaxis(share, 0, -1).clip(0, 1) * 255).round().astype(np.uint8)
    data = io.BytesIO()
    Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(data, "PNG")
    code = base64.b64encode(data.getvalue()).decode()
    size = f'width="{TILE}" height="{TILE}" style="image-rendering:pixelated;object-fit:contain"'
    return f'<img alt="{escape(name)}" {size} src="data:image/png;base64,{code}">'


def points(across: np.ndarray, up: np.ndarray) -> str:
    """Places for a polyline from shares of the width and of the height.

    Example:
        >>> points(np.array([0, 1]), np.array([0.25, 1]))
        '0,0.75 1,0'
    """
    return " ".join(f"{x:.4g},{1 - y:.4g}" for x, y in zip(across, up, strict=False))


def chart(curves: Mapping[str, Sequence[float]]) -> str:
    """Curves over their numbers, on a logarithmic scale, each named at its end."""
    logs = {
        name: [log10(value) for value in values if isfinite(value) and value > 0] for name, values in curves.items()
    }
    logs = {name: values for name, values in logs.items() if values}
    everything = [value for values in logs.values() for value in values]
    if not everything:
        return ""
    low, high = min(everything), max(everything)
    wide, tall = 300, 90
    drawn = []
    for style, values in zip(STYLES, logs.values(), strict=False):
        x = np.linspace(0, wide, len(values)) if len(values) > 1 else np.array([wide])
        y = tall * (1 - (np.array(values) - low) / max(high - low, 1e-12))
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        drawn.append(f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="1.5" {style}/>')
    legend = " · ".join(
        f'<svg width="22" height="8" role="presentation"><path d="M0 4H22" stroke="currentColor" {style}/></svg> '
        f"{escape(name)} {10 ** values[-1]:.3g}"
        for style, (name, values) in zip(STYLES, logs.items(), strict=False)
    )
    words = escape(", ".join(f"{name} from {10 ** v[0]:.3g} to {10 ** v[-1]:.3g}" for name, v in logs.items()))
    return (
        f'<svg width="{wide}" height="{tall}" viewBox="-2 -2 {wide + 4} {tall + 4}" role="img" aria-label="{words}">'
        f'<path d="M0 0V{tall}H{wide}" fill="none" stroke="currentColor" opacity=".25"/>{"".join(drawn)}</svg>'
        f"<div>{legend}</div>"
    )
