"""The detector: rows in, how odd each is and which columns made it so out.

    x (B, F) -> units -> networks -> whitened residuals  -> left: how odd is what is not given back  \\
                      -> whitened rows                   -> whole: how odd is the row as a whole     -> score (B,)
                      -> nearest of some usual rows      -> near: how odd is the place it lies in   /

Each of the three is measured in the spread its logarithm has among the rows of the training, and the largest counts:
a row is as odd as its oddest side. The score is about ln 2 for a usual row.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from narrows.detect.levels import Roles
from narrows.detect.neighbours import FEW, MANY, TRUSTED, Neighbours
from narrows.detect.networks import Networks, Plan, train_networks
from narrows.detect.quick import Quick
from narrows.detect.units import Units
from narrows.detect.whitening import Whitening, fit_whitening
from narrows.errors import InputError, counted
from narrows.train.device import Place, available_threads

SAMPLE_ROWS, SAMPLE_VALUES = 20_000, 40_000_000
"""Rows on which residuals are whitened and levels are taken, at most, and values of all their residuals."""

BLOCK_VALUES, BLOCK_ROWS = 1 << 18, 1024
"""Values of a block that is scored at once, and rows, at most: small enough for the cache of a processor."""

NINE_TENTHS = 1.2816
"""Standard deviations of a normal distribution below which nine tenths of it lie."""

TINY = 1e-12
"""Stands for an oddness of zero, which has no logarithm."""


@dataclass(frozen=True, eq=False)
class Detector:
    """A fitted detector; `Detector.fit` makes one.

    Args:
        units: Of the features.
        networks: The crowd.
        left: The whitening of their residuals.
        whole: The whitening of the rows themselves.
        neighbours: Usual rows.
        levels: Median and spread of the logarithm of each part's oddness (3, 2), float64.
        groups: For each column of the table the first of its features and the one after its last.
    """

    units: Units
    networks: Networks
    left: Whitening
    whole: Whitening
    neighbours: Neighbours
    levels: Tensor
    groups: tuple[tuple[int, int], ...]

    @classmethod
    def fit(
        cls,
        x: np.ndarray,
        *,
        groups: Sequence[tuple[int, int]] | None = None,
        roles: Sequence[str] | None = None,
        seed: int = 0,
        plan: Plan | None = None,
    ) -> Detector:
        """Learn what usual rows look like.

        Args:
            x: Rows (N, F), float32; a few of them may be odd.
            groups: For each column of the table the slice of its features; None for one feature a column.
            roles: What each feature is, as `Schema.roles` says (F,); None where all are numbers.
            seed: Decides weights, order, noise and which rows are remembered.
            plan: How the networks are trained, and the share of rows that are not trusted.

        Raises:
            InputError: Fewer than two rows, no column, or a value that is not finite.

        Example:
            >>> rows = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
            >>> detector = Detector.fit(rows, plan=Plan(steps=(50, 50)))
            >>> usual, odd = detector.score(np.array([[0, 0, 0], [0, 9, 0]], np.float32))
            >>> bool(odd > usual), detector.explain(np.array([[0, 9, 0]], np.float32)).argmax()
            (True, np.int64(1))
        """
        plan, rng = plan or Plan(), np.random.default_rng(seed)
        check_rows(x)
        if len(x) < 2 or not x.shape[1]:
            raise InputError(f"a table of {x.shape[0]} x {x.shape[1]}", expected="two rows and a column at least")
        each = groups or [(i, i + 1) for i in range(x.shape[1])]
        known = Roles.of(roles, each) if roles else None
        units = Units.fit(x, rng, known)
        inside = units(torch.from_numpy(np.array(x, np.float32)))
        networks = train_networks(inside, plan, seed)
        most = min(SAMPLE_ROWS, max(MANY[1], SAMPLE_VALUES // (plan.count * x.shape[1])))
        some = inside[torch.from_numpy(rng.permutation(len(x))[:most])]
        with Place("cpu", "float32", available_threads()).scope():
            left, gone = whitened(residuals(networks, some), 1 - plan.trim, known)
            whole, far = whitened(some.unsqueeze(0), 1 - plan.trim, known)
            neighbours, place = remembered(some, gone + far, plan.trim)
            blocks = zip(some.split(BLOCK_ROWS), place.split(BLOCK_ROWS), strict=True)
            near = torch.cat([neighbours.others(*block) for block in blocks])
        kept = tuple((int(start), int(stop)) for start, stop in each)
        return cls(units, networks, left, whole, neighbours, levels(torch.stack([gone, far, near])), kept)

    @property
    def features(self) -> int:
        """Numbers of a row, F."""
        return len(self.units.centre)

    def score(self, x: np.ndarray) -> np.ndarray:
        """How odd each row of x (N, F) is: (N,) float64, higher is odder, never below zero.

        Raises:
            InputError: Rows of another width, or a value that is not finite.
        """
        return self.over(x, lambda rows: joined(self.parts(rows), self.levels))

    def explain(self, x: np.ndarray) -> np.ndarray:
        """What each column of the table adds to the score of each row of x (N, F): (N, D) float64, none below zero.

        Raises:
            InputError: Rows of another width, or a value that is not finite.
        """
        return self.over(x, self.contributions)

    def expected(self, x: np.ndarray) -> np.ndarray:
        """What the networks would have expected of each row of x (N, F), on average: (N, F) float32.

        Raises:
            InputError: Rows of another width, or a value that is not finite.
        """
        return self.over(x, lambda rows: self.units.undo(self.networks(rows).mean(0)))

    @cached_property
    def quick(self) -> Quick | None:
        """The parts in few products; None for a table so wide that its columns are taken one by one."""
        return Quick.of(self.networks, self.left, self.whole, self.neighbours) if self.left.dependent else None

    def parts(self, rows: Tensor) -> Tensor:
        """How odd rows (B, F) are by each part (3, B)."""
        if self.quick is not None:
            return self.quick(rows)
        left = self.left(rows - self.networks(rows)).mean(-1)
        return torch.stack([left, self.whole(rows.unsqueeze(0)).mean(-1), self.neighbours(rows)])

    def contributions(self, rows: Tensor) -> Tensor:
        """The score of rows (B, F), shared out among the columns (B, D)."""
        left, whole = self.left(rows - self.networks(rows)), self.whole(rows.unsqueeze(0))
        columns = torch.stack([left, whole, self.neighbours.columns(rows)]).double().add_(TINY)
        parts = self.parts(rows)
        oddest = columns[standard(parts, self.levels).argmax(0), torch.arange(len(rows))]
        each = joined(parts, self.levels).unsqueeze(-1) * oddest / oddest.sum(-1, keepdim=True)
        sums = F.pad(each.cumsum(-1), (1, 0))
        start, stop = torch.tensor(self.groups).T
        return sums[:, stop] - sums[:, start]

    def over(self, x: np.ndarray, function: Callable[[Tensor], Tensor]) -> np.ndarray:
        """A function of blocks applied to rows x (N, F), so that the bits of a row do not depend on those beside it.

        Blocks have one size, filled up with zeros, and each is computed by one thread.
        """
        check_rows(x, self.features)
        size = max(1, min(BLOCK_ROWS, BLOCK_VALUES // (len(self.networks.weights[0]) * self.features)))
        starts = range(0, max(len(x), 1), size)

        def one(start: int) -> np.ndarray:
            rows = torch.zeros(size, self.features)
            part = torch.from_numpy(np.array(x[start : start + size], np.float32))
            rows[: len(part)] = part
            with torch.no_grad():
                return function(self.units(rows))[: len(part)].numpy()

        with Place("cpu", "float32", 1).scope():
            threads = min(available_threads(), len(starts))
            if threads == 1:
                return np.concatenate([one(start) for start in starts])
            with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                return np.concatenate(list(pool.map(one, starts)))

    def to_files(self, folder: str | os.PathLike[str]) -> Path:
        """Write the detector into a folder: one JSON file, and its numbers as safetensors.

        Raises:
            EnvironmentProblem: The folder cannot be written.
        """
        from narrows.detect.packing import write

        return write(self, Path(folder))

    @classmethod
    def from_files(cls, folder: str | os.PathLike[str]) -> Detector:
        """The detector in a folder.

        Raises:
            ModelError: No detector there.
            DamagedError: A file that is cut short or altered.
        """
        from narrows.detect.packing import read

        return read(Path(folder))


def check_rows(x: np.ndarray, features: int | None = None) -> None:
    """Refuse what is no table of finite numbers, or of another width."""
    if x.ndim != 2 or features not in {None, x.shape[-1]}:
        expected = "rows of numbers (N, F)" if features is None else f"(N, {features})"
        raise InputError(f"an array of shape {x.shape}", expected=expected, code="input.shape")
    bad = ~np.isfinite(x)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        given = f"row {row} has no finite value in feature {column}; {counted(int(bad.sum()), 'value')} in all"
        raise InputError(given, expected="numbers everywhere, of at most 3.4e38", code="input.nan")


@torch.no_grad()
def residuals(networks: Networks, x: Tensor) -> Tensor:
    """What the networks do not give back (K, N, F) of rows x (N, F)."""
    return torch.cat([rows - networks(rows) for rows in x.split(BLOCK_ROWS)], 1)


def whitened(residual: Tensor, share: float, roles: Roles | None = None) -> tuple[Whitening, Tensor]:
    """The whitening of residuals (K, N, F), of which a share is trusted, and how odd each row is by it (N,)."""
    made = fit_whitening(residual, share, roles)
    return made, torch.cat([made(part).mean(-1) for part in residual.split(BLOCK_ROWS, 1)])


def remembered(x: Tensor, odd: Tensor, trim: float) -> tuple[Neighbours, Tensor]:
    """Neighbours from rows x (N, F) but the share that is oddest, and where in them each row is (N,), or -1."""
    samples = MANY if trim <= TRUSTED else FEW
    usual = odd.argsort(stable=True)[: max(1, round((1 - trim) * len(x)))].sort().values[: samples[0] * samples[1]]
    neighbours = Neighbours.of(x[usual], samples)
    place = torch.full((len(x),), -1)
    kept = usual[: neighbours.rows.shape[0] * neighbours.rows.shape[1]]
    place[kept] = torch.arange(len(kept))
    return neighbours, place


def levels(parts: Tensor) -> Tensor:
    """Median of the logarithms of each part's oddness, and their spread up to nine tenths of the rows (P, 2).

    Args:
        parts: The oddness of training rows (P, N); what lies beyond nine tenths may be odd and is not asked.
    """
    middle, edge = parts.double().add(TINY).log().quantile(torch.tensor([0.5, 0.9]).double(), dim=1)
    return torch.stack([middle, ((edge - middle) / NINE_TENTHS).clamp_min(1e-3)], 1)


def standard(parts: Tensor, level: Tensor) -> Tensor:
    """The logarithm of oddness (P, B) in the spread it has among training rows, float64."""
    return (parts.double().add(TINY).log() - level[:, :1]) / level[:, 1:]


def joined(parts: Tensor, level: Tensor) -> Tensor:
    """The score (B,) of rows of which each part says how odd they are (P, B): ln(1 + exp standard) of the largest.

    Example:
        >>> level = torch.tensor([[0.0, 1.0], [0.0, 1.0]]).double()
        >>> joined(torch.tensor([[1.0, 99.0], [1.0, 1.0]]), level).exp().round().tolist()
        [2.0, 100.0]
    """
    largest = standard(parts, level).amax(0)
    return torch.logaddexp(largest, torch.zeros_like(largest))
