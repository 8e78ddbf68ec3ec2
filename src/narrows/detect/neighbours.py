"""How far a row lies from usual ones: its nearest neighbour in each of a few small samples, averaged.

Small samples seldom hold two frauds of a kind, so frauds do not vouch for each other. Where the rows are known to be
usual, one large sample knows better where usual rows lie.

References:
    LeSiNN: detecting anomalies by identifying least similar nearest neighbours (Pang, Ting and Albrecht, 2015),
    https://doi.org/10.1109/ICDMW.2015.62
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FEW, MANY = (8, 32), (1, 1024)
"""Samples of usual rows, and rows in each: where some may be odd, and where they are trusted."""

TRUSTED = 0.02
"""Share of rows that are not trusted up to which the others are."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Samples of usual rows (S, M, F)."""

    rows: Tensor

    @classmethod
    def of(cls, usual: Tensor, samples: tuple[int, int] = FEW) -> Neighbours:
        """So many samples of so many rows, from usual rows (N, F) in random order; a single one where they are few."""
        size = min(samples[1], len(usual))
        count = min(samples[0], len(usual) // size)
        return cls(usual[: count * size].reshape(count, size, -1).contiguous())

    def squares(self, x: Tensor) -> Tensor:
        """Squared distances (B, S, M) of rows x (B, F) to all rows of the samples."""
        rows = self.rows.flatten(0, 1)
        both = torch.addmm(rows.square().sum(1), x, rows.mT, alpha=-2).add_(x.square().sum(1, keepdim=True))
        return both.clamp_min_(0).unflatten(1, self.rows.shape[:2])

    def __call__(self, x: Tensor) -> Tensor:
        """Squared distance (B,) of rows x (B, F) to the nearest of each sample, averaged."""
        return self.squares(x).amin(-1).mean(-1)

    def others(self, x: Tensor, place: Tensor) -> Tensor:
        """The same for rows that may be in the samples: `place` (B,) is where in them, or -1; none is its own."""
        squares = self.squares(x).flatten(1)
        own = place >= 0
        squares[own, place[own]] = torch.inf
        nearest = squares.unflatten(1, self.rows.shape[:2]).amin(-1)
        # A sample of one row has no other.
        return nearest.masked_fill(nearest.isinf(), 0).mean(-1)

    def columns(self, x: Tensor) -> Tensor:
        """What each column adds to the squared distance (B, F)."""
        nearest = self.squares(x).argmin(-1)
        picked = self.rows[torch.arange(len(self.rows)), nearest]
        return (x.unsqueeze(1) - picked).square().mean(1)
