"""The server killed at any moment: nothing that was told is forgotten, and nothing is left running."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import Studio, ack, opened, update

from narrows.errors import UsageError
from narrows.recipe import Recipe
from narrows.studio.home import Home

SERVE = Path(__file__).parent / "serve.py"
REAL = "narrows.studio.child"
RECIPE = {"data": {"name": "digits"}, "bottleneck": {"kind": "plain", "size": 2}, "training": {"epochs": 5000}}


@contextlib.contextmanager
def served(runs, static, program="fake_child", at_once=5):
    """A studio in another process, killed in the end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SERVE.parent), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, str(SERVE), str(runs), str(static), program, str(at_once)],
        stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        studio = Studio(Home(runs), int(process.stdout.readline()), process, None)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(Exception):
                studio.http.get("/api/health")
                break
        yield studio
        studio.http.close()
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def followed(studio, runs, seconds):
    """Watch runs for a while; the numbers last acknowledged of each."""
    known = {run: {} for run in runs}
    with studio.live(*runs) as socket:
        end = time.monotonic() + seconds
        while time.monotonic() < end or not all(facts.get("valid") for facts in known.values()):
            for run, news in update(socket)[0]["runs"].items():
                known[run] |= {name: news[name] for name in ("step", "epoch") if name in news}
                losses = [epoch["valid"]["loss"] for epoch in news.get("judged", [])]
                known[run] |= {"valid": losses[-1]} if losses else {}
            ack(socket)
    return known


def kill(studio):
    """Kill a server, and wait until its children are gone too; how many there were."""
    children = psutil.Process(studio.server.pid).children(recursive=True)
    studio.server.send_signal(signal.SIGKILL)
    studio.server.wait(10)
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    return len(children)


def check_remembered(runs, static, known, program):
    """All runs are listed by another server, with numbers no older than those acknowledged."""
    with opened(runs, static, program=program) as studio:
        rows = {row["id"]: row for row in studio.http.get("/api/runs").json()}
        assert set(known) <= set(rows)
        for run, facts in known.items():
            assert rows[run]["state"] == "stopped"
            assert "studio ended" in rows[run]["why"]
            assert rows[run]["step"] >= facts["step"]
            assert rows[run]["epoch"] >= min(facts["epoch"], rows[run]["epochs"])
            assert rows[run]["valid"] is not None
        run = next(iter(known))
        studio.do(run, "resume")
        studio.wait(run, "running")
        studio.do(run, "stop")
        studio.wait(run, "stopped")


@pytest.mark.slow
def test_killed_during_five_runs(tmp_path, static):
    with served(tmp_path / "runs", static, REAL, at_once=2) as studio:
        runs = studio.new(*[RECIPE] * 4, pace=200) + studio.new(RECIPE, pace=200)
        for run in runs:
            studio.wait(run, "running", seconds=60)
        known = followed(studio, runs, 2)
        assert kill(studio) >= 3
    check_remembered(tmp_path / "runs", static, known, REAL)


@pytest.mark.slow
def test_killed_again_and_again_at_random(tmp_path, static):
    rng, known = random.Random(0), {}
    for _ in range(3):
        with served(tmp_path / "runs", static) as studio:
            listed = {row["id"]: row for row in studio.http.get("/api/runs").json()}
            assert all(listed[run]["step"] >= facts["step"] for run, facts in known.items())
            runs = [run for _ in range(2) for run in studio.new(RECIPE)]
            known |= followed(studio, runs, rng.uniform(0.1, 0.8))
            assert kill(studio) >= 1
    check_remembered(tmp_path / "runs", static, known, "fake_child")


def test_two_studios_do_not_share_a_folder(tmp_path):
    with Home(tmp_path / "runs").lock(), pytest.raises(UsageError, match=rf"another studio \(process {os.getpid()}\)"):
        Home(tmp_path / "runs").lock()
    Home(tmp_path / "runs").lock().close()


def test_a_damaged_list_is_made_again_from_the_folders(tmp_path, static):
    runs = tmp_path / "runs"
    with opened(runs, static) as studio:
        (run,) = studio.new({"training": {"epochs": 2}})
        studio.wait(run, "done")
        (studio.home.folder(run) / "recipe.json").write_text(Recipe().model_dump_json())
    Home(runs).database.write_bytes(b"no database at all" * 100)
    with opened(runs, static) as studio:
        (row,) = studio.http.get("/api/runs").json()
        assert (row["id"], row["origin"], row["state"]) == (run, "studio", "stopped")
        assert studio.home.database.with_suffix(".damaged").is_file()
