"""Sounds: checked by their header, read, and written anew as WAV of 16 bits."""

import wave
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.audio import read_packed
from narrows.data.wav import read_wav
from narrows.errors import InputError, LimitError, missing_extra
from narrows.studio.intake.fitting import fitting

BYTES_LIMIT, SECONDS_LIMIT, CHANNELS, RATES = 256 << 20, 1800, (1, 8), (8_000, 192_000)
ENVELOPE = 200


def read_sound(raw: Path, out: Path, form: str) -> dict[str, Any]:
    """One sound."""
    samples, rate = opened(raw, form)
    folder = out / "data"
    folder.mkdir()
    written(samples, rate, folder / "sound.wav")
    facts = {"seconds": round(len(samples) / rate, 3), "rate": rate, "channels": samples.shape[1], "format": form}
    return {
        "kind": "sound",
        "facts": {**facts, "peak": float(np.abs(samples).max())},
        "notes": [],
        "preview": envelope(samples.mean(1)),
        **fitting("data/sound.wav", out),
    }


def opened(path: Path, form: str) -> tuple[np.ndarray, int]:
    """The samples (T, channels) of a sound in [-1, 1], and their number a second.

    Raises:
        LimitError: It is longer, or has more channels or another rate, than is read here.
        InputError: A sample that is no number.
        DamagedError: It cannot be read.
    """
    if path.stat().st_size > BYTES_LIMIT:
        raise LimitError(f"A sound of {path.stat().st_size:,} bytes", expected=f"at most {BYTES_LIMIT:,}")
    if form == "flac":
        check(*claimed(path))
    samples, rate = read_wav(path) if form == "wav" else read_packed(path)
    check(len(samples), samples.shape[1], rate)
    if not np.isfinite(samples).all():
        raise InputError("That sound has samples that are no numbers", step="Export it again", code="input.nan")
    return samples.clip(-1, 1), rate


def claimed(path: Path) -> tuple[int, int, int]:
    """Frames, channels and rate that the header of a packed sound names."""
    try:
        import soundfile
    except (ImportError, OSError):
        raise missing_extra("soundfile", "sound", "reading FLAC files") from None
    about = soundfile.info(str(path))
    return about.frames, about.channels, about.samplerate


def check(frames: int, channels: int, rate: int) -> None:
    """Refuse a sound beyond the limits."""
    if not (RATES[0] <= rate <= RATES[1] and CHANNELS[0] <= channels <= CHANNELS[1]):
        raise LimitError(
            f"A sound of {channels:,} channels and {rate:,} samples a second",
            expected=f"{CHANNELS[0]} to {CHANNELS[1]} channels, {RATES[0]:,} to {RATES[1]:,} samples a second",
            code="limit.sound",
        )
    if frames > SECONDS_LIMIT * rate:
        raise LimitError(f"A sound of {frames / rate:,.0f} seconds", expected=f"at most {SECONDS_LIMIT:,}")


def written(samples: np.ndarray, rate: int, path: Path) -> None:
    """Write samples (T, channels) as WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())


def envelope(mono: np.ndarray) -> list[list[float]]:
    """The least and the largest sample of each piece of a sound, to draw it by.

    Example:
        >>> envelope(np.array([0.0, 0.5, -1.0]))[:2]
        [[0.0, 0.0], [0.5, 0.5]]
    """
    pieces = np.array_split(mono, min(ENVELOPE, len(mono)))
    return [[round(float(piece.min()), 4), round(float(piece.max()), 4)] for piece in pieces]
