"""The hub: each viewer gets the newest of everything, once, when it is free; slow ones cost nothing."""

import contextlib
import json
import socket
import struct
import time

import pytest
from conftest import ack, update
from websockets.exceptions import ConnectionClosed

from narrows.studio.hub import CURVE_LIMIT, Hub, Place, Record, Viewer, news_of


def frame(kind=1, step=0, size=16):
    return struct.pack("<BBBBIII", ord("N"), 1, kind, 0, step, 0, 0) + b"\0" * size


def progress(step, run="a"):
    curve = {"step": [step], "loss": [1 / step]}
    return {"event": "progress", "id": run, "epoch": 1, "step": step, "seconds": 0.0, "rate": 1.0, "curve": curve}


def viewer(hub, *runs, want=("points",)):
    found = Viewer()
    hub.join(found)
    hub.watch(found, list(runs), want)
    return found


def told(hub, who):
    found = hub.update(who)
    return (json.loads(found[0]), found[1]) if found else None


def test_what_was_told_is_not_told_again():
    hub = Hub()
    who = viewer(hub, "a")
    hub.take(progress(1), [])
    assert told(hub, who)[0]["runs"]["a"]["curve"] == {"step": [1], "loss": [1.0]}
    assert told(hub, who) is None
    hub.take(progress(2), [])
    hub.take(progress(3), [])
    assert told(hub, who)[0]["runs"]["a"]["curve"]["step"] == [2, 3]


def test_of_frames_only_the_newest_is_sent():
    hub = Hub()
    who = viewer(hub, "a", want=("points", "tiles"))
    for step in range(100):
        hub.take({"event": "frames", "id": "a"}, [frame(1, step), frame(2, step), frame(3, step)])
    text, frames = told(hub, who)
    assert text["frames"] == 2
    assert frames == [frame(1, 99), frame(3, 99)]
    assert told(hub, who) is None


def test_a_late_viewer_gets_the_whole_course():
    hub = Hub()
    for step in range(1, 50):
        hub.take(progress(step), [])
    hub.take({"event": "snapshot", "id": "a", "step": 40, "epoch": 4, "valid": 0.5, "dropped": [10]}, [])
    news = told(hub, viewer(hub, "a"))[0]["runs"]["a"]
    assert news["curve"]["step"] == list(range(1, 50))
    assert news["snapshots"] == [{"step": 40, "epoch": 4, "valid": 0.5}]
    assert news["dropped"] == [10]


def test_each_viewer_has_its_own_slots_and_shares_the_bytes():
    hub = Hub()
    first, second, third = viewer(hub, "a", "b"), viewer(hub, "b", "a"), viewer(hub, "b", "a")
    hub.take({"event": "frames", "id": "a"}, [frame()])
    (ours,), (theirs,), (same,) = (told(hub, who)[1] for who in (first, second, third))
    assert (ours[3], theirs[3]) == (0, 1)
    assert ours[4:] == theirs[4:]
    assert theirs is same


def test_a_run_that_begins_again_is_told_afresh():
    hub = Hub()
    who = viewer(hub, "a")
    hub.take(progress(9), [])
    hub.take({"event": "frames", "id": "a"}, [frame(step=9)])
    told(hub, who)
    hub.begin_again("a")
    hub.take(progress(1), [])
    hub.take({"event": "frames", "id": "a"}, [frame(step=1)])
    text, frames = told(hub, who)
    assert text["runs"]["a"]["fresh"]
    assert text["runs"]["a"]["curve"]["step"] == [1]
    assert frames == [frame(step=1)]


def test_a_run_that_goes_on_from_an_earlier_step_forgets_what_came_after():
    record = Record()
    record.add_curve([1, 2, 3], [3, 2, 1])
    record.judged = [{"epoch": 1, "step": 2}, {"epoch": 2, "step": 3}]
    place = Place(life=record.life, step=3, judged=2)
    record.rewind(2)
    news = news_of(record, place)
    assert news["fresh"]
    assert news["curve"]["step"] == [1, 2]
    assert [epoch["step"] for epoch in news["judged"]] == [2]


def test_a_long_curve_is_thinned_and_keeps_both_ends():
    record = Record()
    for step in range(3 * CURVE_LIMIT):
        record.add_curve([step], [0.0])
    steps = record.curve["step"]
    assert len(steps) <= CURVE_LIMIT
    assert (steps[0], steps[-1]) == (0, 3 * CURVE_LIMIT - 1)
    assert steps == sorted(set(steps))


def test_watching_others_keeps_what_is_known_of_those_kept():
    hub = Hub()
    who = viewer(hub, "a", "b")
    hub.take(progress(1, "a"), [])
    hub.take(progress(1, "b"), [])
    told(hub, who)
    hub.watch(who, ["a", "c"], ("points",))
    assert "a" not in (told(hub, who) or ({"runs": {}},))[0]["runs"]
    hub.watch(who, ["b", "a"], ("points",))
    assert set(told(hub, who)[0]["runs"]) == {"a", "b"}


def test_who_looks_is_known():
    seen = []
    hub = Hub(seen.append)
    who = viewer(hub, "a", want=())
    assert not hub.watched("a")
    hub.watch(who, ["a"], ("tiles",))
    assert hub.watched("a")
    hub.leave(who)
    assert not hub.watched("a")
    assert seen[-1] == "a"


def test_numbers_go_along_with_the_next_frame_while_frames_come():
    hub = Hub()
    who, plain = viewer(hub, "a"), viewer(hub, "a", want=())
    for one in (who, plain):
        one.stirred.clear()
    hub.take(progress(1), [])
    assert who.stirred.is_set()
    hub.take({"event": "frames", "id": "a"}, [frame()])
    for one in (who, plain):
        one.stirred.clear()
    hub.take(progress(2), [])
    assert (who.stirred.is_set(), plain.stirred.is_set()) == (False, True)
    hub.take({"event": "state", "id": "a", "state": "paused"}, [])
    assert who.stirred.is_set()


def test_nothing_comes_before_the_acknowledgement(studio):
    (run,) = studio.new({"training": {"epochs": 10_000}})
    studio.wait(run, "running")
    with studio.live(run) as socket:
        first = update(socket)[0]["runs"][run]["step"]
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.4)
        ack(socket)
        text, frames = update(socket)
        assert text["runs"][run]["step"] > first
        assert len(frames) == 1


@pytest.mark.parametrize(
    "text", ["", "x", "[]", '{"type":"watch"}', '{"type":"other"}', '{"type":"watch","runs":["a"],"want":["all"]}',
             '{"type":"watch","runs":' + str(["a" * 12] * 9).replace("'", '"') + "}"],
)  # fmt: skip
def test_what_is_not_agreed_ends_the_conversation(studio_for_bad_files, text):
    with studio_for_bad_files.live() as socket:
        socket.send(text)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=5)
        assert closed.value.rcvd.code == 1007


def test_bytes_and_floods_and_long_words_end_it_too(studio_for_bad_files):
    with studio_for_bad_files.live() as socket:
        socket.send(b"\0")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=5)
        assert closed.value.rcvd.code == 1007
    with studio_for_bad_files.live() as socket:
        socket.send(json.dumps({"type": "watch", "runs": ["a" * 70_000]}))
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)
    with studio_for_bad_files.live() as socket:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(500):
                ack(socket)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=5)
        assert closed.value.rcvd.code == 1008


def test_unknown_runs_are_passed_over(studio_for_bad_files):
    with studio_for_bad_files.live("nonesuch", "../../etc") as socket, pytest.raises(TimeoutError):
        socket.recv(timeout=0.3)
    assert "nonesuch" not in studio_for_bad_files.http.get("/api/runs").text


def test_a_viewer_that_neither_reads_nor_answers_is_cut_off(open_studio, monkeypatch):
    from narrows.studio import serve

    def hurried(app):
        config = plain(app)
        config.ws_ping_interval = config.ws_ping_timeout = 0.5
        return config

    plain = serve.settings
    monkeypatch.setattr(serve, "settings", hurried)
    studio = open_studio()
    (run,) = studio.new({"training": {"epochs": 1}})
    studio.wait(run, "done")
    hub = studio.server.desk.hub
    hub.record(run).add_frame(b"N\1\1\0" + bytes(32 << 20))
    watched, watch = [], hub.watch
    monkeypatch.setattr(hub, "watch", lambda *said: (watched.append(said), watch(*said)))
    with socket.create_connection(("127.0.0.1", studio.port)) as deaf:
        head = f"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nAuthorization: Bearer {studio.home.token}"
        more = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
        deaf.sendall(f"{head}\r\n{more}\r\nSec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode())
        said = json.dumps({"type": "watch", "runs": [run], "want": ["points"]}).encode()
        deaf.sendall(bytes([0x81, 0x80 | len(said)]) + bytes(4) + said)
        assert deaf.recv(12) == b"HTTP/1.1 101"
        end = time.monotonic() + 10
        while (not watched or hub.viewers) and time.monotonic() < end:
            time.sleep(0.05)
        assert watched
        assert not hub.viewers
