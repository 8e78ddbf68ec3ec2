"""The trainer child, driven over a real pipe: commands, lockstep, forks, kills, and the run folders it leaves."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from driver import Child, order

from narrows.changes import assign
from narrows.data import load
from narrows.readout import report
from narrows.recipe import recipe_for
from narrows.studio import frames
from narrows.studio.snapshots import MOST, read_snapshot, steps_of
from narrows.train import Finished, Place, fit, open_run
from narrows.train.state import read_history

NETWORKS = {
    "dense": ("network.widths=32",),
    "conv": ("network.channels=4,8",),
    "lstm": ("network.hidden=8",),
}


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def warm():
    child = Child()
    child.until("ready")
    yield child
    child.close()


@pytest.fixture
def child(warm):
    """The warm child, with nothing heard yet and nothing under way; it is idle again afterwards."""
    warm.heard.clear()
    warm.begun = 0
    yield warm
    if warm.begun:
        warm.say("stop")
        warm.until("idle")


def small(data, network="dense", *changes):
    base = recipe_for(data, network=network)
    return assign(base, [*NETWORKS[network], "bottleneck.size=2", "training.epochs=3", "training.batch=64", *changes])


def start(child, *orders, **more):
    child.begun += 1
    child.say("start", runs=list(orders), cores=1, **more)


def weights_of(folder):
    return dict(open_run(folder).model.state_dict())


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def alone(recipe, data, **more):
    """What the same training gives without a studio."""
    *_, last = fit(recipe, data, **more)
    assert isinstance(last, Finished)
    return last.result


def test_a_run_is_told_from_beginning_to_end(child, digits, tmp_path):
    chosen = small(digits)
    start(child, order(tmp_path, "a", chosen))
    child.until("idle")
    assert [m["state"] for m in child.all("state")] == ["starting", "starting", "running", "done"]
    begun = child.all("started")[0]
    assert (begun["epochs"], begun["steps"], begun["step"]) == (3, 20, 0)
    assert begun["counts"] == {"train": 1258, "valid": 180, "test": 359}
    assert [m["epoch"] for m in child.all("epoch")] == [1, 2, 3]
    steps = [step for m in child.all("progress") for step in m["curve"]["step"]]
    assert steps == list(range(1, 61))
    losses = [loss for m in child.all("progress") for loss in m["curve"]["loss"]]
    assert losses[-1] < losses[0] / 2
    assert child.until("report", id="a")[0]["report"]["test"]["mse"] == pytest.approx(
        report(alone(chosen, digits), digits).test["mse"]
    )


def test_the_run_folder_is_that_of_the_command_line(child, digits, tmp_path):
    chosen = small(digits)
    start(child, order(tmp_path, "a", chosen))
    child.until("report")
    result = alone(chosen, digits, folder=tmp_path / "b")
    report(result, digits)
    names = {path.name for path in (tmp_path / "a").iterdir()} - {"snapshots"}
    assert names == {path.name for path in (tmp_path / "b").iterdir()}
    assert same(weights_of(tmp_path / "a"), weights_of(tmp_path / "b"))
    for name in ("recipe.json", "weights.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    a, b = (json.loads((tmp_path / run / "report.json").read_text()) for run in "ab")
    assert {**a, "seconds": 0} == {**b, "seconds": 0}


def test_the_data_of_an_upload_are_known_by_its_id_alone(child, digits, tmp_path):
    chosen = small(digits, "dense", "data.name=upload:0")
    start(child, order(tmp_path, "a", chosen, source="digits"))
    child.until("idle")
    assert child.all("state")[-1]["state"] == "done"
    assert json.loads((tmp_path / "a" / "recipe.json").read_text())["data"]["name"] == "upload:0"


def test_lockstep_gives_the_bits_of_separate_runs(child, digits, tmp_path):
    recipes = {name: small(digits, name) for name in NETWORKS}
    recipes["noisy"] = small(digits, "dense", "corruption=gaussian", "training.epochs=2")
    start(child, *(order(tmp_path, name, chosen) for name, chosen in recipes.items()))
    child.until("idle")
    for name, chosen in recipes.items():
        expected = alone(chosen, digits, place=Place("cpu", "float32", 1))
        assert same(weights_of(tmp_path / name), dict(expected.model.state_dict())), name
        history = read_history(tmp_path / name / "metrics.jsonl")
        assert [e.valid for e in history] == [e.valid for e in expected.history]


def test_lockstep_advances_all_by_as_many_steps(child, digits, tmp_path):
    recipes = {
        "dense": small(digits, "dense", "training.epochs=50"),
        "conv": small(digits, "conv", "training.epochs=50"),
    }
    start(child, *(order(tmp_path, name, chosen) for name, chosen in recipes.items()))
    child.until("epoch", id="conv", epoch=2)
    child.say("pause")
    for name in recipes:
        child.until("state", id=name, state="paused")
    last = {name: child.all("progress", id=name)[-1]["step"] for name in recipes}
    assert last["dense"] == last["conv"] >= 40


def test_a_run_that_still_reads_its_data_lets_go_at_once(child, digits, tmp_path):
    slow = small(load("glyphs", limit=1000), "dense", "data.name=glyphs")
    start(child, order(tmp_path, "slow", slow))
    child.until("state", state="starting", why="The data are being read: glyphs.")
    begin = time.perf_counter()
    child.say("stop")
    child.until("idle")
    assert time.perf_counter() - begin < 0.5
    assert (child.all("started"), child.all("state", state="stopped")[0]["id"]) == ([], "slow")
    start(child, order(tmp_path, "next", small(digits)))
    child.until("started", id="next")
    start_again = order(tmp_path, "slow", slow)
    child.say("stop")
    child.until("idle")
    # What was left goes on being read, and is not read a second time.
    start(child, start_again)
    child.until("started", id="slow")


def test_pausing_is_quick_and_its_time_is_not_counted(child, digits, tmp_path):
    chosen = small(digits, "dense", "training.epochs=2000")
    start(child, order(tmp_path, "a", chosen))
    child.until("epoch", epoch=5)
    begin = time.perf_counter()
    child.say("pause")
    child.until("state", state="paused")
    assert time.perf_counter() - begin < 0.3
    before = child.all("progress")[-1]
    time.sleep(1.0)
    assert not child.connection.poll() or child.until("frames")
    child.say("resume")
    child.until("state", state="running")
    after = child.until("epoch")[0]
    assert after["seconds"] < before["seconds"] + 0.5
    assert after["step"] >= before["step"]


def test_a_single_step_is_one_batch_of_every_run(child, digits, tmp_path):
    orders = [order(tmp_path, name, small(digits, name)) for name in ("dense", "conv")]
    start(child, *orders, paused=True)
    for name in ("dense", "conv"):
        child.until("state", id=name, state="paused")
    child.until("frames", id="conv", step=0)
    for step in (1, 2, 3):
        child.say("step")
        child.until("frames", id="conv", step=step)
        for name in ("dense", "conv"):
            assert child.all("progress", id=name)[-1]["step"] == step
            assert child.all("frames", id=name)[-1]["step"] == step
    states = [m["state"] for m in child.all("state", id="dense")]
    assert states == ["starting", "starting", "running", "paused"]


def test_a_stopped_run_goes_on_to_the_same_bits(child, digits, tmp_path):
    chosen = small(digits, "dense", "training.epochs=60")
    start(child, order(tmp_path, "a", chosen))
    child.until("epoch", epoch=3)
    begin = time.perf_counter()
    child.say("stop")
    child.until("state", state="stopped")
    assert time.perf_counter() - begin < 0.3
    stopped = child.all("progress")[-1]["step"]
    child.until("idle")
    child.heard.clear()
    start(child, order(tmp_path, "a", chosen, resume=True))
    assert child.until("started")[0]["step"] == stopped
    child.until("idle")
    assert not child.all("notice")
    expected = alone(chosen, digits, place=Place("cpu", "float32", 1))
    assert same(weights_of(tmp_path / "a"), dict(expected.model.state_dict()))


def test_a_stopped_run_can_be_resumed_without_the_studio(child, digits, tmp_path):
    chosen = small(digits, "conv", "training.epochs=8")
    start(child, order(tmp_path, "a", chosen))
    child.until("epoch", epoch=2)
    child.say("stop")
    child.until("idle")
    resumed = alone(chosen, digits, folder=tmp_path / "a", resume=True)
    expected = alone(chosen, digits, place=Place("cpu", "float32", 1))
    assert same(dict(resumed.model.state_dict()), dict(expected.model.state_dict()))


def test_a_fork_begins_at_the_snapshot(child, digits, tmp_path):
    chosen = small(digits, "dense", "training.epochs=6")
    start(child, order(tmp_path, "a", chosen))
    child.until("idle")
    last = steps_of(tmp_path / "a")[-1]
    assert last == 120
    child.heard.clear()
    changed = assign(chosen, ["training.rate=0.0005", "training.epochs=2"])
    fork = {"folder": str(tmp_path / "a"), "step": last}
    start(child, order(tmp_path, "b", changed, start=fork))
    child.until("idle")
    before, after = read_snapshot(tmp_path / "a", last), read_snapshot(tmp_path / "b", 0)
    assert np.array_equal(before.weights, after.weights)
    # A snapshot's weights are rounded to 16 bits, its tiles are those of the weights before that.
    assert np.abs(before.tiles.astype(int) - after.tiles).max() <= 1
    valid = [m["valid"]["loss"] for m in child.all("epoch")]
    assert valid[0] < 1.1 * before.valid


def test_a_fork_of_a_codebook_takes_all_that_was_learned(child, digits, tmp_path):
    chosen = assign(small(digits), ["bottleneck=vq", "bottleneck.size=4", "bottleneck.group=2"])
    start(child, order(tmp_path, "a", chosen))
    child.until("idle")
    kept = read_snapshot(tmp_path / "a", steps_of(tmp_path / "a")[-1])
    assert {"bottleneck.sums", "bottleneck.counts", "bottleneck.steps"} == set(kept.rest)
    fork = {"folder": str(tmp_path / "a"), "step": kept.step}
    start(child, order(tmp_path, "b", chosen, start=fork), paused=True)
    child.until("snapshot", id="b", step=0)
    again = read_snapshot(tmp_path / "b", 0)
    assert all(np.array_equal(kept.rest[name], again.rest[name]) for name in kept.rest)
    assert int(kept.rest["bottleneck.steps"]) == 60


def test_snapshots_are_thinned_and_the_first_and_last_stay(child, digits, tmp_path, monkeypatch):
    start(child, order(tmp_path, "a", small(digits, "dense", "training.epochs=20")))
    child.until("idle")
    told = {m["step"] for m in child.all("snapshot")} - {s for m in child.all("snapshot") for s in m["dropped"]}
    assert sorted(told) == steps_of(tmp_path / "a")
    assert steps_of(tmp_path / "a")[0] == 0
    assert steps_of(tmp_path / "a")[-1] == 400
    assert len(told) <= MOST


def test_what_is_shown_is_written_before_the_run_begins(child, digits, tmp_path):
    chosen = small(digits)
    start(child, order(tmp_path, "a", chosen), paused=True)
    child.until("started")
    shown = tmp_path / "shown" / "a"
    about = json.loads((shown / "about.json").read_text())
    assert about["objects"]["count"] == 359
    assert about["graph"]["code"]["size"] == 2
    raw = np.fromfile(shown / "objects.bin", np.uint8).reshape(359, 1, 8, 8)
    labels = np.fromfile(shown / "labels.bin", "<i2")
    assert labels[:10].tolist() == list(range(10))
    # Each is a test object, every test object is there, with its own class.
    key = lambda x, y: sorted((bytes(a), int(b)) for a, b in zip(x, y, strict=True))  # noqa: E731
    assert key(raw, labels) == key(digits.test.x, digits.test.y)
    assert json.loads((shown / "where.json").read_text()) is None


def test_frames_show_the_weights_of_their_step(child, digits, tmp_path):
    chosen = small(digits)
    start(child, order(tmp_path, "a", chosen), paused=True)
    for _ in range(3):
        child.say("step")
    message, parts = child.until("frames", step=3)
    found = {frame.kind: frame for frame in map(frames.unpack, parts)}
    assert {frame.step for frame in found.values()} == {message["step"]} == {3}
    events = fit(chosen, digits, place=Place("cpu", "float32", 1))
    model = next(events).model
    for _ in range(3):
        next(events)
    raw = np.fromfile(tmp_path / "shown" / "a" / "objects.bin", np.uint8).reshape(-1, 1, 8, 8)
    with torch.no_grad():
        made = model.eval()(model.scaled(torch.from_numpy(raw)))
    where, projection, complete = frames.read_points(found[frames.POINTS])
    assert (projection, complete, len(where.places)) == ("code", True, 359)
    extent = float(np.ptp(made.code.z.numpy(), 0).max())
    assert np.abs(where.points - made.code.z.numpy()).max() < extent / 60_000
    tiles = np.frombuffer(found[frames.TILES].payload, np.uint8).reshape(12, 64)
    assert np.abs(tiles / 255 - made.output[:12].flatten(1).numpy()).max() < 0.51 / 255
    weights = np.frombuffer(found[frames.WEIGHTS].payload, "<f2")
    assert len(weights) == sum(p.numel() for p in model.parameters())
    assert np.array_equal(
        np.sort(weights), np.sort(np.concatenate([p.detach().half().flatten() for p in model.parameters()]))
    )


def test_the_first_change_comes_at_once(child, digits, tmp_path):
    start(child, order(tmp_path, "warm", small(digits, "dense", "training.epochs=1")))
    child.until("idle")
    child.heard.clear()
    begin = time.perf_counter()
    start(child, order(tmp_path, "a", small(digits, "dense", "training.epochs=40")))
    while child.until("frames")[0]["step"] == 0:
        pass
    assert time.perf_counter() - begin < 2  # 60 ms where nothing else works


def test_nobody_looks_so_nothing_is_drawn(child, digits, tmp_path):
    start(child, order(tmp_path, "a", small(digits, "dense", "training.epochs=100")))
    child.say("want", frames=False, rate=10)
    child.until("epoch", epoch=20)
    child.heard.clear()
    child.until("epoch", epoch=90)
    assert not child.all("frames")
    assert child.all("progress") or child.all("snapshot")
    child.until("idle")
    assert child.all("state")[-1]["state"] == "done"


def test_a_paused_run_is_shown_to_whoever_comes_to_look(child, digits, tmp_path):
    start(child, order(tmp_path, "a", small(digits)), paused=True)
    child.until("state", state="paused")
    child.until("frames")
    child.say("want", frames=True, rate=5)
    assert len(child.until("frames")[1]) == 3


def test_a_pace_is_kept(child, digits, tmp_path):
    start(child, order(tmp_path, "a", small(digits)), pace=40)
    child.until("state", state="running")
    begin = time.perf_counter()
    child.until("epoch", epoch=1)
    assert 0.4 < time.perf_counter() - begin < 1.2
    child.say("pace", steps=None)
    begin = time.perf_counter()
    child.until("idle")
    assert time.perf_counter() - begin < 1.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network": {"kind": "danse"}}, "unknown network 'danse'"),
        ({"bottleneck": {"kind": "plain", "size": 500}}, "500 numbers, from bottleneck.size=500; at most 64"),
        ({"data": {"name": "digits", "limit": 1}}, "1 training objects; at least 2"),
        ({"corruption": {"kind": "mask-patches", "side": 5}}, "a divisor of 8"),
        ({"training": {"rate": "fast"}}, "training.rate"),
    ],
)
def test_a_wrong_recipe_fails_in_one_sentence_and_leaves_the_others_alone(child, digits, tmp_path, change, words):
    good, bad = order(tmp_path, "good", small(digits)), order(tmp_path, "bad", small(digits))
    bad["recipe"] = {**bad["recipe"], **change}
    start(child, good, bad)
    child.until("idle")
    assert child.all("state", id="bad")[-1]["state"] == "failed"
    assert words in child.all("state", id="bad")[-1]["why"]
    assert child.all("state", id="good")[-1]["state"] == "done"


def test_a_diverging_run_says_so_and_leaves_the_others_alone(child, digits, tmp_path):
    wild = ["network.activation=identity", "objective.mse=1000000", "training.rate=10", "training.warm_up=0"]
    chosen, calm = small(digits, "dense", *wild, "training.epochs=200"), small(digits)
    start(child, order(tmp_path, "a", chosen), order(tmp_path, "b", calm))
    child.until("idle")
    assert child.all("state", id="a")[-1]["state"] == "diverged"
    assert "Training diverged" in child.all("notice", id="a", code="diverged")[0]["sentence"]
    assert child.all("state", id="b")[-1]["state"] == "done"
    assert same(weights_of(tmp_path / "b"), dict(alone(calm, digits).model.state_dict()))


def test_the_baseline_is_told_and_written(child, digits, tmp_path):
    start(child, order(tmp_path, "compared", small(digits)))
    told = child.until("baseline", id="compared")[0]["baseline"]
    assert json.loads((tmp_path / "shown" / "compared" / "about.json").read_text())["baseline"] == told
    x, train = (split.x.reshape(len(split), -1) / 16 for split in (digits.valid, digits.train))
    from sklearn.decomposition import PCA

    pca = PCA(2).fit(train)
    expected = np.square(pca.inverse_transform(pca.transform(x)).clip(0, 1) - x).mean()
    assert told["pca"] == {"mse": pytest.approx(expected, rel=1e-4), "size": 2}
    assert told["mean"]["mse"] == pytest.approx(np.square(x - train.mean(0)).mean(), rel=1e-4)
    errors = [point["mse"] for point in told["curve"]]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.slow
def test_a_killed_child_leaves_a_run_that_can_go_on(digits, tmp_path):
    child = Child()
    try:
        chosen = small(digits, "dense", "training.epochs=400")
        child.until("ready")
        child.say("start", runs=[order(tmp_path, "a", chosen)], cores=1)
        child.until("epoch", epoch=30)
        os.kill(child.process.pid, signal.SIGKILL)
        child.process.join()
    finally:
        child.close()
    # Nothing had been saved yet: it begins again, and its epochs come out the same.
    resumed = alone(chosen, digits, folder=tmp_path / "a", resume=True)
    expected = alone(chosen, digits, place=Place("cpu", "float32", 1))
    assert same(dict(resumed.model.state_dict()), dict(expected.model.state_dict()))
    assert all(read_snapshot(tmp_path / "a", step).step == step for step in steps_of(tmp_path / "a"))


@pytest.mark.slow
def test_signals_and_a_closed_pipe(digits, tmp_path):
    child = Child()
    try:
        child.until("ready")
        chosen = small(digits, "dense", "training.epochs=4000")
        child.say("start", runs=[order(tmp_path, "a", chosen)], cores=1)
        child.until("epoch", epoch=3)
        os.kill(child.process.pid, signal.SIGINT)
        child.until("epoch", epoch=30)
        os.kill(child.process.pid, signal.SIGTERM)
        child.until("state", state="stopped")
        child.until("idle")
        child.process.join(10)
        assert child.process.exitcode == 0
        assert (tmp_path / "a" / "resume.safetensors").is_file()
    finally:
        child.close()
    orphan = Child()
    orphan.until("ready")
    orphan.connection.close()
    orphan.process.join(10)
    assert orphan.process.exitcode == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["glyphs", "cards", "tones"])
def test_embedded_data_of_every_kind(child, tmp_path, name):
    data = load(name)
    chosen = assign(recipe_for(data), ["training.epochs=1", "network.widths=32"])
    start(child, order(tmp_path, "a", chosen))
    child.until("idle", timeout=60)
    assert child.all("state")[-1]["state"] == "done"
    about = json.loads((tmp_path / "shown" / "a" / "about.json").read_text())
    size = Path(tmp_path / "shown" / "a" / "objects.bin").stat().st_size
    each = {"uint8": 1, "float16": 2}[about["objects"]["dtype"]]
    assert size == about["objects"]["count"] * np.prod(about["objects"]["shape"]) * each
