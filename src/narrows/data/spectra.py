"""Hyperspectral scenes as objects: one spectrum a pixel, or patches of neighbouring pixels.

    cube (H, W, D) -> blocks of pixels -> each block to training, validation or test -> spectra (N, D)
                                                                                     or patches (N, D, side, side)

Neighbouring pixels look alike, so whole blocks change sides, never single pixels, and a patch that would reach
into another side is left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from narrows.data.cubes import Scene, read_scene
from narrows.data.plane import block_size, part_of_pixels, take_patches, take_pixels, windows
from narrows.data.scenes import Known, known_scene
from narrows.data.splits import apart
from narrows.errors import InputError, LimitError, ModelError, UsageError, unknown
from narrows.storage import as_float32
from narrows.types import Layout, Split, Splits

VIEWS = ("pixels", "patches")
BLOCK = 8
SIDE = 9
VALUE_LIMIT = 1 << 29


def scene(source: Path, label: str | None = None) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """A whole scene, for a protocol of one's own.

    Args:
        source: A .mat, .npy, .npz or TIFF file, its class map inside or beside it as NAME_gt.
        label: Name of the array with the class map, where there are several.

    Returns:
        The cube (H, W, D) float32; class numbers (H, W) int64 with -1 for unlabelled, or None; the class names.

    Raises:
        InputError: No cube in it.
    """
    found = read_scene(Path(source), label=label)
    return as_float32(found.cube), found.labels, found.classes


def load_cube(
    source: Path | None,
    *,
    seed: int = 0,
    limit: int | None = None,
    view: str = "auto",
    side: int | None = None,
    label: str | None = None,
    known: Known | None = None,
) -> Splits:
    """A hyperspectral cube as spectra of pixels (D,) or as patches (D, side, side), parted by blocks.

    Unlabelled pixels take part (class -1): an autoencoder learns without classes, a map colours those that have
    one. `where` counts from 0: "row 3, column 7" is cube[3, 7].

    Args:
        source: A .mat, .npy, .npz or TIFF file.
        seed: Decides which block goes where.
        limit: Most training objects.
        view: "pixels" or "patches"; "auto" is pixels, or patches where `side` is given.
        side: Side of a patch in pixels, 9 unless given.
        label: Name of the array with the class map, where there are several.
        known: What is known of the scene; found by the file's name where not given.

    Raises:
        InputError: No cube, values that are missing, or too few pixels to part.
        UsageError: A view that does not exist, or a side larger than the scene.

    References:
        Pavia University and Centre: ROSIS scenes provided by Paolo Gamba, University of Pavia; Samson and Jasper
        Ridge: Feiyun Zhu, arXiv 1708.05125
    """
    assert source is not None
    if view in {"auto", ""}:
        view = "patches" if side else "pixels"
    if view not in VIEWS:
        raise unknown("view", view, VIEWS)
    if view == "pixels" and side:
        raise UsageError(f"data.side={side} with view=pixels", step="Use --set data.view=patches", code="usage.side")
    known = known or known_scene(source.stem) or Known()
    whole = without_empty_bands(read_scene(source, known, label))
    make = pixels if view == "pixels" else patches
    return make(whole, known, seed=seed, limit=limit, side=side or SIDE)


def read_cube(source: Path, *, like: Layout, label: str | None = None) -> Split:
    """Every pixel or patch of a cube, in the layout of a trained model.

    Bands are found by name; where the names differ but their number fits, they are taken in order.

    Raises:
        ModelError: Other bands than the model's, or a scene smaller than its patches.
    """
    whole = match_bands(read_scene(source, label=label), like.columns or (), like.shape[0])
    labels = None if whole.labels is None else renumber(whole, like)
    usable = usable_pixels(whole)
    if len(like.shape) == 1:
        return take_pixels(whole.cube, labels, np.argwhere(usable))
    side = like.shape[-1]
    if min(usable.shape) < side:
        raise ModelError(f"a scene of {usable.shape} pixels", expected=f"at least {side} x {side}", code="model.shape")
    corners = np.argwhere(windows(usable, side).all((2, 3)))
    check_values(len(corners), like.values)
    return take_patches(whole.cube, labels, corners, side)


def match_bands(whole: Scene, wanted: tuple[str, ...], count: int) -> Scene:
    """The scene with the bands a model knows."""
    if set(wanted) <= set(whole.columns) and wanted:
        index = [whole.columns.index(name) for name in wanted]
        return Scene(whole.name, whole.cube[:, :, index], whole.labels, whole.classes, wanted)
    if len(whole.columns) == count:
        return whole
    raise ModelError(
        f"{whole.name} has {len(whole.columns)} bands", expected=f"the {count} bands of the model", code="model.shape"
    )


def renumber(whole: Scene, like: Layout) -> np.ndarray:
    """The class map in the model's numbers, by name; -1 for classes it does not know."""
    assert whole.labels is not None
    table = [like.classes.index(name) if name in like.classes else -1 for name in whole.classes]
    return np.array([*table, -1], np.int64)[whole.labels]


def without_empty_bands(whole: Scene) -> Scene:
    """The scene without bands that hold nothing: all NaN, or one value everywhere (such as water absorption)."""
    if whole.cube.shape[0] * whole.cube.shape[1] < 2:
        raise InputError(
            f"{whole.name} is a single pixel", expected="at least ten, to train and to judge", code="input.few"
        )
    real = np.where(np.isfinite(whole.cube), whole.cube, np.nan) if whole.cube.dtype.kind == "f" else whole.cube
    low, high = np.fmin.reduce(real, (0, 1)), np.fmax.reduce(real, (0, 1))
    full = high > low
    if not full.any():
        raise InputError(
            f"{whole.name} has one value everywhere", step="Check how it was written", code="input.constant"
        )
    if full.all():
        return whole
    gone = [name for name, kept in zip(whole.columns, full, strict=True) if not kept]
    shown = ", ".join(gone[:8]) + (" ..." if len(gone) > 8 else "")
    note = f"{len(gone)} bands that hold nothing (one value, or none) are left out: {shown}."
    columns = tuple(name for name, kept in zip(whole.columns, full, strict=True) if kept)
    return Scene(whole.name, whole.cube[:, :, full], whole.labels, whole.classes, columns, (*whole.notes, note))


def usable_pixels(whole: Scene) -> np.ndarray:
    """True (H, W) where a pixel holds a spectrum; False where all its bands are NaN or one value (no data).

    Raises:
        InputError: A pixel where only some bands are missing.
    """
    missing: np.ndarray = ~np.isfinite(whole.cube)
    empty = np.asarray(missing.all(2))
    partly = missing & ~empty[:, :, None]
    if partly.any():
        row, column, band = np.argwhere(partly)[0].tolist()
        place = f"row {row}, column {column}, {whole.columns[band]}"
        raise InputError(
            f"{whole.name}: no number at {place}, and {np.count_nonzero(partly) - 1:,} more",
            expected="numbers everywhere",
            step="Remove those bands or fill the gaps first",
            code="input.nan",
        )
    return ~empty & (whole.cube.max(2) > whole.cube.min(2))


def pixels(whole: Scene, known: Known, *, seed: int, limit: int | None, side: int) -> Splits:
    """The scene as one object a pixel; a pixel that equals one of a part before is left out."""
    usable = usable_pixels(whole)
    rows, columns = usable.shape
    block = block_size(rows, columns, BLOCK, 1)
    rng = np.random.default_rng(seed)
    sides = part_of_pixels(whole.labels, usable, block, rng)
    train, valid, test = (
        take_pixels(whole.cube, whole.labels, rng.permutation(np.argwhere(sides == number))) for number in range(3)
    )
    check_parts(whole, (train, valid, test))
    (train, valid, test), repeated = apart(train, valid, test, what="pixels")
    notes = (*whole.notes, *notes_on(usable), f"Parted by blocks of about {block} x {block} pixels.", *repeated)
    check_parts(whole, (train, valid, test))
    shape = (whole.cube.shape[2],)
    layout = Layout(whole.name, "spectrum", shape, whole.classes, whole.columns, known.units, view="pixels")
    return Splits(layout, train, valid, test, (*notes, *absent(whole, train, test))).limited(limit)


def patches(whole: Scene, known: Known, *, seed: int, limit: int | None, side: int) -> Splits:
    """The scene as one object a neighbourhood; the class is that of the middle pixel."""
    usable = usable_pixels(whole)
    if side > min(usable.shape):
        raise UsageError(f"data.side={side}", expected=f"at most {min(usable.shape)}, the scene's shorter side")
    rows, columns = usable.shape
    block, rng = block_size(rows, columns, max(BLOCK, 2 * side), side + 1), np.random.default_rng(seed)
    sides = windows(part_of_pixels(whole.labels, usable, block, rng), side)
    inside = np.where(sides.min((2, 3)) == sides.max((2, 3)), sides[:, :, 0, 0], -1)
    values = whole.cube.shape[2] * side**2
    step = next(
        s for s in range(1, 1 + max(usable.shape)) if (inside[::s, ::s] >= 0).sum() * values <= VALUE_LIMIT or s >= side
    )
    corners = [rng.permutation(np.argwhere(inside[::step, ::step] == number) * step) for number in range(3)]
    corners[0] = corners[0][:limit]
    check_values(sum(len(found) for found in corners), values)
    parts = (take_patches(whole.cube, whole.labels, found, side) for found in corners)
    (train, valid, test), repeated = apart(*parts, what="patches")
    check_parts(whole, (train, valid, test))
    lost = f"{(inside < 0).sum()} patches that reach into another side are left out."
    note = f"Parted by blocks of about {block} x {block} pixels; {lost}"
    thinned = (f"One patch in {step} is taken, both down and across.",) if step > 1 else ()
    shape = (whole.cube.shape[2], side, side)
    layout = Layout(whole.name, "image", shape, whole.classes, whole.columns, known.units, view="patches")
    notes = (*whole.notes, *notes_on(usable), note, *thinned, *repeated, *absent(whole, train, test))
    return Splits(layout, train, valid, test, notes)


def notes_on(usable: np.ndarray) -> tuple[str, ...]:
    """A note on pixels without data."""
    lost = int((~usable).sum())
    return (f"{lost} pixels hold no data and are left out.",) if lost else ()


def absent(whole: Scene, train: Split, test: Split) -> tuple[str, ...]:
    """A note on classes that only one of training and test has."""
    if train.y is None or test.y is None or whole.labels is None:
        return ()
    present = np.unique(whole.labels[whole.labels >= 0])
    lost = [whole.classes[number] for number in np.setdiff1d(present, test.y)]
    return (f"No test objects of: {', '.join(lost)}.",) if lost else ()


def check_parts(whole: Scene, parts: tuple[Split, ...]) -> None:
    """Refuse a scene of which a part has no objects."""
    if not all(len(part) for part in parts):
        sizes = ", ".join(str(len(part)) for part in parts)
        raise InputError(
            f"{whole.name} of {whole.cube.shape[0]} x {whole.cube.shape[1]} pixels parts into {sizes} objects",
            expected="some for training, validation and test",
            step="Give a larger scene or a smaller data.side",
            code="input.few",
        )


def check_values(count: int, values: int) -> None:
    """Refuse more patches than memory should hold."""
    if count * values > 4 * VALUE_LIMIT:
        raise LimitError(
            f"{count:,} patches of {values:,} values",
            expected=f"at most {4 * VALUE_LIMIT:,} values",
            step="Use a smaller data.side or set data.limit",
            code="limit.memory",
        )
