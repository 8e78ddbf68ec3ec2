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
from narrows.data.classmaps import find_labels, ground_truth_beside
from narrows.data.mat import MOST_PACKED, read_mat
from narrows.data.scenes import Known, known_scene
from narrows.errors import DamagedError, InputError, LimitError, NarrowsError, missing_extra, unknown

WAVELENGTH_KEYS = ("wavelength_um", "wavelength", "wavelengths")
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
    beside = ground_truth_beside(path)
    maps = rest if beside is None else {**read_arrays(beside), **rest}
    labels, classes, notes = find_labels(path, maps, (rows, columns), known, label)
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
    except Exception as error:  # tifffile and zlib raise many kinds
        raise DamagedError(
            f"{path} cannot be read ({error or type(error).__name__})",
            step="Fetch or write it again",
            code="damaged.file",
        ) from None


def read_tiff(path: Path) -> dict[str, np.ndarray]:
    """The bands of a TIFF as (rows, columns, bands), whether they are its pages or the samples of its pixels."""
    try:
        from tifffile import TiffFile
    except ImportError:
        raise missing_extra("tifffile", "tiff", "reading a multi-band TIFF") from None
    # tifffile only logs what is wrong with a cut file and hands over the pages that are left.
    wrong: list[logging.LogRecord] = []
    log = logging.getLogger("tifffile")

    def heard(record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            wrong.append(record)
        return False

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
