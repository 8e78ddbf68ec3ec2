"""Objects by number: held in memory as one tensor where they fit, read batch by batch where they do not."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor

from narrows import storage
from narrows.storage import Objects, Rows, held

SCALED_LIMIT = 2 << 30
"""Bytes that objects scaled ahead may take."""


def has_room(device: str, size: int) -> bool:
    """Whether a device may hold objects of so many bytes."""
    if not device.startswith("cuda"):
        return storage.fits(size)
    return size <= storage.MEMORY_SHARE * torch.cuda.mem_get_info(device)[0]


class Feed:
    """Objects (N, *shape) gathered by index onto a device, in the units a network works in.

    Args:
        x: The raw objects; rows on a disk, or a memory-mapped array too large for the memory, stay there.
        device: Where batches go, and all objects too where the device has room for them.
        scale: Raw objects to scaled ones, float32.
        ahead: Scale all of them once, where that is not too much, rather than each batch anew.

    Example:
        >>> feed = Feed(np.arange(6, dtype=np.float32).reshape(3, 2), "cpu", lambda x: x / 2)
        >>> feed.gather(torch.tensor([2, 0]))
        tensor([[2.0000, 2.5000],
                [0.0000, 0.5000]])
    """

    def __init__(self, x: Objects, device: str, scale: Callable[[Tensor], Tensor], *, ahead: bool = False):
        self.x, self.device, self.scale = held(x), device, scale
        self.tensor: Tensor | None = None
        self.scaled = False
        if isinstance(self.x, Rows):
            return
        # Requiring W copies what may not be written to, which torch would otherwise warn of.
        self.tensor = torch.from_numpy(np.require(self.x, requirements=("C", "W")))
        if device == "cpu" or has_room(device, self.x.nbytes):
            self.tensor = self.tensor.to(device)
            self.scaled = ahead and 4 * x.size <= SCALED_LIMIT and has_room(device, 4 * x.size)
        if self.scaled:
            self.tensor = scale(self.tensor)

    def __len__(self) -> int:
        return len(self.x)

    def gather(self, index: Tensor) -> Tensor:
        """The scaled objects at `index` (B,), in that order."""
        if self.tensor is None:
            return self.scale(torch.from_numpy(self.x[index.numpy()]).to(self.device))
        rows = self.tensor.index_select(0, index.to(self.tensor.device)).to(self.device)
        return rows if self.scaled else self.scale(rows)


def generator(device: str, *key: int) -> Generator:
    """A source of randomness decided by numbers alone, such as (seed, step): nothing of it need be saved.

    Example:
        >>> draw = lambda *key: torch.rand(1, generator=generator("cpu", *key)).item()
        >>> draw(0, 7) == draw(0, 7), draw(0, 7) == draw(7, 0)
        (True, False)
    """
    state = 0
    for part in key:
        state = scramble(state ^ scramble(part))
    return torch.Generator(device).manual_seed(state >> 1)


def scramble(number: int) -> int:
    """A 64-bit number well mixed with its neighbours': splitmix64 (Steele, Lea and Flood, 2014).

    Example:
        >>> hex(scramble(0))
        '0xe220a8397b1dcdaf'
    """
    number = (number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return number ^ (number >> 31)
