"""Codes on a plane, frame after frame: a plane that turns no more than the codes do.

One number lies on a line, two are the plane itself, more are seen along their first principal directions. Those are
found anew in each frame from where they were, and turned so that the points move as little as can be.

References:
    Analysis of a complex of statistical variables into principal components (Hotelling, 1933),
    https://doi.org/10.1037/h0071325 (the power method)
    A generalized solution of the orthogonal Procrustes problem (Schoenemann, 1966),
    https://doi.org/10.1007/BF02289451
"""

import numpy as np

ROUNDS = 4
"""Rounds of the power method a frame: few, for it begins where the last frame ended."""


class Plane:
    """Where codes lie on a plane; `look` turns it to the codes of a frame, `place` puts any codes on it.

    Args:
        size: Numbers of a code, K.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(50, 3)) * [1, 5, 3]
        >>> plane = Plane(3)
        >>> plane.look(codes)
        >>> plane.projection, [float(abs(v).argmax()) for v in plane.directions.T]
        ('pca', [1.0, 2.0])
    """

    def __init__(self, size: int):
        self.size = size
        self.centre = np.zeros(size, np.float32)
        self.directions: np.ndarray | None = None

    @property
    def projection(self) -> str:
        """ "code" where the code itself is seen, else "pca"."""
        return "code" if self.size <= 2 else "pca"

    def look(self, codes: np.ndarray) -> None:
        """Turn the plane to codes (N, K), at least one."""
        if self.size <= 2:
            return
        codes = np.nan_to_num(codes.astype(np.float32, copy=False), posinf=0, neginf=0)
        self.centre = codes.mean(0)
        centred = codes - self.centre
        if self.directions is None:
            self.directions = positive(leading(centred))
            return
        found = powered(centred, self.directions)
        self.directions = found @ turn(centred @ found, centred @ self.directions)

    def place(self, codes: np.ndarray) -> np.ndarray:
        """Where codes (N, K) lie, (N, 2) in float32."""
        if self.size == 1:
            return np.column_stack([codes[:, 0], np.zeros(len(codes), np.float32)])
        if self.size == 2:
            return codes
        assert self.directions is not None
        return (codes - self.centre) @ self.directions


def leading(centred: np.ndarray) -> np.ndarray:
    """The first two principal directions (K, 2) of centred codes (N, K), exactly."""
    return np.linalg.eigh(centred.T @ centred)[1][:, :-3:-1].astype(np.float32)


def powered(centred: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Orthonormal directions (K, 2) nearer to the principal ones of centred codes (N, K) than those given."""
    for _ in range(ROUNDS):
        found = centred.T @ (centred @ directions)
        if np.linalg.norm(found, axis=0).min() < 1e-12:
            return directions
        directions = np.linalg.qr(found)[0]
    return directions


def positive(directions: np.ndarray) -> np.ndarray:
    """Directions (K, 2) with their largest entry positive: the sign of each is arbitrary."""
    largest = directions[np.abs(directions).argmax(0), np.arange(directions.shape[1])]
    return directions * np.where(largest < 0, -1, 1)


def turn(points: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """The turn or reflection (2, 2) that brings points (N, 2) nearest to others (N, 2)."""
    left, _, right = np.linalg.svd(points.T @ towards)
    return left @ right
