"""Snapshots: what is written is read, which are kept, and what a torn file gives."""

import numpy as np
import pytest
from safetensors import safe_open

from narrows.errors import DamagedError, ModelError
from narrows.studio import frames, snapshots
from narrows.studio.snapshots import (
    FEWEST,
    Album,
    Snapshot,
    clear,
    frames_of,
    path_of,
    read_snapshot,
    steps_of,
    write_snapshot,
)


@pytest.fixture
def snapshot(rng):
    return Snapshot(
        step=40,
        epoch=2,
        valid=0.125,
        weights=rng.normal(size=100).astype(np.float16),
        places=frames.places(rng.normal(size=(30, 2))),
        projection="pca",
        tiles=rng.integers(0, 255, (12, 64), dtype=np.uint8),
        rest={"bottleneck.steps": np.array(7), "bottleneck.sums": rng.normal(size=(2, 3)).astype(np.float32)},
    )


def test_what_is_written_is_read(snapshot, tmp_path):
    write_snapshot(tmp_path, snapshot)
    read = read_snapshot(tmp_path, 40)
    assert read.facts() == snapshot.facts() == {"step": 40, "epoch": 2, "valid": 0.125}
    assert np.array_equal(read.weights, snapshot.weights)
    assert np.array_equal(read.places.points, snapshot.places.points)
    assert read.projection == "pca"
    assert np.array_equal(read.tiles, snapshot.tiles)
    assert read.rest["bottleneck.steps"].shape == ()
    assert all(np.array_equal(read.rest[name], snapshot.rest[name]) for name in snapshot.rest)


def test_others_read_the_same_facts_from_the_file(snapshot, tmp_path):
    write_snapshot(tmp_path, snapshot)
    with safe_open(path_of(tmp_path, 40), framework="numpy") as file:
        assert file.metadata() == {"step": "40", "epoch": "2", "valid": "0.125", "projection": "pca"}
        assert np.array_equal(file.get_tensor("tiles"), snapshot.tiles)


def test_a_loss_that_is_not_known_yet_is_none(snapshot, tmp_path):
    for step, valid in ((1, None), (2, float("nan"))):
        write_snapshot(tmp_path, Snapshot(**{**vars(snapshot), "step": step, "valid": valid}))
        assert read_snapshot(tmp_path, step).valid is None


def test_its_frames_say_whether_all_objects_are_there(snapshot):
    for count, complete in ((30, True), (31, False)):
        points, weights, tiles = map(frames.unpack, frames_of(snapshot, count).values())
        assert frames.read_points(points)[1:] == ("pca", complete)
        assert (weights.a, tiles.a, tiles.b, tiles.step) == (100, 12, 64, 40)


@pytest.mark.parametrize("keep", [0, 7, 100, -8, -1])
def test_a_torn_file_is_damaged(snapshot, tmp_path, keep):
    write_snapshot(tmp_path, snapshot)
    content = path_of(tmp_path, 40).read_bytes()
    path_of(tmp_path, 40).write_bytes(content[:keep])
    with pytest.raises(DamagedError, match="cannot be read"):
        read_snapshot(tmp_path, 40)


def test_a_step_that_is_not_there_is_told_with_those_that_are(snapshot, tmp_path):
    write_snapshot(tmp_path, snapshot)
    with pytest.raises(ModelError, match="no snapshot of step 41; one of: 40"):
        read_snapshot(tmp_path, 41)


@pytest.mark.parametrize("interval", [1, 3, 50])
def test_never_more_than_the_limit_and_always_the_first_and_last(tmp_path, interval):
    album, kept = Album(tmp_path, most=8, interval=1), set()
    for step in range(0, 1000, interval):
        if album.due(step):
            kept = (kept | {step}) - set(album.added(step))
            assert sorted(kept) == album.steps
            assert len(kept) <= 8
            assert {0, step} <= kept
    gaps = np.diff(album.steps[:-1])
    assert len(gaps) >= 2
    assert gaps.max() < 2 * gaps.min()


def test_an_album_goes_on_with_what_lies_there(snapshot, tmp_path):
    write_snapshot(tmp_path, snapshot)
    album = Album(tmp_path)
    assert album.steps == [40]
    assert not album.due(40)
    album.drop([40])
    assert steps_of(tmp_path) == []


def test_few_snapshots_of_a_large_model(tmp_path):
    album = Album(tmp_path)
    album.fit(100 << 20)
    assert album.most == 10
    album.fit(10 << 30)
    assert album.most == FEWEST


def test_clearing_leaves_other_files(snapshot, tmp_path):
    write_snapshot(tmp_path, snapshot)
    (tmp_path / "snapshots" / "notes.txt").write_text("mine")
    clear(tmp_path, after=40)
    assert steps_of(tmp_path) == [40]
    clear(tmp_path)
    assert [path.name for path in (tmp_path / "snapshots").iterdir()] == ["notes.txt"]


STRANGE = {
    "a projection there is not": {"projection": "evil"},
    "tiles without a size": {"tiles": np.zeros(3, np.uint8)},
    "weights of another type": {"weights": np.zeros(3, np.int64)},
    "no bounds": {"places": frames.Places(np.zeros(0, np.float32), np.zeros((2, 2), np.uint16))},
    "points in space": {"places": frames.Places(np.zeros(4, np.float32), np.zeros((2, 3), np.uint16))},
}


@pytest.mark.parametrize("case", STRANGE)
def test_a_file_that_is_no_snapshot_of_ours_is_damaged(snapshot, tmp_path, case):
    write_snapshot(tmp_path, Snapshot(**{**vars(snapshot), **STRANGE[case]}))
    with pytest.raises(DamagedError, match="cannot be read"):
        read_snapshot(tmp_path, 40)


def test_a_snapshot_under_the_name_of_another_step_or_too_long_is_damaged(snapshot, tmp_path, monkeypatch):
    write_snapshot(tmp_path, snapshot)
    path_of(tmp_path, 40).rename(path_of(tmp_path, 41))
    with pytest.raises(DamagedError):
        read_snapshot(tmp_path, 41)
    write_snapshot(tmp_path, snapshot)
    monkeypatch.setattr(snapshots, "FILE_BYTES", 100)
    with pytest.raises(DamagedError):
        read_snapshot(tmp_path, 40)
