"""What a person said of rows: what is like a confirmed row is odder, and what is like a cleared one is less odd.

reviewed rows (R, F), verdicts (R,) of 1 or -1
x (B, F) -> nearness to each, exp(-distance^2 / 2 reach^2) -> vote in (-1, 1) -> score * exp(3 vote)

The score and what each column adds to it are multiplied by the same number, so the blame goes on adding up.

References:
    Incorporating expert feedback into active anomaly discovery (Das, Wong, Dietterich, Fern and Emmott, 2016),
    https://doi.org/10.1109/ICDM.2016.0102
    On estimating regression (Nadaraya, 1964), https://doi.org/10.1137/1109020: votes weighed by nearness
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from torch import Tensor

from narrows.detect.detector import Detector, check_rows
from narrows.errors import InputError

MOST = 4096
"""Reviewed rows that are remembered, the latest."""

WEIGHT = 3.0
"""How much a unanimous vote counts: it multiplies or divides a score by exp 3, about 20."""

SHARE = 1 / 3
"""Of the median distance of reviewed rows: how far a verdict reaches."""


@dataclass(frozen=True, eq=False)
class Feedback:
    """Verdicts on rows, in the units of a detector.

    Args:
        rows: Reviewed rows (R, F).
        verdicts: 1 for a row that was confirmed to be odd, -1 for one that was cleared (R,).
        reach: The distance at which a verdict still weighs exp(-1/2).

    Example:
        >>> feedback = Feedback.of(torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([-1.0, 1.0]))
        >>> feedback.factor(torch.tensor([[0.0, 0.0], [4.5, 0.0], [9.0, 0.0], [0.0, 900.0]])).round(decimals=2).tolist()
        [0.23, 1.0, 4.37, 1.0]
    """

    rows: Tensor
    verdicts: Tensor
    reach: float

    @classmethod
    def of(cls, rows: Tensor, verdicts: Tensor) -> Feedback:
        """Feedback from rows (R, F), whose reach is a third of their median distance.

        Of rows that are equal the last verdict counts, and the last 4,096 rows are kept.
        """
        _, last = np.unique(rows.flip(0).numpy(), axis=0, return_index=True)
        kept = np.sort(len(rows) - 1 - last)[-MOST:]
        rows, verdicts = rows[kept].contiguous(), verdicts[kept].float()
        distances = torch.pdist(rows)
        middle = float(distances.median()) if len(distances) else 0.0
        return cls(rows, verdicts, SHARE * (middle or sqrt(2 * rows.shape[1])))

    def factor(self, x: Tensor) -> Tensor:
        """What the scores of rows x (B, F) are multiplied by (B,), float64, from exp(-3) to exp 3."""
        squares = torch.addmm(self.rows.square().sum(1), x, self.rows.mT, alpha=-2)
        squares.add_(x.square().sum(1, keepdim=True)).clamp_min_(0)
        near = squares.mul_(-0.5 / self.reach**2).exp_()
        vote = (near * self.verdicts).sum(1) / (1 + near.sum(1))
        return vote.double().mul_(WEIGHT).exp_()


@dataclass(frozen=True, eq=False)
class Reviewed:
    """A detector whose scores heed what a person said; it is used like the detector itself.

    Args:
        detector: Scores rows.
        feedback: What was said.

    Example:
        >>> from narrows.detect.networks import Plan
        >>> x = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
        >>> detector = Detector.fit(x, plan=Plan(steps=(50, 50)))
        >>> false_alarm = np.array([[0, 6]], np.float32)
        >>> heeding = Reviewed.by(detector, false_alarm, np.array([-1]))
        >>> bool(heeding.score(false_alarm)[0] < detector.score(false_alarm)[0] / 4)
        True
    """

    detector: Detector
    feedback: Feedback

    @classmethod
    def by(cls, detector: Detector, x: np.ndarray, verdicts: np.ndarray, before: Feedback | None = None) -> Reviewed:
        """A detector that heeds verdicts on rows.

        Args:
            detector: Scores rows.
            x: Reviewed rows (R, F), features.
            verdicts: 1 for a row that was confirmed to be odd, -1 for one that was cleared (R,).
            before: Earlier feedback, which is kept.

        Raises:
            InputError: No rows, or verdicts of another number or kind.
        """
        check_rows(x, detector.features)
        if not len(x) or verdicts.shape != (len(x),) or not np.isin(verdicts, (-1, 1)).all():
            raise InputError(
                f"verdicts of shape {verdicts.shape} on {len(x):,} rows",
                expected="1 (odd) or -1 (not odd) for each, and one row at least",
                code="input.verdicts",
            )
        rows = torch.from_numpy(detector.over(x, lambda inside: inside))
        said = torch.from_numpy(verdicts.astype(np.float32))
        if before is not None:
            rows, said = torch.cat([before.rows, rows]), torch.cat([before.verdicts, said])
        return cls(detector, Feedback.of(rows, said))

    @property
    def groups(self) -> tuple[tuple[int, int], ...]:
        """For each column of the table the first of its features and the one after its last."""
        return self.detector.groups

    def factor(self, x: np.ndarray) -> np.ndarray:
        """What the scores of rows x (N, F) are multiplied by (N,)."""
        return self.detector.over(x, self.feedback.factor)

    def score(self, x: np.ndarray) -> np.ndarray:
        """How odd each row of x (N, F) is: (N,) float64, higher is odder, never below zero."""
        return self.detector.score(x) * self.factor(x)

    def explain(self, x: np.ndarray) -> np.ndarray:
        """What each column of the table adds to the score of each row of x (N, F): (N, D) float64."""
        return self.detector.explain(x) * self.factor(x)[:, None]

    def expected(self, x: np.ndarray) -> np.ndarray:
        """What the networks would have expected of each row of x (N, F): (N, F) float32."""
        return self.detector.expected(x)
