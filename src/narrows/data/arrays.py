"""Arrays of one's own: .npy and .npz files."""

from __future__ import annotations

import zipfile
import zlib
from math import prod
from pathlib import Path

import numpy as np

from narrows.data.options import refuse_others
from narrows.data.ranges import brought
from narrows.data.splits import carve, part
from narrows.errors import DamagedError, InputError, LimitError, ModelError, unknown
from narrows.storage import Objects, held
from narrows.types import Kind, Layout, Split, Splits

BYTES_LIMIT = 16 << 30
OBJECT_KEYS = ("X_train", "x_train", "X", "x", "data", "train")
LABEL_KEYS = ("y_train", "y", "labels", "label")
TEST_KEYS = ("X_test", "x_test", "test")
VIEWS = ("series", "pixels", "patches")


def load_arrays(
    source: Path | None,
    *,
    seed: int,
    limit: int | None = None,
    view: str = "auto",
    side: int | None = None,
    label: str | None = None,
) -> Splits:
    """Objects of a .npy file (N, ...), or of a .npz file with X or x, y and class_names; X_test keeps its own side.

    Bytes (N, H, W), (N, H, W, 1 or 3) or (N, C, H, W) are pictures, (N, D) a table, (N, C, L) series; `view="series"`
    makes (N, L) series. A .npz file with a `cube` is a hyperspectral scene. The objects of a .npy file that are too
    many for the memory stay on the disk.

    Args:
        source: The file.
        seed: Decides the split.
        limit: Most training objects.
        view: "series", or "pixels" or "patches" of a scene.
        side: Side of a patch of a scene.
        label: Name of the array with the class map of a scene.

    Raises:
        InputError: No objects, no numbers, or training and test objects of different shapes.
        UsageError: A view that does not exist, or a setting that only a scene has.
    """
    assert source is not None
    arrays = read_arrays(source)
    if "cube" in arrays or view in {"pixels", "patches"}:
        from narrows.data.spectra import load_cube

        return load_cube(source, seed=seed, limit=limit, view=view, side=side, label=label)
    refuse_others(source.name, ("view",), {"side": side, "label": label})
    if view not in {"auto", "", *VIEWS}:
        raise unknown("view", view, VIEWS)
    key = pick(arrays, source)
    x, kind = as_objects(arrays[key], source, view)
    names, y = classes_of(arrays, x)
    layout = layout_of(source, x, kind, names, view)
    test_key = next((name for name in TEST_KEYS if name in arrays and name != key), None)
    notes = unused(arrays, {key, test_key, pick_label(arrays, x), "y_test" if test_key else None, "class_names"})
    whole = Split(held(x), y)
    if test_key is None:
        return part(layout, whole, seed=seed, notes=notes).limited(limit)
    test = test_side(arrays, test_key, whole, source, view)
    return carve(layout, whole, test, seed=seed, official=False, notes=notes).limited(limit)


def test_side(arrays: dict[str, np.ndarray], key: str, train: Split, source: Path, view: str) -> Split:
    """The test objects a file has of its own.

    Raises:
        InputError: They differ from the training objects in shape, or in whether they are bytes.
    """
    x = held(as_objects(arrays[key], source, view)[0])
    if (x.shape[1:], x.dtype) != (train.x.shape[1:], train.x.dtype):
        raise InputError(
            f"{source.name}: {key} has objects of shape {x.shape[1:]} and type {x.dtype}",
            expected=f"{train.x.shape[1:]} and {train.x.dtype}, as the training objects",
            step=f"Correct {key} or leave it out",
            code="input.shape",
        )
    return Split(x, numbered(arrays.get("y_test"), arrays.get(pick_label(arrays, train.x) or ""), len(x)))


def unused(arrays: dict[str, np.ndarray], used: set[str | None]) -> tuple[str, ...]:
    """A note on arrays of a file that nothing is done with."""
    left = [name for name in arrays if name not in used]
    return (f"Not used: the array{'s' * (len(left) > 1)} {', '.join(left)}.",) if left else ()


def read_arrays_like(source: Path, *, like: Layout, label: str | None = None) -> Split:
    """Every object of a .npy or .npz file, in the layout of a trained model."""
    arrays = read_arrays(source)
    if "cube" in arrays or (like.kind == "spectrum" and arrays[pick(arrays, source)].ndim == 3):
        from narrows.data.spectra import read_cube

        return read_cube(source, like=like, label=label)
    key = "X_test" if "X_test" in arrays else "x_test" if "x_test" in arrays else pick(arrays, source)
    x, _ = as_objects(arrays[key], source, "series" if like.kind == "series" else "auto")
    if x.shape[1:] != like.shape and x[0].size == like.values:
        x = x.reshape(len(x), *like.shape)
    if x.shape[1:] != like.shape:
        raise ModelError(
            f"{source.name} has objects of shape {x.shape[1:]}", expected=f"{like.shape}, as the model was trained on"
        )
    y = arrays.get("y_test" if "_test" in key else pick_label(arrays, x) or "")
    y = y.astype(np.int64) if y is not None and y.dtype.kind in "iu" and len(y) == len(x) else None
    fitting, notes = brought(held(x), like, likely_bounds(x, source, like))
    return Split(fitting, y, notes=notes)


def likely_bounds(x: np.ndarray, source: Path, like: Layout) -> tuple[float, float] | None:
    """The range of the values of an array: the model's own where they keep within it, though bytes could hold more."""
    found = layout_of(source, x, like.kind, (), "")
    if found.low is None or found.high is None or like.high is None:
        return None
    return None if found.high > like.high >= x.max() else (found.low, found.high)


def read_arrays(source: Path) -> dict[str, np.ndarray]:
    """The arrays of a .npy or .npz file; a .npy's only one is called "X".

    Raises:
        DamagedError: Cut short, or not an array file.
        InputError: Holds Python objects, which only a pickle could restore.
        LimitError: An array of a .npz file, which has to be unpacked, says it is larger than 16 GiB.
    """
    try:
        if source.suffix.lower() == ".npy":
            with source.open("rb") as file:
                check_header(file, source, source.stat().st_size)
            return {"X": np.load(source, mmap_mode="r", allow_pickle=False)}
        with zipfile.ZipFile(source) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            for member in members:
                with archive.open(member) as file:
                    check_header(file, source, member.file_size, BYTES_LIMIT)
        with np.load(source, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, OSError, NotImplementedError) as error:
        if isinstance(error, DamagedError | InputError | LimitError):
            raise
        raise DamagedError(
            f"{source} cannot be read as arrays ({error})", step="Write it again with numpy.save"
        ) from None


def check_header(file, source: Path, size: int, limit: int | None = None) -> None:
    """Compare what the header of an array claims with the bytes there are, before anything is allocated."""
    major, _ = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise InputError(
            f"{source.name} holds Python objects, which only a pickle could restore",
            expected="an array of numbers",
            step="Convert it with array.astype(float) and save it again",
            code="input.pickle",
        )
    wanted = prod(shape) * dtype.itemsize
    if wanted > size:
        raise DamagedError(f"{source.name} says it holds {wanted:,} bytes of values, of {size:,} in all")
    if limit is not None and wanted > limit:
        raise LimitError(
            f"{source.name} holds {wanted:,} bytes",
            expected=f"at most {limit:,}",
            step="Save it as .npy, which is read from the disk as it is needed",
            code="limit.memory",
        )


def pick(arrays: dict[str, np.ndarray], source: Path) -> str:
    """The key that holds the objects: a usual name, else the only array with more than one axis."""
    named = [key for key in OBJECT_KEYS if key in arrays]
    others = [key for key, array in arrays.items() if array.ndim > 1]
    if not named and len(others) != 1:
        raise InputError(
            f"{source.name} has the arrays {', '.join(arrays) or 'none'}",
            expected=f"one named {', '.join(OBJECT_KEYS[:4])}",
            code="input.keys",
        )
    return (named or others)[0]


def pick_label(arrays: dict[str, np.ndarray], x: Objects) -> str | None:
    """The key that holds the classes, if one does."""
    return next((key for key in LABEL_KEYS if key in arrays and arrays[key].shape == (len(x),)), None)


def as_objects(array: np.ndarray, source: Path, view: str) -> tuple[np.ndarray, Kind]:
    """An array as objects (N, *shape), and what they are."""
    if array.dtype.kind not in "buif":
        raise InputError(f"{source.name} has values of type {array.dtype}", expected="real numbers", code="input.type")
    if array.ndim < 2 or 0 in array.shape:
        raise InputError(
            f"{source.name} has shape {array.shape}", expected="objects by values, (N, ...)", code="input.empty"
        )
    is_bytes = array.dtype == np.uint8
    if array.ndim == 4:
        last = array.shape[-1] in (1, 3) and array.shape[1] not in (1, 3)
        return (np.moveaxis(array, -1, 1) if last else array), "image"
    if array.ndim == 3:
        return (array[:, None], "image") if is_bytes else (array, "series")
    if array.ndim == 2:
        return (array[:, None], "series") if view == "series" else (array, "table")
    raise InputError(f"{source.name} has {array.ndim} axes", expected="2 to 4: (N, D), (N, C, L) or (N, C, H, W)")


def classes_of(arrays: dict[str, np.ndarray], x: np.ndarray) -> tuple[tuple[str, ...], np.ndarray | None]:
    """The names of the classes, and the number of each object's."""
    key = pick_label(arrays, x)
    if key is None:
        return (), None
    y = arrays[key]
    if "class_names" in arrays and y.dtype.kind in "iu":
        names = arrays["class_names"]
        if names.ndim != 1 or y.min() < -1 or y.max() >= len(names):
            raise InputError(
                f"class_names has the shape {names.shape}, and {key} goes from {y.min()} to {y.max()}",
                expected="a name for each class number from 0 on, and -1 where there is no class",
                code="input.classes",
            )
        return tuple(str(name) for name in names), y.astype(np.int64)
    values = np.unique(y)
    return tuple(str(value) for value in values), np.searchsorted(values, y).astype(np.int64)


def numbered(y: np.ndarray | None, train_y: np.ndarray | None, count: int) -> np.ndarray | None:
    """The class numbers of test objects, in the order of the training classes; -1 for a class never seen."""
    if y is None or train_y is None or y.shape != (count,):
        return None
    values = np.unique(train_y)
    number = np.searchsorted(values, y).clip(0, len(values) - 1)
    return np.where(values[number] == y, number, -1).astype(np.int64)


def layout_of(source: Path, x: np.ndarray, kind: Kind, names: tuple[str, ...], view: str) -> Layout:
    """The layout of objects (N, *shape): bytes are bounded, and so are pictures of 0..1."""
    low = high = None
    if x.dtype == np.uint8:
        low, high = 0.0, 255.0
    elif kind == "image" and x.min() >= 0 and x.max() <= 1:
        low, high = 0.0, 1.0
    chosen = view if view == "series" else ""
    return Layout(source.stem, kind, x.shape[1:], names, low=low, high=high, view=chosen)
