"""What passes between the floors: objects with their classes, their layout, and where a value lies.

Letters for shapes, the same everywhere: N objects in a set, B in a batch, C channels, H height, W width,
L length of a series, D values of one object, F features, K numbers of a code.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from narrows.storage import Objects, Rows

Kind = Literal["image", "series", "table", "spectrum", "sound"]


@dataclass(frozen=True, eq=False)
class Split:
    """Some objects and, where known, their classes.

    Args:
        x: The objects as stored, shape (N, *shape), uint8 or float32: images (N, C, H, W), series (N, C, L),
            tables and spectra (N, D). An array, or rows that stay on the disk because they are too many.
        y: Class numbers, shape (N,), int64; -1 where an object has no class. None where nothing is known.
        where: Where each object comes from (a file name, "row 3, column 7", a time), shape (N,), or None.
        notes: What a reader had to do to fit them to a model, a sentence each.
    """

    x: Objects
    y: np.ndarray | None = None
    where: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.x)

    def take(self, index: np.ndarray | slice) -> "Split":
        """The objects at `index`, with their classes and origins."""
        pick = lambda a: None if a is None else a[index]  # noqa: E731
        x = self.x.take(index) if isinstance(self.x, Rows) else self.x[index]
        return Split(x, pick(self.y), pick(self.where), self.notes)


@dataclass(frozen=True)
class Layout:
    """What one object is: the part of a data set that a trained model must remember. Plain JSON both ways.

    Args:
        name: Name of the data set or of the file.
        kind: What the objects are.
        shape: Shape of one object: (C, H, W), (C, L) or (D,).
        classes: Name of each class number.
        columns: Names along the last axis (columns of a table, bands of a spectrum), or empty.
        units: Unit of one value ("grey level 0..255", "reflectance"), for labels.
        low: Smallest value possible, None where unbounded.
        high: Largest value possible, None where unbounded.
        vocabulary: For a table, the values of each text column that was spread into 0/1 columns.
        rate: Samples a second, for sound; 0 where it has no meaning.
        view: How a source was cut into objects ("pixels", "patches", "frames" ...), or "".
        fill: For a table, what a missing value of each column becomes; empty where gaps are refused.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    units: str = ""
    low: float | None = None
    high: float | None = None
    vocabulary: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rate: float = 0.0
    view: str = ""
    fill: tuple[float, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The layout as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Layout":
        """The layout written by `as_dict`, with lists turned back into tuples."""
        vocabulary = {name: tuple(words) for name, words in values.get("vocabulary", {}).items()}
        tuples: dict[str, Any] = {
            key: tuple(values[key]) for key in ("shape", "classes", "columns", "fill") if key in values
        }
        return cls(**{**values, **tuples, "vocabulary": vocabulary})

    @property
    def values(self) -> int:
        """Number of values of one object, D."""
        return int(np.prod(self.shape))


@dataclass(frozen=True, eq=False)
class Splits:
    """A data set, parted so that nothing of the training objects is found in the others.

    Args:
        layout: What one object is.
        train: The objects to learn from.
        valid: The objects that decide when to stop.
        test: The objects that judge; never looked at before.
        notes: What the loader had to do, a sentence each ("3 duplicate rows were kept on one side").
    """

    layout: Layout
    train: Split
    valid: Split
    test: Split
    notes: tuple[str, ...] = ()

    def limited(self, count: int | None) -> "Splits":
        """The same with at most `count` training objects: the first ones, as the loader shuffled them."""
        return self if count is None else replace(self, train=self.train.take(slice(count)))
