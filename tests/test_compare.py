"""Comparisons: settings reach every model, and PCA's line is PCA's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from narrows.compare import compare
from narrows.data import load


def test_the_line_of_pca_is_scikit_learns():
    data = load("digits", limit=400)
    *_, found = compare(data, sizes=(4, 16), networks=("dense",), changes=["training.epochs=1"])
    train, test = (split.x.reshape(len(split), -1) / 16.0 for split in (data.train, data.test))
    for size, error in zip(found.sizes, found.pca, strict=True):
        pca = PCA(size, svd_solver="full").fit(train)
        made = np.clip(pca.inverse_transform(pca.transform(test)), 0, 1)
        assert error == pytest.approx(((made - test) ** 2).mean(), rel=1e-3)


def test_changes_reach_every_recipe_of_a_comparison():
    data = load("digits", limit=200)
    *_, quick = compare(data, sizes=(2,), networks=("dense",), changes=["training.epochs=1"])
    *_, narrow = compare(data, sizes=(2,), networks=("dense",), changes=["training.epochs=1", "network.widths=16"])
    assert quick.points[0].mse != narrow.points[0].mse
