"""The baseline of every reconstruction: principal component analysis.

References:
    On lines and planes of closest fit to systems of points in space (Pearson, 1901),
    https://doi.org/10.1080/14786440109462720
    Finding structure with randomness (Halko, Martinsson and Tropp, 2011), arXiv 0909.4061
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from narrows.errors import InputError, LimitError
from narrows.storage import Objects, Rows, blocks

EXACT_COLUMNS = 3000
"""Up to this many columns the covariance is taken apart exactly; beyond, the leading components are found at random."""

CHUNK = 8192


@dataclass(frozen=True, eq=False)
class PCABaseline:
    """The best straight projection.

    Args:
        mean: Mean object, shape (D,), float32.
        components: Orthonormal directions of falling variance, shape (K, D), float32.
        size: Components asked for; there are fewer where there were fewer objects or columns.
    """

    mean: np.ndarray
    components: np.ndarray
    size: int

    @classmethod
    def fit(cls, x: Objects, size: int) -> PCABaseline:
        """The first `size` components of objects x (N, D).

        N objects lie in a flat space of N - 1 directions about their mean: there are no more components than that.

        Raises:
            InputError: Fewer than two objects, or values that are not finite.

        Example:
            >>> x = np.random.default_rng(0).normal(size=(100, 3)) * [1, 5, 0.1]
            >>> PCABaseline.fit(x, 1).components.round(1).tolist()[0][1]
            1.0
        """
        if x.ndim != 2 or len(x) < 2:
            raise InputError(f"objects of shape {x.shape}", expected="at least two rows", code="input.few")
        mean = column_means(x)
        if not np.isfinite(mean).all():
            raise InputError("values that are not finite numbers", code="input.nan")
        exact = x.shape[1] <= EXACT_COLUMNS
        directions = from_covariance(x, mean, size) if exact else from_sketch(x, mean, size)
        # The sign of a direction is arbitrary: the largest entry is made positive so that results repeat.
        largest = directions[np.arange(len(directions)), np.abs(directions).argmax(1)]
        return cls(mean.astype(np.float32), (directions * np.sign(largest)[:, None]).astype(np.float32), size)

    @property
    def count(self) -> int:
        """Components there are."""
        return len(self.components)

    def encode(self, x: np.ndarray, size: int | None = None) -> np.ndarray:
        """The first `size` coordinates (N, K) of objects x (N, D); None gives all there are."""
        return (x - self.mean) @ self.components[:size].T

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Objects (N, D) from coordinates z (N, K)."""
        return z @ self.components[: z.shape[1]] + self.mean

    def reconstruct(
        self, x: np.ndarray, size: int, *, low: float | None = None, high: float | None = None
    ) -> np.ndarray:
        """Objects (N, D) through `size` coordinates and back, clipped to [low, high] where bounded."""
        if size > self.size:
            raise LimitError(f"{size} components", expected=f"at most {self.size}, as were fitted")
        output = self.decode(self.encode(x, size))
        return output if low is None and high is None else np.clip(output, low, high)

    def mse_curve(
        self, x: Objects, sizes: list[int], *, low: float | None = None, high: float | None = None
    ) -> list[float]:
        """Mean squared error on objects x (N, D) at each of some sizes."""
        total = np.zeros(len(sizes))
        for block in blocks(x):
            errors = (self.reconstruct(block, size, low=low, high=high) - block for size in sizes)
            means = [np.square(error, dtype=np.float64).mean() for error in errors]
            total += np.multiply(means, len(block) / len(x))
        return total.tolist()


def column_means(x: Objects) -> np.ndarray:
    """The mean of each column of rows (N, D), shape (D,), in float64."""
    return sum(block.sum(0, dtype=np.float64) for block in blocks(x)) / len(x)


def from_covariance(x: Objects, mean: np.ndarray, size: int) -> np.ndarray:
    """Leading directions (K, D) by taking the covariance apart: exact, for up to a few thousand columns."""
    from scipy.linalg import eigh

    D = x.shape[1]
    covariance = np.zeros((D, D))
    for start in range(0, len(x), CHUNK):
        centred = (x[start : start + CHUNK] - mean).astype(np.float32)
        covariance += centred.T @ centred
    keep = min(size, D, len(x) - 1)
    return eigh(covariance, subset_by_index=(D - keep, D - 1))[1][:, ::-1].T


def from_sketch(x: Objects, mean: np.ndarray, size: int) -> np.ndarray:
    """Leading directions (K, D) of wide objects by random projection with power iterations (Halko et al., 2011)."""
    if isinstance(x, Rows):
        return from_passes(x, mean, size)
    from sklearn.utils.extmath import randomized_svd

    keep = min(size, len(x) - 1, x.shape[1])
    return randomized_svd((x - mean).astype(np.float32), keep, n_iter=7, random_state=0)[2]


def from_passes(x: Rows, mean: np.ndarray, size: int, passes: int = 7) -> np.ndarray:
    """The same as `from_sketch` for objects on a disk, which are gone through once for each power iteration."""
    keep = min(size, len(x) - 1, x.shape[1])
    basis = np.random.default_rng(0).normal(size=(x.shape[1], min(keep + 10, *x.shape))).astype(np.float32)
    for _ in range(passes):
        centred = ((block - mean).astype(np.float32) for block in blocks(x))
        basis = np.linalg.qr(sum(block.T @ (block @ basis) for block in centred))[0]
    seen = (((block - mean) @ basis) for block in blocks(x))
    turn = np.linalg.eigh(sum(z.T @ z for z in seen))[1][:, ::-1]
    return (basis @ turn[:, :keep]).T
