"""What every peer computes: objects, layers and batch of each work."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Work:
    """One training to be measured.

    Args:
        network: "dense", "conv" or "lstm".
        shape: Shape of one object, its values in [0, 1).
        widths: Units of the hidden layers (dense), channels (conv) or units each way (LSTM), outermost first.
        code: Numbers of the code.
        batch: Objects a step.
        rows: Objects an epoch, a multiple of the batch.
        epochs: Epochs in one measurement, for those that measure whole runs.
    """

    network: str
    shape: tuple[int, ...]
    widths: tuple[int, ...]
    code: int
    batch: int
    rows: int
    epochs: int = 1

    @property
    def multiplications(self) -> int:
        """Multiplications of one epoch of a dense work, forward and back; none for the slope of the input."""
        ends = (*self.shape, *self.widths, self.code)
        products = [a * b for a, b in pairwise(ends)]
        return self.rows * (6 * sum(products) - products[0])

    def objects(self) -> np.ndarray:
        """The training objects (rows, *shape), float32."""
        return np.random.default_rng(0).random((self.rows, *self.shape), dtype=np.float32)


DENSE = Work("dense", (784,), (256,), 64, batch=256, rows=20_480)
CONV = Work("conv", (1, 28, 28), (32, 64), 64, batch=256, rows=5_120)
LSTM = Work("lstm", (1, 140), (64,), 16, batch=64, rows=1_280)
TABLE = Work("dense", (29,), (16,), 8, batch=256, rows=51_200)

WORKS = {
    "dense": DENSE,
    "conv": CONV,
    "lstm": LSTM,
    "stack": TABLE,
    "fit dense": Work(**{**vars(DENSE), "epochs": 20}),
    "fit conv": Work(**{**vars(CONV), "epochs": 6}),
}

SIDE, PRODUCTS = 2048, 4
"""The matrix products that show what the machine can do."""
