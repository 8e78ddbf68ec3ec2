"""How good a latent space is: do neighbours agree on their class, and does the map keep neighbours together?

References:
    Neighborhood preservation in nonlinear projection methods (Venna and Kaski, 2001),
    https://doi.org/10.1007/3-540-44668-0_68 (trustworthiness)
    Silhouettes (Rousseeuw, 1987), https://doi.org/10.1016/0377-0427(87)90125-7
"""

from typing import NamedTuple

import numpy as np

from narrows.errors import InputError

SAMPLE = 2000
"""Objects that measures of quadratic cost are taken on."""


class Score(NamedTuple):
    """A mean over repeats, and the middle 95 % of the repeats."""

    mean: float
    low: float
    high: float


def knn_accuracy(
    z: np.ndarray, y: np.ndarray, *, k: int = 10, folds: int = 5, repeats: int = 1, seed: int = 0
) -> Score:
    """Share of objects whose class a vote of their k nearest neighbours in the training folds gives.

    Args:
        z: Codes or points, shape (N, K).
        y: Class numbers (N,); objects with -1 are left out.
        k: Neighbours that vote; fewer where the training folds have fewer.
        folds: Parts of the data that are judged in turn, with each class spread evenly over them.
        repeats: How often the folds are drawn anew.
        seed: Decides the folds.

    Raises:
        InputError: Values that are not finite, or fewer than two objects or classes.

    Example:
        >>> z = np.repeat([[0.0, 0.0], [9.0, 9.0]], 20, axis=0)
        >>> knn_accuracy(z, np.repeat([0, 1], 20)).mean
        1.0
    """
    from sklearn.neighbors import KNeighborsClassifier

    z, y = labelled(z, y)
    accuracies = []
    for repeat in range(repeats):
        fold = stratified_folds(y, folds, np.random.default_rng([seed, repeat]))
        right = 0
        for number in np.unique(fold):
            train, test = fold != number, fold == number
            vote = KNeighborsClassifier(min(k, int(train.sum()))).fit(z[train], y[train])
            right += int((vote.predict(z[test]) == y[test]).sum())
        accuracies.append(right / len(y))
    low, high = np.quantile(accuracies, [0.025, 0.975])
    return Score(float(np.mean(accuracies)), float(low), float(high))


def labelled(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The objects that have a class, checked."""
    if len(z) != len(y):
        raise InputError(f"{len(z)} codes and {len(y)} classes", expected="one class for each code")
    z, y = z[y >= 0], y[y >= 0]
    if not np.isfinite(z).all():
        raise InputError("codes that are not finite numbers", code="input.nan")
    if len(np.unique(y)) < 2:
        raise InputError(f"{len(np.unique(y))} class among the objects", expected="at least two", code="input.few")
    return z, y


def stratified_folds(y: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """A fold number for each object, such that each class is spread evenly over the folds."""
    fold, offset = np.empty(len(y), np.int64), 0
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        fold[members] = (np.arange(len(members)) + offset) % folds
        offset += len(members)
    return fold


def sampled(count: int, sample: int, seed: int) -> np.ndarray:
    """The numbers of at most `sample` of `count` objects, in order."""
    if count <= sample:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, sample, replace=False))


def trustworthiness(x: np.ndarray, z: np.ndarray, *, k: int = 12, sample: int = SAMPLE, seed: int = 0) -> float:
    """How far neighbours in the map z (N, 2) are neighbours among the objects x (N, D): 1 is perfectly, 0.5 chance.

    Measured on a random sample, with k lowered where there are few objects.
    """
    from sklearn.manifold import trustworthiness as measure

    chosen = sampled(len(x), sample, seed)
    return float(measure(x[chosen], z[chosen], n_neighbors=max(1, min(k, (len(chosen) - 1) // 2))))


def silhouette(z: np.ndarray, y: np.ndarray, *, sample: int = SAMPLE, seed: int = 0) -> float:
    """How much nearer objects are to their own class than to the next: 1 far apart, 0 overlapping, -1 mixed up."""
    from sklearn.metrics import silhouette_score

    z, y = labelled(z, y)
    chosen = sampled(len(z), sample, seed)
    if not 2 <= len(np.unique(y[chosen])) < len(chosen):
        return 0.0
    return float(silhouette_score(z[chosen], y[chosen]))


def dead_units(z: np.ndarray, *, tolerance: float = 1e-3) -> np.ndarray:
    """The numbers of the code z (N, K) that vary less than a share `tolerance` of the most varied one.

    Example:
        >>> dead_units(np.array([[0.0, 5.0], [1.0, 5.0]])).tolist()
        [1]
    """
    spread = z.std(0)
    return np.flatnonzero(spread <= tolerance * max(spread.max(initial=0), 1e-12))
