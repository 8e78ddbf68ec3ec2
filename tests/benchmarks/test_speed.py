"""The benchmark's own pieces run: ours and the tutorial's loop, on two steps an epoch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed.py"


def speed(out, *arguments):
    command = [sys.executable, str(SPEED), "--quick", "--rounds", "1", "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    out = tmp_path_factory.mktemp("speed") / "speed.json"
    return out, speed(out, "--work", "dense", "--only", "narrows,tutorial")


def test_each_peer_is_measured_beside_ours(measured):
    out, done = measured
    assert done.returncode == 0, done.stderr
    kept = json.loads(out.read_text())
    assert {peer: len(seconds) for peer, seconds in kept["seconds"]["dense"].items()} == {"narrows": 1, "tutorial": 1}
    assert kept["about"]["dense"]["narrows"]["route"] in {"float32", "fast"}
    assert "sklearn                   missing: not measured" in done.stdout


def test_what_is_measured_is_not_measured_again(measured):
    out, done = measured
    kept = json.loads(out.read_text())["seconds"]
    again = speed(out, "--work", "dense", "--only", "narrows,tutorial")
    assert json.loads(out.read_text())["seconds"] == kept
    assert "starting" in done.stderr
    assert "starting" not in again.stderr


def test_a_measurement_of_another_size_is_not_mixed_in(measured):
    out, _ = measured
    kept = json.loads(out.read_text())
    out.with_name("other.json").write_text(json.dumps(kept | {"rows": {"dense": 4096}}))
    done = speed(out.with_name("other.json"), "--work", "dense", "--only", "narrows")
    assert done.returncode == 1
    assert "--fresh" in done.stderr


def test_an_unknown_work_names_those_there_are(tmp_path):
    done = speed(tmp_path / "speed.json", "--work", "dance")
    assert done.returncode == 2
    assert "dense, conv, lstm, stack, fit, help" in done.stderr


def test_a_peer_that_is_not_installed_is_reported(tmp_path):
    out = tmp_path / "speed.json"
    empty = tmp_path / "python"
    # An interpreter without site packages has no peer at all.
    empty.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -s "$@"\n')
    empty.chmod(0o755)
    done = speed(out, "--work", "dense", "--only", "skorch", "--peers", str(empty))
    assert done.returncode == 0, done.stderr
    assert "missing: No module named" in done.stdout
