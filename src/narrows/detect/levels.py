"""What words weigh: a column of words counts about as much as a column of numbers, however many levels it has.

A level is a feature that is 0 or 1. Scaled to variance 1 each, a column of thirty levels would weigh as much as thirty
columns, and a level with a share p would lie 1/sqrt(p) away; whitening would bring both back. Here the levels of a
column share one unit, that of all of them together, and whitening adds to the variance of each what all have.

References:
    A general coefficient of similarity and some of its properties (Gower, 1971), https://doi.org/10.2307/2528823
    Analyse factorielle de données mixtes (Pagès, 2004): a column of words balanced against one of numbers
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from narrows.data.frames.kinds import LEVEL, SURPRISE
from narrows.errors import InputError, counted

SOFT = 1.0
"""What is added to the variance of each level before whitening, in that of all levels of its column."""

LEAST = 0.05
"""Variance that the levels of a column have at least, together: that of a level which a twentieth of the rows have."""

NAT = 1.0
"""Least unit of a surprise, and the variance in it that is added before whitening."""


ONE = float(np.arcsinh(1 / 3))
"""A level, or a nat, after long tails were drawn in with a width of 3."""


@dataclass(frozen=True, eq=False)
class Roles:
    """What each of F features is.

    Args:
        level: The column whose level it is (F,), -1 for features that are none.
        surprise: Whether it is a surprise (F,).
    """

    level: Tensor
    surprise: Tensor

    @classmethod
    def of(cls, roles: Sequence[str], groups: Sequence[tuple[int, int]]) -> Roles:
        """The roles of features by their names (F,), in the columns whose slices are given.

        Raises:
            InputError: Another number of them than there are features.

        Example:
            >>> Roles.of(["value", "level", "surprise", "level", "level"], [(0, 2), (2, 5)]).level.tolist()
            [-1, 0, -1, 1, 1]
        """
        features = max((stop for _, stop in groups), default=0)
        if len(roles) != features:
            given = f"roles of {counted(len(roles), 'feature')}"
            raise InputError(given, expected=f"one for each of the {features}", code="input.shape")
        level, surprise = torch.full((len(roles),), -1), torch.tensor([role == SURPRISE for role in roles])
        for column, (start, stop) in enumerate(groups):
            for place in range(start, stop):
                if roles[place] == LEVEL:
                    level[place] = column
        return cls(level, surprise)

    def together(self, variance: Tensor) -> Tensor:
        """The variance (F,) that the levels of a feature's column have together; 0 for what is no level."""
        sums = variance.new_zeros(len(variance) + 1).index_add_(0, self.level + 1, variance)
        return sums[self.level + 1] * (self.level >= 0)

    def plainly(self, centre: np.ndarray, width: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """Centre and width of features (F,), those of words made so that one unit is about one level, or one nat."""
        own = ((self.level >= 0) | self.surprise).numpy()
        return np.where(own, 0.0, centre), np.where(own, reach, width)

    def spread(self, spread: np.ndarray) -> np.ndarray:
        """The spread of features (F,), that of words taken for a column at once, and no smaller than is said above."""
        variance = torch.from_numpy(np.square(spread))
        whole = self.together(variance).clamp_min_(LEAST * ONE**2).numpy()
        spread = np.where(self.level.numpy() >= 0, np.sqrt(whole), spread)
        return np.where(self.surprise.numpy(), np.maximum(spread, NAT * ONE), spread)

    def softening(self, variance: Tensor) -> Tensor:
        """What is added to the variance of each feature (F,) before whitening."""
        return SOFT * self.together(variance) + NAT * self.surprise
