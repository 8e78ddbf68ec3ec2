"""The shown set: its order, what of it is stored, and what about.json says."""

import json

import numpy as np
import pytest

from narrows.data import load
from narrows.data.scaling import fit_scaling
from narrows.studio import shown as module
from narrows.studio.shown import shown, stratified, write_shown
from narrows.types import Layout, Split, Splits


def splits(test, y=None, valid=3, layout=None):
    """A data set with these test objects."""
    layout = layout or Layout("made", "table", test.shape[1:], classes=("a", "b"))
    rest = Split(np.random.default_rng(1).normal(size=(valid, *test.shape[1:])).astype(np.float32))
    return Splits(layout, rest, rest, Split(test, y))


def of(data):
    return shown(data, fit_scaling(data.train.x, data.layout))


def test_every_object_is_there_once_and_the_order_is_fixed(rng):
    y = rng.integers(-1, 7, 1000)
    order = stratified(y)
    assert sorted(order.tolist()) == list(range(1000))
    assert np.array_equal(order, stratified(y))


def test_the_first_objects_are_one_of_each_class():
    y = np.repeat([3, 0, 1, 2], [5, 800, 40, 3])
    assert y[stratified(y)][:4].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("count", [50, 200, 1000])
def test_each_first_part_is_stratified_by_the_roots_of_the_classes(count):
    sizes = np.array([10_000, 2_500, 400])
    y = np.repeat(np.arange(3), sizes)
    found = np.bincount(y[stratified(y)][:count], minlength=3)
    roots = np.sqrt(sizes)
    assert np.abs(found - count * roots / roots.sum()).max() <= 2


def test_equal_classes_are_equal_in_each_first_part():
    y = np.tile(np.arange(10), 500)
    assert set(np.bincount(y[stratified(y)][:200])) == {20}


def test_without_classes_the_order_is_a_shuffle():
    order = stratified(np.full(100, -1))
    assert sorted(order.tolist()) == list(range(100))
    assert order[:10].tolist() != list(range(10))


def test_values_with_bounds_are_stored_as_bytes_and_others_in_the_networks_units(rng):
    raw = rng.normal(3, 5, size=(20, 4)).astype(np.float32)
    data = splits(raw, rng.integers(0, 2, 20))
    found = of(data)
    scaled = found.scaling.apply(found.split.x)
    assert found.objects().dtype == np.float16
    assert np.abs(found.objects() - scaled).max() < 0.01 * np.abs(scaled).max()
    digits = of(load("digits"))
    assert digits.objects(5).dtype == np.uint8
    assert digits.objects(5).shape == (5, 1, 8, 8)


def test_values_too_large_for_16_bits_are_cut_to_the_largest(rng):
    raw = np.array([[1e12, -1e12], [0, 0]], np.float32)
    assert np.isfinite(of(splits(raw)).objects()).all()


def test_without_test_objects_those_to_validate_are_shown():
    data = splits(np.zeros((0, 4), np.float32), valid=7)
    assert len(of(data)) == 7


def test_never_more_than_the_limits(monkeypatch, rng):
    monkeypatch.setattr(module, "MOST", 9)
    assert len(of(splits(rng.normal(size=(20, 4)).astype(np.float32)))) == 9
    monkeypatch.setattr(module, "MOST_BYTES", 5 * 4 * 2)
    assert len(of(splits(rng.normal(size=(20, 4)).astype(np.float32)))) == 5


def test_what_is_written(rng, tmp_path):
    raw, y = rng.normal(size=(20, 4)).astype(np.float32), rng.integers(0, 2, 20)
    data = splits(raw, y)
    chosen = of(data)
    write_shown(tmp_path / "a", chosen, {"graph": {}, "notes": ["one"]})
    about = json.loads((tmp_path / "a" / "about.json").read_text())
    assert about["objects"] == {
        "count": 20, "dtype": "float16", "shape": [4], "classes": ["a", "b"], "low": None, "high": None,
    }  # fmt: skip
    assert (about["baseline"], about["notes"], about["layout"]["name"]) == (None, ["one"], "made")
    assert np.array_equal(np.fromfile(tmp_path / "a" / "labels.bin", "<i2"), y[stratified(y)])
    stored = np.fromfile(tmp_path / "a" / "objects.bin", "<f2").reshape(20, 4)
    assert np.array_equal(stored, chosen.objects())
    assert json.loads((tmp_path / "a" / "where.json").read_text()) is None
