"""Comparisons: settings reach every model, and PCA's line is PCA's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from narrows.compare import compare
from narrows.data import load
from narrows.errors import UsageError
from narrows.metrics.baseline import PCABaseline
from narrows.train import Notice


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


@pytest.fixture(scope="module")
def small():
    return load("digits", limit=60)


def compared(data, *changes, **options):
    *_, found = compare(data, **{"sizes": (2,), "networks": ("dense",), "epochs": 1, "changes": changes, **options})
    return found


@pytest.mark.parametrize("change", ["head=sigmoid", 'objective={"bce": 1}'])
def test_what_the_scaling_allows_is_compared(small, change):
    assert np.isfinite(compared(small, change).points[0].mse)


@pytest.mark.parametrize("networks", [(), ("dense", "danse")])
def test_bad_networks_are_refused_before_anything_is_trained(small, networks):
    with pytest.raises(UsageError):
        next(compare(small, sizes=(2,), networks=networks))


def test_a_recipe_that_does_not_fit_is_refused_before_anything_is_trained(small):
    with pytest.raises(UsageError, match="halve"):
        next(compare(small, sizes=(2,), networks=("conv",), changes=["network.channels=4,4,4,4"]))


def test_a_network_named_twice_is_trained_once(small):
    assert len(compared(small, networks=("dense", "dense")).points) == 1


def test_sizes_that_are_too_large_are_left_out_and_said(small):
    found = compared(small, sizes=(2, 64))
    assert (found.sizes, [notice.code for notice in found.notices][:1]) == ((2,), ["sizes"])
    with pytest.raises(UsageError, match="from 1 to 63"):
        next(compare(small, sizes=(2, -3)))


def collect(events, seen):
    for event in events:
        seen.append(event)


@pytest.mark.parametrize("sizes", [(2,), (2, 4)])
def test_divergence_is_noticed_alone_and_together(small, sizes):
    events = compare(small, sizes=sizes, networks=("dense",), epochs=60, changes=["training.rate=10"])
    seen = []
    with pytest.raises(UsageError, match="every training of the comparison diverged"):
        collect(events, seen)
    assert [event.code for event in seen if isinstance(event, Notice)] == ["diverged"] * len(sizes)


def test_a_model_that_learned_nothing_is_noticed(small):
    assert "worse-than-mean" in {notice.code for notice in compared(small, "training.rate=1e-9").notices}


@pytest.mark.parametrize("sizes", [(4,), (4, 8)])
def test_a_corruption_is_there_when_models_and_pca_are_judged(small, sizes):
    noisy = compared(small, "corruption=gaussian", "corruption.sigma=0.8", sizes=sizes)
    clean = compared(small, sizes=sizes)
    x, rows = small.test.x.reshape(len(small.test), -1) / 16.0, small.train.x.reshape(len(small.train), -1) / 16.0
    seen = x + 0.8 * np.random.default_rng(0).normal(size=x.shape)
    made = PCABaseline.fit(rows, 4).reconstruct(seen, 4, low=0, high=1)
    assert noisy.pca[0] == pytest.approx(((made - x) ** 2).mean(), rel=0.1)
    assert noisy.pca[0] > 1.2 * clean.pca[0]
