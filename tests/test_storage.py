"""Objects on a disk: read as they would be in memory, and trained on with the same result."""

import numpy as np
import pytest
import torch

from narrows import storage
from narrows.changes import assign
from narrows.data import load, read
from narrows.data.scaling import fit_scaling
from narrows.data.splits import duplicate_groups
from narrows.metrics.baseline import PCABaseline
from narrows.readout import encode, latent_map, report, sample
from narrows.recipe import recipe_for
from narrows.storage import Rows, blocks, held
from narrows.train import Finished, Place, fit
from narrows.train.feed import Feed
from narrows.types import Layout


@pytest.fixture
def mapped(tmp_path, rng):
    """A file of pictures (500, 6, 6, 3) in float64 whose last axis is the channels, some of them equal."""
    x = rng.normal(size=(500, 6, 6, 3)) @ rng.normal(size=(3, 3))
    x[450:] = x[:50]
    np.save(tmp_path / "x.npy", x)
    return tmp_path / "x.npy"


@pytest.fixture
def no_memory(monkeypatch):
    """Nothing fits into memory, and little is read at once."""
    monkeypatch.setattr(storage, "MEMORY_SHARE", 0)
    monkeypatch.setattr(storage, "BLOCK_VALUES", 5000)
    monkeypatch.setattr("narrows.readout.apply.BATCH_VALUES", 20_000)
    monkeypatch.setattr("narrows.readout.apply.BATCHES_READ", 2)
    monkeypatch.setattr("narrows.metrics.baseline.CHUNK", 64)


def refuse_to_be_read_whole(monkeypatch):
    """Let reading most of a set at once be an error."""
    get = Rows.__getitem__

    def checked(self, key):
        assert np.size(self.index[key]) <= len(self.source) / 3
        return get(self, key)

    monkeypatch.setattr(Rows, "__getitem__", checked)


def trained(data):
    changes = [
        "network.channels=4,8",
        "bottleneck.size=4",
        "training.epochs=2",
        "corruption=gaussian",
        "training.batch=64",
    ]
    *_, last = fit(assign(recipe_for(data, network="conv"), changes), data, place=Place("cpu", "float32", 1))
    assert isinstance(last, Finished)
    return last.result


@pytest.mark.parametrize("key", [3, slice(2, 9, 3), np.array([7, 0, 7, 3]), slice(0, 0)], ids=str)
def test_rows_give_what_the_array_gives(rng, key):
    x, index = rng.normal(size=(12, 2, 3)).astype(np.float32), rng.permutation(12)[:10]
    rows = Rows(x, index)
    np.testing.assert_array_equal(rows[key], x[index][key])
    assert (rows.shape, rows.ndim, rows.size, rows.nbytes) == ((10, 2, 3), 3, 60, 240)
    np.testing.assert_array_equal(np.asarray(rows), x[index])
    np.testing.assert_array_equal(np.concatenate(list(blocks(rows))), x[index])


def test_rows_of_rows_and_what_is_done_to_them(rng):
    x = rng.normal(size=(12, 3)).astype(np.float32)
    rows = Rows(x).take(np.arange(11, -1, -1)).take(slice(2, 6)).then(lambda x: 2 * x)
    np.testing.assert_array_equal(rows[:], 2 * x[::-1][2:6])


def test_only_what_does_not_fit_stays_on_the_disk(mapped, no_memory, monkeypatch):
    x = np.load(mapped, mmap_mode="r")
    assert isinstance(held(x), Rows)
    assert isinstance(held(np.array(x)), np.ndarray)
    monkeypatch.setattr(storage, "MEMORY_SHARE", 0.4)
    assert type(held(x)) is np.ndarray
    assert held(x).dtype == held(np.zeros((2, 2), bool)).dtype == np.float32


def test_the_free_memory_of_this_machine_is_known():
    assert 1 << 20 < storage.free_memory() < 1 << 50


def test_a_file_larger_than_the_memory_trains_as_if_it_were_in_memory(mapped, no_memory, monkeypatch):
    monkeypatch.setattr(storage, "MEMORY_SHARE", 0.4)
    inside = load(mapped)
    expected = trained(inside)
    theirs, map_inside = report(expected, inside), latent_map(expected.model, inside.test)
    monkeypatch.setattr(storage, "MEMORY_SHARE", 0)
    refuse_to_be_read_whole(monkeypatch)
    outside = load(mapped)
    assert isinstance(outside.train.x, Rows)
    assert outside.notes == inside.notes
    made = trained(outside)
    for name, tensor in expected.model.state_dict().items():
        torch.testing.assert_close(made.model.state_dict()[name], tensor, atol=1e-5, rtol=1e-5)
    ours = report(made, outside)
    assert ours.test == pytest.approx(theirs.test, rel=1e-5)
    assert {name: error["mse"] for name, error in ours.baseline.items()} == pytest.approx(
        {name: error["mse"] for name, error in theirs.baseline.items()}, rel=1e-5
    )
    assert ours.baseline.keys() == {"mean", "pca", "input"}
    assert latent_map(made.model, outside.test).numbers == pytest.approx(map_inside.numbers, abs=1e-3)
    assert sample(made.model, 3, outside.train.x).shape == (3, 3, 6, 6)


def test_what_is_in_memory_is_judged_in_blocks_where_memory_is_short(no_memory, monkeypatch):
    digits = load("digits", limit=300)
    *_, last = fit(assign(recipe_for(digits), ["network.widths=16", "training.epochs=1"]), digits)
    sparing = report(last.result, digits)
    monkeypatch.setattr(storage, "MEMORY_SHARE", 0.4)
    whole = report(last.result, digits)
    assert sparing.test["mse"] == pytest.approx(whole.test["mse"], rel=1e-5)
    assert sparing.baseline["pca"]["mse"] == pytest.approx(whole.baseline["pca"]["mse"], rel=1e-5)


def test_the_split_of_a_file_does_not_depend_on_the_memory(mapped, no_memory, monkeypatch):
    outside = load(mapped)
    monkeypatch.setattr(storage, "MEMORY_SHARE", 0.4)
    inside = load(mapped)
    for side in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(outside, side).x[:], getattr(inside, side).x)


def test_a_file_is_encoded_from_the_disk(mapped, no_memory, monkeypatch):
    made = trained(load(mapped))
    refuse_to_be_read_whole(monkeypatch)
    found = read(mapped, like=made.layout)
    assert isinstance(found.x, Rows)
    whole = np.moveaxis(np.load(mapped), -1, 1).astype(np.float32)
    np.testing.assert_allclose(encode(made.model, found.x), encode(made.model, whole), atol=1e-5)


@pytest.mark.parametrize("kind", ["minmax", "standard"])
@pytest.mark.parametrize("shape", [(5,), (2, 7), (3, 4, 6)])
def test_scaling_is_the_same_from_the_disk(rng, no_memory, kind, shape):
    x = rng.normal(100, 5, (900, *shape)).astype(np.float32)
    layout = Layout("x", "table", shape)
    inside, outside = fit_scaling(x, layout, kind), fit_scaling(Rows(x), layout, kind)
    np.testing.assert_allclose(outside.offset, inside.offset, rtol=1e-6)
    np.testing.assert_allclose(outside.scale, inside.scale, rtol=1e-6)
    np.testing.assert_allclose(outside.rows(Rows(x))[:], inside.rows(x), atol=1e-5)


@pytest.mark.parametrize("shape", [(5,), (2, 7)])
def test_standard_scaling_is_numpys_mean_and_deviation(rng, shape):
    x = rng.normal(100, 5, (900, *shape)).astype(np.float32)
    made = fit_scaling(x, Layout("x", "table", shape), "standard")
    axes = (0,) if len(shape) == 1 else (0, 2)
    np.testing.assert_array_equal(made.offset.ravel(), x.mean(axes, dtype=np.float64).astype(np.float32))
    np.testing.assert_array_equal(made.scale.ravel(), x.std(axes, dtype=np.float64).astype(np.float32))


@pytest.mark.parametrize("columns", [20, 3500])
def test_pca_is_the_same_from_the_disk(rng, no_memory, columns):
    x = (rng.normal(size=(300, 12)) * np.arange(12, 0, -1) @ rng.normal(size=(12, columns))).astype(np.float32)
    x += 0.1 * rng.normal(size=x.shape).astype(np.float32)
    inside, outside = PCABaseline.fit(x, 8), PCABaseline.fit(Rows(x), 8)
    assert outside.mse_curve(Rows(x), [2, 8]) == pytest.approx(inside.mse_curve(x, [2, 8]), rel=1e-4)
    np.testing.assert_allclose(np.abs((outside.components * inside.components).sum(1)), 1, atol=1e-3)


def test_equal_objects_are_found_on_the_disk(rng, no_memory):
    x = rng.integers(0, 2, (2000, 5)).astype(np.float32)
    seen: dict = {}
    expected = [seen.setdefault(row.tobytes(), len(seen)) for row in x]
    assert duplicate_groups(Rows(x)).tolist() == duplicate_groups(x).tolist() == expected


def test_a_file_of_more_than_sixteen_gibibytes_is_not_refused(tmp_path):
    from narrows.data.arrays import read_arrays

    with (tmp_path / "big.npy").open("wb") as sparse:
        np.lib.format.write_array_header_1_0(
            sparse, {"descr": "<f4", "fortran_order": False, "shape": (1 << 23, 1 << 10)}
        )
        sparse.truncate(sparse.tell() + (1 << 35))
    x = read_arrays(tmp_path / "big.npy")["X"]
    assert held(x)[np.array([1 << 22])].tolist() == [[0.0] * 1024]


def test_objects_stay_in_memory_where_a_card_has_no_room(rng, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (1000, 1000))
    feed = Feed(rng.normal(size=(100, 4)).astype(np.float32), "cuda", lambda x: x, ahead=True)
    assert (feed.tensor.device.type, feed.scaled) == ("cpu", False)
