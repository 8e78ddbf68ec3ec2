"""The detector with PyOD's vocabulary: larger is odder, 1 is an outlier. PyOD itself is not needed.

References:
    PyOD: A Python Toolbox for Scalable Outlier Detection (Zhao, Nasrullah and Li, 2019), arXiv 1901.01588
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erf

from narrows.errors import UsageError
from narrows.estimators.detector import AnomalyDetector

METHODS = ("linear", "unify")


class PyODAnomalyDetector(AnomalyDetector):
    """`AnomalyDetector` for code that was written for PyOD's detectors.

    Args:
        contamination: Share of the training rows to call outliers, in (0, 0.5].
        **parameters: As for `AnomalyDetector`.

    Attributes:
        decision_scores_: How odd each training row is (N,), larger is odder.
        threshold_: Training rows above it are outliers.
        labels_: For each training row 1 if it is an outlier, else 0.

    Example:
        >>> X = np.random.default_rng(0).normal(size=(200, 3))
        >>> detector = PyODAnomalyDetector(steps=(50, 50)).fit(X)
        >>> int(detector.labels_.sum()), detector.predict([[0, 0, 0], [0, 9, 0]]).tolist()
        (20, [0, 1])
    """

    def __init__(
        self,
        contamination: float = 0.1,
        *,
        n_networks: int = 4,
        trim: float = 0.05,
        noise: float = 0.3,
        epochs: int = 20,
        steps: tuple[int, int] = (600, 3000),
        batch_size: int = 256,
        learning_rate: float = 5e-3,
        random_state: int | np.random.RandomState | None = 0,
    ):
        super().__init__(
            contamination,
            n_networks=n_networks,
            trim=trim,
            noise=noise,
            epochs=epochs,
            steps=steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            random_state=random_state,
        )

    def fit(self, X: Any, y: Any = None) -> PyODAnomalyDetector:
        """Learn what usual rows of X (N, D) look like, and judge those rows; `y` is not looked at."""
        super().fit(X)
        self.decision_scores_ = self.decision_function(X)
        self.threshold_ = -self.offset_
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(int)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """How odd each row of X (N, D) is (N,): larger is odder."""
        return -self.score_samples(X)

    def predict(self, X: Any) -> np.ndarray:
        """For each row of X (N, D) 1 if it is an outlier, else 0."""
        return (self.decision_function(X) > self.threshold_).astype(int)

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """`labels_` of a fit."""
        return self.fit(X).labels_

    def predict_proba(self, X: Any, method: str = "linear") -> np.ndarray:
        """How likely each row of X (N, D) is an inlier and an outlier (N, 2), as PyOD works it out.

        Args:
            X: Rows.
            method: "linear" scales by the range of the training scores; "unify" takes the error function of their
                standardised value.

        Raises:
            UsageError: Another method.
        """
        scores, known = self.decision_function(X), self.decision_scores_
        if method not in METHODS:
            raise UsageError(f"method={method!r}", expected=" or ".join(METHODS), code="usage.method")
        if method == "linear":
            odd = (scores - known.min()) / max(np.ptp(known), 1e-12)
        else:
            odd = erf((scores - known.mean()) / max(known.std(), 1e-12) / np.sqrt(2))
        odd = np.clip(odd, 0, 1)
        return np.stack([1 - odd, odd], 1)
