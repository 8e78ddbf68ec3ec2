"""The tables of data sets and file formats, and the two ways in: `load` and `read`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.download import Progress, fetch
from narrows.data.options import options_for
from narrows.data.ranges import brought
from narrows.data.scaling import check_finite
from narrows.data.where import cache_folder, find
from narrows.errors import InputError, ModelError, UsageError, unknown
from narrows.storage import joined
from narrows.types import Layout, Split, Splits


@dataclass(frozen=True)
class Download:
    """One file of a set: its relative path, the SHA-256 of its unpacked content, and addresses that hold it."""

    path: str
    sha256: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """A data set with a name.

    Args:
        title: What it is, in a few words.
        loader: "module:function" under narrows.data.
        origin: Who made it and where it is.
        licence: Under what terms.
        files: Spellings of a file or folder that shows it is here; none for what is embedded.
        downloads: Files to fetch when it is asked for by name and not here.
        options: Handed to the loader.
    """

    title: str
    loader: str
    origin: str
    licence: str
    files: tuple[str, ...] = ()
    downloads: tuple[Download, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


def idx_downloads(folder: str, homes: tuple[str, ...], digests: dict[str, str]) -> tuple[Download, ...]:
    """The four files of a set in the layout of MNIST."""
    return tuple(
        Download(f"{folder}/{name}.gz", sha, tuple(f"{home}/{name}.gz" for home in homes))
        for name, sha in digests.items()
    )


MNIST_HOMES = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
FASHION_HOMES = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
)
MNIST_DIGESTS = {
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
}
FASHION_DIGESTS = {
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
}
UCR = ("UCR Time Series Archive (Dau et al., 2018), https://www.timeseriesclassification.com", "free for research")
SCENES = "https://www.ehu.eus/ccwintco/index.php/Hyperspectral_Remote_Sensing_Scenes"


def ucr(title: str, folder: str, file: str) -> Dataset:
    """A set of the UCR archive, as one .npz file or in the archive's own files."""
    own = tuple(f"{home}{folder}/{folder}_TRAIN{suffix}" for home in ("", "ucr/") for suffix in (".tsv", ".txt", ".ts"))
    return Dataset(title, "series:load_ucr", UCR[0], UCR[1], files=(file, *own), options={"name": folder})


def scene(title: str, origin: str, *files: str) -> Dataset:
    """A hyperspectral scene."""
    return Dataset(title, "spectra:load_cube", origin, "public research data", files=files)


DATASETS: dict[str, Dataset] = {
    "digits": Dataset(
        "1,797 handwritten digits, 8 x 8", "images:load_digits",
        "Alpaydin and Kaynak, UCI 1998; shipped by scikit-learn", "CC BY 4.0",
    ),
    "glyphs": Dataset(
        "letters and digits drawn from fonts, 28 x 28", "glyphs:load_glyphs", "drawn by narrows", "yours",
    ),
    "cards": Dataset(
        "simulated card transactions with labelled kinds of fraud", "cards:load_cards", "simulated by narrows", "yours",
    ),
    "tones": Dataset(
        "simulated tones and noises with known answers", "tones:load_tones", "simulated by narrows", "yours",
    ),
    "mnist": Dataset(
        "70,000 handwritten digits, 28 x 28", "images:load_idx_set",
        "LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist", "CC BY-SA 3.0",
        ("mnist", "MNIST/raw"), idx_downloads("mnist", MNIST_HOMES, MNIST_DIGESTS), {"name": "mnist"},
    ),
    "fashion-mnist": Dataset(
        "70,000 pictures of clothes, 28 x 28", "images:load_idx_set",
        "Xiao, Rasul and Vollgraf 2017, https://github.com/zalandoresearch/fashion-mnist", "MIT",
        ("fashion_mnist", "FashionMNIST/raw"), idx_downloads("fashion_mnist", FASHION_HOMES, FASHION_DIGESTS),
        {"name": "fashion-mnist"},
    ),
    "ecg5000": ucr("5,000 heartbeats of 140 samples", "ECG5000", "ecg5000/ecg5000.npz"),
    "ecg200": ucr("200 heartbeats of 96 samples", "ECG200", "ucr/ECG200.npz"),
    "gunpoint": ucr("200 hand movements of 150 samples", "GunPoint", "ucr/GunPoint.npz"),
    "italy-power": ucr("1,096 days of power demand, 24 hours", "ItalyPowerDemand", "ucr/ItalyPowerDemand.npz"),
    "pavia-university": scene(
        "hyperspectral scene: asphalt, meadows, trees ...", f"University of Pavia, {SCENES}",
        "hyperspectral/pavia_university_lowres.npz", "PaviaU.mat", "hyperspectral/PaviaU.mat",
    ),
    "pavia-centre": scene(
        "hyperspectral scene of a town centre", f"University of Pavia, {SCENES}",
        "hyperspectral/pavia_centre_crop.npz", "Pavia.mat", "hyperspectral/Pavia.mat",
    ),
    "samson": scene(
        "hyperspectral scene: soil, trees, water", "https://rslab.ut.ac.ir/data",
        "hyperspectral/samson.npz", "samson_1.mat",
    ),
    "jasper-ridge": scene(
        "hyperspectral scene without classes", "https://rslab.ut.ac.ir/data",
        "hyperspectral/jasper_ridge.npz", "jasperRidge2_R198.mat",
    ),
    "creditcard": Dataset(
        "card transactions with real fraud, columns disguised", "tables:load_creditcard",
        "ULB Machine Learning Group, https://www.kaggle.com/datasets/mlg-ulb/creditcardfraud", "ODbL 1.0 / DbCL 1.0",
        ("creditcard/creditcard_subset.parquet", "creditcard/creditcard.csv", "creditcard.csv"),
    ),
}  # fmt: skip

FORMATS: dict[str, tuple[str, str]] = {
    **dict.fromkeys((".npy", ".npz"), ("arrays:load_arrays", "arrays:read_arrays_like")),
    **dict.fromkeys((".csv", ".tsv", ".parquet"), ("tables:load_table", "tables:read_table")),
    **dict.fromkeys((".ts", ".txt"), ("series:load_series", "series:read_series")),
    **dict.fromkeys((".mat", ".tif", ".tiff"), ("spectra:load_cube", "spectra:read_cube")),
    **dict.fromkeys((".wav", ".flac", ".ogg"), ("sounds:load_sounds", "sounds:read_sounds")),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif"), ("images:load_folder", "images:read_folder")),
}
"""What loads and what reads a file, by its suffix."""


PARTS = ("train", "valid", "test", "all")
"""What may be asked for of a parted set."""


def resolve(name: str) -> Callable[..., Any]:
    """The function behind "module:function"."""
    module, _, function = name.partition(":")
    return getattr(import_module(f"narrows.data.{module}"), function)


def load(
    source: str | Path,
    *,
    seed: int = 0,
    limit: int | None = None,
    view: str = "auto",
    side: int | None = None,
    window: int | None = None,
    label: str | None = None,
    missing: str = "stop",
    leave_out: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> Splits:
    """A data set, by name or from a file or folder, parted so that nothing of one side is found on another.

    Args:
        source: A name of `DATASETS`, or a path. Names come first: write ./digits for a folder called digits.
        seed: Decides the split, and what a simulator draws.
        limit: At most this many training objects.
        view: How the source is cut into objects, where it has a choice: "pixels", "patches", "frames", "series".
        side: Side in pixels of pictures or patches.
        window: Length of a window of a series, or of the frames of a sound, in samples.
        label: Column of a table that holds the class.
        missing: What is done about gaps in a table: "stop", "drop" or "mean".
        leave_out: Columns of a table that are not used.
        progress: Called with bytes so far and in all, while something is downloaded.

    Raises:
        UsageError: No set of that name and no file of that path, or a setting that has no meaning for it.
        InputError: What is there cannot be used.

    Example:
        >>> data = load("digits")
        >>> data.layout.shape, len(data.train), data.layout.classes[:3]
        ((1, 8, 8), 1258, ('0', '1', '2'))
    """
    options: dict[str, Any] = {"seed": seed, "limit": limit, "view": view, "side": side, "window": window}
    options |= {"label": label, "missing": missing, "leave_out": tuple(leave_out)}
    if str(source) in DATASETS:
        known = DATASETS[str(source)]
        loader = resolve(known.loader)
        options = options_for(loader, str(source), options)
        splits = renamed(loader(locate(str(source), progress), **options, **known.options), str(source))
    else:
        path = existing(source)
        loader = resolve(functions_for(path)[0])
        splits = loader(path, **options_for(loader, path.name, options))
    for split in (splits.train, splits.valid, splits.test):
        if split.x.shape[1:] != splits.layout.shape:
            raise InputError(
                f"{source} has objects of shape {split.x.shape[1:]} beside others of {splits.layout.shape}",
                expected="one shape",
                code="input.shape",
            )
        check_finite(split.x, splits.layout)
    return splits.limited(limit)


def renamed(splits: Splits, name: str) -> Splits:
    """The same, called by the name it was asked for."""
    return replace(splits, layout=replace(splits.layout, name=name))


def read(
    source: str | Path,
    *,
    like: Layout,
    label: str | None = None,
    seed: int = 0,
    split: str = "all",
    missing: str = "stop",
) -> Split:
    """The objects of a source in the layout of a trained model, their values brought to its range.

    Args:
        source: A name of `DATASETS`, or a path.
        like: The layout the model was trained on.
        label: Column of a table that holds the class.
        seed: The seed a named set was split with.
        split: "train", "valid" or "test" of a set with a name, or "all".
        missing: "drop" leaves out the rows of a table that have gaps.

    Raises:
        UsageError: A part of a file or folder, which is not parted here.
        ModelError: The objects do not have the shape the model was trained on.
    """
    if split not in PARTS:
        raise unknown("split", split, PARTS)
    if str(source) in DATASETS:
        side = like.shape[-1] if like.view == "patches" else None
        options: dict[str, Any] = {"view": like.view or "auto", "side": side}
        taken = signature(resolve(DATASETS[str(source)].loader)).parameters
        data = load(source, seed=seed, **{name: value for name, value in options.items() if name in taken})
        if data.layout.shape != like.shape:
            raise ModelError(
                f"{source} has objects of shape {data.layout.shape}", expected=f"{like.shape}, as the model's"
            )
        chosen = part_of(data, split)
        x, notes = brought(chosen.x, like, bounds_of(data.layout))
        return replace(chosen, x=x, notes=notes)
    if split != "all":
        raise UsageError(
            f"--split {split} of {source}",
            expected="--split all: a file or folder of one's own is parted only in training",
            step="Leave the source out to use the parts of the model's own data",
            code="usage.split",
        )
    path = existing(source)
    reader = resolve(functions_for(path)[1])
    extra = {"missing": missing} if "missing" in signature(reader).parameters else {}
    found = reader(path, like=like, label=label, **extra)
    if not len(found):
        raise InputError(f"{path} holds no objects", expected="at least one", code="input.empty")
    check_finite(found.x, like)
    return found


def bounds_of(layout: Layout) -> tuple[float, float] | None:
    """Smallest and largest value possible, None where unbounded."""
    return None if layout.low is None or layout.high is None else (layout.low, layout.high)


def part_of(data: Splits, name: str) -> Split:
    """The objects of a part: "train", "valid", "test" or "all" of them in that order.

    Raises:
        UsageError: No such part.

    Example:
        >>> len(part_of(load("digits"), "all"))
        1797
    """
    if name not in PARTS:
        raise unknown("split", name, PARTS)
    if name != "all":
        return getattr(data, name)
    parts = (data.train, data.valid, data.test)
    y = None if any(part.y is None for part in parts) else np.concatenate([part.y for part in parts])
    where = None if any(part.where is None for part in parts) else np.concatenate([part.where for part in parts])
    return Split(joined([part.x for part in parts]), y, where)


def existing(source: str | Path) -> Path:
    """A path that exists."""
    path = Path(source).expanduser()
    if path.exists():
        return path
    if path.suffix or len(path.parts) > 1:
        raise InputError(f"no file or folder {path}", step="Check the path", code="input.missing")
    raise unknown("data set", source, DATASETS, besides=", and no file or folder of that name")


def functions_for(path: Path) -> tuple[str, str]:
    """What loads and what reads a path, by its suffix or by what the folder holds."""
    if not path.is_dir():
        if path.suffix.lower() not in FORMATS:
            raise unknown("kind of file", path.suffix or path.name, FORMATS, code="usage.format")
        return FORMATS[path.suffix.lower()]
    from narrows.data.images import SUFFIXES
    from narrows.data.sounds import SOUNDS

    found = {file.suffix.lower() for file in path.rglob("*") if file.is_file()}
    has = {"pictures": bool(found & SUFFIXES), "sounds": bool(found & SOUNDS)}
    if all(has.values()):
        raise UsageError(f"{path} holds pictures and sounds", expected="one kind", step="Put them into two folders")
    if not any(has.values()):
        raise InputError(f"{path} holds neither pictures nor sounds", step="Give another folder", code="input.empty")
    return FORMATS[".png" if has["pictures"] else ".wav"]


def locate(name: str, progress: Progress | None = None) -> Path | None:
    """Where a set lies, downloaded first where that is possible; None for what is embedded."""
    known = DATASETS[name]
    if not known.files:
        return None
    place = find(known.files)
    if place is not None and (place.is_file() or complete(known, place)):
        return place
    if not known.downloads:
        raise InputError(
            f"the data set {name} is not here",
            expected=f"{known.files[0]} in a folder named by NARROWS_DATA, or in {cache_folder()}",
            step=f"Get it from {known.origin}",
            code="input.missing",
        )
    for file in known.downloads:
        target = cache_folder() / file.path
        if not target.exists():
            fetch(file.urls, target, file.sha256, progress=progress)
    return (cache_folder() / known.downloads[0].path).parent


def complete(known: Dataset, folder: Path) -> bool:
    """Whether every file a set needs is in its folder, packed or not, in any spelling."""
    stems = [Path(file.path).name.removesuffix("-ubyte.gz") for file in known.downloads]
    names = {file.name.replace(".idx", "-idx").removesuffix(".gz").removesuffix("-ubyte") for file in folder.iterdir()}
    return all(stem in names for stem in stems)


def status(name: str) -> str:
    """Whether a set is embedded, here, can be downloaded, or must be got by hand."""
    known = DATASETS[name]
    if not known.files:
        return "embedded"
    place = find(known.files)
    if place is not None and (place.is_file() or complete(known, place)):
        return f"here: {place}"
    return "downloaded when asked for" if known.downloads else "not here: get it from its origin"
