"""Metrics against independent libraries."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from narrows.data import load
from narrows.errors import InputError, LimitError
from narrows.metrics.baseline import PCABaseline
from narrows.metrics.image import psnr, ssim
from narrows.metrics.latent import dead_units, knn_accuracy, silhouette, stratified_folds, trustworthiness


@pytest.mark.parametrize(("count", "columns"), [(200, 30), (20, 50)])
def test_pca_is_that_of_scikit_learn(rng, count, columns):
    x = rng.normal(size=(count, columns)) * np.linspace(5, 0.1, columns)
    ours, oracle = PCABaseline.fit(x, 6), PCA(6, svd_solver="full").fit(x)
    np.testing.assert_allclose(ours.reconstruct(x, 6), oracle.inverse_transform(oracle.transform(x)), atol=1e-4)


def test_wide_pca_is_near_that_of_scikit_learn(rng):
    x = rng.normal(size=(60, 8)) @ rng.normal(size=(8, 3100)) + 0.01 * rng.normal(size=(60, 3100))
    ours, oracle = PCABaseline.fit(x, 5), PCA(5, svd_solver="full").fit(x)
    error = [((x - y) ** 2).mean() for y in (ours.reconstruct(x, 5), oracle.inverse_transform(oracle.transform(x)))]
    assert error[0] == pytest.approx(error[1], rel=1e-3)


def test_pca_refuses_more_components_than_fitted(rng):
    with pytest.raises(LimitError, match="at most 3"):
        PCABaseline.fit(rng.normal(size=(50, 9)), 3).reconstruct(rng.normal(size=(5, 9)), 4)


@pytest.mark.data
def test_pca_of_mnist_has_its_published_error(real):
    real("mnist")
    data = load("mnist")
    train, test = (split.x.reshape(len(split), -1) / np.float32(255) for split in (data.train, data.test))
    curve = PCABaseline.fit(train, 64).mse_curve(test, [2, 32, 64], low=0, high=1)
    assert curve == pytest.approx([0.0555, 0.0152, 0.0078], abs=2e-4)


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 20, 31)])
def test_ssim_is_that_of_scikit_image(rng, shape):
    x, y = (rng.random((1, *shape)) for _ in range(2))
    y = 0.7 * x + 0.3 * y
    made = ssim(torch.from_numpy(x), torch.from_numpy(y)).item()
    settings = {"data_range": 1.0, "gaussian_weights": True, "use_sample_covariance": False, "channel_axis": 0}
    _, whole = structural_similarity(x[0], y[0], full=True, **settings)
    assert made == pytest.approx(whole[:, 5:-5, 5:-5].mean(), abs=1e-5)


def test_psnr_is_that_of_scikit_image(rng):
    x, y = rng.random((2, 1, 9, 9))
    made = psnr(torch.from_numpy(x)[None], torch.from_numpy(y)[None]).item()
    assert made == pytest.approx(peak_signal_noise_ratio(x, y, data_range=1.0))


def test_trustworthiness_is_that_of_scikit_learn(rng):
    x = rng.normal(size=(150, 6))
    assert trustworthiness(x, x[:, :2]) == pytest.approx(sklearn_trustworthiness(x, x[:, :2], n_neighbors=12))


def test_knn_is_sure_of_far_classes_and_guesses_among_noise(rng):
    y = np.repeat([0, 1, 2], 60)
    apart, noise = rng.normal(size=(180, 2)) + 50 * y[:, None], rng.normal(size=(180, 2))
    assert knn_accuracy(apart, y).mean == 1
    assert knn_accuracy(noise, y, repeats=5).mean == pytest.approx(1 / 3, abs=0.1)


def test_unlabelled_objects_are_left_out(rng):
    z, y = rng.normal(size=(90, 2)), np.repeat([0, 1, -1], 30)
    z[:30] += 40
    assert knn_accuracy(z, y).mean == 1
    assert silhouette(z, y) > 0.8


def test_folds_spread_every_class_evenly(rng):
    y = np.repeat([0, 1], [50, 12])
    fold = stratified_folds(y, 5, rng)
    assert np.ptp(np.bincount(fold[y == 0])) == 0
    assert np.ptp(np.bincount(fold[y == 1], minlength=5)) <= 1


def test_dead_units_are_found(rng):
    z = rng.normal(size=(100, 4))
    z[:, 2] = 7
    assert dead_units(z).tolist() == [2]


@pytest.mark.parametrize("z", [np.array([[np.nan, 1.0], [0.0, 1.0]]), np.zeros((2, 2))])
def test_codes_that_cannot_be_judged_are_refused(z):
    with pytest.raises(InputError):
        knn_accuracy(z, np.array([0, 0]))
