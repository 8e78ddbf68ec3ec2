"""Blocks of time: each is scored by a detector of the others, a window away from it on either side.

instants -> blocks -> for each: fit on all but the block and its neighbourhood -> scores and p-values of the block
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from narrows.detect.conformal import own_p_values
from narrows.detect.series.autoencoders import Plan
from narrows.detect.series.detector import Instants, SeriesDetector, joined_instants
from narrows.detect.series.windows import Grid
from narrows.errors import UsageError, counted

BLOCKS = 5


@dataclass(frozen=True)
class Block:
    """The instants from `begin` to before `end`, and the stretches that a detector of them learns from."""

    begin: int
    end: int
    fit: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Scored:
    """What every instant got from detectors that did not see it.

    Args:
        instants: All of them.
        p_values: The p-value of each among those of its block (T,); 1 where nothing was seen.
        blocks: The blocks.
        detectors: Of each block the one that scored it.
    """

    instants: Instants
    p_values: np.ndarray
    blocks: tuple[Block, ...]
    detectors: tuple[SeriesDetector, ...]


def time_blocks(samples: int, length: int, count: int = BLOCKS) -> tuple[Block, ...]:
    """Blocks of about the same size; what is fitted lies at least a window away from what it scores.

    Args:
        samples: Instants of the series.
        length: Samples of a window.
        count: Blocks, at least 2.

    Example:
        >>> for block in time_blocks(100, 5, 4)[:2]: print(block.begin, block.end, block.fit)
        0 25 ((30, 100),)
        25 50 ((0, 20), (55, 100))
    """
    if count < 2 or samples < 2 * count * length:
        raise UsageError(
            f"{counted(count, 'block')} of {samples:,} samples in windows of {length:,}",
            expected="at least 2 blocks of two windows each",
            code="usage.blocks",
        )
    edges = np.linspace(0, samples, count + 1).round().astype(int).tolist()
    made = []
    for begin, end in pairwise(edges):
        sides = ((0, begin - length), (end + length, samples))
        made.append(Block(begin, end, tuple(side for side in sides if side[1] - side[0] >= length)))
    return tuple(made)


def cross_score(
    values: np.ndarray, grid: Grid, blocks: Sequence[Block], *, plan: Plan | None = None, seed: int = 0
) -> Scored:
    """The score and the p-value of each instant of values (T, C), by detectors that did not see it.

    Example:
        >>> values = np.sin(np.arange(600.0) / 4)[:, None]
        >>> values[300:310] = 0
        >>> scored = cross_score(values, Grid(25, 5, 24), time_blocks(600, 25, 2), plan=Plan(steps=60))
        >>> len(scored.p_values), bool(290 < scored.p_values.argmin() < 320)
        (600, True)
    """
    detectors, pieces, p = [], [], []
    for block in blocks:
        detector = SeriesDetector.fit(values, grid, parts=block.fit, plan=plan, seed=seed)
        piece = detector.score(values[block.begin : block.end])
        detectors.append(detector)
        pieces.append(piece)
        p.append(own_p(piece))
    return Scored(joined_instants(pieces), np.concatenate(p), tuple(blocks), tuple(detectors))


def own_p(piece: Instants) -> np.ndarray:
    """The p-value of each instant among the others that were seen (T,)."""
    p = np.ones(len(piece))
    if piece.seen.any():
        p[piece.seen] = own_p_values(piece.scores[piece.seen])
    return p
