"""The detector as an outlier estimator: fit, score_samples, decision_function, predict, explain.

X (N, D) -> fit -> score_samples (N,), higher is more normal -> minus offset_ -> predict: -1 odd, 1 usual

References:
    API design for machine learning software: experiences from the scikit-learn project (Buitinck et al., 2013),
    arXiv 1309.0238
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from narrows.detect import Detector, Plan
from narrows.detect.packing import pack, unpack
from narrows.errors import DamagedError, UsageError
from narrows.estimators.parameters import plain, seed_of
from narrows.files import read_json, write_atomic
from narrows.train.packing import as_json

FILE = "estimator.json"
"""What `save` writes beside the detector: the parameters as they were given."""

AUTO = 0.01
"""Share of the training rows that "auto" calls odd."""


class AnomalyDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Finds odd rows: a crowd of autoencoders whose residuals are whitened, and the distance to usual rows.

    A row's result does not depend on the rows it is computed with, to the last bit; the same `random_state` on the
    same machine gives the same detector; no global source of randomness is touched.

    Args:
        contamination: Share of the training rows to call odd, in (0, 0.5]: it places `offset_`, and changes no score.
            "auto" is 0.01.
        n_networks: Autoencoders, trained at once.
        trim: Share of the training rows that is not trusted, in [0, 0.5]: those given back worst teach nothing. 0.01
            for rows that are known to be usual: up to 0.02 more of them are remembered.
        noise: Standard deviation of the noise that the networks learn to undo, in spreads of a column.
        epochs: Times every row is seen, within `steps`.
        steps: Fewest and most steps.
        batch_size: Rows a step.
        learning_rate: Largest learning rate.
        random_state: A seed, a `RandomState` to draw one from, or None for a new one each time.

    Attributes:
        detector_: The `Detector`.
        offset_: What `decision_function` subtracts from the scores.
        n_features_in_: Columns seen during fit, D.
        feature_names_in_: Their names, where X had some.

    Example:
        >>> X = np.random.default_rng(0).normal(size=(500, 3))
        >>> detector = AnomalyDetector(steps=(50, 50)).fit(X)
        >>> detector.predict([[0, 0, 0], [0, 9, 0]]).tolist(), int(detector.explain([[0, 9, 0]]).argmax())
        ([1, -1], 1)
    """

    def __init__(
        self,
        contamination: float | str = "auto",
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
        self.contamination = contamination
        self.n_networks = n_networks
        self.trim = trim
        self.noise = noise
        self.epochs = epochs
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> AnomalyDetector:
        """Learn what usual rows of X (N, D) look like; `y` is not looked at.

        Raises:
            ValueError: Rows or parameters that cannot be used: fewer than two rows, NaN, a share out of range.
        """
        rows, share = self._rows(X, reset=True), share_of(self.contamination)
        plan = Plan(
            self.n_networks, self.epochs, self.batch_size, self.steps, self.learning_rate, self.noise, self.trim
        )
        self.detector_ = Detector.fit(rows, seed=seed_of(self.random_state), plan=plan)
        self.offset_ = float(np.quantile(-self.detector_.score(rows), share))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """How usual each row of X (N, D) is, shape (N,): minus the detector's score, so higher is more usual."""
        rows = self._rows(X)
        return -self.detector_.score(rows)

    def decision_function(self, X: Any) -> np.ndarray:
        """`score_samples` less `offset_`, shape (N,): below zero is odd."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """For each row of X (N, D) -1 if it is odd, else 1."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def explain(self, X: Any) -> np.ndarray:
        """What each column adds to the oddness of each row of X (N, D): (N, D), rows add up to -`score_samples`."""
        rows = self._rows(X)
        return self.detector_.explain(rows)

    def expected(self, X: Any) -> np.ndarray:
        """What the networks would have expected in place of each row of X (N, D), in the units of its columns."""
        rows = self._rows(X)
        return self.detector_.expected(rows)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write a folder that `load` reads.

        Raises:
            EnvironmentProblem: The folder cannot be written.
        """
        check_is_fitted(self)
        params = {name: plain(value) for name, value in self.get_params(deep=False).items()}
        # The state of a source of numbers is none of the parameters: a fit of what is loaded draws a new seed.
        params["random_state"] = self.random_state if isinstance(self.random_state, int) else None
        names = getattr(self, "feature_names_in_", None)
        about = {
            "params": params,
            "offset": self.offset_,
            "feature_names_in": None if names is None else names.tolist(),
        }
        write_atomic(Path(folder) / FILE, as_json(about))
        return self.detector_.to_files(folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> AnomalyDetector:
        """The estimator in a folder that `save` wrote.

        Raises:
            ModelError: No detector there.
            DamagedError: A file that is cut short or altered.
        """
        detector, path = Detector.from_files(folder), Path(folder) / FILE
        about = read_json(path)
        try:
            params, names = dict(about["params"]), about["feature_names_in"]
            made = cls(**params | {"steps": tuple(params["steps"])})
            made.offset_ = float(about["offset"])
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"{path} does not describe an estimator ({error})", step="Save it again") from None
        made.detector_, made.n_features_in_ = detector, detector.features
        if names and len(names) == detector.features:
            made.feature_names_in_ = np.array(names, object)
        return made

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "detector_" in state:
            state["detector_"] = pack(state["detector_"])
        if "feature_names_in_" in state:
            state["feature_names_in_"] = state["feature_names_in_"].tolist()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if "detector_" in state:
            state["detector_"] = unpack(state["detector_"])
        if "feature_names_in_" in state:
            state["feature_names_in_"] = np.array(state["feature_names_in_"], object)
        super().__setstate__(state)

    def _rows(self, X: Any, *, reset: bool = False) -> np.ndarray:
        """Checked rows (N, D), float32."""
        if not reset:
            check_is_fitted(self)
        with np.errstate(over="ignore"):  # what is too large for float32 is refused as infinite
            return validate_data(self, X, reset=reset, dtype=np.float32, ensure_min_samples=2 if reset else 1)


def share_of(contamination: float | str) -> float:
    """The share of the training rows to call odd.

    Raises:
        UsageError: Neither "auto" nor in (0, 0.5].
    """
    if contamination == "auto":
        return AUTO
    if isinstance(contamination, str) or not 0 < contamination <= 0.5:
        expected = '"auto", or a share above 0 and at most 0.5'
        raise UsageError(f"contamination={contamination!r}", expected=expected, code="usage.contamination")
    return float(contamination)
