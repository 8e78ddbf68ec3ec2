"""WAV files read as they are: every claim of a header is compared with the bytes there are."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from narrows.errors import DamagedError, InputError, LimitError
from narrows.storage import as_float32

SAMPLE_LIMIT = 1 << 28
RATES = (100, 1_000_000)
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
UNTIL_END = {0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFF00, 0x7FFFFF00}
"""Lengths that programs write while they do not know the end yet."""


def read_wav(path: Path) -> tuple[np.ndarray, int]:
    """The samples of a WAV file, shape (T, channels), float32 in [-1, 1], and their number a second.

    PCM of 8, 16, 24 and 32 bits and floating point of 32 and 64 bits can be read.

    Raises:
        DamagedError: Not a WAV file, cut short, or a header that claims more than there is.
        InputError: A compressed kind of WAV, or one without samples.
        LimitError: More than 2^28 samples.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] not in {b"RIFF", b"RF64"} or head[8:] != b"WAVE":
            raise broken(path, "it does not begin as a WAV file does")
        form, size = find_chunks(path, file)
        kind, channels, rate, bits = read_form(path, form)
        if size // (bits // 8) > SAMPLE_LIMIT:
            raise LimitError(
                f"{path.name} has {size // (bits // 8):,} samples",
                expected=f"limit {SAMPLE_LIMIT:,}",
                step="Cut it into pieces",
                code="limit.memory",
            )
        content = file.read(size)
    frame = channels * bits // 8
    samples = as_float(content[: len(content) // frame * frame], kind, bits)
    if not len(samples):
        raise InputError(f"{path.name} has no samples", step="Remove it", code="input.empty")
    return samples.reshape(-1, channels), rate


def find_chunks(path: Path, file: BinaryIO) -> tuple[bytes, int]:
    """The format chunk, and the length of the samples that the file now stands before."""
    form, length = b"", path.stat().st_size
    while True:
        head = file.read(8)
        if len(head) < 8:
            raise broken(path, "it ends before its samples")
        name, size = head[:4], struct.unpack("<I", head[4:])[0]
        left = length - file.tell()
        if name == b"data":
            if not form:
                raise broken(path, "its samples come before their format")
            if size > left and size not in UNTIL_END:
                raise broken(path, f"it claims {size:,} bytes of sound and has {left:,}")
            return form, left if size in UNTIL_END else size
        if size > left:
            raise broken(path, f"a part of it claims {size:,} bytes of {left:,}")
        if name == b"fmt ":
            form = file.read(min(size, 64))
            file.seek(size - len(form), 1)
        else:
            file.seek(size, 1)
        file.seek(size % 2, 1)


def read_form(path: Path, form: bytes) -> tuple[int, int, int, int]:
    """Kind of numbers, channels, samples a second and bits a sample, checked."""
    if len(form) < 16:
        raise broken(path, "its format is cut short")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    if kind == EXTENSIBLE and len(form) >= 26:
        kind = struct.unpack("<H", form[24:26])[0]
    if (kind, bits) not in {(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64)}:
        raise InputError(
            f"{path.name} is a WAV file of kind {kind} with {bits} bits",
            expected="PCM of 8, 16, 24 or 32 bits, or floating point",
            step="Convert it, or give it as FLAC",
            code="input.wav",
        )
    if not 1 <= channels <= 64 or not RATES[0] <= rate <= RATES[1]:
        raise broken(path, f"it claims {channels} channels at {rate:,} samples a second")
    return kind, channels, rate, bits


def as_float(content: bytes, kind: int, bits: int) -> np.ndarray:
    """Bytes of samples as float32."""
    if kind == FLOAT:
        return as_float32(np.frombuffer(content, f"<f{bits // 8}"))
    if bits == 8:
        return (np.frombuffer(content, np.uint8).astype(np.float32) - 128) / 128
    if bits == 24:
        wide = np.zeros((len(content) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, 3)
        return (wide.reshape(-1).view("<i4") / 2**31).astype(np.float32)
    return (np.frombuffer(content, f"<i{bits // 8}") / 2.0 ** (bits - 1)).astype(np.float32)


def broken(path: Path, why: str) -> DamagedError:
    """The error for a WAV file that is not whole."""
    return DamagedError(f"{path.name} cannot be read: {why}", step="Fetch or record it again", code="damaged.wav")
