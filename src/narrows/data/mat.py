"""Numeric variables out of MATLAB files of versions 5 to 7, every claim checked before anything is allocated.

A reader of its own, because scipy's crashes the process on some damaged files.

References:
    MAT-File Format (The MathWorks), chapter 1, Level 5 MAT-files, https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np

from narrows.errors import InputError, LimitError

BYTE_LIMIT = 8 << 30
MOST_PACKED = 1100  # deflate cannot pack better than about 1,030 to 1
MATRIX, COMPRESSED = 14, 15
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
COMPLEX = 0x0800


def read_mat(path: Path) -> dict[str, np.ndarray]:
    """The real numeric variables of a MATLAB file by name; text, cells, structures and the like are passed over.

    Raises:
        InputError: A file of version 7.3, which is HDF5.
        LimitError: More than 8 GiB.
        ValueError: Cut short, altered, or no MATLAB file.
    """
    if path.stat().st_size > BYTE_LIMIT:
        raise too_large(path.stat().st_size)
    content = memoryview(path.read_bytes())
    if content[:10] == b"MATLAB 7.3" or content[:8] == b"\x89HDF\r\n\x1a\n":
        raise InputError(
            f"{path.name} is a MATLAB 7.3 file, which is HDF5 and needs the package h5py",
            expected="version 5 to 7",
            step="Save it in MATLAB with save(name, '-v7'), or convert it with h5py to .npy",
            code="input.hdf5",
        )
    order = {b"IM": "<", b"MI": ">"}.get(bytes(content[126:128]))
    if order is None:
        raise ValueError("it does not begin as a MATLAB file of version 5 to 7 does")
    return dict(
        found for kind, body in elements(content[128:], order, padded=False) if (found := variable(kind, body, order))
    )


def elements(content: memoryview, order: str, padded: bool = True) -> Iterator[tuple[int, memoryview]]:
    """Kind and bytes of each element of a stretch of a file; a short one keeps its bytes in its own head."""
    at = 0
    while at + 8 <= len(content):
        kind, size = (int(word) for word in np.frombuffer(content[at : at + 8], f"{order}u4"))
        if kind >> 16:
            kind, size, begin, step = kind & 0xFFFF, kind >> 16, at + 4, 8
        else:
            begin, step = at + 8, 8 + (-(-size // 8) * 8 if padded else size)
        if begin + size > len(content):
            raise ValueError(f"a part of it claims {size:,} bytes of {len(content) - begin:,}")
        yield kind, content[begin : begin + size]
        at += step
    if at < len(content):
        raise ValueError("it ends in the middle of a part")


def variable(kind: int, body: memoryview, order: str) -> tuple[str, np.ndarray] | None:
    """Name and values of a variable, or None where it is not made of real numbers."""
    if kind == COMPRESSED:
        inner = unpacked(body, order)
        return None if inner is None else variable(MATRIX, inner, order)
    if kind != MATRIX:
        return None
    parts = [part for _, part in zip(range(4), elements(body, order), strict=False)]
    if not parts or len(parts[0][1]) < 4:
        raise ValueError("a variable has no head")
    flags = int(np.frombuffer(parts[0][1][:4], f"{order}u4")[0])
    if flags & 0xFF not in CLASSES or flags & COMPLEX:
        return None
    if len(parts) < 4 or parts[3][0] not in STORED or len(parts[1][1]) % 4:
        raise ValueError("a variable is not whole")
    shape = tuple(int(side) for side in np.frombuffer(parts[1][1], f"{order}i4"))
    stored = np.dtype(f"{order}{STORED[parts[3][0]]}")
    if min(shape, default=-1) < 0 or prod(shape) * stored.itemsize != len(parts[3][1]):
        raise ValueError(f"a variable of shape {shape} has {len(parts[3][1]):,} bytes")
    values = np.frombuffer(parts[3][1], stored).astype(CLASSES[flags & 0xFF])
    return bytes(parts[2][1]).decode("latin-1"), values.reshape(shape, order="F")


def unpacked(body: memoryview, order: str) -> memoryview | None:
    """A packed variable, or None for another packed element."""
    packed = zlib.decompressobj()
    head = packed.decompress(body, 8)
    if len(head) < 8:
        raise ValueError("a packed variable has no head")
    kind, size = (int(word) for word in np.frombuffer(head, f"{order}u4"))
    if kind != MATRIX:
        return None
    if size > MOST_PACKED * len(body):
        raise ValueError(f"{len(body):,} packed bytes claim to be {size:,}")
    if size > BYTE_LIMIT:
        raise too_large(size)
    content = packed.decompress(packed.unconsumed_tail, size) if size else b""
    # The checksum follows the last byte: only asking for more reads it.
    if len(content) != size or packed.decompress(packed.unconsumed_tail, 1) or not packed.eof:
        raise ValueError("a packed variable is not whole")
    return memoryview(content)


def too_large(size: int) -> LimitError:
    """The error for more bytes than allowed."""
    return LimitError(f"{size:,} bytes", expected=f"limit {BYTE_LIMIT:,}", step="Cut out a part", code="limit.bytes")
