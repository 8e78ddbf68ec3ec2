"""Objects that are too many for the memory: left on the disk, and read by number when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from math import prod
from pathlib import Path

import numpy as np

MEMORY_SHARE = 0.4
"""Share of the free memory that the objects of a set may take."""

BLOCK_VALUES = 8_000_000
"""Values that are looked at, or read from the disk, at once."""


def free_memory() -> int:
    """Bytes of memory this machine can still give; 4 GiB where it cannot be known."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        # What the system calls free leaves out the memory it only lends to its cache of files.
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 4 << 30


def fits(size: int) -> bool:
    """Whether objects of so many bytes may be held in memory."""
    return size <= MEMORY_SHARE * free_memory()


def as_float32(x: np.ndarray) -> np.ndarray:
    """Values as float32; too large ones become infinite without a warning, for `check_finite` to name.

    Example:
        >>> as_float32(np.array([1.0, 1e300])).tolist()
        [1.0, inf]
    """
    with np.errstate(over="ignore"):
        return x.astype(np.float32)


def single(x: np.ndarray) -> np.ndarray:
    """Values as a set keeps them: bytes stay bytes, all others are float32."""
    return x if x.dtype in (np.uint8, np.float32) else as_float32(x)


class Rows:
    """Objects (N, *shape) that lie on a disk; an index reads the ones it names, in that order, as an array.

    Args:
        source: All objects there (M, *shape), as a rule a memory-mapped file.
        index: Which of them these are, and in which order (N,); None for all as they lie.
        make: What is done to objects that have been read; it takes and gives (B, ...).

    Example:
        >>> rows = Rows(np.arange(8.0).reshape(4, 2)).take(np.array([3, 0]))
        >>> rows.shape, rows.dtype, rows[:].tolist()
        ((2, 2), dtype('float32'), [[6.0, 7.0], [0.0, 1.0]])
    """

    def __init__(
        self, source: np.ndarray, index: np.ndarray | None = None, make: Callable[[np.ndarray], np.ndarray] = single
    ):
        self.source, self.make = source, make
        self.index = np.arange(len(source)) if index is None else index
        one = make(np.asarray(source[:1]))
        self.shape, self.dtype = (len(self.index), *one.shape[1:]), one.dtype

    def __len__(self) -> int:
        return len(self.index)

    @property
    def ndim(self) -> int:
        """Number of axes, that of the objects among them."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values of all objects."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes all objects would take in memory."""
        return self.size * self.dtype.itemsize

    def __getitem__(self, key: int | slice | np.ndarray) -> np.ndarray:
        wanted = np.atleast_1d(self.index[key])
        # Read in the order of the file, then put in the order asked for: a disk reads forwards.
        order = np.argsort(wanted, kind="stable")
        read = self.make(np.asarray(self.source[wanted[order]]))
        made = np.empty_like(read)
        made[order] = read
        return made[0] if isinstance(key, int | np.integer) else made

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def take(self, key: slice | np.ndarray) -> Rows:
        """Some of the objects, still on the disk."""
        return Rows(self.source, self.index[key], self.make)

    def then(self, function: Callable[[np.ndarray], np.ndarray]) -> Rows:
        """The same objects with something more done to them once they are read."""
        return Rows(self.source, self.index, lambda x: function(self.make(x)))


Objects = np.ndarray | Rows
"""Objects (N, *shape), in memory or on a disk."""


def joined(parts: Sequence[Objects]) -> Objects:
    """The objects of several parts in order, on the disk if those of one part are.

    Example:
        >>> joined([np.zeros((1, 2)), np.ones((2, 2))]).shape
        (3, 2)
    """
    first = parts[0]
    same = [
        part for part in parts if isinstance(part, Rows) and isinstance(first, Rows) and part.source is first.source
    ]
    if isinstance(first, Rows) and len(same) == len(parts):
        return Rows(first.source, np.concatenate([part.index for part in same]), first.make)
    return np.concatenate([np.asarray(part) for part in parts])


def held(x: Objects) -> Objects:
    """Objects as bytes or float32, in memory; those of a memory-mapped file that do not fit there stay on the disk."""
    if isinstance(x, Rows):
        return x
    width = x.itemsize if x.dtype in (np.uint8, np.float32) else 4
    return Rows(x) if isinstance(x, np.memmap) and not fits(width * x.size) else single(np.asarray(x))


def sparing(x: Objects, width: int) -> Objects:
    """Objects of which work needs so many bytes a value: as rows, to be gone through in blocks, if that does not fit.

    Example:
        >>> type(sparing(np.zeros((2, 2)), 8)).__name__, type(sparing(np.zeros((2, 2)), 1 << 60)).__name__
        ('ndarray', 'Rows')
    """
    return x if isinstance(x, Rows) or fits(width * x.size) else Rows(x)


def block_length(x: Objects) -> int:
    """How many objects are looked at or read at once."""
    return max(1, BLOCK_VALUES // max(1, prod(x.shape[1:])))


def blocks(x: Objects) -> Iterator[np.ndarray]:
    """Objects in order: those in memory all at once, those on a disk some at a time.

    Example:
        >>> sum(len(block) for block in blocks(Rows(np.zeros((5, 2)))))
        5
    """
    if not isinstance(x, Rows):
        yield x
        return
    step = block_length(x)
    for start in range(0, len(x), step):
        yield x[start : start + step]
