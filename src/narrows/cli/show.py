"""Which objects of a model are drawn, in which values and under which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from narrows.cli import draw
from narrows.train.checkpoint import Saved
from narrows.types import Layout, Split

MOST_PICTURES, MOST_OTHERS = 96, 24
MEASURES = {
    "unit": "values scaled to 0..1",
    "minmax": "each column scaled to 0..1 over the training objects",
    "standard": "values scaled to mean 0 and variance 1 over the training objects",
    "none": "values as they are",
}
UNNAMED = ("value", "feature")


def most(layout: Layout) -> int:
    """Most objects of a sheet."""
    return MOST_PICTURES if layout.kind == "image" else MOST_OTHERS


def chosen(split: Split, count: int) -> np.ndarray:
    """The numbers of `count` objects to show: as many of each class as there are, those without one last, each spread.

    Example:
        >>> chosen(Split(np.zeros((6, 1)), np.array([0, 0, 0, 0, 1, -1])), 4).tolist()
        [0, 3, 4, 5]
    """
    labels = np.zeros(len(split), int) if split.y is None else split.y
    members = [np.flatnonzero(labels == k) for k in sorted(np.unique(labels).tolist(), key=lambda k: (k < 0, k))]
    if len(members) > count:
        members = [members[k] for k in evenly(len(members), count)]
    shares, given = [0] * len(members), -1
    while given < sum(shares) < count:
        given = sum(shares)
        for k, group in enumerate(members):
            shares[k] += sum(shares) < count and shares[k] < len(group)
    return np.concatenate([group[evenly(len(group), n)] for group, n in zip(members, shares, strict=True)])


def evenly(count: int, wanted: int) -> np.ndarray:
    """At most `wanted` of `count` numbers, from the first to the last, in equal steps."""
    return np.unique(np.linspace(0, count - 1, min(wanted, count)).round().astype(int))


def values_of(saved: Saved, *, scaled: bool) -> draw.Values:
    """What the values of a model's objects are, to draw them as they were; `scaled`: they are given as it sees them."""
    layout = saved.layout
    given = draw.Values(
        low=layout.low,
        high=layout.high,
        unit="" if layout.units in UNNAMED else layout.units,
        columns=layout.columns,
        ends=ends_of(layout),
        measure=MEASURES[saved.scaling.kind],
    )
    return replace(given, original=saved.scaling.undo) if scaled else given


def ends_of(layout: Layout) -> tuple[str, str]:
    """What stands at the left and the right end of a line: a column, a time, or the number of a sample."""
    if layout.kind == "table" or len(layout.shape) == 3:
        return "", ""
    length = layout.shape[-1]
    if len(layout.columns) == length:
        return layout.columns[0], layout.columns[-1]
    if layout.rate:
        return "0 s", f"{(length - 1) / layout.rate:.3g} s"
    return "sample 0", f"sample {length - 1}"


def sheet(
    saved: Saved,
    rows: dict[str, np.ndarray],
    out: Path,
    words: Mapping[str, Sequence[str]],
    title: str,
    *,
    scaled: bool = True,
) -> None:
    """Draw rows of objects, given as the model sees them or as they were."""
    values = values_of(saved, scaled=scaled)
    draw.reconstruction_sheet(rows, out, kind=saved.layout.kind, values=values, captions=words, title=title)


def captions(saved: Saved, split: Split, shown: np.ndarray) -> dict[str, list[str]]:
    """The number and the class of each object shown."""
    words = {"object": [str(number) for number in shown.tolist()]}
    if split.y is not None and saved.layout.classes:
        words["class"] = [saved.layout.classes[label] if label >= 0 else "" for label in split.y[shown]]
    return words


def title_of(saved: Saved, split: Split, shown: np.ndarray) -> str:
    """What is seen: the data, the size of the code, and which of the objects."""
    words = f"{saved.layout.name} through {size_of(saved)} numbers"
    if len(shown) == len(split):
        return f"{words}: {len(split)} objects"
    spread = "spread over the classes" if "class" in captions(saved, split, shown) else "evenly spread"
    return f"{words}: {len(shown)} of {len(split):,} objects, {spread}"


def size_of(saved: Saved) -> int:
    """Numbers of a code."""
    return int(np.prod(saved.model.code_shape))


def new_objects(saved: Saved, made: np.ndarray, out: Path, title: str) -> None:
    """Draw raw objects that came out of codes, spread over all of them where they are many."""
    shown = evenly(len(made), most(saved.layout))
    said = title if len(shown) == len(made) else f"{title}: {len(shown)} of {len(made):,}"
    words = {"object": [str(number) for number in shown.tolist()]}
    sheet(saved, {"": made[shown]}, out, words, said, scaled=False)


def way(saved: Saved, made: np.ndarray, ends: tuple[int, int], real: np.ndarray, out: Path) -> None:
    """Draw raw objects on the way between two real ones (2, *shape), which stand at either end."""
    shown = evenly(len(made), most(saved.layout))
    words = {
        "object": [f"{ends[0]} (real)", *[""] * len(shown), f"{ends[1]} (real)"],
        "step": ["", *(str(number) for number in shown.tolist()), ""],
    }
    rows = {"": np.concatenate([real[:1], made[shown], real[1:]])}
    title = f"{saved.layout.name}: from object {ends[0]} to object {ends[1]} in {len(made)} steps"
    sheet(saved, rows, out, words, title, scaled=False)


def tips(saved: Saved, split: Split, numbers: np.ndarray | None) -> draw.Tips:
    """What a page shows of each object under the pointer."""
    kind = "pictures" if len(saved.layout.shape) == 3 else "rows" if saved.layout.kind == "table" else "lines"
    origins = None if split.where is None else [str(word) for word in split.where]
    return draw.Tips(numbers, origins, values=values_of(saved, scaled=False), **{kind: np.asarray(split.x)})
