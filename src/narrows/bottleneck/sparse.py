"""Sparse bottlenecks: few numbers of the code say something about each object.

References:
    Sparse autoencoder, CS294A lecture notes (Ng, 2011), https://web.stanford.edu/class/cs294a/sparseAutoencoder.pdf
    k-Sparse Autoencoders (Makhzani and Frey, 2013), arXiv 1312.5663
"""

import torch
from torch import Generator, Tensor

from narrows.bottleneck.code import Bottleneck, Code
from narrows.bottleneck.settings import SparseKL, SparseL1, SparseTopK


def keep_largest(z: Tensor, k: int) -> Tensor:
    """Set all but the `k` numbers of largest absolute value of each code to zero.

    Args:
        z: Codes, shape (..., K).
        k: Numbers to keep, 1 to K.

    Example:
        >>> keep_largest(torch.tensor([[1.0, -3.0, 2.0]]), k=2)
        tensor([[ 0., -3.,  2.]])
    """
    kept = z.abs().topk(k, dim=-1).indices
    return torch.zeros_like(z).scatter(-1, kept, z.gather(-1, kept))


def bernoulli_kl(rate: float, activity: Tensor) -> Tensor:
    """KL divergence in nats of Bernoulli(rate) from Bernoulli(activity), elementwise.

    Example:
        >>> bernoulli_kl(0.5, torch.tensor([0.5, 0.25])).round(decimals=4)
        tensor([0.0000, 0.1438])
    """
    p, q = activity.new_tensor(rate), activity.clamp(1e-6, 1 - 1e-6)
    return p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()


class L1Bottleneck(Bottleneck):
    """z = W h + b, with the sum of |z| as a penalty."""

    def __init__(self, settings: SparseL1, features: int):
        super().__init__(features, settings.size)
        self.weight = settings.weight

    def forward(self, h: Tensor, *, rng: Generator | None = None, x: Tensor | None = None) -> Code:
        z = self.project(h)
        return Code(z, {"l1": z.float().abs().flatten(1).sum(1).mean()})

    def weights(self, progress: float) -> dict[str, float]:
        return {"l1": self.weight}


class KLBottleneck(Bottleneck):
    """z = sigmoid(W h + b), with the divergence of each unit's mean activity from the rate as a penalty."""

    def __init__(self, settings: SparseKL, features: int):
        super().__init__(features, settings.size)
        self.rate, self.weight = settings.rate, settings.weight

    def forward(self, h: Tensor, *, rng: Generator | None = None, x: Tensor | None = None) -> Code:
        z = self.project(h).sigmoid()
        activity = z.float().flatten(0, -2).mean(0)
        return Code(z, {"activity": bernoulli_kl(self.rate, activity).sum()})

    def weights(self, progress: float) -> dict[str, float]:
        return {"activity": self.weight}


class TopKBottleneck(Bottleneck):
    """z = the k largest numbers of W h + b, the rest zero."""

    def __init__(self, settings: SparseTopK, features: int):
        super().__init__(features, settings.size)
        self.k = settings.k

    def forward(self, h: Tensor, *, rng: Generator | None = None, x: Tensor | None = None) -> Code:
        return Code(keep_largest(self.project(h), self.k))
