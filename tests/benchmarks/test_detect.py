"""The benchmark of detectors: its methods find what is odd, its splits do not leak."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import detect
import odd


@pytest.mark.parametrize("name", [name for name in odd.METHODS if name != "narrows"])
def test_every_method_finds_rows_far_away(name):
    rng = np.random.default_rng(0)
    x, far = rng.normal(size=(300, 3)), rng.normal(8, 1, (20, 3))
    score = odd.METHODS[name](x, 0)
    # Outside its training range the height of a histogram no longer falls.
    assert np.median(score(far)) > np.quantile(score(rng.normal(size=(200, 3))), 0.95)


def test_tails_by_hand():
    left, right = odd.tails(np.array([[1.0], [2], [3], [4]]), np.array([[1.0], [9]]))
    np.testing.assert_allclose(np.exp(-left[:, 0]), [2 / 5, 1])
    np.testing.assert_allclose(np.exp(-right[:, 0]), [1, 1 / 5])


def test_normal_rows_to_fit_are_not_judged(tmp_path):
    x, y = np.arange(40.0).reshape(40, 1), np.repeat([0, 1], [30, 10])
    np.savez(tmp_path / "1_small.npz", X=x, y=y)
    fit, new, odd_rows = detect.adbench(tmp_path / "1_small.npz", "adbench-normal", 0, 100)
    assert len(fit) == 15
    assert sorted([*fit[:, 0], *new[:, 0]]) == list(range(40))
    assert odd_rows.sum() == 10
    assert (fit[:, 0] < 30).all()


def test_a_method_is_measured_with_its_intervals():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 2)), np.repeat([0, 1], [290, 10])
    x[-10:] += 6
    found = detect.measure(odd.forest, (x, x, y), 0)
    low, high = found["auroc_range"]
    assert 0.9 < low <= found["auroc"] <= high <= 1
    assert found["rate"] == pytest.approx(1 / 30)
