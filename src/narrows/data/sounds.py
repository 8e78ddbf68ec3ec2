"""Sounds as spectra: WAV, FLAC and OGG files cut into frames, the level of each frequency in dB.

    files -> mono at one rate -> frames of `window` samples, Hann, half overlapping -> levels (D,)
                                                            32 frames side by side -> patches (1, D, 32)

All that comes from one file stays on one side of the split.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from narrows.data.audio import SOUNDS, VALUE_LIMIT, read_all, read_sound, resampled, sound_files
from narrows.data.splits import apart, split_groups
from narrows.data.tones import load_tones, simulate_tones
from narrows.errors import InputError, LimitError, ModelError, UsageError, unknown
from narrows.types import Layout, Split, Splits

__all__ = ["SOUNDS", "levels", "load_sounds", "load_tones", "read_sounds", "simulate_tones"]

VIEWS = ("frames", "patches")
WINDOW, FRAMES = 512, 32
FLOOR, CEILING = -80.0, 6.1


def levels(sound: np.ndarray, window: int) -> np.ndarray:
    """The level of each frequency in frames of a sound, in dB: 0 dB is a sine as loud as can be.

    Args:
        sound: Samples in [-1, 1], shape (T,); a shorter one than a frame is filled up with silence.
        window: Samples of a frame; frames begin half of that apart.

    Returns:
        Levels between -80 and 6.1 dB, shape (frames, window // 2 + 1), float32.

    Example:
        >>> sine = np.sin(2 * np.pi * 1000 * np.arange(1024) / 8000)
        >>> level = levels(sine, 256)
        >>> level.shape, int(level[0].argmax()) * 8000 / 256, abs(level[0].max().item()) < 0.01
        ((7, 129), 1000.0, True)
    """
    sound = np.pad(sound, (0, max(0, window - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[:: window // 2]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    found = np.empty((len(frames), window // 2 + 1), np.float32)
    for start in range(0, len(frames), 4096):
        magnitude = np.abs(np.fft.rfft(frames[start : start + 4096] * hann)) * (2 / hann.sum())
        found[start : start + 4096] = 20 * np.log10(np.maximum(magnitude, 10 ** (FLOOR / 20)))
    return np.minimum(found, CEILING)


def load_sounds(
    source: Path | None,
    *,
    seed: int = 0,
    limit: int | None = None,
    view: str = "auto",
    side: int | None = None,
    window: int | None = None,
) -> Splits:
    """A folder of sounds, or one sound, as levels in dB; sub-folders name the classes.

    Files are parted 70 : 10 : 20; a single file, or two, in order of time with a gap of one frame between the parts.
    Sounds of another rate than most are brought to it (extra `sound`); FLAC and OGG need that extra too.

    Args:
        source: The folder, or a file.
        seed: Decides which file goes where, and the order of the training objects.
        limit: Most training objects.
        view: "frames" (one frame an object) or "patches"; "auto" is frames, or patches where `side` is given.
        side: Frames of a patch, 32 unless given.
        window: Samples of a frame, even, 512 unless given.

    Raises:
        InputError: No sounds, or too few to part.
        DamagedError: A file that is cut short.
    """
    assert source is not None
    view, window, frames = checked_cut(view, side, window)
    files = sound_files(source)
    sounds, rate, notes = read_all(files)
    home = source if source.is_dir() else source.parent
    classes = tuple(sorted({name for file in files if (name := class_of(file, home))}))
    layout = layout_of(source.stem, classes, rate, view, window, frames)
    train, valid, test = (
        gather(part, layout) for part in split_sounds(files, sounds, window, frames, home, layout, seed)
    )
    check_parts(source, train, valid, test)
    train = train.take(np.random.default_rng(seed).permutation(len(train))[:limit])
    (train, valid, test), repeated = apart(train, valid, test, what="objects (such as silence)")
    check_parts(source, train, valid, test, *repeated)
    return Splits(layout, train, valid, test, (*notes, *repeated))


def checked_cut(view: str, side: int | None, window: int | None) -> tuple[str, int, int]:
    """How sounds are cut: the view, the samples of a frame, and the frames of an object.

    Raises:
        UsageError: A view that does not exist, a side without patches, or an odd window.
    """
    view = ("patches" if side else "frames") if view in {"auto", ""} else view
    if view not in VIEWS:
        raise unknown("view", view, VIEWS)
    if view == "frames" and side:
        raise UsageError(f"data.side={side} with view=frames", step="Use --set data.view=patches", code="usage.side")
    window = WINDOW if window is None else window
    if window < 4 or window % 2:
        raise UsageError(f"data.window={window}", expected="an even number of samples, 4 or more", code="usage.window")
    return view, window, (side or FRAMES) if view == "patches" else 1


def layout_of(name: str, classes: tuple[str, ...], rate: int, view: str, window: int, frames: int) -> Layout:
    """The layout of frames (D,) or of patches (1, D, frames)."""
    D = window // 2 + 1
    shape, columns = ((D,), frequencies(rate, window)) if view == "frames" else ((1, D, frames), ())
    return Layout(name, "sound", shape, classes, columns, "dB", low=FLOOR, high=CEILING, rate=float(rate), view=view)


def check_parts(source: Path, train: Split, valid: Split, test: Split, *notes: str) -> None:
    """Refuse sounds of which a part has no objects; notes say why there are few."""
    if len(train) and len(valid) and len(test):
        return
    raise InputError(
        " ".join(
            (
                f"{source.name} gives {len(train)}, {len(valid)} and {len(test)} objects to train, validate and test",
                *notes,
            )
        ),
        expected="some for each",
        step="Give more, longer or other sounds",
        code="input.few",
    )


def read_sounds(source: Path, *, like: Layout, label: str | None = None) -> Split:
    """Every frame or patch of a sound or a folder of sounds, in the layout of a trained model.

    Raises:
        ModelError: The model was not trained on sounds.
    """
    if like.kind != "sound" or not like.rate:
        raise ModelError(f"{source.name} is sound, and the model knows {like.kind}s", code="model.kind")
    files = sound_files(source)
    window = 2 * (like.shape[-1 if like.view == "frames" else 1] - 1)
    frames = 1 if like.view == "frames" else like.shape[-1]
    home = source if source.is_dir() else source.parent
    sounds = (resampled(*read_sound(file), int(like.rate)) for file in files)
    return gather(
        [piece(file, sound, window, frames, home, like) for file, sound in zip(files, sounds, strict=True)], like
    )


def frequencies(rate: float, window: int) -> tuple[str, ...]:
    """What the levels of a frame are called.

    Example:
        >>> frequencies(8000, 8)
        ('0 Hz', '1000 Hz', '2000 Hz', '3000 Hz', '4000 Hz')
    """
    return tuple(f"{number * rate / window:.0f} Hz" for number in range(window // 2 + 1))


def class_of(file: Path, home: Path) -> str:
    """The sub-folder a sound lies in, or ""."""
    inside = file.relative_to(home).parts
    return inside[0] if len(inside) > 1 else ""


def split_sounds(
    files: list[Path], sounds: list[np.ndarray], window: int, frames: int, home: Path, layout: Layout, seed: int
) -> list[list[Split]]:
    """The objects of every file, a list for each side of the split."""
    if len(files) >= 3:
        number = {name: i for i, name in enumerate(layout.classes)}
        y = np.array([number.get(class_of(file, home), -1) for file in files])
        index = split_groups(np.arange(len(files)), np.random.default_rng(seed), y=y)
        if not all(len(part) for part in index):
            index = split_groups(np.arange(len(files)), np.random.default_rng(seed))
        if not all(len(part) for part in index):
            order = np.random.default_rng(seed).permutation(len(files))
            index = order[:-2], order[-2:-1], order[-1:]
        return [[piece(files[i], sounds[i], window, frames, home, layout) for i in sorted(part)] for part in index]
    parts: list[list[Split]] = [[], [], []]
    for file, sound in zip(files, sounds, strict=True):
        ends = [0, round(0.7 * len(sound)), round(0.8 * len(sound)), len(sound)]
        for part, begin, end in zip(parts, ends, ends[1:], strict=False):
            first = begin + window * bool(begin)
            part.append(piece(file, sound[first:end], window, frames, home, layout, first))
    return parts


def piece(file: Path, sound: np.ndarray, window: int, frames: int, home: Path, layout: Layout, first: int = 0) -> Split:
    """The objects of a sound: its frames, or patches of frames side by side, the last one filled up with silence."""
    found = levels(sound, window) if len(sound) else np.empty((0, window // 2 + 1), np.float32)
    step = window // 2 * frames / layout.rate
    if layout.view == "patches":
        found = np.pad(found, ((0, -len(found) % frames), (0, 0)), constant_values=FLOOR)
        found = found.reshape(-1, frames, found.shape[1]).swapaxes(1, 2)[:, None]
    name = str(file.relative_to(home))
    where = [f"{name} at {first / layout.rate + number * step:.2f} s" for number in range(len(found))]
    known = {name: number for number, name in enumerate(layout.classes)}
    y = np.full(len(found), known.get(class_of(file, home), -1), np.int64) if layout.classes else None
    return Split(found, y, np.array(where, np.str_))


def gather(pieces: list[Split], layout: Layout) -> Split:
    """The objects of several sounds as one split."""
    if sum(piece.x.size for piece in pieces) > VALUE_LIMIT:
        raise LimitError(f"more than {VALUE_LIMIT:,} values", step="Use fewer or shorter sounds", code="limit.memory")
    x = np.concatenate([piece.x for piece in pieces]) if pieces else np.empty((0, *layout.shape), np.float32)
    y = np.concatenate([piece.y for piece in pieces if piece.y is not None]) if layout.classes and pieces else None
    where = np.concatenate([piece.where for piece in pieces if piece.where is not None]) if pieces else None
    return Split(np.ascontiguousarray(x), y, where)
