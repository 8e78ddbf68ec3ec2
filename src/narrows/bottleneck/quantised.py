"""Quantised bottlenecks: codes that are whole numbers.

References:
    Neural Discrete Representation Learning (van den Oord et al., 2017), arXiv 1711.00937
    Generating Diverse High-Fidelity Images with VQ-VAE-2 (Razavi et al., 2019), arXiv 1906.00446 (moving averages)
    Finite Scalar Quantization: VQ-VAE Made Simple (Mentzer et al., 2023), arXiv 2309.15505
"""

import torch
from torch import Generator, Tensor

from narrows.bottleneck.code import Bottleneck, Code
from narrows.bottleneck.settings import FSQ, VQ

REVIVE_BELOW = 0.03
"""An entry used less than this share of an even share is moved onto a fresh input."""


def nearest(z: Tensor, entries: Tensor) -> Tensor:
    """Index of the entry nearest to each vector.

    Args:
        z: Vectors, shape (N, G, d).
        entries: One codebook a group, shape (G, E, d).

    Returns:
        Indices in [0, E), shape (N, G).
    """
    # |z - e|^2 without the term that is the same for all entries.
    cross = torch.einsum("ngd,ged->nge", z, entries)
    return (entries.square().sum(-1) - 2 * cross).argmin(-1)


def look_up(indices: Tensor, entries: Tensor) -> Tensor:
    """The entries behind indices (N, G): vectors (N, G, d)."""
    groups = torch.arange(len(entries), device=entries.device)
    return entries[groups, indices]


class VQBottleneck(Bottleneck):
    """W h + b in groups of d numbers, each replaced by the nearest of E entries; gradients pass straight through.

    The entries follow moving averages of the inputs they stand for, and an entry that nobody uses is moved
    onto an input of the batch.
    """

    counts: Tensor
    sums: Tensor
    entries: Tensor
    steps: Tensor

    def __init__(self, settings: VQ, features: int):
        super().__init__(features, settings.size)
        self.groups, self.width = settings.size // settings.group, settings.group
        self.commitment, self.decay = settings.commitment, settings.decay
        book = torch.randn(self.groups, settings.entries, self.width)
        self.register_buffer("entries", book)
        self.register_buffer("sums", book.clone())
        self.register_buffer("counts", torch.ones(self.groups, settings.entries))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, h: Tensor, *, rng: Generator | None = None, x: Tensor | None = None) -> Code:
        z = self.project(h).float()
        vectors = z.reshape(-1, self.groups, self.width)
        indices = nearest(vectors.detach(), self.entries)
        quantised = look_up(indices, self.entries).reshape(z.shape)
        penalty = {"commitment": (z - quantised).square().mean()}
        extras = {"indices": indices.reshape(*z.shape[:-1], self.groups), "vectors": vectors.detach()}
        return Code(z + (quantised - z).detach(), penalty, extras)

    def weights(self, progress: float) -> dict[str, float]:
        return {"commitment": self.commitment}

    def decode_indices(self, indices: Tensor) -> Tensor:
        """Codes (B, *grid, K) behind indices (B, *grid, groups)."""
        flat = look_up(indices.reshape(-1, self.groups), self.entries)
        return flat.reshape(*indices.shape[:-1], self.size)

    @torch.no_grad()
    def learn(self, code: Code, rng: Generator) -> None:
        vectors, indices = code.extras["vectors"], code.extras["indices"].reshape(-1, self.groups)
        if self.steps == 0:
            self.entries.copy_(self.draw(vectors, rng))
            indices = nearest(vectors, self.entries)
            self.sums.copy_(self.entries)
        self.steps += 1
        self.follow(vectors, indices)
        self.revive(vectors, rng)

    def follow(self, vectors: Tensor, indices: Tensor) -> None:
        """Move each entry towards the mean of the vectors (N, G, d) that chose it."""
        counts, sums = torch.zeros_like(self.counts), torch.zeros_like(self.sums)
        ones = torch.ones_like(indices, dtype=counts.dtype)
        counts.scatter_add_(1, indices.t(), ones.t())
        index = indices.t()[..., None].expand(-1, -1, self.width)
        sums.scatter_add_(1, index, vectors.transpose(0, 1))
        self.counts.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        self.entries.copy_(self.sums / self.counts.clamp_min(1e-5)[..., None])

    def revive(self, vectors: Tensor, rng: Generator) -> None:
        """Put entries that are hardly used onto inputs of the batch."""
        even = self.counts.sum(1, keepdim=True) / self.counts.shape[1]
        dead = self.counts < REVIVE_BELOW * even
        if not dead.any():
            return
        fresh = self.draw(vectors, rng)
        self.entries.copy_(torch.where(dead[..., None], fresh, self.entries))
        self.counts.copy_(torch.where(dead, even, self.counts))
        self.sums.copy_(self.entries * self.counts[..., None])

    def draw(self, vectors: Tensor, rng: Generator) -> Tensor:
        """As many inputs as there are entries, at random: (G, E, d)."""
        shape = self.counts.shape
        chosen = torch.randint(len(vectors), shape, generator=rng, device=vectors.device)
        groups = torch.arange(self.groups, device=vectors.device)[:, None]
        return vectors[chosen, groups]


def round_to_levels(z: Tensor, levels: int) -> Tensor:
    """Squash to (-1, 1) and round to `levels` equally spaced values; gradients pass straight through.

    Example:
        >>> round_to_levels(torch.tensor([-9.0, -0.1, 0.1, 9.0]), levels=3)
        tensor([-1.,  0.,  0.,  1.])
    """
    squashed = z.tanh()
    steps = (squashed + 1) * (levels - 1) / 2
    rounded = steps.round() * 2 / (levels - 1) - 1
    return squashed + (rounded - squashed).detach()


class FSQBottleneck(Bottleneck):
    """Each number of W h + b squashed by tanh and rounded to one of L levels in [-1, 1]."""

    def __init__(self, settings: FSQ, features: int):
        super().__init__(features, settings.size)
        self.levels = settings.levels

    def forward(self, h: Tensor, *, rng: Generator | None = None, x: Tensor | None = None) -> Code:
        z = round_to_levels(self.project(h).float(), self.levels)
        indices = ((z.detach() + 1) * (self.levels - 1) / 2).round().long()
        return Code(z, {}, {"indices": indices})

    def decode_indices(self, indices: Tensor) -> Tensor:
        """Codes (B, *grid, K) behind level numbers (B, *grid, K)."""
        return indices.to(self.project.weight.dtype) * 2 / (self.levels - 1) - 1
