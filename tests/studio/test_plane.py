"""The plane codes are seen on: the principal one, and steady between frames."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.decomposition import PCA

from narrows.studio.plane import Plane


def spread(rng, K=6):
    """Codes with clear directions."""
    turned = np.linalg.qr(rng.normal(size=(K, K)))[0]
    return (rng.normal(size=(400, K)) * [9, 5, 2, 1, 0.5, 0.2] @ turned).astype(np.float32)


def subspace_gap(a, b):
    """How far two planes (K, 2) are from being the same: the sine of their largest angle."""
    return np.sqrt(max(0.0, 1 - np.linalg.svd(a.T @ b)[1].min() ** 2))


@pytest.mark.parametrize("size", [1, 2])
def test_a_short_code_is_seen_itself(rng, size):
    codes, plane = rng.normal(size=(9, size)).astype(np.float32), Plane(size)
    plane.look(codes)
    assert plane.projection == "code"
    assert np.array_equal(plane.place(codes)[:, :size], codes)
    assert plane.place(codes).shape == (9, 2)


def test_the_first_plane_is_that_of_pca(rng):
    codes, plane = spread(rng), Plane(6)
    plane.look(codes)
    expected = PCA(2).fit(codes).components_.T
    assert subspace_gap(plane.directions, expected) < 1e-3
    assert plane.projection == "pca"


def test_the_plane_follows_codes_that_turn(rng):
    codes, plane = spread(rng), Plane(6)
    plane.look(codes)
    turned = np.linalg.qr(np.eye(6) + 0.3 * rng.normal(size=(6, 6)))[0].astype(np.float32)
    for _ in range(5):
        plane.look(codes @ turned)
    expected = PCA(2).fit(codes @ turned).components_.T
    assert subspace_gap(plane.directions, expected) < 0.01


def test_points_move_little_where_codes_do(rng):
    codes, plane = spread(rng), Plane(6)
    plane.look(codes)
    before = plane.place(codes)
    for _ in range(20):
        codes = codes + 0.02 * rng.normal(size=codes.shape).astype(np.float32)
        plane.look(codes)
        after = plane.place(codes)
        assert np.abs(after - before).max() < 0.3
        before = after


def test_axes_that_change_their_order_do_not_flip_the_points(rng):
    # The second direction outgrows the first: exact PCA would swap the axes at once.
    base, plane = rng.normal(size=(500, 4)).astype(np.float32), Plane(4)
    points = []
    for share in np.linspace(0.8, 1.2, 9):
        codes = base * np.float32([1, share, 0.1, 0.1])
        plane.look(codes)
        points.append(plane.place(codes))
    moves = [np.abs(b - a).mean() for a, b in pairwise(points)]
    assert max(moves) < 0.15


@pytest.mark.parametrize("codes", [np.zeros((20, 5)), np.ones((1, 5)), np.full((20, 5), np.nan)])
def test_dead_codes_lie_in_one_finite_place(codes):
    plane = Plane(5)
    for _ in range(3):
        plane.look(codes)
        assert np.isfinite(plane.directions).all()
        assert np.isfinite(plane.centre).all()


def test_few_objects_and_many_numbers(rng):
    plane = Plane(64)
    for _ in range(3):
        codes = rng.normal(size=(3, 64)).astype(np.float32)
        plane.look(codes)
        assert np.isfinite(plane.place(codes)).all()
