"""How well a model did, beside what needs no training: PCA of the same size on the same split.

References:
    Neural networks and principal component analysis (Baldi and Hornik, 1989),
    https://doi.org/10.1016/0893-6080(89)90014-2: a linear autoencoder can reach PCA's error and no better.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from narrows.data.scaling import Scaling
from narrows.errors import counted
from narrows.metrics.baseline import PCABaseline, column_means
from narrows.model import Model
from narrows.readout.apply import Reconstruction, encode, passages
from narrows.readout.health import Finding, findings
from narrows.recipe import Recipe
from narrows.storage import Objects, blocks, sparing
from narrows.train.checkpoint import write_json
from narrows.train.events import Epoch, Result
from narrows.types import Splits


@dataclass(frozen=True)
class Report:
    """The errors of a model and of the classical methods, and what there is to say about them.

    Args:
        test: Errors on the test objects, in scaled units: "mse".
        baseline: The same for "pca" of as many numbers, the "mean" training object and, where the input was
            corrupted, the "input" as it is; PCA is missing where the code is not narrower than the object.
        findings: What a person should know.
        about: Name, network, code size, parameters, epochs, seconds ...
    """

    test: dict[str, float]
    baseline: dict[str, dict[str, float]]
    findings: tuple[Finding, ...]
    about: dict[str, Any]

    @property
    def sentence(self) -> str:
        """One sentence: the model against PCA."""
        pca = self.baseline.get("pca", {})
        return beside_pca(self.about["code"], self.test["mse"], pca.get("mse"), components=int(pca.get("size", 0)))

    def as_dict(self) -> dict[str, Any]:
        """The report as one JSON-ready object."""
        said = [vars(finding) for finding in self.findings]
        return {**self.about, "test": self.test, "baseline": self.baseline, "findings": said, "sentence": self.sentence}


def beside_pca(size: int, mse: float, pca: float | None, error: str = "test error", *, components: int = 0) -> str:
    """One sentence: a model against PCA of the same size, or None where no PCA is narrower than the objects.

    Example:
        >>> beside_pca(8, 0.01, 0.02)
        'With 8 numbers, test error 0.01 against 0.02 for PCA: 2.00 times less error.'

    Args:
        size: Numbers of the model's code.
        mse: The model's error.
        pca: PCA's error.
        error: What the errors are of.
        components: Components PCA had, where there were too few objects for `size` of them.
    """
    if pca is None:
        return f"{error.capitalize()} {mse:.4g}; no PCA of the same size is narrower than the objects."
    fewer = f" with {components}, all that the training objects allow" if 0 < components < size else ""
    numbers = f"{counted(size, 'number')}, {error} {mse:.4g} against {pca:.4g} for PCA{fewer}"
    if mse > pca:
        return f"PCA wins: {numbers}. A straight projection does better than this network."
    return f"With {numbers}: {pca / mse:.2f} times less error." if mse else f"With {numbers}."


def report(result: Result, data: Splits) -> Report:
    """Judge a result on the test objects, beside PCA fitted on the training objects; written into its run folder.

    Args:
        result: What `fit` ended with.
        data: The same data it was trained on.
    """
    rivals = Rivals.fit(result.scaling, result.model, data)
    x = sparing(data.test.x, 16)
    made, errors = judge(result, x, rivals)
    test, baseline = errors.pop("model"), errors
    # The health is judged on one block: it is all there is, unless the objects are too many for the memory.
    codes = encode(result.model, next(blocks(x)))
    said = findings(
        result.recipe, result.model, made, codes, test, baseline, result.history, result.stopped, len(data.train)
    )
    whole = Report(test, baseline, said, about(result, data))
    if result.folder is not None:
        write_json(result.folder / "report.json", whole.as_dict())
    return whole


@dataclass(frozen=True, eq=False)
class Rivals:
    """What needs no training: the mean training object (D,), float64, and PCA where the code is narrower than that."""

    scaling: Scaling
    mean: np.ndarray
    pca: PCABaseline | None

    @classmethod
    def fit(cls, scaling: Scaling, model: Model, data: Splits) -> "Rivals":
        """The rivals of a model, from its training objects."""
        train, size = scaling.rows(data.train.x), prod(model.code_shape)
        return cls(scaling, column_means(train), PCABaseline.fit(train, size) if size < train.shape[1] else None)

    def errors(self, made: Reconstruction) -> dict[str, float]:
        """The mean squared errors of the model, the rivals, and of leaving the input as the model saw it."""
        target, seen = flat(made.input), flat(made.corrupted)
        errors = {"model": float(made.error.mean()), "mean": mean_square(self.mean - target)}
        if self.pca is not None:
            output = self.pca.reconstruct(seen, self.pca.size, low=self.scaling.low, high=self.scaling.high)
            errors["pca"] = mean_square(output - target)
        return {**errors, "input": mean_square(seen - target)}


def judge(result: Result, x: Objects, rivals: Rivals) -> tuple[Reconstruction, dict[str, dict[str, Any]]]:
    """Test objects through the model, of those on a disk the first ones, and the errors on all of them by name."""
    recipe, first = result.recipe, None
    total: dict[str, float] = {}
    for made in passages(result.model, x, corruption=recipe.corruption, seed=recipe.seed):
        first = first or made
        for name, error in rivals.errors(made).items():
            total[name] = total.get(name, 0.0) + error * (len(made.input) / len(x))
    assert first is not None
    errors: dict[str, dict[str, Any]] = {name: {"mse": error} for name, error in total.items()}
    if rivals.pca is not None:
        errors["pca"]["size"] = rivals.pca.count
    if not total["input"]:
        del errors["input"]
    return first, errors


def about(result: Result, data: Splits) -> dict[str, Any]:
    """What was trained, on what, and what it took."""
    recipe: Recipe = result.recipe
    best = min(result.history, key=lambda epoch: epoch.valid["loss"], default=None)
    return {
        "name": data.layout.name,
        "network": recipe.network.kind,
        "bottleneck": recipe.bottleneck.kind,
        "corruption": recipe.corruption.kind,
        "values": data.layout.values,
        "code": prod(result.model.code_shape),
        "parameters": result.model.parameters_count,
        "epochs": len(result.history),
        "best_epoch": best.epoch if isinstance(best, Epoch) else 0,
        "seconds": round(result.seconds, 3),
        "stopped": result.stopped,
        "objects": {"train": len(data.train), "valid": len(data.valid), "test": len(data.test)},
        "place": result.place.as_dict(),
    }


def flat(x: np.ndarray) -> np.ndarray:
    """Objects as rows (N, D)."""
    return x.reshape(len(x), -1)


def mean_square(difference: np.ndarray) -> float:
    """Mean of the squares, summed in float64."""
    return float(np.square(difference, dtype=np.float64).mean())
