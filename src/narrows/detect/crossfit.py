"""Folds: each row is scored by models that did not see it, nor a row equal to it, nor one of its customer.

folds -> for each: fit(rows to fit) -> scorer -> scores of its own rows -> p-values among themselves

References:
    Cross-conformal predictors (Vovk, 2015), https://doi.org/10.1007/s10472-013-9368-4
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from narrows.data.splits import duplicate_groups, split_groups
from narrows.detect.conformal import own_p_values
from narrows.detect.given import scores_of, seconds_of
from narrows.errors import InputError, UsageError, counted

Scorer = Callable[[np.ndarray], np.ndarray]
"""From rows (B, F) to their scores (B,)."""

FOLDS = 5


@dataclass(frozen=True, eq=False)
class Fold:
    """Numbers of the rows to fit and of those that are scored by what was fitted; rising, and never in both.

    Args:
        fit: Rows to fit (n,), int64.
        score: Rows to score (m,), int64.
    """

    fit: np.ndarray
    score: np.ndarray


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """What every row got from models that did not see it.

    Args:
        scores: Scores (N,), float64. Those of different folds are of different models.
        p_values: P-value of each row among the rows of its fold (N,), which compare across folds.
        fold: Number of the fold that scored each row (N,).
        done: What was done, in a sentence.
    """

    scores: np.ndarray
    p_values: np.ndarray
    fold: np.ndarray
    done: str


def random_folds(
    x: np.ndarray, *, seed: int, count: int = FOLDS, customers: ArrayLike | None = None
) -> tuple[Fold, ...]:
    """Folds of rows in no order.

    Without customers equal rows are in one fold. With them the folds part the customers, and rows to fit that equal
    a row to score are left out: many customers may have bought the same.

    Args:
        x: Rows (N, F); only whether they are equal matters.
        seed: Decides the folds.
        count: Folds, at least 2; there are fewer where too much must stay together.
        customers: Whose each row is (N,): names or numbers.

    Raises:
        UsageError: Fewer than two folds asked for.
        InputError: All rows must stay together.

    Example:
        >>> folds = random_folds(np.array([[0.0], [1.0], [0.0], [2.0], [3.0]]), seed=0, count=2)
        >>> [fold.score.tolist() for fold in folds]
        [[0, 2, 3], [1, 4]]
    """
    enough(count)
    equal = duplicate_groups(x)
    together = equal if customers is None else numbered(customers, len(x))
    parts = split_groups(together, np.random.default_rng(seed), (1 / count,) * count)
    scored = [np.sort(part) for part in parts if len(part)]
    everything = np.arange(len(x))
    return checked([Fold(without(np.setdiff1d(everything, own), own, equal), own) for own in scored], len(x))


def time_folds(
    times: ArrayLike, x: np.ndarray, *, count: int = FOLDS, customers: ArrayLike | None = None, seed: int = 0
) -> tuple[Fold, ...]:
    """Folds of rows in time: each stretch is scored by what was fitted on all before it.

    The first stretch has nothing before it and is scored by what was fitted on the second. Rows of one moment are in
    one stretch, and rows to fit that equal a row to score are left out. As customers come back, they are parted into
    two sides, and each side of a stretch is scored by what was fitted on the other side of the past.

    Args:
        times: Seconds or dates (N,), in any order.
        x: Rows (N, F); only whether they are equal matters.
        count: Stretches, at least 2, of about as many rows; fewer where moments have many rows.
        customers: Whose each row is (N,).
        seed: Decides the sides of the customers.

    Raises:
        UsageError: Fewer than two stretches asked for.
        InputError: All rows are of one moment, of one customer, or equal.

    Example:
        >>> folds = time_folds(np.arange(6), np.arange(6)[:, None], count=3)
        >>> [(fold.fit.tolist(), fold.score.tolist()) for fold in folds]
        [([2, 3], [0, 1]), ([0, 1], [2, 3]), ([0, 1, 2, 3], [4, 5])]
    """
    enough(count)
    stretch, equal = stretches(seconds_of(times, len(x)), count), duplicate_groups(x)
    side = np.zeros(len(x), np.int64) if customers is None else sides(numbered(customers, len(x)), seed)
    folds = []
    for number in range(int(stretch.max()) + 1):
        past = stretch < number if number else stretch == 1
        for own_side in np.unique(side[stretch == number]):
            own = np.flatnonzero((stretch == number) & (side == own_side))
            others = past if customers is None else past & (side != own_side)
            folds.append(Fold(without(np.flatnonzero(others), own, equal), own))
    return checked(folds, len(x))


def cross_fit(x: np.ndarray, folds: Sequence[Fold], fit: Callable[[np.ndarray], Scorer]) -> CrossFitted:
    """The score and the p-value of each row, by models that did not see it.

    Args:
        x: Rows (N, F).
        folds: Each row is scored in one of them.
        fit: From rows to fit to a function from rows to scores.

    Example:
        >>> x = np.array([[0.0], [1.0], [2.0], [9.0], [1.5], [0.5]])
        >>> far = lambda rows: lambda new: abs(new - rows.mean())[:, 0]
        >>> fitted = cross_fit(x, random_folds(x, seed=0, count=2), far)
        >>> int(fitted.scores.argmax()), fitted.p_values.round(2).tolist()
        (3, [0.33, 0.67, 0.67, 0.33, 1.0, 1.0])
    """
    scores, p, number = np.full(len(x), np.nan), np.ones(len(x)), np.full(len(x), -1)
    for index, fold in enumerate(folds):
        own = scores_of(fit(x[fold.fit])(x[fold.score]))
        scores[fold.score], p[fold.score], number[fold.score] = own, own_p_values(own), index
    unscored = int((number < 0).sum())
    if unscored:
        raise InputError(f"{counted(unscored, 'row')} in no fold", expected="each row scored in one")
    models = counted(len(folds), "fold")
    done = f"Cross-fitted: each of {counted(len(x), 'row')} was scored by models of {models} that did not see it."
    return CrossFitted(scores, p, number, done)


def without(fit: np.ndarray, score: np.ndarray, equal: np.ndarray) -> np.ndarray:
    """The rows to fit that equal no row to score."""
    return fit[~np.isin(equal[fit], equal[score])]


def numbered(names: ArrayLike, rows: int) -> np.ndarray:
    """A number (N,) for each name; equal names have equal ones."""
    values = np.asarray(names)
    if values.shape != (rows,):
        raise InputError(f"customers of shape {values.shape}", expected=f"{rows:,}, one for each row")
    return np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)[1]


def sides(customers: np.ndarray, seed: int) -> np.ndarray:
    """0 or 1 for each row (N,), the same for all rows of a customer."""
    one, _ = split_groups(customers, np.random.default_rng(seed), (0.5, 0.5))
    side = np.ones(len(customers), np.int64)
    side[one] = 0
    return side


def stretches(seconds: np.ndarray, count: int) -> np.ndarray:
    """The number of the stretch of time of each row (N,), from 0; rows of one moment are in one stretch.

    Example:
        >>> stretches(np.array([5.0, 1.0, 1.0, 1.0, 2.0, 3.0]), 3).tolist()
        [2, 0, 0, 0, 1, 2]
    """
    _, moment, sizes = np.unique(seconds, return_inverse=True, return_counts=True)
    middle = (np.cumsum(sizes) - sizes / 2) / len(seconds)
    part = np.floor(middle * count).astype(np.int64)
    return np.unique(part, return_inverse=True)[1][moment]


def enough(count: int) -> None:
    """Refuse fewer than two folds."""
    if count < 2:
        raise UsageError(counted(count, "fold"), expected="at least 2: one to fit and one to score", code="usage.folds")


def checked(folds: Sequence[Fold], rows: int) -> tuple[Fold, ...]:
    """The folds, each of which has rows to fit and rows to score."""
    if len(folds) < 2 or any(not len(fold.fit) for fold in folds):
        raise InputError(
            f"{counted(rows, 'row')} that cannot be parted: too many are equal, of one customer or of one moment",
            expected="rows to fit that are not among those to score, for each fold",
            step="Score them by a model fitted on other rows",
            code="input.folds",
        )
    return tuple(folds)
