"""What networks fail to give back, measured by what they usually fail to give back: whitened residuals.

    residual r (K, B, F) -> y = (r - mean) root, root root = covariance^-1 -> columns (B, F), the mean of y^2 over K

Mean and covariance are those of the rows that fit best. The root is symmetric, so that a whitened residual stays as
close as can be to its own column, and its square is what that column contributes.

References:
    A fast algorithm for the minimum covariance determinant estimator (Rousseeuw and van Driessen, 1999),
    https://doi.org/10.1080/00401706.1999.10485670
    Optimal whitening and decorrelation (Kessy, Lewin and Strimmer, 2018), arXiv 1512.00809
    A new measure for the contributions of variables to a quadratic form (Garthwaite and Koch, 2016),
    https://doi.org/10.1111/anzs.12144
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from narrows.detect.levels import Roles

ROUNDS = 3
"""Times that the rows which fit best are chosen anew."""

SHRINK = 0.1
"""Share of the covariance that is replaced by equal, independent variances."""

LARGEST = 600
"""Columns up to which their dependence is looked at; a larger matrix would cost more than it tells."""


@dataclass(frozen=True, eq=False)
class Whitening:
    """The mean (K, 1, F) of the residuals, and the root (K, F, F), or (K, 1, F) where columns are too many."""

    mean: Tensor
    root: Tensor

    @property
    def dependent(self) -> bool:
        """Whether it looks at the dependence of columns."""
        return self.root.shape[1] == self.root.shape[2]

    def __call__(self, residual: Tensor) -> Tensor:
        """How odd each column is (B, F), from residuals (K, B, F); 1 is usual."""
        residual = residual - self.mean
        white = torch.bmm(residual, self.root) if self.dependent else residual * self.root
        return white.square_().mean(0)


def fit_whitening(residual: Tensor, keep: float, roles: Roles | None = None) -> Whitening:
    """The whitening of residuals (K, N, F) of which a share is believed to be those of usual rows.

    Args:
        residual: What was not given back.
        keep: That share, in (0, 1].
        roles: What the features are; numbers without.
    """
    made = [one_whitening(part.double(), keep, roles) for part in residual]
    return Whitening(*(torch.stack(parts).float().contiguous() for parts in zip(*made, strict=True)))


def one_whitening(r: Tensor, keep: float, roles: Roles | None) -> tuple[Tensor, Tensor]:
    """The mean (1, F) and the root of the residuals of one network (N, F)."""
    usual, kept = r, max(1, round(keep * len(r)))
    for _ in range(ROUNDS):
        mean, root = moments(usual, roles)
        odd = ((r - mean) @ root if len(root) > 1 or r.shape[1] == 1 else (r - mean) * root).square().sum(1)
        usual = r[odd.argsort(stable=True)[:kept]]
    return moments(usual, roles)


def moments(r: Tensor, roles: Roles | None) -> tuple[Tensor, Tensor]:
    """The mean (1, F) and the root of the inverse covariance of rows (N, F), shrunk."""
    mean, features = r.mean(0, keepdim=True), r.shape[1]
    centred = r - mean
    variance = centred.square().mean(0)
    tiny = 1e-6
    added = SHRINK * variance.mean() + tiny + (roles.softening(variance) if roles else 0)
    if features > LARGEST:
        return mean, ((1 - SHRINK) * variance + added).rsqrt().unsqueeze(0)
    covariance = (1 - SHRINK) * centred.mT @ centred / len(r)
    values, vectors = torch.linalg.eigh(covariance + (torch.eye(features, dtype=r.dtype) * added))
    return mean, (vectors * values.clamp_min(tiny).rsqrt()) @ vectors.mT
