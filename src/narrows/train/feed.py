"""Objects by number: held in memory as one tensor where they fit, read batch by batch where they do not."""

import os
from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor

MEMORY_SHARE = 0.4
"""Share of the free memory that the objects of a set may take."""

SCALED_LIMIT = 2 << 30
"""Bytes that objects scaled ahead may take."""


def free_memory() -> int:
    """Bytes of memory free on this machine; 4 GiB where it cannot be known."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 4 << 30


class Feed:
    """Objects (N, *shape) gathered by index onto a device, in the units a network works in.

    Args:
        x: The raw objects; a memory-mapped array that is too large for the memory stays on disk.
        device: Where batches go.
        scale: Raw objects to scaled ones, float32.
        ahead: Scale all of them once, where that is not too much, rather than each batch anew.

    Example:
        >>> feed = Feed(np.arange(6, dtype=np.float32).reshape(3, 2), "cpu", lambda x: x / 2)
        >>> feed.gather(torch.tensor([2, 0]))
        tensor([[2.0000, 2.5000],
                [0.0000, 0.5000]])
    """

    def __init__(self, x: np.ndarray, device: str, scale: Callable[[Tensor], Tensor], *, ahead: bool = False):
        self.x, self.device, self.scale = x, device, scale
        self.tensor: Tensor | None = None
        resident = not isinstance(x, np.memmap) or x.nbytes <= MEMORY_SHARE * free_memory()
        if resident:
            # Requiring W copies what may not be written to, which torch would otherwise warn of.
            self.tensor = torch.from_numpy(np.require(x, requirements=("C", "W"))).to(device)
        self.scaled = resident and ahead and 4 * x.size <= min(SCALED_LIMIT, MEMORY_SHARE * free_memory())
        if self.tensor is not None and self.scaled:
            self.tensor = scale(self.tensor)

    def __len__(self) -> int:
        return len(self.x)

    def gather(self, index: Tensor) -> Tensor:
        """The scaled objects at `index` (B,), in that order."""
        if self.tensor is not None:
            rows = self.tensor.index_select(0, index.to(self.device))
            return rows if self.scaled else self.scale(rows)
        # Read in the order of the file, then put in the order asked for: a disk reads forwards.
        order = index.argsort()
        rows = torch.from_numpy(np.array(self.x[index[order].numpy()]))
        return self.scale(rows[order.argsort()].to(self.device))


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
