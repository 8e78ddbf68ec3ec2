"""How well a model did, beside what needs no training: PCA of the same size on the same split.

References:
    Neural networks and principal component analysis (Baldi and Hornik, 1989),
    https://doi.org/10.1016/0893-6080(89)90014-2: a linear autoencoder can reach PCA's error and no better.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from narrows.data.scaling import Scaling
from narrows.metrics.baseline import PCABaseline
from narrows.model import Model
from narrows.readout.apply import Reconstruction, encode, reconstruct
from narrows.readout.health import Finding, findings
from narrows.recipe import Recipe
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
        mse, pca = self.test["mse"], self.baseline.get("pca", {}).get("mse")
        if pca is None:
            return f"Test error {mse:.4g}; no PCA of the same size is narrower than the objects."
        numbers = f"{self.about['code']} numbers, test error {mse:.4g} against {pca:.4g} for PCA"
        if mse > pca:
            return f"PCA wins: {numbers}. A straight projection does better than this network."
        return f"With {numbers}: {pca / mse:.2f} times less error." if mse else f"With {numbers}."

    def as_dict(self) -> dict[str, Any]:
        """The report as one JSON-ready object."""
        said = [vars(finding) for finding in self.findings]
        return {**self.about, "test": self.test, "baseline": self.baseline, "findings": said, "sentence": self.sentence}


def report(result: Result, data: Splits) -> Report:
    """Judge a result on the test objects, beside PCA fitted on the training objects; written into its run folder.

    Args:
        result: What `fit` ended with.
        data: The same data it was trained on.
    """
    made = reconstruct(result.model, data.test.x, corruption=result.recipe.corruption, seed=result.recipe.seed)
    baseline = baselines(result.scaling, result.model, data, made)
    test = {"mse": float(made.error.mean())}
    codes = encode(result.model, data.test.x)
    said = findings(result.recipe, result.model, made, codes, test, baseline, result.history)
    whole = Report(test, baseline, said, about(result, data))
    if result.folder is not None:
        write_json(result.folder / "report.json", whole.as_dict())
    return whole


def baselines(scaling: Scaling, model: Model, data: Splits, made: Reconstruction) -> dict[str, dict[str, float]]:
    """The errors of PCA, of the mean object and of leaving a corrupted input as it is."""
    train = scaling.apply(data.train.x).reshape(len(data.train), -1)
    target, seen = flat(made.input), flat(made.corrupted)
    errors = {"mean": {"mse": mean_square(train.mean(0, dtype=np.float64) - target)}}
    size = prod(model.code_shape)
    if size < target.shape[1]:
        pca = PCABaseline.fit(train, size)
        output = pca.reconstruct(seen, size, low=scaling.low, high=scaling.high)
        errors["pca"] = {"mse": mean_square(output - target), "size": size}
    if made.corrupted is not made.input and not np.array_equal(target, seen):
        errors["input"] = {"mse": mean_square(seen - target)}
    return errors


def about(result: Result, data: Splits) -> dict[str, Any]:
    """What was trained, on what, and what it took."""
    recipe: Recipe = result.recipe
    best = min(result.history, key=lambda epoch: epoch.valid["loss"], default=None)
    return {
        "name": recipe.data.name,
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


def sentences(said: Iterable[Finding]) -> list[str]:
    """The findings as sentences."""
    return [finding.sentence for finding in said]
