"""Pavia University: do eight numbers a pixel keep its land cover? kNN-5 beside PCA, 20 repeats of 5 folds.

    python benchmarks/pavia.py            needs the scene in a folder named by NARROWS_DATA

The autoencoder and PCA see every pixel of the scene, and no class. Random folds of pixels let neighbours of one field
fall on both sides, for the autoencoder and for PCA alike: read the difference, not the height.
"""

import argparse

import numpy as np

from narrows.changes import assign
from narrows.data import load
from narrows.metrics.baseline import PCABaseline
from narrows.metrics.latent import knn_accuracy
from narrows.readout import encode
from narrows.recipe import recipe_for
from narrows.train import Finished, fit


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--set", action="append", default=[])
    chosen = options.parse_args()
    data = load("pavia-university")
    parts = (data.train, data.valid, data.test)
    x, y = np.concatenate([p.x for p in parts]), np.concatenate([p.y for p in parts if p.y is not None])
    print(f"{(y >= 0).sum()} labelled pixels of {len(y)}, {len(data.layout.classes)} classes")
    print(f"{'8 numbers':<24}{'kNN-5':>8}{'95 % of repeats':>20}")
    scaled = None
    for seed in range(chosen.seeds):
        recipe = assign(recipe_for(data), ["bottleneck.size=8", f"seed={seed}", *chosen.set])
        *_, last = fit(recipe, data)
        assert isinstance(last, Finished)
        scaled = last.result.scaling.apply(x)
        tell(f"{recipe.network.kind}, seed {seed}", encode(last.result.model, x), y)
    assert scaled is not None
    tell("PCA", PCABaseline.fit(scaled, 8).encode(scaled), y)


def tell(name: str, z: np.ndarray, y: np.ndarray) -> None:
    score = knn_accuracy(z, y, k=5, folds=5, repeats=20)
    print(f"{name:<24}{score.mean:>8.3f}{score.low:>11.3f} .. {score.high:.3f}", flush=True)


if __name__ == "__main__":
    main()
