"""A crowd of small autoencoders, trained at once on rows of which some may be odd.

    x (B, F) -> noise, another for each network -> K networks -> output (K, B, F) -> trimmed squared error

The networks differ in their seed and in the size of their code. Each leaves out, of every batch, the rows it gives
back worst: what is rare and odd does not get to bend it.

References:
    Least trimmed squares regression (Rousseeuw, 1984), https://doi.org/10.1080/01621459.1984.10477105
    Extracting and composing robust features with denoising autoencoders (Vincent et al., 2008),
    https://doi.org/10.1145/1390156.1390294
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from narrows.bottleneck import Plain
from narrows.data.scaling import Scaling, plain
from narrows.errors import InputError, UsageError
from narrows.nn import Dense
from narrows.recipe import Recipe, Training, build
from narrows.train.device import Place, available_threads, keep_memory
from narrows.train.feed import generator
from narrows.train.loop import NOISE, ORDER, learning_rate
from narrows.train.stack import Buffers, DenseStack, carve
from narrows.train.trial import SMALL_WORK
from narrows.types import Layout

ACTIVATION: Literal["silu"] = "silu"


@dataclass(frozen=True)
class Plan:
    """How a crowd is trained.

    Args:
        count: Number of networks, K.
        epochs: Times every row is seen, as far as `steps` allows.
        batch: Rows a step.
        steps: Fewest and most steps.
        rate: Largest learning rate.
        noise: Standard deviation of what is added to the rows before a network sees them; rows have variance 1.
        trim: Share of the rows of a batch that a network leaves out; up to .02 the rows are taken to be known as usual,
            and more of them are remembered.
    """

    count: int = 4
    epochs: int = 20
    batch: int = 256
    steps: tuple[int, int] = (600, 3000)
    rate: float = 5e-3
    noise: float = 0.3
    trim: float = 0.05

    def __post_init__(self) -> None:
        few, most = self.steps
        for name, good, expected in (
            ("n_networks", self.count >= 2, "2 at least"),
            ("epochs", self.epochs >= 1, "1 at least"),
            ("batch_size", self.batch >= 1, "1 at least"),
            ("steps", 1 <= few <= most, "fewest and most, 1 at least"),
            ("learning_rate", 0 < self.rate <= 10, "above 0, at most 10"),
            ("noise", 0 <= self.noise <= 10, "from 0 to 10"),
            ("trim", 0 <= self.trim <= 0.5, "from 0 to 0.5"),
        ):
            if not good:
                raise UsageError(f"{name} of {self!r}", expected=expected, code="usage.plan")


@dataclass(frozen=True, eq=False)
class Networks:
    """K trained autoencoders: of each layer the weights (K, in, out) and the biases (K, 1, out)."""

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    def __call__(self, x: Tensor) -> Tensor:
        """What each network gives back (K, B, F) for rows x (B, F)."""
        h, last = x.expand(len(self.weights[0]), *x.shape), len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(bias, h, weight)
            h = h if i in {last, last // 2} else F.silu(h, inplace=True)
        return h


def widths(features: int) -> tuple[int, int]:
    """Units of the two hidden layers of an encoder.

    Example:
        >>> widths(6), widths(29), widths(1000)
        ((16, 8), (32, 16), (128, 64))
    """
    outer = 2 ** int(np.ceil(np.log2(np.clip(features, 16, 128))))
    return outer, outer // 2


def codes(features: int, count: int) -> list[int]:
    """Sizes of the codes of a crowd: from an eighth of the features to a half, at least 1.

    Example:
        >>> codes(29, 8), codes(2, 3)
        ([4, 5, 7, 8, 10, 11, 13, 14], [1, 1, 1])
    """
    most = min(features / 2, widths(features)[1])
    return [max(1, round(size)) for size in np.linspace(min(features / 8, most / 2), most, count)]


def train_networks(rows: Tensor, plan: Plan, seed: int) -> Networks:
    """Train a crowd on rows (N, F) of variance 1.

    Args:
        rows: Rows, float32.
        plan: How.
        seed: Decides weights, order and noise.

    Raises:
        InputError: Training diverged.
    """
    keep_memory()
    stack = stacked(rows.shape[1], plan, seed)
    epoch = -(-len(rows) // plan.batch)
    steps = int(np.clip(plan.epochs * epoch, *plan.steps))
    training, done = Training(rate=plan.rate, warm_up=0.05), 0
    work = plan.count * min(plan.batch, len(rows)) * stack.flat.numel() // plan.count
    with Place("cpu", "float32", 1 if work < SMALL_WORK else available_threads()).scope():
        noise = generator("cpu", seed, NOISE)
        while done < steps:
            order = torch.randperm(len(rows), generator=generator("cpu", seed, ORDER, done))
            for index in order.split(plan.batch)[: steps - done]:
                step(stack, rows[index], plan, noise)
                stack.improve(learning_rate(training, done / steps))
                done += 1
    stack.release()
    layers = carve(stack.flat, stack.shapes, stack.count)
    made = Networks(
        tuple(layer.weight.mT.contiguous() for layer in layers), tuple(layer.bias.clone() for layer in layers)
    )
    if not torch.isfinite(stack.flat).all():
        raise InputError("training diverged on these rows", step="Scale the columns", code="input.diverged")
    return made


def stacked(features: int, plan: Plan, seed: int) -> DenseStack:
    """The untrained crowd."""
    layout, scaling = Layout("rows", "table", (features,)), Scaling("none", plain(0), plain(1))
    models = []
    for k, size in enumerate(codes(features, plan.count)):
        network = Dense(widths=widths(features), activation=ACTIVATION)
        recipe = Recipe(network=network, bottleneck=Plain(size=size), seed=seed ^ k << 20)
        models.append(build(recipe, layout, scaling))
    return DenseStack(models, ACTIVATION)


@torch.no_grad()
def step(stack: DenseStack, x: Tensor, plan: Plan, rng: torch.Generator) -> None:
    """The slope of the trimmed squared error of each network on rows x (B, F), left in the stack."""
    room: Buffers = stack.room(len(x))
    noisy = torch.empty(stack.count, *x.shape).normal_(0, plan.noise, generator=rng).add_(x)
    difference = torch.sub(stack.forward(noisy, room), x, out=room.slope[-1])
    errors = torch.linalg.vector_norm(difference, dim=-1)
    kept = max(1, len(x) - round(plan.trim * len(x)))
    most = errors.kthvalue(kept, dim=-1, keepdim=True).values
    difference.mul_((errors <= most).unsqueeze(-1) * (2 / (kept * prod(x.shape[1:]))))
    stack.backward(noisy, room)
