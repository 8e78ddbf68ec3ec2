"""Runs from begin to end: started, paused, resumed, stopped, forked, named, thrown away."""

import time

import pytest


def test_a_run_goes_its_way(studio):
    (run,) = studio.new({"training": {"epochs": 3}})
    row = studio.wait(run, "done")
    assert (row["step"], row["best"]) == (30, row["valid"])
    assert row["valid"] == pytest.approx(1 / 30)


def test_pause_resume_stop(studio):
    (run,) = studio.new({"training": {"epochs": 1000}})
    studio.wait(run, "running")
    studio.do(run, "pause")
    step = studio.wait(run, "paused")["step"]
    time.sleep(0.1)
    assert studio.run(run)["step"] == step
    studio.do(run, "resume")
    studio.wait(run, "running")
    begin = time.monotonic()
    studio.do(run, "stop")
    studio.wait(run, "stopped")
    assert time.monotonic() - begin < 1
