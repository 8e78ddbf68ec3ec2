"""The variational bottleneck: a mean and a variance for each number of the code.

References:
    Auto-Encoding Variational Bayes (Kingma and Welling, 2014), arXiv 1312.6114
    beta-VAE (Higgins et al., 2017), https://openreview.net/forum?id=Sy2fzU9gl
"""

import torch
from torch import Generator, Tensor, nn

from narrows.bottleneck.code import Bottleneck, Code
from narrows.bottleneck.settings import Variational

LOG_VARIANCE_LIMIT = 10.0


def normal_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence in nats of N(mean, variance) from N(0, 1), elementwise.

    Example:
        >>> normal_kl(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 0.0]))
        tensor([0.0000, 0.5000])
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


class VariationalBottleneck(Bottleneck):
    """z ~ N(mean, variance) while training, the mean otherwise; the KL divergence from N(0, 1) is the penalty.

    The error is a mean over the D values of an object and the divergence a sum over its code, so the
    divergence is weighed with beta / D: beta keeps its meaning when the objects grow.
    """

    def __init__(self, settings: Variational, features: int, values: int):
        super().__init__(features, settings.size)
        self.log_variance = nn.Linear(features, settings.size)
        self.beta, self.warm_up, self.values = settings.beta, settings.warm_up, values

    def forward(self, h: Tensor, *, rng: Generator | None = None, x: Tensor | None = None) -> Code:
        mean = self.project(h).float()
        log_variance = self.log_variance(h).float().clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT)
        kl = normal_kl(mean, log_variance)
        penalties = {"kl": kl.flatten(1).sum(1).mean()}
        if rng is None:
            return Code(mean, penalties, {"log_variance": log_variance})
        noise = torch.randn(mean.shape, generator=rng, device=mean.device)
        return Code(mean + noise * (0.5 * log_variance).exp(), penalties, {"log_variance": log_variance})

    def weights(self, progress: float) -> dict[str, float]:
        grown = min(1.0, progress / self.warm_up) if self.warm_up else 1.0
        return {"kl": self.beta * grown / self.values}

    def prior(self, count: int, rng: Generator) -> Tensor:
        return torch.randn(count, self.size, generator=rng, device=rng.device)
