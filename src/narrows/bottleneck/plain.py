"""The plain linear bottleneck, and the contractive one that also keeps its slope small.

References:
    Contractive Auto-Encoders: Explicit Invariance During Feature Extraction (Rifai et al., 2011), ICML
    A Stochastic Estimator of the Trace of the Influence Matrix (Hutchinson, 1990),
    https://doi.org/10.1080/03610919008812866
"""

import torch
from torch import Generator, Tensor

from narrows.bottleneck.code import Bottleneck, Code
from narrows.bottleneck.settings import Contractive, Plain


class PlainBottleneck(Bottleneck):
    """z = W h + b.

    Example:
        >>> PlainBottleneck(Plain(size=3), features=8)(torch.zeros(5, 8)).z.shape
        torch.Size([5, 3])
    """

    def __init__(self, settings: Plain, features: int):
        super().__init__(features, settings.size)

    def forward(self, h: Tensor, *, rng: Generator | None = None, x: Tensor | None = None) -> Code:
        return Code(self.project(h))


def squared_slope(z: Tensor, x: Tensor, rng: Generator) -> Tensor:
    """An unbiased estimate of the squared Frobenius norm of dz / dx, averaged over the batch.

    One random direction v of independent signs a batch: the expectation of |v' J|^2 is |J|^2 (Hutchinson, 1990).

    Args:
        z: Codes (B, *grid, K), computed from `x`.
        x: Inputs (B, *shape) that require gradients.
        rng: Source of randomness, on the device of `z`.
    """
    signs = torch.randint(0, 2, z.shape, generator=rng, device=z.device).to(z.dtype) * 2 - 1
    (slope,) = torch.autograd.grad(z, x, signs, create_graph=True)
    return slope.float().square().flatten(1).sum(1).mean()


class ContractiveBottleneck(Bottleneck):
    """z = W h + b, with the squared slope |dz / dx|^2 as a penalty."""

    differentiates = True

    def __init__(self, settings: Contractive, features: int):
        super().__init__(features, settings.size)
        self.weight = settings.weight

    def forward(self, h: Tensor, *, rng: Generator | None = None, x: Tensor | None = None) -> Code:
        z = self.project(h)
        if rng is None or x is None or not x.requires_grad:
            return Code(z)
        return Code(z, {"slope": squared_slope(z, x, rng)})

    def weights(self, progress: float) -> dict[str, float]:
        return {"slope": self.weight}
