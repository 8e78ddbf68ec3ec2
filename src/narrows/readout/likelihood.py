"""How probable a variational model finds objects of zeros and ones: their log-likelihood by importance sampling.

References:
    Importance Weighted Autoencoders (Burda, Grosse and Salakhutdinov, 2016), arXiv 1509.00519
"""

from math import log

import numpy as np
import torch
from torch import Generator, Tensor
from torch.distributions import Normal
from torch.nn import functional as F

from narrows.errors import ModelError
from narrows.model import Model
from narrows.readout.apply import chunks
from narrows.storage import Objects
from narrows.train.feed import Feed, generator

EPSILON = 1e-6
"""Probabilities stay this far from 0 and 1, as in the bce term."""


@torch.no_grad()
def log_likelihood(model: Model, x: Objects, *, samples: int = 200, seed: int = 0) -> np.ndarray:
    """A lower bound of log p(x) in nats for each object (N,), tight as the samples grow.

    log p(x) >= log mean over k of p(x | z_k) p(z_k) / q(z_k | x), with z_k drawn from q(z | x); the decoder's
    outputs are the probabilities of ones.

    Args:
        model: A trained model with a variational bottleneck and outputs in [0, 1].
        x: Raw objects (N, *shape) that scaling takes to zeros and ones.
        samples: Codes drawn for each object.
        seed: Decides the codes.

    Raises:
        ModelError: The bottleneck is not variational, or the outputs are no probabilities.
    """
    if not hasattr(model.bottleneck, "log_variance") or model.head not in {"sigmoid", "clipped"}:
        kind = type(model.bottleneck).__name__
        raise ModelError(f"a likelihood from {kind} with head {model.head}", expected="a variational model of 0 and 1")
    device = str(model.offset.device)
    feed, rng = Feed(x, device, model.scaled), generator(device, seed)
    parts = [bound(model, feed.gather(index), samples, rng).cpu() for index in chunks(model, x)]
    return torch.cat(parts).numpy()


def bound(model: Model, x: Tensor, samples: int, rng: Generator) -> Tensor:
    """The bound for scaled objects x (B, *shape): shape (B,)."""
    code = model.encode(x)
    posterior = Normal(code.z, (0.5 * code.extras["log_variance"]).exp())
    prior, target = Normal(torch.zeros_like(code.z), 1.0), x.flatten(1)
    weights = []
    for _ in range(samples):
        z = posterior.mean + posterior.stddev * torch.randn(code.z.shape, generator=rng, device=x.device)
        made = model.decode(z).flatten(1).clamp(EPSILON, 1 - EPSILON)
        likelihood = -F.binary_cross_entropy(made, target, reduction="none").sum(1)
        weights.append(likelihood + (prior.log_prob(z) - posterior.log_prob(z)).flatten(1).sum(1))
    return torch.stack(weights).logsumexp(0) - log(samples)
