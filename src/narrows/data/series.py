"""Series: the sets of the UCR archive, and windows cut from one long recording.

recording (C, T) -> three stretches of time, a gap between them -> windows (N, C, L), each inside one stretch
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from narrows.data.columns import read_columns
from narrows.data.options import refuse_others
from narrows.data.splits import SHARES, apart, carve, part
from narrows.data.ucr import HALVES, NO_CLASS, Labelled, number_classes, read_half, read_pair
from narrows.errors import InputError, LimitError, ModelError, UsageError
from narrows.storage import as_float32
from narrows.types import Layout, Split, Splits

WINDOW = 128
VALUE_LIMIT = 1 << 30


def load_ucr(source: Path | None, *, name: str, seed: int = 0, limit: int | None = None) -> Splits:
    """A set of the UCR archive with its official test series; a tenth of the others becomes the validation.

    Of ECG5000 the original files name five kinds of beat. The packed copy knows its test beats only as normal or
    not, so with it the classes are these two for every beat.

    Args:
        source: The .npz file, NAME_TRAIN.tsv (.txt, .ts) with NAME_TEST beside it, or their folder.
        name: Name in the archive ("ECG5000") or here ("ecg5000").
        seed: Decides which training series validate.
        limit: Most training series.

    Raises:
        InputError: A half is missing, series of different lengths, or a value that is no number.

    References:
        The UCR Time Series Archive (Dau et al., 2018), https://www.cs.ucr.edu/~eamonn/time_series_data_2018
    """
    assert source is not None
    train, test = read_pair(source, name)
    if train.x.shape[1:] != test.x.shape[1:]:
        raise InputError(
            f"{name} has training series of shape {train.x.shape[1:]} and test series of {test.x.shape[1:]}",
            expected="one shape",
            code="input.lengths",
        )
    names, numbers = number_classes(np.concatenate([train.words, test.words]), name)
    layout = Layout(name, "series", train.x.shape[1:], names, units="value")
    halves = (as_split(half, numbers, word) for half, word in ((train, "training"), (test, "test")))
    return carve(layout, *halves, seed=seed).limited(limit)


def as_split(half: Labelled, numbers: dict[str, int], word: str = "series") -> Split:
    """Series with class numbers, -1 for those without a class."""
    y = None
    if set(half.words.tolist()) - NO_CLASS:
        y = np.array([numbers.get(name, -1) for name in half.words.tolist()], np.int64)
    return Split(half.x, y, np.array([f"{word} {number}" for number in range(len(half.x))], np.str_))


def load_series(
    source: Path | None,
    *,
    seed: int = 0,
    limit: int | None = None,
    window: int | None = None,
    label: str | None = None,
) -> Splits:
    """Windows of one long recording, or the labelled series of an archive file.

    A recording has a sample a line and a channel a column; a column of text (a time) names the place. Training is
    the first 70 % of the time, validation the next 10 %, test the last 20 %, each a window apart from the next, and
    no window reaches into two of them. Windows overlap by half.

    Args:
        source: A .txt, .csv or .tsv file; NAME_TRAIN and NAME_TEST or a .ts file are read as an archive set.
        seed: Decides the order of the training windows.
        limit: Most training windows.
        window: Length of a window in samples: 128, or a twentieth of the recording where that is less.
        label: Column with the class of each sample; a window has the class that is not the usual one, if any in it.

    Raises:
        InputError: No numbers, a value that is missing, or a recording of fewer than 20 windows.
    """
    assert source is not None
    if HALVES.search(source.stem) and window is None:
        refuse_others(source.name, (), {"label": label})
        return load_ucr(source, name=HALVES.sub("", source.stem), seed=seed, limit=limit)
    if source.suffix.lower() == ".ts":
        refuse_others(source.name, (), {"window": window, "label": label})
        half = read_half(source)
        names, numbers = number_classes(half.words, source.stem)
        layout = Layout(source.stem, "series", half.x.shape[1:], names, units="value")
        return part(layout, as_split(half, numbers), seed=seed).limited(limit)
    signal, places, words = read_recording(source, label)
    length = checked_window(source, window, signal.shape[1])
    names = usual_first(words)
    layout = Layout(source.stem, "series", (len(signal), length), names, units="value")
    starts = stretches(signal.shape[1], length)
    starts[0] = np.random.default_rng(seed).permutation(starts[0])
    parts = (cut(signal, at, length, places, classes_at(words, names, at, length)) for at in starts)
    (train, valid, test), repeated = apart(*parts, what="windows")
    note = f"Windows of {length} samples, {length // 2} apart; parted in order of time with gaps of {length} samples."
    if not (len(valid) and len(test)):
        raise InputError(f"{source.name} repeats itself exactly", step="Give a longer recording", code="input.few")
    return Splits(layout, train, valid, test, (note, *repeated)).limited(limit)


def read_series(source: Path, *, like: Layout, label: str | None = None) -> Split:
    """Every window of a recording, or every series of an archive file, in the layout of a trained model.

    Windows start half a window apart, and one more ends with the recording.

    Raises:
        ModelError: Another number of channels or samples than the model's.
    """
    channels, length = like.shape
    if source.suffix.lower() == ".ts" or HALVES.search(source.stem):
        half = read_half(source)
        names, numbers = number_classes(half.words, HALVES.sub("", source.stem))
        if half.x.shape[1:] != like.shape:
            raise ModelError(
                f"{source.name} has series of shape {half.x.shape[1:]}", expected=f"{like.shape}", code="model.shape"
            )
        known = {word: like.classes.index(names[n]) for word, n in numbers.items() if names[n] in like.classes}
        return as_split(half, known)
    signal, places, words = read_recording(source, label)
    if len(signal) != channels or signal.shape[1] < length:
        raise ModelError(
            f"{source.name} has {len(signal)} channels of {signal.shape[1]:,} samples",
            expected=f"{channels} of at least {length:,}",
            code="model.shape",
        )
    last = signal.shape[1] - length
    starts = np.unique(np.append(np.arange(0, last + 1, max(1, length // 2)), last))
    return cut(signal, starts, length, places, classes_at(words, like.classes, starts, length))


def read_recording(source: Path, label: str | None) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """The channels of a recording (C, T) float32, the place of each sample in words, and its class in words.

    Raises:
        InputError: No column of numbers, or a number that is missing.
        UsageError: No column called as `label` says.
    """
    columns, _ = read_columns(source)
    words = None
    if label is not None:
        if label not in columns:
            raise UsageError(f"no column {label!r}", expected=f"one of {', '.join(columns)}", code="usage.label")
        words = np.array([str(value).removesuffix(".0") for value in columns.pop(label).tolist()], np.str_)
    texts = [column for column in columns.values() if column.dtype.kind == "O"]
    numbers = {name: column for name, column in columns.items() if column.dtype.kind == "f"}
    if not numbers or not len(next(iter(numbers.values()))):
        raise InputError(f"{source.name} has no numbers", expected="a sample a line", code="input.empty")
    for name, column in numbers.items():
        bad = np.flatnonzero(~np.isfinite(as_float32(column)))
        if len(bad):
            raise InputError(
                f"{source.name}: column {name!r} has no number at sample {bad[0]}, and {len(bad) - 1:,} more",
                expected="numbers everywhere",
                step="Fill the gaps first",
                code="input.nan",
            )
    places = np.array(texts[0].tolist(), np.str_) if texts else None
    return as_float32(np.stack(list(numbers.values()))), places, words


def checked_window(source: Path, window: int | None, samples: int) -> int:
    """The length of a window, given or chosen, that leaves at least 20 of them in a recording."""
    most = samples // 20
    if most < 2 or (window or 2) > most:
        short = "" if most < 2 else f"Use --set data.window={most} or a longer recording"
        raise InputError(
            f"{source.name} has {samples:,} sample{'s' * (samples != 1)}"
            + (f" for windows of {window}" if window else ""),
            expected="at least 20 windows, and 40 samples, to train and to judge",
            step=short,
            code="input.few",
        )
    if window is not None and window < 2:
        raise UsageError(f"data.window={window}", expected="at least 2 samples", code="usage.window")
    return window or min(WINDOW, most)


def stretches(samples: int, length: int) -> list[np.ndarray]:
    """First samples of the windows of training, validation and test, which are `length` samples apart.

    Example:
        >>> [(at.min().item(), at.max().item()) for at in stretches(1000, 20)]
        [(0, 680), (720, 780), (820, 980)]
    """
    ends = np.round(np.cumsum(SHARES) * samples).astype(int).tolist()
    begins = [0, *(end + length for end in ends[:-1])]
    hop = max(1, length // 2)
    return [np.arange(begin, end - length + 1, hop) for begin, end in zip(begins, ends, strict=True)]


def cut(signal: np.ndarray, starts: np.ndarray, length: int, places: np.ndarray | None, y: np.ndarray | None) -> Split:
    """The windows of a recording (C, T) that begin at `starts`."""
    if len(starts) * len(signal) * length > VALUE_LIMIT:
        raise LimitError(
            f"{len(starts):,} windows of {length:,}", expected=f"limit {VALUE_LIMIT:,} values", code="limit.memory"
        )
    windows = np.lib.stride_tricks.sliding_window_view(signal, length, 1)[:, starts].swapaxes(0, 1)
    where = np.array([f"sample {start}" for start in starts], np.str_) if places is None else places[starts]
    return Split(np.ascontiguousarray(windows), y, where)


def usual_first(words: np.ndarray | None) -> tuple[str, ...]:
    """The classes of samples, the commonest first."""
    if words is None:
        return ()
    names, counts = np.unique(words, return_counts=True)
    return tuple(names[np.argsort(-counts, kind="stable")].tolist())


def classes_at(words: np.ndarray | None, names: tuple[str, ...], starts: np.ndarray, length: int) -> np.ndarray | None:
    """The class of each window: the rarest one among its samples, by the order of `names`; -1 if none is known."""
    if words is None or not names:
        return None
    numbers = np.full(len(words), -1, np.int64)
    for number, name in enumerate(names):
        numbers[words == name] = number
    return np.lib.stride_tricks.sliding_window_view(numbers, length)[starts].max(1)
