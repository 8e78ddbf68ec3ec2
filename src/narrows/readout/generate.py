"""New objects from codes: samples of the latent distribution, and the way from one object to another."""

import numpy as np
import torch

from narrows.errors import UsageError
from narrows.model import Model
from narrows.readout.apply import decode, encode
from narrows.storage import Objects
from narrows.train.feed import generator


def sample(model: Model, count: int, seen: Objects, *, seed: int = 0) -> np.ndarray:
    """New raw objects (count, *shape) decoded from random codes.

    A variational model draws from the standard normal it was trained towards. Any other has no distribution of its
    own: it draws from the normal distribution that has the mean and the covariance of the codes of `seen`, or, where
    codes are whole numbers, each index as often as the training objects used it.

    Args:
        model: A trained model.
        count: Objects to make.
        seen: Raw training objects (N, *shape), at least two.
        seed: Decides the codes.
    """
    rng = generator("cpu", seed)
    z = model.bottleneck.prior(count, rng)
    if z is not None and not model.encoder.grid:
        return decode(model, z.numpy())
    codes = encode(model, seen).reshape(len(seen), -1)
    drawn = (
        draw_like(codes, count, rng)
        if not hasattr(model.bottleneck, "decode_indices")
        else shuffle_columns(codes, model, count, rng)
    )
    return decode(model, drawn.reshape(count, *model.code_shape))


def draw_like(codes: np.ndarray, count: int, rng: torch.Generator) -> np.ndarray:
    """Codes (count, K) from the normal distribution with the mean and covariance of `codes` (N, K)."""
    mean, centred = codes.mean(0), codes - codes.mean(0)
    # Any square root of the covariance will do: the singular values and directions of the codes are one.
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    noise = torch.randn(count, len(spread), generator=rng).numpy()
    return (mean + (noise * spread / np.sqrt(max(len(codes) - 1, 1))) @ directions).astype(np.float32)


def shuffle_columns(codes: np.ndarray, model: Model, count: int, rng: torch.Generator) -> np.ndarray:
    """Codes (count, K) of whole numbers: each group of numbers as it is in some object, groups independently."""
    width = getattr(model.bottleneck, "width", 1)
    groups = codes.reshape(len(codes), -1, width)
    rows = torch.randint(len(codes), (count, groups.shape[1]), generator=rng).numpy()
    return groups[rows, np.arange(groups.shape[1])].reshape(count, -1)


def interpolate(model: Model, start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Raw objects (steps, *shape) on the straight line between the codes of two raw objects (*shape).

    Raises:
        UsageError: Fewer than two steps.
    """
    if steps < 2:
        raise UsageError(f"{steps} steps", expected="at least 2: the two ends")
    z = encode(model, np.stack([start, end]))
    share = np.linspace(0, 1, steps, dtype=np.float32).reshape(-1, *(1,) * (z.ndim - 1))
    return decode(model, z[0] * (1 - share) + z[1] * share)
