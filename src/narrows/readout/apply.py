"""A trained model applied to arrays, batch by batch: encode, decode, reconstruct."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor

from narrows.corrupt import Corruption, Nothing
from narrows.errors import InputError, ModelError
from narrows.model import Model
from narrows.storage import Objects, Rows
from narrows.train.feed import Feed, generator

BATCH_VALUES = 4_000_000
"""Values of the objects of one batch: large enough to be fast, small enough for any memory."""

BATCHES_READ = 16
"""Batches that are read from a disk at once."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Objects, what the encoder saw of them, and what came back: all (N, *shape), in the model's scaled units.

    `error` is the mean squared error of each object (N,) against the uncorrupted input.
    """

    input: np.ndarray
    corrupted: np.ndarray
    output: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """Mean squared error of each object, shape (N,)."""
        return ((self.output - self.input) ** 2).reshape(len(self.input), -1).mean(1)


def chunks(model: Model, x: Objects) -> list[Tensor]:
    """The numbers of the objects of each batch."""
    if x.shape[1:] != tuple(model.shape):
        raise ModelError(
            f"objects of shape {x.shape[1:]}", expected=f"{tuple(model.shape)}, as the model was trained on"
        )
    return list(torch.arange(len(x)).split(batch_of(model)))


def batch_of(model: Model) -> int:
    """Objects of a batch."""
    return max(1, BATCH_VALUES // prod(model.shape) // 8)


@torch.no_grad()
def encode(model: Model, x: Objects) -> np.ndarray:
    """The codes (N, *grid, K) of raw objects x (N, *shape)."""
    device = str(model.offset.device)
    feed = Feed(x, device, model.scaled)
    codes = [model.encode(feed.gather(index)).z.float().cpu().numpy() for index in chunks(model, x)]
    return np.concatenate(codes) if codes else np.zeros((0, *model.code_shape), np.float32)


@torch.no_grad()
def decode(model: Model, z: np.ndarray) -> np.ndarray:
    """Raw objects (N, *shape) from codes z (N, *grid, K).

    Raises:
        InputError: Codes of another size, or not finite.
    """
    z = np.asarray(z, np.float32)
    if z.shape[1:] != model.code_shape:
        raise InputError(f"codes of shape {z.shape[1:]}", expected=f"{model.code_shape} numbers, as this model makes")
    if not np.isfinite(z).all():
        raise InputError("codes that are not all finite numbers", code="input.nan")
    device = model.offset.device
    parts = torch.from_numpy(z).split(batch_of(model))
    made = [model.unscaled(model.decode(part.to(device))).cpu().numpy() for part in parts]
    return np.concatenate(made) if made else np.zeros((0, *model.shape), np.float32)


@torch.no_grad()
def reconstruct(
    model: Model, x: Objects, *, corruption: Corruption | None = None, seed: int = 0, first: int = 0
) -> Reconstruction:
    """Raw objects x (N, *shape) through the whole model.

    Args:
        model: A trained model.
        x: Raw objects.
        corruption: What is done to them before the encoder sees them; None leaves them.
        seed: Decides the corruption.
        first: Number of the first batch, which decides its corruption too.
    """
    corruption, device = corruption or Nothing(), str(model.offset.device)
    feed, inputs, seen, outputs = Feed(x, device, model.scaled), [], [], []
    for number, index in enumerate(chunks(model, x), first):
        scaled = feed.gather(index)
        corrupted, _ = corruption(scaled, generator(device, seed, number))
        outputs.append(model(corrupted).output.cpu().numpy())
        inputs.append(scaled.cpu().numpy())
        seen.append(corrupted.cpu().numpy())
    if not inputs:
        raise InputError("no objects", expected="at least one", code="input.empty")
    return Reconstruction(np.concatenate(inputs), np.concatenate(seen), np.concatenate(outputs))


def passages(
    model: Model, x: Objects, *, corruption: Corruption | None = None, seed: int = 0
) -> Iterator[Reconstruction]:
    """What `reconstruct` gives: all at once of objects in memory, some after others of objects on a disk."""
    batches = BATCHES_READ if isinstance(x, Rows) else max(1, len(chunks(model, x)))
    step = batches * batch_of(model)
    for first in range(0, max(1, len(x)), step):
        yield reconstruct(
            model, x[first : first + step], corruption=corruption, seed=seed, first=first // batch_of(model)
        )
