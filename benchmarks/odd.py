"""The classical methods of benchmarks/detect.py: each takes rows to fit and gives a function from rows to oddness.

References:
    ECOD (Li et al., 2022), arXiv 2201.00382
    COPOD: copula-based outlier detection (Li et al., 2020), arXiv 2009.09463
    Histogram-based outlier score (Goldstein and Dengel, 2012)
"""

import importlib.util
from collections.abc import Callable

import numpy as np
from sklearn.covariance import MinCovDet
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.svm import OneClassSVM

from narrows import AnomalyDetector

Scorer = Callable[[np.ndarray], np.ndarray]
Method = Callable[[np.ndarray, int], Scorer]

SUPPORT_ROWS = 5000
"""Rows that the one-class SVM learns from, whose time grows with their square."""


def narrows(x: np.ndarray, seed: int) -> Scorer:
    detector = AnomalyDetector(random_state=seed).fit(x)
    return lambda new: -detector.score_samples(new)


def trusting(x: np.ndarray, seed: int) -> Scorer:
    """The detector told that the rows are usual, as `narrows train detect` tells it."""
    detector = AnomalyDetector(trim=0.01, random_state=seed).fit(x)
    return lambda new: -detector.score_samples(new)


def forest(x: np.ndarray, seed: int) -> Scorer:
    made = IsolationForest(random_state=seed).fit(x)
    return lambda new: -made.score_samples(new)


def neighbours(x: np.ndarray, seed: int) -> Scorer:
    """Distance of the 5th nearest other row."""
    made = NearestNeighbors(n_neighbors=6).fit(x)

    def score(new: np.ndarray) -> np.ndarray:
        distance = made.kneighbors(new)[0]
        # A row that was fitted finds itself first.
        return np.where(distance[:, 0] < 1e-9, distance[:, 5], distance[:, 4])

    return score


def lof(x: np.ndarray, seed: int) -> Scorer:
    made = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(x)
    return lambda new: -made.score_samples(new)


def components(x: np.ndarray, seed: int) -> Scorer:
    """The square distance along all components, each in units of its spread."""
    made = PCA().fit(x)
    kept = made.explained_variance_ > 1e-9 * made.explained_variance_.max()
    axes = made.components_[kept].T / np.sqrt(made.explained_variance_[kept])
    return lambda new: np.square((new - made.mean_) @ axes).sum(1)


def mcd(x: np.ndarray, seed: int) -> Scorer:
    made = MinCovDet(random_state=seed).fit(x)
    return made.mahalanobis


def svm(x: np.ndarray, seed: int) -> Scorer:
    some = np.random.default_rng(seed).permutation(len(x))[:SUPPORT_ROWS]
    made = OneClassSVM().fit(x[some])
    return lambda new: -made.score_samples(new)


def tails(x: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """-log of the share of rows x that are at most, and at least, as large as each value of new (N, D)."""
    known, count, sides = np.sort(x, axis=0), len(x), []
    for side in ("right", "left"):
        rank = np.stack([np.searchsorted(known[:, i], new[:, i], side) for i in range(x.shape[1])], 1)
        rank = rank if side == "right" else count - rank
        sides.append(-np.log((1 + rank) / (1 + count)))
    return sides[0], sides[1]


def skews(x: np.ndarray) -> np.ndarray:
    return np.sign(np.power(x - x.mean(0), 3).mean(0))


def ecod(x: np.ndarray, seed: int) -> Scorer:
    """The largest of three sums over the columns: left tails, right tails, the tail a column is skewed to."""

    def score(new: np.ndarray) -> np.ndarray:
        left, right = tails(x, new)
        return np.max([left.sum(1), right.sum(1), np.where(skews(x) < 0, left, right).sum(1)], axis=0)

    return score


def copod(x: np.ndarray, seed: int) -> Scorer:
    """The sum over the columns of the larger of the mean of both tails and the tail a column is skewed to."""

    def score(new: np.ndarray) -> np.ndarray:
        left, right = tails(x, new)
        return np.maximum((left + right) / 2, np.where(skews(x) < 0, left, right)).sum(1)

    return score


def hbos(x: np.ndarray, seed: int) -> Scorer:
    """The sum over the columns of -log of the height of their histogram of 10 bars; outside, a row counts one in N."""
    made = [np.histogram(column, 10) for column in x.T]

    def score(new: np.ndarray) -> np.ndarray:
        total = np.zeros(len(new))
        for column, (counts, edges) in zip(new.T, made, strict=True):
            place = np.clip(np.searchsorted(edges, column, "right") - 1, 0, 9)
            inside = (column >= edges[0]) & (column <= edges[-1])
            total -= np.log((1 + np.where(inside, counts[place], 0)) / (1 + len(x)))
        return total

    return score


METHODS: dict[str, Method] = {
    "narrows": narrows,
    "narrows trusting": trusting,
    "Isolation Forest": forest,
    "kNN": neighbours,
    "LOF": lof,
    "PCA": components,
    "MCD": mcd,
    "OCSVM": svm,
    "ECOD": ecod,
    "COPOD": copod,
    "HBOS": hbos,
}
"""Every method that needs nothing but scikit-learn."""

PYOD = {
    "PyOD AutoEncoder": ("auto_encoder", "AutoEncoder", {"verbose": 0}),
    "PyOD VAE": ("vae", "VAE", {"verbose": 0}),
    "PyOD CBLOF": ("cblof", "CBLOF", {}),
    "PyOD INNE": ("inne", "INNE", {}),
    "PyOD LODA": ("loda", "LODA", {}),
    "PyOD DeepSVDD": ("deep_svdd", "DeepSVDD", {"verbose": 0}),
}
"""Methods that come from PyOD where it can be imported: module, class, parameters."""


def methods() -> dict[str, Method]:
    """Every method that can be had here."""
    return METHODS | ({name: from_pyod(*place) for name, place in PYOD.items()} if has_pyod() else {})


def has_pyod() -> bool:
    return importlib.util.find_spec("pyod") is not None


def from_pyod(module: str, name: str, parameters: dict) -> Method:
    """One of PyOD's detectors at its defaults."""

    def method(x: np.ndarray, seed: int) -> Scorer:
        made = getattr(importlib.import_module(f"pyod.models.{module}"), name)
        more = {"random_state": seed} if name != "LODA" else {}
        more |= {"n_features": x.shape[1]} if name == "DeepSVDD" else {}
        return made(**parameters, **more).fit(x).decision_function

    return method
