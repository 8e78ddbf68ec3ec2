"""The latent map: one dot an object, coloured by class, with the numbers that say how far to trust it."""

import base64
import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from narrows.cli.draw import figure
from narrows.cli.draw.apart import spread_heaps
from narrows.cli.draw.plot_map import plot_map
from narrows.cli.draw.style import UNLABELLED, ClassStyle, class_styles, plain, short_number
from narrows.cli.draw.tip import Tips, packed
from narrows.errors import InputError, LimitError
from narrows.files import write_atomic

MOST_DOTS = 500_000
HEAPS = "dots of one place are spread around it"

# What a number beside the map says, found by a word of its name.
MEANINGS: dict[str, str] = {
    "whole code": "the same among whole codes, not on the map",
    "knn": "share of dots whose neighbours have their class",
    "trust": "1: near on the map is near among the objects",
    "contin": "1: near among the objects is near on the map",
    "silhouette": "1: classes apart, 0: touching, less: mixed",
    "mse": "mean squared error of the outputs",
    "psnr": "likeness of the outputs in decibels",
    "probe": "share of classes a straight line finds",
    "explained": "share of the spread that is on the map",
}


@dataclass(frozen=True, eq=False)
class Scene:
    """What a map shows, checked.

    Args:
        points: Place of each dot, shape (N, 2), float32.
        labels: Class of each dot, -1 for none, shape (N,).
        classes: Names of the classes that have a dot.
        counts: Dots of each class, one more at the end for dots without one.
        styles: Colour and shape of each class.
        title: A line above all.
        axis_names: Name of either axis.
        numbers: Name, value as text and meaning of each number beside the map.
        note: What was done to the dots, or "".
    """

    points: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    styles: tuple[ClassStyle, ...]
    title: str
    axis_names: tuple[str, str]
    numbers: tuple[tuple[str, str, str], ...]
    note: str = ""

    def description(self) -> str:
        """The map in one sentence, for those who do not see it."""
        named = sorted(zip(self.counts, self.classes, strict=False), reverse=True)
        words = [f"{name} ({n:,})" for n, name in named[:12]]
        more = [f"{len(named) - 12} more"] if len(named) > 12 else []
        none = [f"without a class ({self.counts[-1]:,})"] if self.counts[-1] and named else []
        listed = f": {', '.join([*words, *more, *none])}" if named else ""
        values = "".join(f"; {name} {value}" for name, value, _ in self.numbers)
        return f"Map of {len(self.points):,} objects as dots{listed}{values}."


def latent_map(
    points: np.ndarray,
    labels: np.ndarray | None,
    classes: Sequence[str],
    path: str | os.PathLike[str],
    *,
    title: str,
    numbers: Mapping[str, str | float] | None = None,
    axis_names: tuple[str, str] = ("first number of the code", "second number of the code"),
    tips: Tips | None = None,
) -> Path:
    """Draw a map of objects: PNG, SVG, or one HTML file that needs nothing else.

    Args:
        points: Place of each object, shape (N, 2).
        labels: Class numbers, shape (N,), -1 where there is none; None where nothing is known.
        classes: Name of each class number; may be any text.
        path: File to write, ending in .png, .svg or .html.
        title: A line above all.
        numbers: Measures beside the map, by name ("kNN accuracy": 0.91).
        axis_names: Name of either axis.
        tips: What is shown of each object under the pointer (HTML).

    Raises:
        InputError: No points, places that are not finite, or lists of different lengths.
        LimitError: More than 500,000 dots in an HTML file.
        UsageError: Another suffix.
        EnvironmentProblem: PNG and SVG need matplotlib, and it is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     target = Path(folder) / "map.html"
        ...     latent_map(np.eye(2), np.array([0, 1]), ["asphalt", "trees"], target, title="Two").name
        'map.html'
    """
    suffix = figure.suffix_of(path, (".png", ".svg", ".html"))
    scene = _scene(points, labels, classes, title, numbers or {}, axis_names)
    tips = tips or Tips()
    tips.check(len(scene.points))
    places, moved = spread_heaps(scene.points, scene.labels)
    scene = replace(scene, points=places, note=HEAPS if moved else "")
    if suffix != ".html":
        return plot_map(scene, path)
    if len(scene.points) > MOST_DOTS:
        raise LimitError(
            f"{len(scene.points):,} dots in a page",
            expected=f"limit {MOST_DOTS:,}",
            step="Draw a sample, or a .png",
            code="limit.points",
        )
    return write_atomic(path, page(scene, tips))


def page(scene: Scene, tips: Tips) -> str:
    """The HTML page of a map, whole."""
    folder = files("narrows.cli.draw")
    template, script, style = ((folder / f"map.{kind}").read_text("utf-8") for kind in ("html", "js", "css"))
    parts = {
        "TITLE": html.escape(plain(scene.title, 120)),
        "DESCRIPTION": html.escape(scene.description()),
        "STYLE_HASH": _digest(style),
        "SCRIPT_HASH": _digest(script),
        "STYLE": style,
        "DATA": _inert(_data(scene, tips)),
        "SCRIPT": script,
    }
    # One pass from left to right: what a name contains is never taken for a mark of the template.
    pieces = template.split("@@")
    return "".join(parts[piece] if number % 2 else piece for number, piece in enumerate(pieces))


def _scene(
    points: np.ndarray,
    labels: np.ndarray | None,
    classes: Sequence[str],
    title: str,
    numbers: Mapping[str, str | float],
    axis_names: tuple[str, str],
) -> Scene:
    places = _places(points)
    given = _classes_of(places, labels, len(classes))
    present = [k for k in range(len(classes)) if (given == k).any()]
    order = np.full(len(classes) + 1, -1)
    order[present] = np.arange(len(present))
    compact = np.where(given < 0, -1, order[given])
    styles = class_styles([plain(name, 80) for name in classes])
    return Scene(
        points=places.astype(np.float32),
        labels=compact,
        classes=tuple(plain(classes[k], 80) or f"class {k}" for k in present),
        counts=tuple(int((compact == k).sum()) for k in [*range(len(present)), -1]),
        styles=tuple(styles[k] for k in present),
        title=plain(title, 120),
        axis_names=(plain(axis_names[0]), plain(axis_names[1])),
        numbers=tuple((plain(name), short_number(value), _meaning(name)) for name, value in numbers.items()),
    )


def _places(points: np.ndarray) -> np.ndarray:
    """The points, checked: (N, 2), finite, at least one."""
    places = np.asarray(points)
    if places.ndim != 2 or places.shape[1] != 2 or not len(places):
        raise InputError(f"points of shape {places.shape}", expected="(N, 2), N at least 1", code="input.shape")
    if places.dtype.kind not in "fiu" or not np.isfinite(places).all() or np.abs(places).max() > 1e30:
        bad = int((~np.isfinite(places.astype(float))).any(1).sum()) if places.dtype.kind in "fiu" else len(places)
        raise InputError(
            f"{bad or 1:,} of {len(places):,} points are not finite numbers",
            expected="a place for each object",
            step="Look for NaN in the codes",
            code="input.nan",
        )
    return places


def _classes_of(places: np.ndarray, labels: np.ndarray | None, classes: int) -> np.ndarray:
    """The class number of each place (N,), checked: below `classes`, -1 where there is none."""
    given = np.full(len(places), -1) if labels is None else np.asarray(labels)
    if given.shape != (len(places),) or given.dtype.kind not in "iu":
        raise InputError(
            f"labels of shape {given.shape} and type {given.dtype}",
            expected=f"{len(places):,} whole numbers",
            code="input.shape",
        )
    if given.max() >= classes:
        raise InputError(
            f"class number {int(given.max())}", expected=f"below {classes}, the number of names", code="input.class"
        )
    return np.where(given < 0, -1, given).astype(np.int64)


def _meaning(name: str) -> str:
    return next((meaning for word, meaning in MEANINGS.items() if word in name.lower()), "")


def _data(scene: Scene, tips: Tips) -> dict[str, Any]:
    none = len(scene.classes)
    labels = np.where(scene.labels < 0, none, scene.labels)
    wide = none > 255
    groups = [
        {"name": name, "count": n, "light": s.light, "dark": s.dark, "shape": s.shape}
        for name, n, s in zip(scene.classes, scene.counts, scene.styles, strict=False)
    ]
    plainly = {"light": UNLABELLED[0], "dark": UNLABELLED[1], "shape": "circle", "none": True}
    groups.append({"name": "without a class" if none else "objects", "count": scene.counts[-1], **plainly})
    if not none:
        groups[-1] |= {"light": "#6b3fb0", "dark": "#b79cf0", "none": False}
    return {
        "count": len(scene.points),
        "axes": scene.axis_names,
        "note": scene.note,
        "groups": groups,
        "numbers": scene.numbers,
        "points": packed(scene.points.astype("<f4")),
        "labels": packed(labels.astype("<u2" if wide else "u1")),
        "wide": wide,
        **tips.data(),
    }


def _inert(data: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in."""
    written = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode("ascii")
