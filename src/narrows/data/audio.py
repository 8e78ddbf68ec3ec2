"""Files of sound: found in folders, read in mono, brought to one rate."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from narrows.data.wav import SAMPLE_LIMIT, read_wav
from narrows.errors import DamagedError, InputError, LimitError, missing_extra

SOUNDS = {".wav", ".flac", ".ogg"}
VALUE_LIMIT = 1 << 29


def sound_files(source: Path) -> list[Path]:
    """The sound files of a folder and its sub-folders, in order of their names; links that lead out are left out."""
    if source.is_file():
        return [source]
    home = source.resolve()
    files = sorted(file for file in source.rglob("*") if file.suffix.lower() in SOUNDS and file.is_file())
    files = [file for file in files if file.resolve().is_relative_to(home)]
    if not files:
        kinds = ", ".join(sorted(SOUNDS))
        raise InputError(f"{source} holds no sounds", expected=kinds, step="Give another folder", code="input.empty")
    return files


def read_all(files: list[Path]) -> tuple[list[np.ndarray], int, list[str]]:
    """Every sound in mono at the rate most of them have, that rate, and a note where some had another."""
    read, total = [], 0
    for file in files:
        read.append(read_sound(file))
        total += len(read[-1][0])
        if total > VALUE_LIMIT:
            raise LimitError(f"more than {VALUE_LIMIT:,} samples", step="Use fewer files", code="limit.memory")
    rates = Counter(rate for _, rate in read)
    rate = max(rates, key=lambda rate: (rates[rate], rate))
    other = len(files) - rates[rate]
    notes = [f"{other} sounds of another rate are brought to {rate:,} samples a second."] if other else []
    return [resampled(sound, own, rate) for sound, own in read], rate, notes


def read_sound(file: Path) -> tuple[np.ndarray, int]:
    """A sound in mono, shape (T,), float32, and its rate.

    Raises:
        InputError: A sample that is no number.
    """
    samples, rate = read_wav(file) if file.suffix.lower() == ".wav" else read_packed(file)
    mono = samples.mean(1, dtype=np.float32)
    if not np.isfinite(mono).all():
        place = int(np.flatnonzero(~np.isfinite(mono))[0])
        raise InputError(f"{file.name}: sample {place} is no number", step="Export it again", code="input.nan")
    return mono, rate


def read_packed(file: Path) -> tuple[np.ndarray, int]:
    """The samples of a FLAC or OGG file."""
    try:
        import soundfile
    except (ImportError, OSError):
        raise missing_extra("soundfile", "sound", f"reading {file.suffix} files") from None
    try:
        about = soundfile.info(str(file))
        if about.frames * about.channels > SAMPLE_LIMIT:
            raise LimitError(
                f"{file.name} has {about.frames:,} samples", expected=f"limit {SAMPLE_LIMIT:,}", code="limit.memory"
            )
        samples, rate = soundfile.read(str(file), dtype="float32", always_2d=True)
    except (RuntimeError, MemoryError, OSError) as error:
        raise DamagedError(
            f"{file.name} cannot be read ({error})", step="Fetch it again", code="damaged.sound"
        ) from None
    if len(samples) < about.frames or not len(samples):
        raise DamagedError(f"{file.name} has {len(samples):,} of {about.frames:,} samples", code="damaged.sound")
    return samples, rate


def resampled(sound: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """A sound at another number of samples a second."""
    if rate == wanted:
        return sound
    try:
        import soxr
    except ImportError:
        raise missing_extra("soxr", "sound", f"bringing sounds of {rate:,} to {wanted:,} samples a second") from None
    return soxr.resample(sound, rate, wanted)
