"""The idx format of MNIST: a short header, then bytes.

References:
    The MNIST database of handwritten digits (LeCun, Cortes and Burges), http://yann.lecun.com/exdb/mnist/
"""

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np

from narrows.errors import DamagedError, LimitError

LIMIT = 2 << 30
"""Most bytes an idx file may hold once unpacked."""


def read_idx(path: Path) -> np.ndarray:
    """The array of unsigned bytes in an idx file, plain or gzip.

    The header is compared with what is there before anything of its size is allocated.

    Raises:
        DamagedError: Not an idx file of bytes, cut short, or longer than its header says.
        LimitError: More than 2 GiB.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            return parse(file, path)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, f"cannot be unpacked ({error})") from None


def parse(file: object, path: Path) -> np.ndarray:
    """The array in an open idx file."""
    head = file.read(4)  # type: ignore[attr-defined]
    if len(head) < 4 or head[:3] != b"\0\0\x08" or not 1 <= head[3] <= 4:
        raise damaged(path, "does not begin like an idx file of bytes")
    sizes = file.read(4 * head[3])  # type: ignore[attr-defined]
    if len(sizes) < 4 * head[3]:
        raise damaged(path, "ends within its header")
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    if prod(shape) > LIMIT:
        raise LimitError(f"{path} says it holds {prod(shape):,} bytes", expected=f"at most {LIMIT:,}", code="limit.idx")
    content = file.read(prod(shape) + 1)  # type: ignore[attr-defined]
    if len(content) != prod(shape):
        raise damaged(path, f"holds {len(content):,} bytes or more, of the {prod(shape):,} its header says")
    return np.frombuffer(content, np.uint8).reshape(shape)


def damaged(path: Path, what: str) -> DamagedError:
    """The error for an idx file that cannot be read."""
    return DamagedError(f"{path} {what}", step="Delete it and download it again", code="damaged.idx")
