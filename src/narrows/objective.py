"""The objective: named terms, each with a weight, whose sum is the loss.

References:
    Image Quality Assessment: From Error Visibility to Structural Similarity (Wang et al., 2004),
    https://doi.org/10.1109/TIP.2003.819861 (the ssim term)
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

from narrows.errors import UsageError, unknown
from narrows.metrics.image import ssim

Term = Callable[[Tensor, Tensor], Tensor]


def binary_cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Mean binary cross-entropy in nats of outputs in [0, 1] against targets in [0, 1]."""
    return F.binary_cross_entropy(output.clamp(1e-6, 1 - 1e-6), target)


def dissimilarity(output: Tensor, target: Tensor) -> Tensor:
    """1 - SSIM, averaged over the pictures (B, C, H, W) of peak 1: 0 for equal pictures."""
    return 1 - ssim(output, target, peak=1.0).mean()


TERMS: dict[str, Term] = {
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "huber": F.huber_loss,
    "bce": binary_cross_entropy,
    "ssim": dissimilarity,
}

UNIT_RANGE_ONLY = {"bce", "ssim"}
"""Terms that mean something for values in [0, 1] alone."""


PENALTIES = {
    "kl": ("variational", "beta"),
    "activity": ("sparse-kl", "weight"),
    "sparsity": ("sparse-l1", "weight"),
    "slope": ("contractive", "weight"),
    "commitment": ("vq", "commitment"),
}
"""What is no term of the objective but a cost of the code: the bottleneck that states it, and what weighs it."""


class Loss(NamedTuple):
    """A loss and what it is made of.

    Args:
        total: The sum of value x weight over the terms: what is minimised.
        values: Each term before its weight.
        weights: The weight of each term.
    """

    total: Tensor
    values: dict[str, Tensor]
    weights: dict[str, float]


def check_objective(weights: dict[str, float], shape: tuple[int, ...], bounds: tuple[float, float] | None) -> None:
    """Refuse unknown terms, no term at all, and terms without a meaning for this shape and range of values."""
    for name in weights:
        if name in PENALTIES:
            kind, setting = PENALTIES[name]
            raise UsageError(
                f"objective {name!r}, which compares no output with its target",
                expected="it is a penalty that a bottleneck states",
                step=f"Use bottleneck={kind}, and weigh it by bottleneck.{setting}",
                code="usage.penalty",
            )
        if name not in TERMS:
            raise unknown("objective", name, TERMS)
        if name in UNIT_RANGE_ONLY and bounds != (0.0, 1.0):
            raise UsageError(
                f"objective {name!r} with values that are not bounded",
                expected="values scaled into [0, 1]",
                step="Use mse, l1 or huber",
                code="usage.range",
            )
    if "ssim" in weights and (len(shape) != 3 or min(shape[1:]) < 3):
        raise UsageError(f"objective 'ssim' with objects of shape {shape}", expected="pictures", code="usage.ssim")
    if not any(weight > 0 for weight in weights.values()):
        raise UsageError(f"objective {weights}", expected="at least one term with a weight above 0")


def objective(
    weights: dict[str, float],
    output: Tensor,
    target: Tensor,
    penalties: dict[str, Tensor],
    penalty_weights: dict[str, float],
) -> Loss:
    """The loss of a batch: error terms between output and target, and the penalties of the code.

    Args:
        weights: Weight of each error term, by its name in `TERMS`.
        output: What the decoder gave, shape (B, *shape).
        target: What it should have given, shape (B, *shape).
        penalties: Costs the bottleneck states, by name.
        penalty_weights: Weight of each penalty.

    Example:
        >>> import torch
        >>> loss = objective({"mse": 1.0, "l1": 0.5}, torch.ones(2, 3), torch.zeros(2, 3), {}, {})
        >>> loss.total.item(), {name: value.item() for name, value in loss.values.items()}
        (1.5, {'mse': 1.0, 'l1': 1.0})
    """
    output, target = output.float(), target.float()
    values = {name: TERMS[name](output, target) for name in weights} | penalties
    weights = weights | penalty_weights
    total = sum((weights[name] * value for name, value in values.items()), output.new_zeros(()))
    return Loss(total, values, weights)
