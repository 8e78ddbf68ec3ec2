"""Objects by number: held in memory as one tensor where they fit, read batch by batch where they do not."""

import os

import numpy as np
import torch
from torch import Generator, Tensor

MEMORY_SHARE = 0.4
"""Share of the free memory that the objects of a set may take."""


def free_memory() -> int:
    """Bytes of memory free on this machine; 4 GiB where it cannot be known."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 4 << 30


class Feed:
    """Raw objects (N, *shape), gathered by index onto a device in the type they are stored in.

    Args:
        x: The objects; a memory-mapped array that is too large for the memory stays on disk.
        device: Where batches go.

    Example:
        >>> Feed(np.arange(6, dtype=np.float32).reshape(3, 2), "cpu").gather(torch.tensor([2, 0]))
        tensor([[4., 5.],
                [0., 1.]])
    """

    def __init__(self, x: np.ndarray, device: str):
        self.x, self.device = x, device
        self.resident = not isinstance(x, np.memmap) or x.nbytes <= MEMORY_SHARE * free_memory()
        # Requiring W copies what may not be written to, which torch would otherwise warn of.
        self.tensor = torch.from_numpy(np.require(x, requirements=("C", "W"))).to(device) if self.resident else None

    def __len__(self) -> int:
        return len(self.x)

    def gather(self, index: Tensor) -> Tensor:
        """The objects at `index` (B,), in that order."""
        if self.tensor is not None:
            return self.tensor.index_select(0, index.to(self.device))
        # Read in the order of the file, then put in the order asked for: a disk reads forwards.
        order = index.argsort()
        rows = torch.from_numpy(np.array(self.x[index[order].numpy()]))
        return rows[order.argsort()].to(self.device)


def generator(device: str, *key: int) -> Generator:
    """A source of randomness decided by numbers alone, such as (seed, step): nothing of it need be saved.

    Example:
        >>> draw = lambda *key: torch.rand(1, generator=generator("cpu", *key)).item()
        >>> draw(0, 7) == draw(0, 7), draw(0, 7) == draw(7, 0)
        (True, False)
    """
    seed = int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> np.uint64(1))
    return torch.Generator(device).manual_seed(seed)
