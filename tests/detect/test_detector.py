"""The detector: what it finds, what it blames, and what it promises about its numbers."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from narrows.detect import Detector, Plan
from narrows.detect.packing import ABOUT, NUMBERS
from narrows.errors import DamagedError, InputError, ModelError

SHORT = Plan(steps=(150, 150))


def curve(count, seed=0):
    """Rows on a bent line, in four columns: knowing one column is nearly knowing all."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(-2, 2, count)
    rows = np.stack([t, t**2, np.sin(2 * t), rng.normal(size=count)], 1) + rng.normal(0, 0.05, (count, 4))
    return rows.astype(np.float32)


@pytest.fixture(scope="module")
def fitted():
    return Detector.fit(curve(3000), seed=1, plan=SHORT)


def test_a_row_that_breaks_the_rule_is_odd_though_each_value_is_usual(fitted):
    broken = curve(500, 1)
    broken[:, 1] = 4 - broken[:, 1]
    rows = np.concatenate([curve(500, 2), broken])
    assert roc_auc_score(np.repeat([0, 1], 500), fitted.score(rows)) > 0.9


def test_the_column_far_out_of_range_is_blamed(fitted):
    for column in range(4):
        rows = curve(200, 3)
        rows[:, column] += 30
        assert (fitted.explain(rows).argmax(1) == column).mean() > 0.9


def test_contributions_add_up_to_the_score_and_none_is_negative(fitted):
    rows = np.concatenate([curve(700, 4), 10 * curve(700, 5)])
    parts = fitted.explain(rows)
    assert parts.shape == (1400, 4)
    assert parts.min() >= 0
    np.testing.assert_allclose(parts.sum(1), fitted.score(rows), rtol=1e-6)


def test_features_of_a_column_are_blamed_together():
    grouped = Detector.fit(curve(400), groups=[(0, 2), (2, 3), (3, 4)], plan=SHORT)
    single = Detector.fit(curve(400), plan=SHORT)
    each, rows = single.explain(curve(50, 6)), grouped.explain(curve(50, 6))
    np.testing.assert_allclose(rows[:, 0], each[:, :2].sum(1), rtol=1e-9)
    np.testing.assert_allclose(rows[:, 1:], each[:, 2:], rtol=1e-9)


def test_a_row_is_scored_alike_alone_and_among_others(fitted):
    rows = curve(2500, 7)
    for results in (fitted.score, fitted.explain, fitted.expected):
        together = results(rows)
        np.testing.assert_array_equal(results(rows[::-1].copy())[::-1], together)
        np.testing.assert_array_equal(np.concatenate([results(rows[i : i + 1]) for i in (0, 1100, 2499)]),
                                      together[[0, 1100, 2499]])  # fmt: skip


def test_the_number_of_threads_does_not_change_a_bit(fitted, monkeypatch):
    rows = curve(3000, 8)
    many = fitted.score(rows)
    monkeypatch.setattr("narrows.detect.detector.available_threads", lambda: 1)
    np.testing.assert_array_equal(fitted.score(rows), many)


def test_a_clump_of_frauds_in_the_training_rows_is_found_by_distrusting_the_worst():
    rng = np.random.default_rng(9)
    frauds = (np.array([1.5, -2, 0, 0]) + rng.normal(0, 0.1, (90, 4))).astype(np.float32)
    rows, odd = np.concatenate([curve(2000), frauds]), np.repeat([0, 1], [2000, 90])
    trusting, wary = (
        roc_auc_score(odd, Detector.fit(rows, plan=Plan(steps=(400, 400), trim=trim)).score(rows)) for trim in (0, 0.1)
    )
    assert wary > 0.98
    assert wary > trusting


def test_what_was_expected_is_in_the_units_and_the_range_of_the_table(fitted):
    rows = curve(300, 10)
    expected = fitted.expected(rows)
    assert np.abs(expected[:, :3] - rows[:, :3]).mean() < 0.5
    far = fitted.expected(np.full((1, 4), 1e30, np.float32))
    low, high = curve(3000).min(0), curve(3000).max(0)
    assert ((far > low - 0.1) & (far < high + 0.1)).all()


def test_equal_seeds_give_equal_bits_and_no_global_randomness_is_touched():
    torch.manual_seed(3)
    state = torch.get_rng_state().clone()
    first, again, other = (Detector.fit(curve(300), seed=seed, plan=SHORT).score(curve(50)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_saved_computes_the_same_bits(fitted, tmp_path):
    again = Detector.from_files(fitted.to_files(tmp_path / "new"))
    for name in ("score", "explain", "expected"):
        np.testing.assert_array_equal(getattr(again, name)(curve(100)), getattr(fitted, name)(curve(100)))


def test_damaged_files_are_refused(fitted, tmp_path):
    with pytest.raises(ModelError, match="no detector"):
        Detector.from_files(tmp_path)
    for name in (ABOUT, NUMBERS):
        fitted.to_files(tmp_path)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:-30] + bytes(30))
        with pytest.raises(DamagedError):
            Detector.from_files(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_and_named(fitted, value):
    rows = curve(5)
    rows[3, 2] = value
    for use in (fitted.score, fitted.explain, fitted.expected, Detector.fit):
        with pytest.raises(InputError, match=r"row 3 .* feature 2"):
            use(rows)


def test_tables_of_another_width_are_refused(fitted):
    with pytest.raises(InputError, match=r"\(N, 4\)"):
        fitted.score(np.zeros((2, 3), np.float32))
    with pytest.raises(InputError):
        Detector.fit(np.zeros((1, 3), np.float32))
    with pytest.raises(InputError):
        Detector.fit(np.zeros((5, 0), np.float32))


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((2, 1), np.float32),
        np.ones((300, 3), np.float32),
        np.tile(np.float32([[1e30, -1e-30, 0]]), (40, 1)),
        np.random.default_rng(0).integers(0, 2, (200, 5)).astype(np.float32),
        np.random.default_rng(0).standard_cauchy((300, 2)).astype(np.float32) * np.float32(1e20),
        np.random.default_rng(0).normal(size=(60, 700)).astype(np.float32),
    ],
    ids=["two rows", "constant", "extreme", "binary", "heavy tails", "many columns"],
)
def test_scores_are_finite_whatever_the_table(rows):
    detector = Detector.fit(rows, plan=Plan(steps=(20, 20)))
    for new in (rows, np.full_like(rows[:1], 3e38), np.full_like(rows[:1], -3e38)):
        assert np.isfinite(detector.score(new)).all()
        assert np.isfinite(detector.expected(new)).all()
        np.testing.assert_allclose(detector.explain(new).sum(1), detector.score(new), rtol=1e-4)


def test_no_rows_give_no_scores(fitted):
    assert fitted.score(np.zeros((0, 4), np.float32)).shape == (0,)
    assert fitted.explain(np.zeros((0, 4), np.float32)).shape == (0, 4)
