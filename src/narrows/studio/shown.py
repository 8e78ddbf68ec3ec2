"""The shown set: the objects of a run that the page draws, in an order that is fixed when the run begins.

Their places in that order are the numbers the page knows them by. The order begins with one object of each class and
goes on stratified, so that any first part of it is a fair sample.

    about.json   what the objects are, how many, the model's graph; written last
    objects.bin  (N, *shape): uint8 as stored, else float16 in the network's units
    labels.bin   int16 (N,): class numbers, -1 where unknown
    where.json   where each object comes from, or null
    scene.png    the scene they are pixels of, if they are
"""

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.scaling import Scaling
from narrows.files import write_atomic, write_json
from narrows.types import Layout, Split, Splits

MOST, MOST_BYTES = 100_000, 256_000_000
"""Objects and bytes of a shown set at most."""

SAMPLE, EXAMPLES = 5_000, 12
"""Objects placed anew in each frame while a model learns, at most; objects whose output is shown all the time."""

ABOUT, OBJECTS, LABELS, WHERE = "about.json", "objects.bin", "labels.bin", "where.json"
SCENE = "scene.png"


@dataclass(frozen=True, eq=False)
class Shown:
    """The objects a run shows.

    Args:
        layout: What one object is.
        split: The objects as stored, in the fixed order.
        scaling: How raw values become the network's.
    """

    layout: Layout
    split: Split
    scaling: Scaling

    def __len__(self) -> int:
        return len(self.split)

    @property
    def stored(self) -> bool:
        """Whether the page gets the objects as they are stored, in bytes."""
        return self.split.x.dtype == np.uint8

    def objects(self, count: int | None = None) -> np.ndarray:
        """The first objects as the page gets them: uint8 as stored, else float16 in the network's units."""
        raw = np.asarray(self.split.x[: len(self) if count is None else count])
        return raw if self.stored else half(self.scaling.apply(raw))

    def labels(self) -> np.ndarray:
        """Class numbers (N,), -1 where unknown."""
        known = self.split.y
        return np.full(len(self), -1, "<i2") if known is None else known.astype("<i2")

    def where(self) -> list[str] | None:
        """Where each object comes from, or None."""
        return None if self.split.where is None else [str(place) for place in self.split.where]


def half(x: np.ndarray) -> np.ndarray:
    """Values as float16; what is too large for it becomes the largest number it has.

    Example:
        >>> half(np.array([0.5, 1e9])).tolist()
        [0.5, 65504.0]
    """
    most = float(np.finfo(np.float16).max)
    return x.clip(-most, most).astype("<f2")


def shown(data: Splits, scaling: Scaling) -> Shown:
    """The shown set of some data: test objects, or those to validate by where there are none.

    Example:
        >>> from narrows.data import load
        >>> from narrows.data.scaling import fit_scaling
        >>> data = load("digits")
        >>> objects = shown(data, fit_scaling(data.train.x, data.layout))
        >>> len(objects), objects.labels()[:12].tolist()
        (359, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3, 0])
    """
    split = data.test if len(data.test) else data.valid
    size = prod(data.layout.shape) * (1 if split.x.dtype == np.uint8 else 2)
    y = np.full(len(split), -1) if split.y is None else split.y
    return Shown(data.layout, split.take(stratified(y)[: min(MOST, MOST_BYTES // size)]), scaling)


def stratified(y: np.ndarray, seed: int = 0) -> np.ndarray:
    """An order (N,) of objects of classes y (N,): first one of each class, then each by the root of its size.

    A rare class is seen early and yet takes no part it has not: each first part holds the classes in proportion to
    the square roots of their sizes, until the smaller ones are used up.

    Example:
        >>> y = np.repeat([0, 1], [90, 10])
        >>> order = stratified(y)
        >>> y[order][:8].tolist(), sorted(order.tolist()) == list(range(100))
        ([0, 1, 0, 0, 0, 1, 0, 0], True)
    """
    rng, turn = np.random.default_rng(seed), np.empty(len(y))
    for number in np.unique(y):
        members = np.flatnonzero(y == number)
        turn[members] = rng.permutation(len(members)) / np.sqrt(len(members))
    # Objects without a class come after those of a class in each round.
    return np.lexsort((np.where(y < 0, np.iinfo(np.int64).max, y), turn))


def write_shown(folder: Path, chosen: Shown, about: dict[str, Any], scene: bytes | None = None) -> None:
    """Write a shown set, `about` last: whoever finds that finds all.

    Args:
        folder: Where; made if it is not there.
        chosen: The objects.
        about: What else the page has to know, beside what `facts` says.
        scene: The picture of the scene, as `scene_of` gives it.
    """
    write_atomic(folder / OBJECTS, chosen.objects().tobytes())
    write_atomic(folder / LABELS, chosen.labels().tobytes())
    write_atomic(folder / WHERE, json.dumps(chosen.where(), ensure_ascii=False))
    if scene is not None:
        write_atomic(folder / SCENE, scene)
    write_about(folder, chosen, about)


def write_about(folder: Path, chosen: Shown, about: dict[str, Any]) -> None:
    """Write about.json anew."""
    write_json(folder / ABOUT, {**facts(chosen), "baseline": None, **about})


def facts(chosen: Shown) -> dict[str, Any]:
    """What about.json says of the objects themselves."""
    layout = chosen.layout
    stored = {"count": len(chosen), "dtype": "uint8" if chosen.stored else "float16", "shape": layout.shape}
    bounds = {"classes": layout.classes, "low": layout.low, "high": layout.high}
    return {"layout": layout.as_dict(), "classes": layout.classes, "objects": stored | bounds}
