"""The autoencoder as a transformer: fit, transform, inverse_transform, reconstruct, score_samples.

X (N, D) -> fit -> codes Z (N, K) -> inverse_transform -> X' (N, D)

References:
    API design for machine learning software: experiences from the scikit-learn project (Buitinck et al., 2013),
    arXiv 1309.0238
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from narrows.data.splits import duplicate_groups, split_groups
from narrows.errors import DamagedError, InputError, Interrupted, UsageError
from narrows.estimators.parameters import NAME, params_of, plain, recipe_of, seed_of
from narrows.model import Model
from narrows.readout.steady import steadily
from narrows.recipe import Recipe
from narrows.settings import Settings
from narrows.train import Finished, Notice, Result, fit
from narrows.train.checkpoint import read_json
from narrows.train.packing import as_json, pack, read_result, settled, unpack, write_result
from narrows.types import Kind, Layout, Split, Splits

FILE = "estimator.json"
"""What `save` writes beside the run: the parameters as they were given."""

KINDS: dict[int, Kind] = {1: "table", 2: "series", 3: "image"}
"""What objects with so many axes are."""


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """An autoencoder that behaves as a scikit-learn transformer.

    Results do not depend on the rows they are computed with, to the last bit; the same `random_state` on the same
    machine gives the same weights; no global source of randomness is touched.

    Args:
        n_components: Numbers in the code, K; "auto" takes about an eighth of D.
        network: "dense", "conv", "lstm" or "unet", or its settings: {"kind": "dense", "widths": [64, 32]}.
        bottleneck: "plain", "variational", "sparse-topk", "vq" ..., or its settings.
        corruption: "none", "gaussian", "mask-pixels" ..., or its settings: what is undone while learning.
        objective: "mse", "l1", "huber", "bce" or "ssim", or a weight for each of several.
        head: Last function of the decoder.
        scaling: How values are scaled: "unit", "minmax", "standard", "none"; "auto" is "unit" where `value_range` or
            bytes bound them, else "standard".
        shape: Shape of one object, (C, L) or (C, H, W), whose values a row of X holds; None for plain columns.
        value_range: Smallest and largest value possible; None where unbounded, and 0 to 255 for bytes.
        epochs: Times every row is seen.
        batch_size: Rows a step.
        learning_rate: Largest learning rate.
        patience: Stop after this many epochs without a better validation loss; None never does.
        validation_fraction: Share of the rows that choose the best epoch; very few rows are both learned and judged.
        changes: Any other setting, as for `--set`: ("network.activation=gelu", "training.decay=0.01").
        device: "auto", "cpu", "cuda" or "mps".
        random_state: A seed, a `RandomState` to draw one from, or None for a new one each time.

    Attributes:
        result_: The `Result`: model, recipe, layout, scaling, history; shows itself in a notebook.
        n_components_: Numbers in the code of a row.
        n_features_in_: Columns seen during fit, D.
        feature_names_in_: Their names, where X had some.

    Example:
        >>> X = np.random.default_rng(0).normal(size=(100, 2)) @ np.ones((2, 10))
        >>> autoencoder = Autoencoder(n_components=2, epochs=5).fit(X)
        >>> autoencoder.transform(X).shape, autoencoder.score_samples(X).shape
        ((100, 2), (100,))
    """

    def __init__(
        self,
        n_components: int | str = "auto",
        *,
        network: str | Mapping[str, Any] | Settings = "dense",
        bottleneck: str | Mapping[str, Any] | Settings = "plain",
        corruption: str | Mapping[str, Any] | Settings = "none",
        objective: str | Mapping[str, float] = "mse",
        head: str = "auto",
        scaling: str = "auto",
        shape: tuple[int, ...] | None = None,
        value_range: tuple[float, float] | None = None,
        epochs: int | str = "auto",
        batch_size: int | str = "auto",
        learning_rate: float | str = "auto",
        patience: int | None = None,
        validation_fraction: float = 0.1,
        changes: tuple[str, ...] = (),
        device: str = "auto",
        random_state: int | np.random.RandomState | None = 0,
    ):
        self.n_components = n_components
        self.network = network
        self.bottleneck = bottleneck
        self.corruption = corruption
        self.objective = objective
        self.head = head
        self.scaling = scaling
        self.shape = shape
        self.value_range = value_range
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.changes = changes
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Autoencoder:
        """Learn to give the rows of X (N, D) back; `y` is not looked at.

        Raises:
            ValueError: Rows or parameters that cannot be used: fewer than two rows, NaN, an unknown name.
        """
        rows, _ = self._rows(X, reset=True)
        seed = seed_of(self.random_state)
        data = parted(rows, self._layout(rows), self.validation_fraction, seed)
        recipe = recipe_of(self.get_params(deep=False), data, seed)
        self.result_ = settled(trained(recipe, data))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The codes (N, K) of the rows of X (N, D)."""
        rows, dtype = self._rows(X)
        model = self.result_.model
        return flat(self._apply(lambda x: model.encode(model.scaled(x)).z.float(), rows)).astype(dtype)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The rows (N, D) that codes X (N, K) stand for, in the units of the data.

        Raises:
            ValueError: Codes of another size, or not finite.
        """
        check_is_fitted(self)
        z, model = check_array(X, dtype=np.float32, input_name="X"), self.result_.model
        if z.shape[1] != self.n_components_:
            raise InputError(f"codes of {z.shape[1]} numbers", expected=f"{self.n_components_}, as transform makes")
        made = self._apply(lambda z: model.unscaled(model.decode(z)), z.reshape(len(z), *model.code_shape))
        return flat(made).astype(dtype_of(X))

    def reconstruct(self, X: Any) -> np.ndarray:
        """The rows (N, D) that come back when the rows of X (N, D) go through the whole network, in their units."""
        rows, dtype = self._rows(X)
        model = self.result_.model
        return flat(self._apply(lambda x: model.unscaled(model(model.scaled(x)).output), rows)).astype(dtype)

    def score_samples(self, X: Any) -> np.ndarray:
        """How normal each row of X (N, D) is: minus its mean squared error in scaled units, shape (N,)."""
        rows, _ = self._rows(X)
        return -self._apply(lambda x: errors(self.result_.model, x), rows)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of `score_samples`: higher is better, 0 is perfect."""
        return float(self.score_samples(X).mean())

    @property
    def n_components_(self) -> int:
        """Numbers in the code of a row."""
        return prod(self.result_.model.code_shape)

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write a run folder, as `narrows train` does, that `load` and the commands read.

        Raises:
            EnvironmentProblem: The folder cannot be written.
        """
        check_is_fitted(self)
        params = {name: plain(value) for name, value in self.get_params(deep=False).items()}
        seed = self.result_.recipe.seed
        params["random_state"] = self.random_state if isinstance(self.random_state, int) else seed
        names = getattr(self, "feature_names_in_", None)
        about = {"params": params, "feature_names_in": None if names is None else names.tolist()}
        write_result(Path(folder), self.result_, {FILE: as_json(about)})
        return Path(folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Autoencoder:
        """The estimator in a run folder, written by `save` or by `narrows train`.

        Raises:
            ModelError: Not a finished run.
            DamagedError: A file that is cut short or altered.
        """
        result, path = read_result(Path(folder)), Path(folder) / FILE
        params, names = read_about(path) if path.exists() else (params_of(result), result.layout.columns)
        try:
            made = cls(**params)
        except TypeError as error:
            raise DamagedError(f"{path} does not describe an estimator ({error})", step="Save it again") from None
        made.result_, made.n_features_in_ = result, result.layout.values
        if names and len(names) == result.layout.values:
            made.feature_names_in_ = np.array(names, object)
        return made

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "result_" in state:
            state["result_"] = pack(state["result_"])
        if "feature_names_in_" in state:
            state["feature_names_in_"] = state["feature_names_in_"].tolist()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if "result_" in state:
            state["result_"] = unpack(state["result_"])
        if "feature_names_in_" in state:
            state["feature_names_in_"] = np.array(state["feature_names_in_"], object)
        super().__setstate__(state)

    def _rows(self, X: Any, *, reset: bool = False) -> tuple[np.ndarray, np.dtype]:
        """Checked objects (N, *shape), bytes or float32, and the type in which results go back."""
        if not reset:
            check_is_fitted(self)
        shape = self.shape if reset else self.result_.layout.shape
        if isinstance(X, np.ndarray) and X.ndim > 2 and X.shape[1:] == tuple(shape or ()):
            X = flat(X)
        dtype, few = dtype_of(X), 2 if reset else 1
        with np.errstate(over="ignore"):  # what is too large for float32 is refused as infinite
            rows = validate_data(self, X, reset=reset, dtype=[np.float32, np.uint8], ensure_min_samples=few)
        shape = self._shape(rows) if reset else self.result_.layout.shape
        return rows.reshape(len(rows), *shape), dtype

    def _shape(self, rows: np.ndarray) -> tuple[int, ...]:
        """The shape of one object."""
        shape = (rows.shape[1],) if self.shape is None else tuple(self.shape)
        if len(shape) not in KINDS or prod(shape) != rows.shape[1]:
            raise UsageError(
                f"shape={self.shape} for rows of {rows.shape[1]} values",
                expected="(C, L) or (C, H, W) of as many values",
                code="usage.shape",
            )
        return shape

    def _layout(self, rows: np.ndarray) -> Layout:
        """What one object is."""
        low, high = self.value_range or ((0, 255) if rows.dtype == np.uint8 else (None, None))
        if low is not None and high is not None and not low <= rows.min() <= rows.max() <= high:
            raise InputError(
                f"values from {rows.min():g} to {rows.max():g}",
                expected=f"value_range={self.value_range}, which bounds every value",
                code="input.range",
            )
        names = tuple(map(str, getattr(self, "feature_names_in_", ()))) if rows.ndim == 2 else ()
        return Layout(NAME, KINDS[rows.ndim - 1], rows.shape[1:], columns=names, low=low, high=high)

    def _apply(self, function: Any, x: np.ndarray) -> np.ndarray:
        """The results of a function of batches, the same whatever the rows beside."""
        return steadily(function, x, self.result_.place)


def errors(model: Model, raw: torch.Tensor) -> torch.Tensor:
    """Mean squared error (B,) of raw objects (B, *shape) in scaled units, float64."""
    x = model.scaled(raw)
    return (model(x).output - x).flatten(1).cpu().double().square().mean(1)


def trained(recipe: Recipe, data: Splits) -> Result:
    """The result of a training, quietly; what a person should know becomes a warning.

    Raises:
        KeyboardInterrupt: Somebody asked to stop. Searches over parameters would swallow any other error.
    """
    try:
        for event in fit(recipe, data):
            if isinstance(event, Notice):
                warnings.warn(event.sentence, ConvergenceWarning, stacklevel=3)
    except Interrupted as asked:
        raise KeyboardInterrupt(str(asked)) from None
    assert isinstance(event, Finished)
    return event.result


def parted(x: np.ndarray, layout: Layout, share: float, seed: int) -> Splits:
    """Rows to learn from and rows to judge by; equal rows stay together, and very few rows are used for both."""
    if not 0 < share < 1:
        raise UsageError(f"validation_fraction={share}", expected="a number between 0 and 1", code="usage.fraction")
    learn, judge = split_groups(duplicate_groups(x), np.random.default_rng(seed), (1 - share, share))
    if len(learn) < 2 or not len(judge):
        learn = judge = np.arange(len(x))
    return Splits(layout, Split(x[learn]), Split(x[judge]), Split(x[judge]))


def read_about(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The parameters and the names of the columns that `save` wrote, lists turned back into tuples."""
    about = read_json(path)
    try:
        params, names = dict(about["params"]), about["feature_names_in"]
    except (KeyError, TypeError, ValueError):
        raise DamagedError(f"{path} does not describe an estimator", step="Save it again") from None
    for name in ("shape", "value_range", "changes"):
        if isinstance(params.get(name), list):
            params[name] = tuple(params[name])
    return params, names


def dtype_of(X: Any) -> np.dtype:
    """The type in which results go back: float32 for float32, else float64."""
    return np.dtype(np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64)


def flat(x: np.ndarray) -> np.ndarray:
    """Objects as rows (N, D)."""
    return x.reshape(len(x), -1)
