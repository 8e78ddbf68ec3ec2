"""Columns in units in which they compare: long tails drawn in, the middle of each of variance 1.

x -> (x - median) / width -> asinh -> standardised
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from narrows.detect.levels import Roles

SAMPLE = 100_000
"""Rows on which medians are taken, at most."""

REACH = 3.0
"""Up to about so many widths a value keeps its proportion; beyond, it counts as its logarithm."""

LARGEST, FARTHEST = 1e37, 1e18
"""What a value is cut to, so that no difference overflows, and then its widths, so that no square does."""

QUARTILES = 1.349
"""Distance of the quartiles of a normal distribution of variance 1."""


@dataclass(frozen=True, eq=False)
class Units:
    """The units of F columns, each (F,) float32, and the range that training rows had in them."""

    centre: Tensor
    width: Tensor
    mean: Tensor
    spread: Tensor
    low: Tensor
    high: Tensor

    @classmethod
    def fit(cls, x: np.ndarray, rng: np.random.Generator, roles: Roles | None = None) -> Units:
        """The units of rows x (N, F), float32.

        Args:
            x: Rows.
            rng: Chooses the rows on which medians are taken, where there are many.
            roles: What the features are; numbers without.

        Example:
            >>> units = Units.fit(np.array([[0.0], [1.0], [2.0]], np.float32), np.random.default_rng(0))
            >>> units(torch.tensor([[1.0], [1e30]])).round(decimals=1).tolist()
            [[0.0], [129.8000030517578]]
        """
        some = x if len(x) <= SAMPLE else x[rng.permutation(len(x))[:SAMPLE]]
        some = np.clip(some, -LARGEST, LARGEST).astype(np.float64)
        low, centre, high = np.quantile(some, [0.25, 0.5, 0.75], axis=0)
        width = np.maximum((high - low) / QUARTILES, some.std(0))
        width = REACH * np.where(width > 1e-9 * np.abs(centre), width, 1 + np.abs(centre))
        if roles is not None:
            centre, width = roles.plainly(centre, width, REACH)
        drawn = np.arcsinh((some - centre) / width)
        spread = drawn.std(0)
        if roles is not None:
            spread = roles.spread(spread)
        parts = (centre, width, drawn.mean(0), np.where(spread > 1e-9, spread, 1.0))
        units = cls(*(torch.from_numpy(part.astype(np.float32)) for part in (*parts, centre, centre)))
        seen = units(torch.from_numpy(some.astype(np.float32)))
        return cls(units.centre, units.width, units.mean, units.spread, seen.amin(0), seen.amax(0))

    def __call__(self, x: Tensor) -> Tensor:
        """Rows (B, F) in these units."""
        return drawn_in(x.clamp(-LARGEST, LARGEST).sub_(self.centre).div_(self.width)).sub_(self.mean).div_(self.spread)

    def undo(self, x: Tensor) -> Tensor:
        """Rows (B, F) of these units back in those of the table, cut to the range that training rows had."""
        x = torch.minimum(torch.maximum(x, self.low), self.high)
        return torch.sinh(x * self.spread + self.mean) * self.width + self.centre


def drawn_in(x: Tensor) -> Tensor:
    """asinh by way of a logarithm, which is several times as fast and as exact as is needed here.

    Example:
        >>> x = torch.linspace(-50, 50, 999)
        >>> torch.allclose(drawn_in(x), x.asinh(), atol=1e-6)
        True
    """
    size = x.abs().clamp_max_(FARTHEST)
    return size.square().add_(1).sqrt_().add_(size).log_().copysign_(x)
