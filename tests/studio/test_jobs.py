"""Trainings in children: side by side, waiting, stopped in time, crashed, begun again."""

import time
from types import SimpleNamespace

import psutil
import pytest
from conftest import ack, update
from fake_child import Trainer

from narrows.studio.jobs import COLD, LEAVING, STOPPING, Inbox

LONG = {"training": {"epochs": 10_000}}


def until(true, seconds=20):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_family_acts_as_one(studio):
    runs = studio.new(LONG, LONG, LONG, names=["a", "b"])
    for run in runs:
        studio.wait(run, "running")
    assert set(studio.do(runs[1], "pause").json()) == set(runs)
    assert [studio.wait(run, "paused")["group"] for run in runs] == [runs[0]] * 3
    assert [studio.run(run)["name"] for run in runs] == ["a", "b", "digits dense 64"]
    studio.do(runs[2], "stop")
    assert {studio.wait(run, "stopped")["state"] for run in runs} == {"stopped"}


def test_the_next_one_waits_and_says_why(studio):
    (first,) = studio.new(LONG)
    studio.wait(first, "running")
    (second,) = studio.new(LONG)
    assert studio.run(second)["state"] == "waiting"
    assert "Another training" in studio.run(second)["why"]
    studio.do(first, "pause")
    studio.wait(second, "running")
    assert studio.run(first)["state"] == "stopped"


def test_one_that_waits_for_what_still_reads_says_that_it_is_being_ended(studio):
    (first,) = studio.new({**LONG, "seed": Trainer.READS})
    studio.do(first, "stop")
    (second,) = studio.new(LONG)
    assert (studio.run(second)["state"], studio.run(second)["why"]) == ("waiting", LEAVING)
    studio.wait(second, "running")
    assert studio.run(first)["state"] == "stopped"


def test_a_third_knob_in_a_row_begins_in_the_child_there_is(studio):
    (run,) = studio.new(LONG)
    studio.wait(run, "running")
    before, begin = studio.trainers(), time.monotonic()
    for _ in range(2):
        studio.do(run, "stop")
        (run,) = studio.new(LONG)
        assert studio.run(run)["why"] != COLD
        studio.wait(run, "running")
    assert time.monotonic() - begin < 3
    (family,) = studio.server.desk.jobs.working()
    assert family.child.process.pid in before


def test_a_report_that_is_still_written_holds_nobody_up(studio, monkeypatch):
    monkeypatch.setattr("narrows.studio.jobs.REST_SECONDS", 0.0)
    jobs = studio.server.desk.jobs
    (first,) = studio.new({"training": {"epochs": 1}})
    studio.wait(first, "done")
    until(lambda: len(jobs.spares) == 2 and all(child.is_ready for child in jobs.spares))
    (second,) = studio.new({"training": {"epochs": 1}, "seed": Trainer.REPORTS})
    studio.wait(second, "done")
    until(lambda: any(child.is_settling for child in jobs.spares))
    (third,) = studio.new(LONG)
    studio.wait(third, "running", seconds=Trainer.REPORT_SECONDS / 2)


def test_one_that_waits_can_be_stopped(studio):
    (first,) = studio.new(LONG)
    (second,) = studio.new(LONG)
    assert studio.do(second, "stop").json() == {second: "stopped"}
    studio.do(first, "stop")
    studio.wait(first, "stopped")
    assert studio.run(second)["state"] == "stopped"


@pytest.mark.slow
def test_two_at_once(open_studio):
    studio = open_studio(at_once=2)
    first, second = studio.new(LONG) + studio.new(LONG)
    studio.wait(first, "running")
    studio.wait(second, "running")
    assert studio.run(first)["state"] == "running"


def test_stop_is_quick(studio):
    (run,) = studio.new(LONG)
    studio.wait(run, "running")
    with studio.live(run, want=()) as socket:
        update(socket)
        begin = time.monotonic()
        studio.do(run, "stop")
        state = ""
        while state != "stopped":
            ack(socket)
            state = update(socket)[0]["runs"].get(run, {}).get("state", "")
        assert time.monotonic() - begin < 0.3


@pytest.mark.slow
def test_a_child_that_does_not_stop_is_ended(studio, monkeypatch):
    monkeypatch.setattr("narrows.studio.jobs.STOP_SECONDS", 0.3)
    (run,) = studio.new({**LONG, "seed": Trainer.DEAF})
    studio.wait(run, "running")
    studio.do(run, "stop")
    (after,) = studio.new({"training": {"epochs": 2}})
    assert studio.run(after)["why"] == STOPPING
    assert "was ended" in studio.wait(run, "stopped")["why"]
    studio.wait(after, "done")


def test_a_crash_is_told_and_the_next_run_trains(studio):
    runs = studio.new({**LONG, "seed": Trainer.CRASH}, LONG)
    assert "crashed" in studio.wait(runs[0], "failed")["why"]
    assert studio.wait(runs[1], "failed")
    (after,) = studio.new({"training": {"epochs": 2}})
    studio.wait(after, "done")


@pytest.mark.slow
def test_children_that_never_get_ready_are_told(open_studio):
    studio = open_studio(program="no_such_module")
    (run,) = studio.new({})
    assert "getting ready" in studio.wait(run, "failed", seconds=30)["why"]
    assert studio.http.get("/api/health").json() == {"ok": True}


def test_a_kill_from_outside_is_survived(studio):
    (run,) = studio.new(LONG)
    studio.wait(run, "running")
    for pid in studio.trainers():
        psutil.Process(pid).kill()
    assert "killed" in studio.wait(run, "failed")["why"]
    studio.do(run, "resume")
    assert studio.wait(run, "running")["step"] >= 100


def test_restart_begins_from_the_first_step_and_keeps_what_was_in_the_bin(studio):
    (run,) = studio.new({"training": {"epochs": 3}})
    studio.wait(run, "done")
    with studio.live(run) as socket:
        update(socket)
        studio.do(run, "restart")
        fresh = False
        while not fresh:
            ack(socket)
            fresh = update(socket)[0]["runs"].get(run, {}).get("fresh", False)
    assert studio.wait(run, "done")["step"] == 30
    assert len(list(studio.home.bin.iterdir())) == 1


@pytest.mark.slow
def test_restart_of_one_that_trains(studio):
    (run,) = studio.new(LONG)
    while studio.wait(run, "running")["step"] < 50:
        time.sleep(0.05)
    studio.do(run, "restart")
    end = time.monotonic() + 10
    while studio.run(run)["step"] >= 50 and time.monotonic() < end:
        time.sleep(0.01)
    assert studio.wait(run, "running")["step"] < 50


def test_what_a_state_does_not_allow_is_refused(studio):
    (run,) = studio.new({"training": {"epochs": 2}})
    studio.wait(run, "done")
    assert studio.do(run, "stop").json() == {run: "done"}
    for what in ("pause", "step", "resume"):
        answer = studio.do(run, what)
        assert answer.status_code == 409
        assert "is done" in answer.json()["detail"]
    assert studio.http.post(f"/api/runs/{run}/do", json={"do": "pace", "steps": 3}).status_code == 409


def test_a_name_can_be_changed(studio):
    (run,) = studio.new({"training": {"epochs": 1}})
    answer = studio.http.patch(f"/api/runs/{run}", json={"name": "<script>"})
    assert answer.json()["name"] == studio.run(run)["name"] == "<script>"
    assert studio.http.patch(f"/api/runs/{run}", json={"name": ""}).status_code == 422


def test_delete_goes_to_the_bin_but_not_while_it_trains(studio):
    (run,) = studio.new(LONG)
    studio.wait(run, "running")
    assert studio.http.delete(f"/api/runs/{run}").status_code == 409
    studio.do(run, "stop")
    studio.wait(run, "stopped")
    assert studio.http.delete(f"/api/runs/{run}").status_code == 200
    assert studio.http.get(f"/api/runs/{run}").status_code == 404
    assert not studio.home.folder(run).exists()
    assert [folder.name[:12] for folder in studio.home.bin.iterdir()] == [run]


def test_a_fork_begins_at_a_snapshot(studio):
    (run,) = studio.new({"training": {"epochs": 1}})
    studio.wait(run, "done")
    assert studio.http.post(f"/api/runs/{run}/fork", json={"step": 5}).status_code == 404
    folder = studio.home.folder(run) / "snapshots"
    folder.mkdir()
    (folder / "5.safetensors").write_bytes(b"")
    answer = studio.http.post(f"/api/runs/{run}/fork", json={"step": 5})
    assert answer.status_code == 201
    row = studio.wait(answer.json()["id"], "done")
    assert (row["forked_from"], row["forked_step"]) == (run, 5)


def test_no_child_outlives_its_server(open_studio):
    studio = open_studio()
    (run,) = studio.new(LONG)
    studio.wait(run, "running")
    studio.http.post("/api/preview", json={"data": "digits"})
    mine = {*studio.trainers(), studio.server.desk.quick.child.process.pid}
    assert len(mine) >= 2
    studio.server.should_exit = True
    studio.thread.join(20)
    until(lambda: not any(map(psutil.pid_exists, mine)), seconds=5)


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 3])
def test_many_runs_all_end(open_studio, at_once):
    studio = open_studio(at_once=at_once)
    runs = [run for _ in range(5) for run in studio.new({"training": {"epochs": 2}})]
    for run in runs:
        studio.wait(run, "done", seconds=30)


def test_a_fork_whose_origin_is_gone_keeps_what_it_has(studio):
    (parent,) = studio.new({"training": {"epochs": 1}})
    studio.wait(parent, "done")
    snapshot = studio.home.folder(parent) / "snapshots" / "5.safetensors"
    snapshot.parent.mkdir()
    snapshot.write_bytes(b"x")
    fork = studio.http.post(f"/api/runs/{parent}/fork", json={"step": 5}).json()["id"]
    studio.wait(fork, "done")
    assert studio.http.delete(f"/api/runs/{parent}").status_code == 200
    answer = studio.do(fork, "restart")
    assert (answer.status_code, "is gone" in answer.json()["detail"]) == (409, True)
    assert (studio.home.folder(fork) / "recipe.json").is_file()
    assert studio.run(fork)["state"] == "done"


def test_what_cannot_be_heard_does_not_cost_what_comes_with_it(caplog):
    def hear(child, message, frames):
        if message["event"] == "bad":
            raise RuntimeError
        heard.append(message["event"])

    heard, inbox = [], Inbox(hear)
    child = SimpleNamespace(role="trainer")
    for event in ("first", "bad", "last"):
        inbox.put(child, {"event": event}, [])
    inbox.empty()
    assert heard == ["first", "last"]
    assert "bad" in caplog.text


def test_a_fork_of_what_is_deleted_meanwhile_leaves_nothing(studio, monkeypatch):
    (parent,) = studio.new({"training": {"epochs": 1}})
    studio.wait(parent, "done")
    desk = studio.server.desk
    monkeypatch.setattr(desk, "check_snapshot", lambda row, step: desk.store.remove(row["id"]))
    assert studio.http.post(f"/api/runs/{parent}/fork", json={"step": 5}).status_code == 409
    assert desk.store.runs() == []
    desk.home.throw_away(parent)


def with_snapshot(studio, run, step=5):
    """A run that has a snapshot, whatever is in it."""
    snapshot = studio.home.folder(run) / "snapshots" / f"{step}.safetensors"
    snapshot.parent.mkdir(exist_ok=True)
    snapshot.write_bytes(b"x")


def names(studio):
    return [row["name"] for row in studio.http.get("/api/runs").json()]


def test_many_turns_of_a_knob_leave_one_run_and_its_name(studio, monkeypatch):
    monkeypatch.setattr("narrows.studio.desk.SCAN_SECONDS", 0.05)
    (run,) = studio.new(LONG)
    for _ in range(3):
        studio.wait(run, "running")
        with_snapshot(studio, run)
        answer = studio.http.post(f"/api/runs/{run}/fork", json={"step": 5, "instead": True})
        assert answer.status_code == 201
        run = answer.json()["id"]
        assert names(studio) == ["digits dense 64"]
    (run,) = studio.new(LONG, instead=run)
    studio.wait(run, "running")
    assert names(studio) == ["digits dense 64"]
    until(lambda: len(list(studio.home.bin.iterdir())) == 4)
    until(lambda: [row["id"] for row in studio.server.desk.store.runs()] == [run])


@pytest.mark.parametrize("why", ["named", "paused", "forked", "trained", "done"])
def test_a_run_that_somebody_kept_or_that_trained_for_a_while_stays(studio, monkeypatch, why):
    (run,) = studio.new(LONG)
    studio.wait(run, "running")
    if why == "named":
        studio.http.patch(f"/api/runs/{run}", json={"name": "mine"})
    elif why == "paused":
        studio.do(run, "pause")
        studio.do(run, "resume")
    elif why == "forked":
        with_snapshot(studio, run)
        studio.http.post(f"/api/runs/{run}/fork", json={"step": 5})
    elif why == "trained":
        monkeypatch.setattr("narrows.studio.desk.HARDLY_SECONDS", 0.01)
    else:
        studio.do(run, "stop")
        studio.wait(run, "stopped")
    studio.wait(run, "running", "stopped")
    studio.new(LONG, instead=run)
    assert studio.wait(run, "stopped")
    assert run not in studio.server.desk.replaced


def test_who_looks_at_a_run_or_begins_with_it_keeps_it_in_its_place(studio, monkeypatch):
    monkeypatch.setattr("narrows.studio.desk.SCAN_SECONDS", 0.05)
    (run,) = studio.new(LONG)
    studio.wait(run, "running")
    with studio.live(run) as viewer:
        update(viewer)
        studio.new(LONG, instead=run)
        time.sleep(0.5)
        assert studio.home.folder(run).is_dir()
    until(lambda: not studio.home.folder(run).is_dir())


def test_a_run_that_is_gone_already_is_no_obstacle(studio):
    (run,) = studio.new({"training": {"epochs": 1}}, instead="aaaaaaaaaaaa")
    studio.wait(run, "done")


def test_forks_say_once_where_they_come_from(studio):
    (run,) = studio.new({"training": {"epochs": 1}}, names=["mine"])
    for name in ("mine (2)", "mine (3)"):
        studio.wait(run, "done")
        with_snapshot(studio, run)
        row = studio.http.post(f"/api/runs/{run}/fork", json={"step": 5}).json()
        assert row["name"] == name
        run = row["id"]
    studio.wait(run, "done")


def test_a_fork_that_has_begun_begins_again_without_its_origin(studio):
    (parent,) = studio.new({"training": {"epochs": 1}})
    studio.wait(parent, "done")
    with_snapshot(studio, parent)
    fork = studio.http.post(f"/api/runs/{parent}/fork", json={"step": 5}).json()["id"]
    studio.wait(fork, "done")
    start = studio.home.folder(fork) / "start.safetensors"
    start.write_bytes(b"weights")
    assert studio.http.delete(f"/api/runs/{parent}").status_code == 200
    for _ in range(2):
        assert studio.do(fork, "restart").status_code == 200
        studio.wait(fork, "done")
        assert start.read_bytes() == b"weights"
