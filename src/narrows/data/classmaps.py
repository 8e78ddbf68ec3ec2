"""Class maps of hyperspectral scenes: which array is one, what its numbers mean, how its classes are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from narrows.data.scenes import Known
from narrows.errors import InputError, unknown

LABEL_KEYS = ("labels", "gt", "ground_truth", "groundtruth", "y", "map", "anomaly")
UNLABELLED = {"unlabelled", "unlabeled", "background", "undefined", "none", "no data", "unclassified", ""}
CLASS_LIMIT = 1000


def find_labels(
    path: Path, arrays: dict[str, np.ndarray], shape: tuple[int, int], known: Known, label: str | None
) -> tuple[np.ndarray | None, tuple[str, ...], tuple[str, ...]]:
    """The class map (H, W), the names of its classes, and a note on where they come from."""
    named = tuple(str(name) for name in arrays.get("class_names", np.array([], str)).ravel())
    maps = {key: array for key, array in arrays.items() if array.dtype.kind in "fiub" and fits(array, shape)}
    if label is not None and label not in maps:
        raise unknown("class map", label, maps, code="usage.label")
    key = label or min(maps, key=rank, default=None)
    if key is not None and (label or rank(key) < len(LABEL_KEYS) or whole_numbers(maps[key])):
        return name_classes(path, key, maps[key], shape, named, known)
    if "abundance" in arrays and arrays["abundance"].shape[:2] == shape:
        classes = tuple(plain_name(name) for name in named) or numbered(arrays["abundance"].shape[2])
        note = "The class of a pixel is the material with the largest share in it."
        return arrays["abundance"].argmax(2).astype(np.int64), classes, (note,)
    return None, (), ()


def rank(key: str) -> int:
    """Place of an array's name among those that class maps usually have."""
    lowered = key.lower()
    found = (i for i, usual in enumerate(LABEL_KEYS) if lowered == usual or lowered.startswith(f"{usual}_"))
    return next(found, 1 if lowered.endswith("_gt") else len(LABEL_KEYS))


def ground_truth_beside(path: Path) -> Path | None:
    """The file NAME_gt beside a cube, in any case; "_corrected" in the cube's name does not count."""
    wanted = f"{path.stem.lower().removesuffix('_corrected')}_gt"
    kinds = {".mat", ".npy", ".npz", ".tif", ".tiff"}
    found = (
        file for file in sorted(path.parent.iterdir()) if file.stem.lower() == wanted and file.suffix.lower() in kinds
    )
    return next(found, None)


def fits(array: np.ndarray, shape: tuple[int, int]) -> bool:
    """Whether an array has the scene's rows and columns, or a whole multiple of both."""
    if array.ndim != 2:
        return False
    times = array.shape[0] // shape[0]
    return times >= 1 and array.shape == (shape[0] * times, shape[1] * times)


def whole_numbers(array: np.ndarray) -> bool:
    """Whether every value is a whole number that could be a class."""
    return bool(
        np.isfinite(array).all() and (array == np.round(array)).all() and 0 <= array.min() <= array.max() < CLASS_LIMIT
    )


def name_classes(
    path: Path, key: str, drawn: np.ndarray, shape: tuple[int, int], named: tuple[str, ...], known: Known
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """A class map with -1 where nothing is labelled, and names from the file, from what is known, or numbers."""
    if not whole_numbers(drawn):
        raise InputError(
            f"{path.name}: the class map {key!r} has values that are no class",
            expected=f"whole numbers 0..{CLASS_LIMIT - 1}, 0 for unlabelled",
            code="input.labels",
        )
    notes: tuple[str, ...] = ()
    if drawn.shape != shape:
        drawn = coarser(drawn.astype(np.int64), drawn.shape[0] // shape[0])
        notes = (f"The class map {key!r} is finer than the cube: a pixel has a class where 60 % of it has.",)
    top = int(drawn.max())
    if key.lower() in {"anomaly", "map"} and top <= 1:
        return drawn.astype(np.int64), ("background", "anomaly"), notes
    if len(named) == top + 1 and named[0].strip().lower() not in UNLABELLED:
        return drawn.astype(np.int64), tuple(plain_name(name) for name in named), notes
    for names in (named[1:] if named and named[0].strip().lower() in UNLABELLED else named, known.classes):
        if len(names) >= top:
            return drawn.astype(np.int64) - 1, tuple(plain_name(name) for name in names) or numbered(top), notes
    return drawn.astype(np.int64) - 1, numbered(top), notes


def coarser(drawn: np.ndarray, times: int) -> np.ndarray:
    """A class map on a grid `times` coarser: the class of 60 % of a pixel, else 0."""
    rows, columns = drawn.shape[0] // times, drawn.shape[1] // times
    blocks = drawn.reshape(rows, times, columns, times).transpose(0, 2, 1, 3).reshape(rows, columns, times**2)
    counts = np.stack([(blocks == value).sum(2) for value in range(int(drawn.max()) + 1)], 2)
    return np.where(counts.max(2) >= 0.6 * times**2, counts.argmax(2), 0)


def numbered(count: int) -> tuple[str, ...]:
    """Names for classes that have none."""
    return tuple(f"class {number + 1}" for number in range(count))


def plain_name(name: str) -> str:
    """A class name without the number some files put before it ("2-Tree" is "tree")."""
    number, sign, rest = name.partition("-")
    return (rest if sign and number.strip().isdigit() else name).strip().lower()
