"""The whole way through a real server and a real trainer, as a page goes it."""

import json
import struct

import pytest
from conftest import ack, update

from narrows.studio import frames

PROGRAM = "narrows.studio.child"

RECIPE = {
    "data": {"name": "digits"},
    "network": {"kind": "dense", "widths": [32]},
    "bottleneck": {"kind": "plain", "size": 2},
    "training": {"epochs": 400, "batch": 64},
}


@pytest.mark.slow
def test_play_watch_pause_scrub_fork_and_stop(open_studio):
    studio = open_studio(program=PROGRAM)
    (run,) = studio.new(RECIPE, pace=200)
    with studio.live(run, want=("points", "tiles", "weights")) as socket:
        seen = {}
        while {1, 2, 3} - seen.keys() or min(frame.step for frame in seen.values()) < 20:
            _, parts = update(socket, timeout=60)
            seen |= {frame.kind: frame for frame in map(frames.unpack, parts)}
            ack(socket)
    assert studio.wait(run, "running")["step"] > 0
    assert studio.do(run, "pause").status_code == 200
    row = studio.wait(run, "paused")
    about = studio.http.get(f"/api/runs/{run}").json()
    assert about["objects"]["count"] == 359
    points = frames.unpack(studio.http.get(f"/api/runs/{run}/points").content)
    assert frames.read_points(points)[2]
    step = about["snapshots"][-1]["step"]
    content, parts = studio.http.get(f"/api/runs/{run}/snapshots/{step}").content, []
    while content:
        (size,) = struct.unpack_from("<I", content)
        parts.append(frames.unpack(content[4 : 4 + size]))
        content = content[4 + size :]
    assert [frame.kind for frame in parts] == [frames.POINTS, frames.WEIGHTS, frames.TILES]
    forked = studio.http.post(f"/api/runs/{run}/fork", json={"step": step}).json()["id"]
    studio.wait(forked, "running", "done", seconds=60)
    assert studio.do(forked, "stop").status_code == 200
    studio.wait(forked, "stopped", "done")
    weights = frames.unpack(studio.http.get(f"/api/runs/{forked}/weights?step=0").content)
    assert weights.payload == parts[1].payload
    assert row["step"] >= step


@pytest.mark.slow
def test_a_preview_and_a_corruption_through_the_server(open_studio):
    studio = open_studio(program=PROGRAM)
    made = studio.http.post("/api/preview", json={"recipe": RECIPE})
    assert made.status_code == 200, made.text
    made = made.json()
    assert made["recipe"]["network"]["widths"] == [32]
    assert made["graph"]["code"]["size"] == 2
    wrong = studio.http.post("/api/preview", json={"recipe": {**RECIPE, "bottleneck": {"kind": "plain", "size": 99}}})
    assert wrong.status_code == 413
    assert "at most 64" in json.dumps(wrong.json())
