"""The latent map: every object one dot, coloured by class, and numbers that say how far to trust it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from narrows.errors import InputError, missing_extra, unknown
from narrows.metrics.latent import SAMPLE, knn_accuracy, sampled, silhouette, trustworthiness
from narrows.model import Model
from narrows.readout.apply import encode
from narrows.types import Split

PROJECTIONS = ("auto", "pca", "tsne")

FEW = 1000
"""Below this many codes t-SNE's threads wait for each other longer than they work."""

ROUNDS_OF_FEW = {"early_exaggeration_iter": 150, "n_iter": 250}
"""Rounds that place so few codes as well as the usual 250 and 500 do, in little more than half of the time."""


@dataclass(frozen=True, eq=False)
class LatentMap:
    """Codes and their place on a plane.

    Args:
        points: Where each object lies, shape (N, 2).
        codes: Its whole code, shape (N, K).
        y: Class numbers (N,), -1 where unknown, or None.
        projection: "code" where the code itself has one or two numbers, "pca" or "tsne".
        numbers: Quality of codes and map, by name; each in [0, 1] or [-1, 1], higher is better.
    """

    points: np.ndarray
    codes: np.ndarray
    y: np.ndarray | None
    projection: str
    numbers: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """What is known about the map, JSON-ready, without the dots."""
        return {"objects": len(self.points), "code": self.codes.shape[1], "projection": self.projection, **self.numbers}


def latent_map(model: Model, split: Split, *, projection: str = "auto", seed: int = 0) -> LatentMap:
    """The latent map of some objects.

    Args:
        model: A trained model.
        split: Objects, with classes where known; at least three.
        projection: "auto" shows a code of two numbers as it is and a longer one through PCA; "tsne" needs openTSNE.
        seed: Decides t-SNE and the samples the numbers are measured on.

    Raises:
        InputError: Fewer than three objects.
    """
    if len(split) < 3:
        raise InputError(f"{len(split)} objects", expected="at least 3 for a map", code="input.few")
    codes = encode(model, split.x).reshape(len(split), -1)
    name, points = project(codes, projection, seed)
    return LatentMap(points, codes, split.y, name, measure(split, codes, points, seed))


def project(codes: np.ndarray, projection: str, seed: int) -> tuple[str, np.ndarray]:
    """Codes (N, K) on a plane (N, 2), and how they got there."""
    if projection not in PROJECTIONS:
        raise unknown("projection", projection, PROJECTIONS)
    if codes.shape[1] == 1:
        return "code", np.column_stack([codes[:, 0], np.zeros(len(codes), codes.dtype)])
    if projection == "tsne":
        return "tsne", tsne(codes, seed)
    if codes.shape[1] == 2 and projection == "auto":
        return "code", codes
    return "pca", principal_plane(codes)


def principal_plane(codes: np.ndarray) -> np.ndarray:
    """The first two principal components (N, 2) of codes (N, K), K at least 2."""
    centred = codes - codes.mean(0)
    _, _, directions = np.linalg.svd(centred.T @ centred)
    return (centred @ directions[:2].T).astype(np.float32)


def tsne(codes: np.ndarray, seed: int) -> np.ndarray:
    """Codes (N, K) on a plane (N, 2) by t-SNE (van der Maaten and Hinton, 2008), which keeps neighbours together.

    Equal codes, which quantised bottlenecks give to many objects, lie at one place.

    Raises:
        EnvironmentProblem: openTSNE is not installed.
        InputError: No finite place was found for some code.
    """
    try:
        from openTSNE import TSNE
    except ImportError:
        raise missing_extra("openTSNE", "map", "a t-SNE map") from None
    # Many copies of one code leave t-SNE no distances to scale by: it is shown each code once.
    distinct, number = np.unique(codes, axis=0, return_inverse=True)
    if len(distinct) <= 3:
        # Up to three codes lie in a plane already: nothing is lost there, and t-SNE needs more.
        points = principal_plane(distinct)
    else:
        perplexity = max(1.0, min(30.0, (len(distinct) - 1) / 3))
        how: dict[str, Any] = {"n_jobs": 1, **ROUNDS_OF_FEW} if len(distinct) < FEW else {"n_jobs": -1}
        points = np.asarray(TSNE(perplexity=perplexity, random_state=seed, **how).fit(distinct), np.float32)
    if not np.isfinite(points).all():
        raise InputError("codes that t-SNE finds no place for", step="Use the projection pca", code="input.tsne")
    return points[number.reshape(-1)]


def measure(split: Split, codes: np.ndarray, points: np.ndarray, seed: int) -> dict[str, float]:
    """Trustworthiness of the map and, where classes are known, how well neighbours agree on them."""
    chosen = sampled(len(split), SAMPLE, seed)
    flat = np.asarray(split.x[chosen], np.float32).reshape(len(chosen), -1)
    numbers = {"trustworthiness": trustworthiness(flat, points[chosen], seed=seed)}
    if split.y is not None and len(np.unique(split.y[split.y >= 0])) > 1:
        numbers["knn_accuracy"] = knn_accuracy(points, split.y, seed=seed).mean
        numbers["silhouette"] = silhouette(points, split.y, seed=seed)
        if points is not codes:
            numbers["knn_accuracy_code"] = knn_accuracy(codes, split.y, seed=seed).mean
    return numbers
