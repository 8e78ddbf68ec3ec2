"""Pictures: handwritten digits, Fashion-MNIST, and folders of one's own."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from narrows.data.idx import read_idx
from narrows.data.ranges import brought
from narrows.data.splits import carve, part
from narrows.errors import DamagedError, InputError, LimitError, ModelError, UsageError, counted, unknown
from narrows.types import Layout, Split, Splits

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif"}
PIXEL_LIMIT = 100_000_000
SIDE_LIMIT = 30_000
VALUE_LIMIT = 4 << 30

DIGITS = tuple("0123456789")
FASHION = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def load_digits(source: Path | None, *, seed: int) -> Splits:
    """The 1,797 handwritten digits of 8 x 8 pixels that scikit-learn ships, in 17 steps of grey.

    References:
        Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), https://doi.org/10.24432/C50P49
    """
    from sklearn.datasets import load_digits as shipped

    x, y = shipped(return_X_y=True)
    layout = Layout("digits", "image", (1, 8, 8), DIGITS, units="grey level 0..16", low=0, high=16)
    return part(layout, Split(x.reshape(-1, 1, 8, 8).astype(np.uint8), y.astype(np.int64)), seed=seed)


def load_idx_set(source: Path | None, *, name: str, seed: int) -> Splits:
    """MNIST or Fashion-MNIST from the folder of its four idx files; the official test objects stay the test objects."""
    assert source is not None
    parts = {}
    for half, stem in (("train", "train"), ("test", "t10k")):
        images, labels = (read_idx(spelling(source, f"{stem}-{what}")) for what in ("images-idx3", "labels-idx1"))
        if images.ndim != 3 or labels.shape != images.shape[:1] or labels.max(initial=0) > 9:
            raise InputError(f"{source}: {half} images {images.shape} and labels {labels.shape} do not fit each other")
        parts[half] = Split(images[:, None], labels.astype(np.int64))
    classes = FASHION if name == "fashion-mnist" else DIGITS
    layout = Layout(name, "image", parts["train"].x.shape[1:], classes, units="grey level 0..255", low=0, high=255)
    return carve(layout, parts["train"], parts["test"], seed=seed)


def spelling(folder: Path, stem: str) -> Path:
    """The file of that stem in whichever spelling is there."""
    dotted = stem.replace("-idx", ".idx")
    names = [f"{base}-ubyte{packed}" for base in (stem, dotted) for packed in ("", ".gz")]
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise InputError(f"{folder} has no {stem}-ubyte or {stem}-ubyte.gz", code="input.missing")
    return found


def load_folder(source: Path | None, *, seed: int, view: str = "auto", side: int | None = None) -> Splits:
    """A folder of pictures; sub-folders name the classes.

    Args:
        source: The folder.
        seed: Decides the split and where patches lie.
        view: "patches" cuts patches of `side` x `side` from each picture, all of one picture on one side of the split.
        side: Otherwise the side in pixels every picture is brought to: its shorter side is scaled, the middle cut out.

    Raises:
        InputError: No pictures, a single one, or pictures of different sizes without `side`.
        DamagedError: A picture that is cut short.
        UsageError: A view that does not exist.
    """
    assert source is not None
    if view not in {"auto", "", "patches"}:
        raise unknown("view", view, ("auto", "patches"))
    if source.is_file():
        raise InputError(
            f"{source.name} is one picture",
            expected="a folder of at least ten, to train and to judge",
            step="Give the folder it lies in",
            code="input.few",
        )
    files = picture_files(source)
    names = sorted({file.relative_to(source).parts[0] for file in files if len(file.relative_to(source).parts) > 1})
    if view == "patches":
        return patches(source, files, side or 32, seed)
    x = read_pictures(files, side)
    y = labels(source, files, names)
    layout = Layout(source.name, "image", x.shape[1:], tuple(names), units="grey level 0..255", low=0, high=255)
    return part(layout, Split(x, y, np.array([str(file.relative_to(source)) for file in files])), seed=seed)


def read_folder(source: Path, *, like: Layout, label: str | None = None) -> Split:
    """Every picture of a folder, or one picture file, in the layout of a trained model."""
    files = [source] if source.is_file() else picture_files(source)
    if len(like.shape) != 3 or like.shape[0] not in (1, 3):
        what = f"{like.shape[0]} channels" if like.kind == "image" else f"objects of shape {like.shape}, not pictures"
        raise ModelError(f"pictures for a model of {what}", expected="1 or 3 channels", code="model.shape")
    channels, height, width = like.shape
    found = Counter(format_of(open_picture(file)) for file in files)
    x = np.stack([as_array(fitted(open_picture(file), width, height), channels) for file in files])
    where = np.array([file.name if source.is_file() else str(file.relative_to(source)) for file in files])
    known = {name: number for number, name in enumerate(like.classes)}
    parts = [file.relative_to(source).parts if source.is_dir() else () for file in files]
    y = np.array([known.get(p[0], -1) if len(p) > 1 else -1 for p in parts], np.int64)
    fitting, notes = brought(x, like, (0.0, 255.0))
    notes = (*converted(found, format_words(width, height, channels == 3)), *notes)
    return Split(fitting, y if (y >= 0).any() else None, where, notes)


def format_of(picture) -> str:
    """Size and colours of a picture in words."""
    width, height = picture.size
    return format_words(width, height, is_colour(picture))


def format_words(width: int, height: int, colour: bool) -> str:
    """A size in pixels and whether there are colours, in words.

    Example:
        >>> format_words(32, 32, True)
        '32 x 32 RGB'
    """
    return f"{width} x {height} {'RGB' if colour else 'grey'}"


def converted(found: Counter[str], wanted: str) -> tuple[str, ...]:
    """A note on pictures that had another size or other colours, by how many had which."""
    others = {words: count for words, count in found.most_common() if words != wanted}
    if not others:
        return ()
    kinds = next(iter(others)) if len(others) == 1 else f"{len(others)} sizes and colours"
    return (f"Converted {counted(sum(others.values()), 'picture')} from {kinds} to {wanted}.",)


def picture_files(folder: Path) -> list[Path]:
    """The pictures in a folder and its sub-folders, in order of their names; links that lead out are left out."""
    home = folder.resolve()
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    files = [file for file in files if file.resolve().is_relative_to(home)]
    if not files:
        raise InputError(
            f"{folder} holds no pictures",
            expected=", ".join(sorted(SUFFIXES)),
            step="Give another folder",
            code="input.empty",
        )
    return files


def open_picture(file: Path):
    """A picture, turned as its camera held it; its size is checked before it is decoded.

    Raises:
        LimitError: More pixels than allowed.
        DamagedError: Not a picture, or cut short.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file) as picture:
                check_size(file, *picture.size)
                picture.load()
                return ImageOps.exif_transpose(picture)
    except LimitError:
        raise
    except Image.DecompressionBombError:
        raise too_large(file, "more pixels than Pillow opens") from None
    except Exception as error:  # Pillow raises many kinds for a damaged file
        raise DamagedError(
            f"{file} is not a readable picture ({error or type(error).__name__})",
            step="Remove or replace it",
            code="damaged.picture",
        ) from None


def check_size(file: Path, width: int, height: int) -> None:
    """Refuse a picture of more pixels than allowed."""
    if width * height > PIXEL_LIMIT or max(width, height) > SIDE_LIMIT:
        raise too_large(file, f"{width:,} x {height:,} pixels")


def too_large(file: Path, size: str) -> LimitError:
    """The error for a picture of too many pixels."""
    return LimitError(
        f"{file.name}: {size}",
        expected=f"at most {PIXEL_LIMIT:,} in all and {SIDE_LIMIT:,} a side",
        step="Scale the picture down",
        code="limit.pixels",
    )


def is_colour(picture) -> bool:
    """Whether a picture's own format has colours."""
    return picture.mode not in {"1", "L", "LA", "I", "I;16", "F"}


def as_array(picture, channels: int) -> np.ndarray:
    """A picture as (C, H, W) of 0..255; what is transparent becomes white."""
    from PIL import Image

    if picture.mode in {"LA", "PA", "RGBA"} or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    if picture.mode in {"I", "I;16", "F"}:
        grey = np.asarray(picture, np.float64)
        span = 257 if grey.max(initial=0) > 255 else 1
        plane = np.clip(grey / span, 0, 255).astype(np.uint8)
        return np.repeat(plane[None], channels, 0)
    array = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
    return array[None] if channels == 1 else array.transpose(2, 0, 1).copy()


def fitted(picture, width: int, height: int):
    """A picture scaled to cover width x height, and its middle cut out."""
    from PIL import Image, ImageOps

    return (
        picture if picture.size == (width, height) else ImageOps.fit(picture, (width, height), Image.Resampling.BICUBIC)
    )


def read_pictures(files: list[Path], side: int | None) -> np.ndarray:
    """Pictures as (N, C, H, W) of 0..255: one channel where all are grey, else three."""
    first, colour = open_picture(files[0]), False
    for file in files:
        picture = open_picture(file)
        colour = colour or is_colour(picture)
        if side is None and picture.size != first.size:
            sizes = [f"{p.name} has {w} x {h}" for p, (w, h) in ((files[0], first.size), (file, picture.size))]
            raise InputError(
                f"pictures of different sizes: {', '.join(sizes)}",
                expected="one size",
                step="Bring them to one with --set data.side=64",
                code="input.sizes",
            )
    width, height = (side, side) if side else first.size
    channels = 3 if colour else 1
    if len(files) * channels * width * height > VALUE_LIMIT:
        raise LimitError(
            f"{len(files):,} pictures of {width} x {height}",
            expected=f"at most {VALUE_LIMIT:,} values",
            step="Use --set data.side=64",
            code="limit.memory",
        )
    return np.stack([as_array(fitted(open_picture(file), width, height), channels) for file in files])


def labels(folder: Path, files: list[Path], names: list[str]) -> np.ndarray | None:
    """The class number of each picture, from the sub-folder it lies in; None without sub-folders."""
    if not names:
        return None
    number = {name: i for i, name in enumerate(names)}
    parts = [file.relative_to(folder).parts for file in files]
    return np.array([number[p[0]] if len(p) > 1 else -1 for p in parts], np.int64)


def patches(folder: Path, files: list[Path], side: int, seed: int, most: int = 20_000) -> Splits:
    """Patches of side x side at random places, as many from each picture; a picture stays on one side of the split."""
    rng = np.random.default_rng(seed)
    pictures = [open_picture(file) for file in files]
    channels = 3 if any(is_colour(picture) for picture in pictures) else 1
    smallest = min(min(picture.size) for picture in pictures)
    if side > smallest:
        raise UsageError(f"data.side={side}", expected=f"at most {smallest}, the shortest side among the pictures")
    count = max(1, min(most // len(files), (smallest // side) ** 2 * 4))
    cut, groups, where = [], [], []
    for number, (file, picture) in enumerate(zip(files, pictures, strict=True)):
        whole = as_array(picture, channels)
        tops = rng.integers(0, whole.shape[1] - side + 1, count)
        lefts = rng.integers(0, whole.shape[2] - side + 1, count)
        cut += [whole[:, top : top + side, left : left + side] for top, left in zip(tops, lefts, strict=True)]
        where += [f"{file.relative_to(folder)} at {left}, {top}" for top, left in zip(tops, lefts, strict=True)]
        groups += [number] * count
    layout = Layout(
        folder.name, "image", (channels, side, side), units="grey level 0..255", low=0, high=255, view="patches"
    )
    return part(layout, Split(np.stack(cut), None, np.array(where)), seed=seed, groups=np.array(groups))
