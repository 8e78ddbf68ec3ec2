"""Run folders: what vouches for what, what is refused, and what a kill or a full disk leaves."""

import errno
import json
import os

import pytest
import torch

from narrows import files
from narrows.changes import assign
from narrows.cli.main import run as narrows
from narrows.data import load
from narrows.data.scaling import Scaling, plain
from narrows.errors import DamagedError, EnvironmentProblem, LimitError, ModelError
from narrows.recipe import Recipe, build, recipe_for
from narrows.train import Epoch, Finished, Notice, Place, Started, Step, fit, open_run
from narrows.train.state import read_history
from narrows.train.tensors import Kind, kinds, read_tensors, write_tensors
from narrows.types import Layout

FSYNC = os.fsync
PLACE = Place("cpu", "float32", 1)


@pytest.fixture(scope="module")
def digits():
    return load("digits", limit=128)


@pytest.fixture
def small(digits):
    return assign(recipe_for(digits), ["network.widths=8", "training.epochs=3", "training.batch=32"])


@pytest.fixture
def run(digits, small, tmp_path):
    list(fit(small, digits, folder=tmp_path, place=PLACE))
    return tmp_path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "'c' twice"),
        (b"[NaN]", "NaN is not a finite number"),
        (b"[-Infinity]", "not a finite number"),
        (b"[1e999]", "not a finite number"),
        (b"[" * 17 + b"]" * 17, "more than 16 deep"),
        (b'{"a":' * 100_000, "more than 16 deep"),
        (b'"' + b"x" * (1 << 20) + b'"', "more than 1,048,576 bytes"),
        (b"\xff\xfe[\x00]\x00", "decode"),
        (b"", "Expecting value"),
    ],
)
def test_json_that_is_not_strict_is_refused(tmp_path, content, words):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DamagedError, match=words):
        files.read_json(tmp_path / "a.json")


def test_what_is_written_as_json_can_be_read(tmp_path):
    files.write_json(tmp_path / "a.json", {"loss": float("inf"), "shape": (1, 2), "deep": [[[[1]]]]})
    assert files.read_json(tmp_path / "a.json") == {"loss": None, "shape": [1, 2], "deep": [[[[1]]]]}
    with pytest.raises(LimitError, match="at most"):
        files.write_json(tmp_path / "b.json", "x" * (1 << 20))


def test_a_file_that_cannot_be_read_is_the_machines_fault(tmp_path, monkeypatch):
    files.write_json(tmp_path / "a.json", {})

    def fail(path, mode):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(type(tmp_path), "open", fail)
    with pytest.raises(EnvironmentProblem, match="cannot be read: Input/output error"):
        files.read_json(tmp_path / "a.json")


def test_tensors_come_back_and_vouch_for_themselves(tmp_path):
    tensors = {
        "a": torch.randn(3, 4),
        "b": torch.tensor(7),
        "c": torch.zeros(0, dtype=torch.uint8),
        "d": torch.ones(()),
    }
    path = tmp_path / "t.safetensors"
    write_tensors(path, tensors, {"step": 3})
    found, note = read_tensors(path, kinds(tensors))
    assert (note["step"], all(torch.equal(found[name], tensors[name]) for name in tensors)) == (3, True)
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises((DamagedError, ModelError)):
            read_tensors(path, kinds(tensors))


@pytest.mark.parametrize(
    "expected", [Kind(torch.float32, (4, 3)), Kind(torch.int64, (3, 4)), Kind(torch.float32, None)]
)
def test_a_tensor_of_another_kind_is_refused_before_it_is_read(tmp_path, expected):
    write_tensors(tmp_path / "t.safetensors", {"a": torch.zeros(3, 4)})
    with pytest.raises(ModelError, match=r"'a' as float32 of shape \(3, 4\)"):
        read_tensors(tmp_path / "t.safetensors", {"a": expected}, "0" * 64)


@pytest.mark.parametrize("name", ["recipe.json", "model.json", "weights.safetensors"])
def test_a_file_of_another_run_of_the_same_shapes_is_refused(digits, small, run, tmp_path_factory, name):
    other = tmp_path_factory.mktemp("other")
    changed = assign(small, ["seed=1", "network.activation=relu"])
    list(fit(changed, digits, folder=other, place=Place("cpu", "float32", 2)))
    (run / name).write_bytes((other / name).read_bytes())
    with pytest.raises(DamagedError, match="not the file"):
        open_run(run)


def test_weights_without_a_manifest_are_those_of_a_run_that_is_not_finished(run):
    (run / "manifest.json").unlink()
    with pytest.raises(ModelError, match=r"is not finished\. Go on with: narrows train --resume"):
        open_run(run)


def test_a_state_is_saved_within_an_epoch(digits, small, tmp_path, kill_after):
    kill_after(fit(small, digits, folder=tmp_path, place=PLACE, save_steps=2), Step, 3)
    assert next(fit(small, digits, folder=tmp_path, resume=True)).resumed_at == 2


def test_saving_takes_a_twentieth_of_the_time_at_most(digits, small, tmp_path, kill_after):
    kill_after(fit(small, digits, folder=tmp_path, place=PLACE, save_every=0), Step, 12)
    assert next(fit(small, digits, folder=tmp_path, resume=True)).resumed_at < 11


def test_a_state_is_not_saved_before_it_is_due(digits, small, tmp_path, kill_after):
    kill_after(fit(small, digits, folder=tmp_path, place=PLACE, save_every=3600), Epoch, 3)
    assert not (tmp_path / "resume.safetensors").exists()


def test_a_run_killed_before_anything_was_saved_begins_again_and_says_so(digits, small, tmp_path, kill_after):
    whole = list(fit(small, digits, folder=tmp_path / "whole", place=PLACE))[-1].result
    kill_after(fit(small, digits, folder=tmp_path / "run", place=PLACE, save_every=3600), Epoch, 2)
    acknowledged = read_history(tmp_path / "run/metrics.jsonl")
    started, notice, *_, last = list(fit(small, digits, folder=tmp_path / "run", resume=True))
    assert (started.resumed_at, notice.code) == (0, "restarted")
    assert [epoch.valid for epoch in last.result.history] == [epoch.valid for epoch in whole.history]
    assert [epoch.valid for epoch in acknowledged] == [epoch.valid for epoch in whole.history[:2]]
    weights = "weights.safetensors"
    assert (tmp_path / "run" / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()


def test_a_run_killed_between_its_first_two_files_begins_again(digits, small, tmp_path):
    next(fit(small, digits, folder=tmp_path, place=PLACE))
    (tmp_path / "model.json").unlink()
    assert isinstance(list(fit(small, digits, folder=tmp_path, resume=True))[-1], Finished)
    open_run(tmp_path)


def test_epochs_that_were_told_stay_in_the_metrics_while_they_are_made_again(digits, small, tmp_path, kill_after):
    kill_after(fit(small, digits, folder=tmp_path, place=PLACE, save_steps=6), Epoch, 2)
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write(b'{"event": "epoch", "epo')
    events = fit(small, digits, folder=tmp_path, resume=True)
    assert next(events).resumed_at == 6
    assert len(read_history(tmp_path / "metrics.jsonl")) == 2
    assert isinstance(list(events)[-1], Finished)
    lines = [json.loads(line)["epoch"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines == [1, 2, 3]


def test_a_disk_that_is_full_for_a_while_is_told_and_training_goes_on(digits, small, tmp_path, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, "full")

    told = []
    for event in fit(small, digits, folder=tmp_path, place=PLACE, save_steps=3):
        told += [event] if isinstance(event, Notice) else []
        if isinstance(event, Step):
            monkeypatch.setattr(os, "fsync", full if event.epoch == 1 else FSYNC)
    assert [notice.code for notice in told] == ["unsaved"]
    assert "the disk is full" in told[0].sentence
    assert len(read_history(tmp_path / "metrics.jsonl")) == 3
    open_run(tmp_path)


def test_a_damaged_state_says_how_to_go_on(digits, small, tmp_path, kill_after):
    kill_after(fit(small, digits, folder=tmp_path, place=PLACE, save_every=0), Step, 3)
    path = tmp_path / "resume.safetensors"
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedError, match="Remove it and resume again"):
        next(fit(small, digits, folder=tmp_path, resume=True))
    path.unlink()
    assert next(fit(small, digits, folder=tmp_path, resume=True)).resumed_at == 0


def test_other_data_than_those_of_the_run_are_refused(digits, small, tmp_path, kill_after):
    kill_after(fit(small, digits, folder=tmp_path, place=PLACE, save_every=0), Step, 3)
    with pytest.raises(ModelError, match="as when the run was saved"):
        next(fit(small, digits.limited(100), folder=tmp_path, resume=True))


def test_temporary_files_of_a_killed_process_are_swept(digits, small, tmp_path, kill_after):
    kill_after(fit(small, digits, folder=tmp_path, place=PLACE), Started)
    left, own = tmp_path / ".resume-0123456789ab.safetensors", tmp_path / ".notes"
    left.touch(), own.touch()
    next(fit(small, digits, folder=tmp_path, resume=True))
    assert (left.exists(), own.exists()) == (False, True)


def test_the_command_begins_a_lost_run_again(tmp_path, capsys, kill_after):
    data = load("digits")
    chosen = assign(recipe_for(data), ["network.widths=8", "training.epochs=1", "training.threads=1"])
    kill_after(fit(chosen, data, folder=tmp_path), Started)
    assert narrows(["train", "--resume", str(tmp_path)]) == 0
    assert "begins again from its first step" in capsys.readouterr().out
    open_run(tmp_path)


def test_codebooks_count_towards_the_size_of_a_model():
    wide = Layout("wide", "table", (4096,))
    hungry = assign(Recipe(), ["network.widths=8", "bottleneck=vq", "bottleneck.size=4096", "bottleneck.entries=65536"])
    with pytest.raises(LimitError, match="numbers of codebooks"):
        build(hungry, wide, Scaling("none", plain(0), plain(1)))
