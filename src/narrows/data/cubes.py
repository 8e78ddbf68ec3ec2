"""Files of hyperspectral cubes: MATLAB, .npy, .npz and multi-band TIFF, with their class maps and band names.

file -> its arrays by name -> the cube (H, W, D), the class map (H, W), what the bands are called
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from narrows.data import arrays as plain
from narrows.data.scenes import Known, known_scene
from narrows.errors import DamagedError, InputError, LimitError, NarrowsError, missing_extra, unknown

LABEL_KEYS = ("labels", "gt", "ground_truth", "groundtruth", "y", "map", "anomaly")
WAVELENGTH_KEYS = ("wavelength_um", "wavelength", "wavelengths")
UNLABELLED = {"unlabelled", "unlabeled", "background", "undefined", "none", "no data", "unclassified", ""}
MOST_PACKED = 1100  # deflate cannot pack better than about 1,030 to 1
CLASS_LIMIT = 1000
VALUE_LIMIT = 1 << 30


@dataclass(frozen=True, eq=False)
class Scene:
    """A hyperspectral scene as its file has it.

    Args:
        name: Stem of the file.
        cube: Values, shape (H, W, D), in the type of the file.
        labels: Class numbers (H, W), int64, -1 where unlabelled; None without a class map.
        classes: Name of each class number.
        columns: Name of each band, D of them.
        notes: What had to be decided on the way.
    """

    name: str
    cube: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_scene(path: Path, known: Known | None = None, label: str | None = None) -> Scene:
    """The scene in a file; its class map may lie in the same file or beside it as NAME_gt.

    The axes are rows, columns, bands, except in a TIFF whose pages are the bands.

    Args:
        path: A .mat, .npy, .npz, .tif or .tiff file.
        known: What is known of the scene beforehand; found by the file's name where not given.
        label: Name of the array that holds the class map, where the file has several.

    Raises:
        InputError: No cube in it, or of a kind that cannot be read.
        DamagedError: Cut short.
        LimitError: More than 2^30 values.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file", step="Check the path", code="input.missing")
    known = known or known_scene(path.stem) or Known()
    arrays = read_arrays(path)
    name, cube = find_cube(path, arrays)
    rows, columns, bands = cube.shape
    rest = {key: array for key, array in arrays.items() if key != name}
    labels, classes, notes = find_labels(path, rest, (rows, columns), known, label)
    notes = (f"{path.name}: {rows} rows x {columns} columns x {bands} bands.", *notes)
    return Scene(path.stem, cube, labels, classes, band_names(rest, known, bands), notes)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The numbers in a file by name; a file without names has one array, "cube".

    Raises:
        DamagedError: Whatever the reader of that format says of a file it cannot make out.
    """
    if path.suffix.lower() not in READERS:
        raise unknown("kind of cube", path.suffix, READERS, code="input.kind")
    try:
        return READERS[path.suffix.lower()](path)
    except NarrowsError:
        raise
    except Exception as error:  # scipy, tifffile and zlib raise many kinds
        raise DamagedError(
            f"{path} cannot be read ({error or type(error).__name__})",
            step="Fetch or write it again",
            code="damaged.file",
        ) from None


def read_mat(path: Path) -> dict[str, np.ndarray]:
    """The numeric variables of a MATLAB file, versions 4 to 7."""
    from scipy.io import loadmat, whosmat

    with path.open("rb") as file:
        head = file.read(520)
    if head.startswith(b"MATLAB 7.3") or b"\x89HDF\r\n\x1a\n" in head:
        raise InputError(
            f"{path.name} is a MATLAB 7.3 file, which is HDF5 and needs the package h5py",
            expected="version 7 or older",
            step="Save it in MATLAB with save(name, '-v7'), or convert it with h5py to .npy",
            code="input.hdf5",
        )
    shapes = {name: shape for name, shape, kind in whosmat(path) if kind in MAT_KINDS and len(shape) in {2, 3}}
    for shape in shapes.values():
        check_claim(path, prod(shape))
    found = loadmat(path, variable_names=list(shapes)) if shapes else {}
    return {name: found[name] for name in shapes if isinstance(found.get(name), np.ndarray)}


MAT_KINDS = {"double", "single", "logical", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}


def read_tiff(path: Path) -> dict[str, np.ndarray]:
    """The bands of a TIFF as (rows, columns, bands), whether they are its pages or the samples of its pixels."""
    try:
        from tifffile import TiffFile
    except ImportError:
        raise missing_extra("tifffile", "tiff", "reading a multi-band TIFF") from None
    # tifffile only logs what is wrong with a cut file and hands over the pages that are left.
    wrong: list[logging.LogRecord] = []
    log = logging.getLogger("tifffile")
    heard = lambda record: record.levelno < logging.ERROR or wrong.append(record) is not None  # noqa: E731
    log.addFilter(heard)
    try:
        with TiffFile(path) as file:
            series = file.series[0]
            check_claim(path, prod(series.shape))
            cube, pages_first = series.asarray(), series.axes[-2:] == "YX"
    finally:
        log.removeFilter(heard)
    if wrong:
        raise ValueError(wrong[0].getMessage())
    return {"cube": np.moveaxis(cube, 0, -1) if cube.ndim == 3 and pages_first else cube}


def check_claim(path: Path, values: int) -> None:
    """Refuse an array of more values than the limit, or than the file can hold however well it is packed."""
    if values > VALUE_LIMIT:
        raise LimitError(
            f"{path.name} holds {values:,} values",
            expected=f"limit {VALUE_LIMIT:,}",
            step="Cut out a part of the scene",
            code="limit.memory",
        )
    if values > MOST_PACKED * path.stat().st_size:
        raise ValueError(f"it claims {values:,} values, more than its {path.stat().st_size:,} bytes can hold")


READERS = {
    ".mat": read_mat,
    ".npz": plain.read_arrays,
    ".npy": lambda path: {"cube": plain.read_arrays(path)["X"]},
    ".tif": read_tiff,
    ".tiff": read_tiff,
}


def find_cube(path: Path, arrays: dict[str, np.ndarray]) -> tuple[str, np.ndarray]:
    """The array that is the cube: the one called "cube", else the largest with three axes."""
    deep = {key: a for key, a in arrays.items() if a.ndim == 3 and a.dtype.kind in "fiu" and min(a.shape) > 0}
    flat = unfold_matrix(arrays) if not deep else None
    if flat is not None:
        return flat
    if not deep:
        held = ", ".join(f"{key} {a.shape}" for key, a in list(arrays.items())[:8]) or "no numbers"
        raise InputError(
            f"{path.name} has no cube: it holds {held}",
            expected="one array of (rows, columns, bands)",
            code="input.cube",
        )
    name = "cube" if "cube" in deep else max(deep, key=lambda key: deep[key].size)
    if deep[name].shape[2] < 2:
        raise InputError(f"{path.name} has one band", expected="at least two bands", code="input.cube")
    check_claim(path, deep[name].size)
    return name, deep[name]


def unfold_matrix(arrays: dict[str, np.ndarray]) -> tuple[str, np.ndarray] | None:
    """The cube of a file that has (bands, pixels) with nRow and nCol, pixels running down the columns as in MATLAB."""
    if not {"nRow", "nCol"} <= arrays.keys():
        return None
    rows, columns = (int(arrays[key].ravel()[0]) for key in ("nRow", "nCol"))
    fits = (k for k, a in arrays.items() if a.ndim == 2 and a.shape[1] == rows * columns > 0 and a.dtype.kind in "fiu")
    name = next(fits, None)
    return None if name is None else (name, arrays[name].reshape(-1, columns, rows).transpose(2, 1, 0))


def find_labels(
    path: Path, arrays: dict[str, np.ndarray], shape: tuple[int, int], known: Known, label: str | None
) -> tuple[np.ndarray | None, tuple[str, ...], tuple[str, ...]]:
    """The class map (H, W), the names of its classes, and a note on where they come from."""
    beside = ground_truth_beside(path)
    if beside is not None:
        arrays = {**read_arrays(beside), **arrays}
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
    notes = ()
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


def band_names(arrays: dict[str, np.ndarray], known: Known, bands: int) -> tuple[str, ...]:
    """What the bands are called: by wavelength where it is known, else by their number."""
    found = next((arrays[key].ravel() for key in WAVELENGTH_KEYS if key in arrays and arrays[key].size == bands), None)
    if found is None and known.micrometres and known.bands == bands:
        found = np.linspace(*known.micrometres, bands)
    if found is not None:
        scale = 1000 if found.max() > 100 else 1  # nanometres
        return tuple(f"{value / scale:.3f} µm" for value in found)
    numbers = arrays["bands"].ravel() if "bands" in arrays and arrays["bands"].size == bands else range(1, bands + 1)
    return tuple(f"band {int(number)}" for number in numbers)
