"""What needs no training, on the same validation objects: the mean object and PCA, at the code's size and at others."""

import os
import threading
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch

from narrows.data.scaling import Scaling
from narrows.metrics.baseline import PCABaseline, column_means
from narrows.recipe import Recipe
from narrows.studio.sets import key_of
from narrows.train.feed import generator
from narrows.train.loop import EVALUATION_BATCH, JUDGE
from narrows.types import Splits

MOST_COMPONENTS = 512
"""Components of the largest PCA of the curve."""

NICE = 10
"""How far a thread that computes a baseline stands back behind training."""

FITTED: dict[str, tuple[PCABaseline, np.ndarray]] = {}
"""The PCA and the mean of the last set, by all that they depend on."""

FITTING = threading.Lock()
"""Trainings of one child are compared each in a thread of its own, the last one's perhaps still beside the next one."""


def baseline_of(recipe: Recipe, data: Splits, scaling: Scaling, size: int) -> dict[str, Any]:
    """The errors of the mean object and of PCA on the validation objects, in scaled units, JSON-ready.

    Args:
        recipe: What is trained: its corruption is what PCA sees too.
        data: The objects.
        scaling: How raw values become the network's.
        size: Numbers of the model's code.

    Returns:
        "mean": {"mse"}; "pca": {"mse", "size"}, or None where the code is not narrower than the objects; "curve": a
        list of {"size", "mse"} by rising size; "on": which objects it is measured on.

    Example:
        >>> from narrows.data import load
        >>> from narrows.data.scaling import fit_scaling
        >>> data = load("digits")
        >>> errors = baseline_of(Recipe(), data, fit_scaling(data.train.x, data.layout), size=8)
        >>> [point["size"] for point in errors["curve"]], errors["pca"]["size"]
        ([1, 2, 4, 8, 16, 32], 8)
    """
    pca, mean = fitted(recipe, data, scaling, size)
    seen, target = validation(recipe, data, scaling)
    sizes = [size for size in sizes_of(pca.count, size) if size < prod(data.layout.shape)]
    errors = {k: square(pca.reconstruct(seen, k, low=scaling.low, high=scaling.high) - target) for k in sizes}
    return {
        "on": "validation",
        "mean": {"mse": square(mean - target)},
        "pca": {"mse": errors[min(size, pca.count)], "size": min(size, pca.count)} if size in sizes else None,
        "curve": [{"size": k, "mse": errors[k]} for k in sizes],
    }


def sizes_of(most: int, size: int) -> list[int]:
    """The sizes of a curve up to `most`: powers of two, and `size`.

    Example:
        >>> sizes_of(20, 3)
        [1, 2, 3, 4, 8, 16]
    """
    return sorted({2**n for n in range(most.bit_length()) if 2**n <= most} | ({size} if size <= most else set()))


def fitted(recipe: Recipe, data: Splits, scaling: Scaling, size: int) -> tuple[PCABaseline, np.ndarray]:
    """PCA of the training objects with enough components, and their mean (D,)."""
    most = min(max(MOST_COMPONENTS, size), prod(data.layout.shape))
    key = f"{key_of(recipe.data, data.layout.name)} {scaling.kind} {most} {id(data)}"
    with FITTING:
        if key not in FITTED:
            train = scaling.rows(data.train.x)
            FITTED.clear()
            FITTED[key] = (PCABaseline.fit(train, most), column_means(train))
        return FITTED[key]


def validation(recipe: Recipe, data: Splits, scaling: Scaling) -> tuple[np.ndarray, np.ndarray]:
    """The validation objects as rows (N, D): as a judged epoch shows them to the encoder, and as they are."""
    seen, target = [], []
    step = EVALUATION_BATCH[recipe.network.kind]
    for start in range(0, len(data.valid), step):
        x = torch.from_numpy(scaling.apply(data.valid.x[start : start + step]))
        corrupted, _ = recipe.corruption(x, generator("cpu", recipe.seed, JUDGE, start))
        seen.append(corrupted.flatten(1).numpy())
        target.append(x.flatten(1).numpy())
    return np.concatenate(seen), np.concatenate(target)


def square(difference: np.ndarray) -> float:
    """The mean of the squares."""
    return float(np.square(difference, dtype=np.float64).mean())


def beside(work: Callable[[], None]) -> threading.Thread:
    """Do some work in a thread that stands back behind training, where the system has such threads."""

    def run() -> None:
        if hasattr(os, "setpriority"):
            # On Linux the priority belongs to the thread.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        work()

    thread = threading.Thread(target=run, daemon=True, name="beside")
    thread.start()
    return thread
