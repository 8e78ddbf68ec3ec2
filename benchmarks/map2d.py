"""MNIST on a plane: a plain dense autoencoder with a code of two numbers, beside PCA's first two components.

    python benchmarks/map2d.py            needs MNIST in a folder named by NARROWS_DATA

Judged on the 10,000 test digits, which neither saw: kNN-5 and, as published maps are judged, kNN-10 over 5 folds of
their points, and trustworthiness.
"""

import argparse

import numpy as np

from narrows.changes import assign
from narrows.data import load
from narrows.metrics.baseline import PCABaseline
from narrows.metrics.latent import knn_accuracy, trustworthiness
from narrows.readout import encode
from narrows.recipe import recipe_for
from narrows.train import Epoch, Finished, fit

DEEP = ["bottleneck.size=2", "network.widths=512,256,128,64", "training.batch=128", "training.rate=1e-3"]
"""Deeper than the default, since the folding into two numbers is what costs."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--epochs", type=int, default=100)
    options.add_argument("--set", action="append", default=[])
    chosen = options.parse_args()
    data = load("mnist")
    recipe = assign(recipe_for(data), [*DEEP, f"training.epochs={chosen.epochs}", *chosen.set])
    result = None
    for event in fit(recipe, data):
        if isinstance(event, Epoch) and event.epoch % 10 == 0:
            print(f"epoch {event.epoch}: validation MSE {event.valid['mse']:.4f}, {event.seconds:.0f} s", flush=True)
        if isinstance(event, Finished):
            result = event.result
    assert result is not None
    assert data.test.y is not None
    train, test = (result.scaling.apply(part.x).reshape(len(part), -1) for part in (data.train, data.test))
    print(f"{'2 numbers':<24}{'kNN-5':>8}{'kNN-10':>8}{'trustworthiness':>18}")
    tell("dense", test, encode(result.model, data.test.x), data.test.y)
    tell("PCA", test, PCABaseline.fit(train, 2).encode(test), data.test.y)


def tell(name: str, x: np.ndarray, z: np.ndarray, y: np.ndarray) -> None:
    near, wide = (knn_accuracy(z, y, k=k).mean for k in (5, 10))
    print(f"{name:<24}{near:>8.3f}{wide:>8.3f}{trustworthiness(x, z):>18.3f}", flush=True)


if __name__ == "__main__":
    main()
