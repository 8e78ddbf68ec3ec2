"""Runs from elsewhere, numbers from folders, questions to the bench, and bugs."""

import json
import os
import re
import shutil
import struct
import time

import numpy as np
import pytest
from conftest import opened, update

from narrows.recipe import Recipe
from narrows.studio import folder
from narrows.studio.desk import Desk
from narrows.studio.frames import Places
from narrows.studio.home import Home
from narrows.studio.pages import Pages
from narrows.studio.snapshots import Snapshot, write_snapshot

RECIPE = Recipe(training={"epochs": 4})


def terminal_run(runs, name="from-a-terminal", *, epochs=2, finished=False):
    """A folder as `narrows train` leaves it, as far as the list reads it."""
    folder = runs / name
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text(RECIPE.model_dump_json())
    with (folder / "metrics.jsonl").open("w") as file:
        for epoch in range(1, epochs + 1):
            line = {"epoch": epoch, "train": {"loss": 2 / epoch}, "valid": {"loss": 1 / epoch}, "seconds": epoch}
            file.write(json.dumps(line) + "\n")
        file.write('{"epoch": 3, "trai')
    if finished:
        (folder / "manifest.json").write_text("{}")
        (folder / "report.json").write_text('{"baseline": {"pca": {"mse": 0.25}}}')
    return folder


def listed(studio, name, *, until=lambda row: True, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rows = [row for row in studio.http.get("/api/runs").json() if row["folder_name"] == name and until(row)]
        if rows:
            return rows[0]
        time.sleep(0.05)
    raise AssertionError(studio.http.get("/api/runs").text)


def test_runs_of_a_terminal_appear(tmp_path, static, monkeypatch):
    monkeypatch.setattr("narrows.studio.desk.SCAN_SECONDS", 0.1)
    runs = tmp_path / "runs"
    terminal_run(runs, finished=True)
    with opened(runs, static) as studio:
        row = listed(studio, "from-a-terminal")
        assert (row["state"], row["origin"], row["epoch"], row["pca"]) == ("done", "terminal", 2, 0.25)
        assert (row["valid"], row["best"]) == (0.5, 0.5)
        folder = terminal_run(runs, "later", epochs=1)
        run = listed(studio, "later")["id"]
        assert studio.run(run)["state"] == "running"
        with studio.live(run, want=()) as socket:
            assert json.loads(socket.recv(timeout=5))["runs"][run]["epoch"] == 1
            socket.send('{"type":"ack"}')
            (folder / "metrics.jsonl").write_text('{"valid": {"loss": 1.0}}\n' * 3)
            assert json.loads(socket.recv(timeout=5))["runs"][run]["epoch"] == 3
        assert studio.do(run, "stop").status_code == 409
        assert "terminal" in studio.do(run, "stop").json()["detail"]
        shutil.rmtree(folder)
        (folder.parent / "no-run").mkdir()
        end = time.monotonic() + 10
        while len(studio.http.get("/api/runs").json()) > 1 and time.monotonic() < end:
            time.sleep(0.05)
        assert [row["folder_name"] for row in studio.http.get("/api/runs").json()] == ["from-a-terminal"]


def test_folders_that_lie_are_no_runs_and_no_harm(tmp_path, static):
    runs = tmp_path / "runs"
    terminal_run(runs, "good")
    lies = ("", "{", "[]", "null", '{"data": {"name": 3}}', "{" * 100_000, '{"a": 1, "a": 2}', "\x00")
    for number, content in enumerate(lies):
        (runs / f"bad{number}").mkdir()
        (runs / f"bad{number}" / "recipe.json").write_text(content)
    (runs / "link").symlink_to("/etc")
    with opened(runs, static) as studio:
        assert [row["folder_name"] for row in studio.http.get("/api/runs").json()] == ["good"]


def test_links_are_never_followed(tmp_path, static, monkeypatch):
    monkeypatch.setattr("narrows.studio.desk.SCAN_SECONDS", 0.1)
    runs, elsewhere = tmp_path / "runs", tmp_path / "elsewhere"
    terminal_run(runs, "good")
    there = terminal_run(elsewhere, "there")
    (runs / "folder").symlink_to(there, target_is_directory=True)
    (runs / "around").symlink_to(runs, target_is_directory=True)
    for number, name in enumerate(("recipe.json", "metrics.jsonl", "model.json", "weights.safetensors", "other")):
        farm = terminal_run(runs, f"file{number}")
        (farm / name).unlink(missing_ok=True)
        (farm / name).symlink_to(there / "recipe.json")
    (terminal_run(runs, "inside") / "snapshots").mkdir()
    (runs / "inside" / "snapshots" / "0.bin").symlink_to("/dev/zero")
    os.mkfifo(terminal_run(runs, "pipe") / "report.json")
    with opened(runs, static) as studio:
        assert [row["folder_name"] for row in studio.http.get("/api/runs").json()] == ["good"]
        shutil.rmtree(runs / "good")
        (runs / "good").symlink_to(there, target_is_directory=True)
        end = time.monotonic() + 10
        while studio.http.get("/api/runs").json() and time.monotonic() < end:
            time.sleep(0.05)
        assert studio.http.get("/api/runs").json() == []
    assert sorted(path.name for path in there.iterdir()) == ["metrics.jsonl", "recipe.json"]


def test_data_outside_are_told(tmp_path, static):
    recipe = RECIPE.with_(data={"name": str(tmp_path / "mine.csv")})
    (terminal_run(tmp_path / "runs", "foreign") / "recipe.json").write_text(recipe.model_dump_json())
    terminal_run(tmp_path / "runs", "known")
    with opened(tmp_path / "runs", static) as studio:
        said = {
            name: studio.http.get(f"/api/runs/{listed(studio, name)['id']}").json() for name in ("foreign", "known")
        }
        assert said["foreign"]["outside"] == str(tmp_path / "mine.csv")
        assert said["known"]["outside"] is None


@pytest.fixture
def with_numbers(studio):
    return numbered(studio)


def numbered(studio):
    """A finished run with a shown set and a snapshot."""
    (run,) = studio.new({"training": {"epochs": 1}})
    studio.wait(run, "done")
    shown = studio.home.shown(run)
    np.arange(40, dtype=np.uint8).tofile(shown / "objects.bin")
    np.arange(10, dtype="<i2").tofile(shown / "labels.bin")
    (shown / "where.json").write_text('["row 1"]')
    objects = {"count": 10, "dtype": "uint8", "shape": [1, 2, 2], "classes": [], "low": 0, "high": 1}
    (shown / "about.json").write_text(json.dumps({"objects": objects, "graph": {}, "counts": {}, "sample_count": 10}))
    places = Places(np.array([0, 1, 2, 3], np.float32), np.ones((3, 2), np.uint16))
    weights, tiles = np.ones(5, np.float16), np.zeros((2, 4), np.uint8)
    write_snapshot(studio.home.folder(run), Snapshot(7, 1, 0.5, weights, places, "pca", tiles))
    return run


def test_objects_labels_and_origins_are_slices_of_files(studio, with_numbers):
    answer = studio.http.get(f"/api/runs/{with_numbers}/objects", params={"first": 2, "count": 3})
    assert (answer.headers["x-dtype"], answer.headers["x-count"]) == ("uint8", "3")
    assert list(answer.content) == list(range(8, 20))
    assert studio.http.get(f"/api/runs/{with_numbers}/objects?first=99").content == b""
    assert len(studio.http.get(f"/api/runs/{with_numbers}/labels").content) == 20
    assert studio.http.get(f"/api/runs/{with_numbers}/where").json() == ["row 1"]
    for wrong in ("first=-1", "count=0", "count=1e9", "first=x"):
        assert studio.http.get(f"/api/runs/{with_numbers}/objects?{wrong}").status_code == 422


def test_objects_of_many_bytes_come_in_pieces(studio, with_numbers, monkeypatch):
    ask = lambda **query: studio.http.get(f"/api/runs/{with_numbers}/objects", params=query)  # noqa: E731
    monkeypatch.setattr("narrows.studio.routes.numbers.OBJECTS_BYTES", 12)
    refused = ask(first=0, count=4)
    assert (refused.status_code, refused.json()["expected"]) == (413, "at most 12 at once, 3 of these objects")
    assert len(ask(first=0, count=3).content) == 12
    assert len(ask(first=8).content) == 8
    monkeypatch.setattr("narrows.studio.routes.numbers.OBJECTS_BYTES", 3)
    assert len(ask(first=0, count=1).content) == 4


def test_a_snapshot_is_three_frames(studio, with_numbers):
    content = studio.http.get(f"/api/runs/{with_numbers}/snapshots/7").content
    kinds = []
    while content:
        (size,) = struct.unpack("<I", content[:4])
        magic, version, kind, slot, step, a, b = struct.unpack("<BBBBIII", content[4:20])
        assert (magic, version, slot, step) == (ord("N"), 1, 0, 7)
        kinds.append((kind, a, b, size - 16))
        content = content[4 + size :]
    assert kinds == [(1, 3, 1 << 8, 16 + 12), (2, 5, 0, 10), (3, 2, 4, 8)]
    for wrong in ("8", "-1", "x", "../../etc"):
        assert studio.http.get(f"/api/runs/{with_numbers}/snapshots/{wrong}").status_code in (404, 422)


def test_one_run_says_all(studio, with_numbers):
    said = studio.http.get(f"/api/runs/{with_numbers}").json()
    assert said["history"]["epochs"]["valid"] == [pytest.approx(0.1)]
    assert said["command"].startswith("narrows train digits --network dense")
    assert said["objects"]["count"] == 10
    assert str(studio.home.runs) not in json.dumps(said)


def test_the_course_of_a_run_is_known_after_a_restart(tmp_path, static):
    with opened(tmp_path / "runs", static) as studio:
        with_numbers = numbered(studio)
        time.sleep(0.2)
    with opened(tmp_path / "runs", static) as again:
        said = again.http.get(f"/api/runs/{with_numbers}").json()
        assert said["history"]["step"] == list(range(1, 11))
        assert said["snapshots"] == [{"step": 7, "epoch": 1, "valid": 0.5}]
        with again.live(with_numbers, want=("points", "tiles", "weights")) as socket:
            message, frames = update(socket)
            assert message["runs"][with_numbers]["state"] == "done"
            assert [frame[2] for frame in frames] == [1, 2, 3]


@pytest.mark.slow
def test_a_run_that_goes_on_after_a_restart_keeps_its_course(tmp_path, static):
    with opened(tmp_path / "runs", static) as studio:
        (run,) = studio.new({"training": {"epochs": 10_000}})
        studio.wait(run, "running")
        while studio.run(run)["step"] < 20:
            time.sleep(0.02)
    with opened(tmp_path / "runs", static) as studio:
        assert studio.run(run)["state"] == "stopped"
        studio.do(run, "resume")
        studio.wait(run, "running")
        with studio.live(run) as socket:
            news = update(socket)[0]["runs"][run]
        assert news["curve"]["step"][:3] == [1, 2, 3]
        assert news["curve"]["step"][-1] > 100


def test_the_bench_answers_and_its_troubles_are_told(studio):
    ask = lambda name: studio.http.post("/api/preview", json={"data": name})  # noqa: E731
    assert ask("digits").json() == {"asked": "preview"}
    content = studio.http.post("/api/preview?frames=1", json={"data": "digits"}).content
    (size,) = struct.unpack("<I", content[:4])
    assert json.loads(content[4 : 4 + size]) == {"asked": "preview"}
    refused = ask("cards")
    assert (refused.status_code, refused.json()["detail"]) == (422, "no cards.")
    crashed = ask("tones")
    assert crashed.status_code == 503
    assert "crashed" in crashed.json()["detail"]
    assert ask("digits").json() == {"asked": "preview"}


def test_a_question_that_takes_too_long_is_given_up(studio, monkeypatch):
    monkeypatch.setitem(__import__("narrows.studio.bench").studio.bench.SECONDS, "preview", 0.0)
    answer = studio.http.post("/api/preview", json={"data": "digits"})
    assert answer.status_code == 503
    monkeypatch.undo()
    assert studio.http.post("/api/preview", json={"data": "digits"}).status_code == 200


def test_a_projection_is_told_when_it_is_there(studio, with_numbers):
    address = f"/api/runs/{with_numbers}/points?projection=tsne"
    assert studio.http.get(address).status_code == 204
    with studio.live() as socket:
        assert studio.http.post(f"/api/runs/{with_numbers}/project", json={"kind": "tsne"}).status_code == 202
        news = json.loads(socket.recv(timeout=10))
        assert news == {"type": "projected", "id": with_numbers, "kind": "tsne", "ok": True}
    assert studio.http.get(address).content[:1] == b"N"


def test_who_asks_for_a_projection_that_is_not_there_has_a_child_begun(studio, with_numbers):
    slow = studio.server.desk.slow
    slow.end()
    assert studio.http.get(f"/api/runs/{with_numbers}/points?projection=tsne").status_code == 204
    end = time.monotonic() + 20
    while slow.child is None or slow.waiting:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_bug_says_only_the_number_of_its_incident(studio, monkeypatch, caplog):
    def bug(*_):
        raise RuntimeError("a secret of this machine")

    monkeypatch.setattr("narrows.studio.store.Store.runs", bug)
    answer = studio.http.get("/api/runs")
    monkeypatch.undo()
    body = answer.json()
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    number = re.search(r"incident (\w+)", body["detail"])[1]
    assert f"incident {number}" in caplog.text


def test_choices_name_what_there_is(studio):
    choices = studio.http.get("/api/choices").json()
    sets = {one["name"]: one for one in choices["datasets"]}
    assert sets["digits"]["embedded"]
    assert {one["kind"] for one in sets.values()} == {"image", "table", "sound", "series", "spectrum"}
    assert choices["schema"]["properties"]["bottleneck"]
    assert Recipe.model_validate(choices["defaults"]["recipe"]) == Recipe()


HOSTILE = {
    "deep": "[" * 5000,
    "rather deep": '{"train":' + "[" * 300 + "]" * 300 + "}",
    "seconds without end": '{"seconds":1' + "0" * 400 + "}",
    "seconds in words": '{"seconds":"long","train":{"loss":"<b>"}}',
    "no number": '{"seconds":NaN,"train":{"loss":NaN}}',
    "infinite": '{"valid":{"loss":1e999},"train":{"loss":1' + "0" * 400 + "}}",
    "half a letter": '{"train":{"\\ud800":1}}',
    "a long line": '{"train":{"' + "a" * 100_000 + '":1}}',
}
"""Lines of metrics.jsonl, or a report.json, that none of ours writes."""


@pytest.fixture
def among_hostile(tmp_path, static):
    """A studio on a good run and many that are not."""
    runs = tmp_path / "runs"
    terminal_run(runs, "good")
    for name, text in HOSTILE.items():
        (terminal_run(runs, f"<img src=x> {name}", finished=True) / "metrics.jsonl").write_text(f"{text}\n")
        (runs / f"<img src=x> {name}" / "report.json").write_text(f'{{"baseline":{{"pca":{{"mse":{text}}}}}}}')
    terminal_run(runs, "not-text\udcff")
    with opened(runs, static) as studio:
        yield studio


def test_hostile_runs_of_others_do_no_harm(among_hostile):
    rows = among_hostile.http.get("/api/runs").json()
    assert {row["folder_name"] for row in rows} == {"good", *(f"<img src=x> {name}" for name in HOSTILE)}
    assert all(row["loss"] is None for row in rows if row["folder_name"] != "good")
    for row in rows:
        with among_hostile.live(row["id"], want=()) as socket:
            assert json.loads(socket.recv(timeout=5))["runs"][row["id"]]["state"]


def test_a_history_without_end_is_read_in_part(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "LINES_LIMIT", 5)
    lines = "".join(f'{{"seconds":{number}}}\n' for number in range(100))
    (tmp_path / "metrics.jsonl").write_text(lines)
    assert [epoch["seconds"] for epoch in folder.read_history(tmp_path)] == [96, 97, 98, 99]


def test_more_runs_than_are_listed_at_once(tmp_path):
    for number in range(1005):
        (tmp_path / "runs" / f"run{number}").mkdir(parents=True)
        (tmp_path / "runs" / f"run{number}" / "recipe.json").write_text("{}")
    desk = Desk(Home(tmp_path / "runs"), Pages(tmp_path))
    desk.store.sure.execute("PRAGMA synchronous = OFF")
    assert len(desk.scan()) == 1005
    assert desk.scan() == []


def test_a_look_that_fails_is_not_the_last(tmp_path, static, monkeypatch):
    monkeypatch.setattr("narrows.studio.desk.SCAN_SECONDS", 0.05)
    with opened(tmp_path / "runs", static) as studio:
        (tmp_path / "runs").rename(tmp_path / "away")
        time.sleep(0.3)
        (tmp_path / "away").rename(tmp_path / "runs")
        terminal_run(tmp_path / "runs", "later")
        assert listed(studio, "later")


def test_objects_of_runs_that_are_gone_are_removed(tmp_path, static):
    home = Home(tmp_path / "runs")
    for name in ("a" * 12, "b" * 12):
        home.shown(name).mkdir()
    (home.bin / f"{'a' * 12}-cccccccccccc").mkdir()
    with opened(tmp_path / "runs", static) as studio:
        (run,) = studio.new()
        studio.wait(run, "running")
    with opened(tmp_path / "runs", static):
        assert {place.name for place in home.shown_root.iterdir()} == {"a" * 12, run}


def test_a_bin_with_a_link_that_leads_nowhere(tmp_path):
    home = Home(tmp_path / "runs")
    (home.bin / "gone-cccccccccccc").symlink_to(tmp_path / "nowhere")
    (tmp_path / "mine").mkdir()
    (home.bin / "mine-cccccccccccc").symlink_to(tmp_path / "mine")
    home.lock().close()
    home.empty_bin(time.time() + 8 * 86_400)
    assert list(home.bin.iterdir()) == []
    assert (tmp_path / "mine").is_dir()


def test_a_step_of_many_digits_is_no_snapshot(studio, with_numbers):
    assert studio.http.get(f"/api/runs/{with_numbers}/snapshots/{'1' * 300}").status_code == 422


@pytest.mark.parametrize("path", ["objects", "labels", "where"])
def test_what_was_deleted_while_it_was_asked_for_is_said_to_be_gone(studio, path):
    (run,) = studio.new({"training": {"epochs": 10_000}})
    studio.wait(run, "running")
    folder = studio.home.shown(run)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "about.json").write_text('{"objects": {"shape": [1, 8, 8], "dtype": "uint8", "count": 5}}')
    answer = studio.http.get(f"/api/runs/{run}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "usage.no-file")
