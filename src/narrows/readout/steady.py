"""A function of objects applied so that the bits of one result do not depend on the objects beside it.

A product of matrices may take another path through the processor for another number of rows. Here every batch has the
same number of rows, filled up with zeros, and the same threads: a row alone gives what it gives among a thousand.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from narrows.train.device import Place, available_threads

ROWS = 64
"""Rows of a batch: enough to be fast, few enough that one object alone costs little."""


@torch.no_grad()
def steadily(function: Callable[[Tensor], Tensor], x: np.ndarray, place: Place) -> np.ndarray:
    """The results (N, ...) of a function of batches, for objects x (N, *shape).

    Args:
        function: From a batch (ROWS, *shape) to its results (ROWS, ...), row by row.
        x: Objects, uint8 or float32.
        place: Where to compute; in float32, whatever it says.

    Example:
        >>> steadily(lambda x: x.sum(1), np.ones((3, 2), np.float32), Place("cpu"))
        array([2., 2., 2.], dtype=float32)
    """
    place, results = replace(place, route="float32", threads=min(place.threads, available_threads())), []
    with place.scope():
        for start in range(0, max(len(x), 1), ROWS):
            rows = torch.from_numpy(np.array(x[start : start + ROWS]))
            batch = rows.new_zeros(ROWS, *x.shape[1:])
            batch[: len(rows)] = rows
            results.append(function(batch.to(place.device))[: len(rows)].cpu().numpy())
    return np.concatenate(results)
