"""What the studio never does: talk to others, write its token down, or keep its event loop busy."""

import asyncio
import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import files
import pytest
from conftest import Studio
from test_uploads import give
from websockets.exceptions import InvalidStatus

from narrows.studio.home import Home

HERE = Path(__file__).parent
REAL = "narrows.studio.child"


def watching(folder):
    """The environment in which a process writes down what it connects."""
    path = os.pathsep.join([str(HERE / "watch"), str(HERE), *sys.path])
    return {**os.environ, "PYTHONPATH": path, "NARROWS_WATCH": str(folder / "watched"), "PYTHONASYNCIODEBUG": "1"}


@contextlib.contextmanager
def watched(folder, static, program):
    """A studio in another process, its log in `folder`/log and its connections in `folder`/watched."""
    command = [sys.executable, str(HERE / "serve.py"), str(folder / "runs"), str(static), program, "1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=watching(folder))
        try:
            studio = Studio(Home(folder / "runs"), int(process.stdout.readline()), process, None)
            yield studio
            studio.http.close()
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()


def used(studio):
    """A studio used in most ways: looked at, trained with, given files and asked."""
    (run,) = studio.new({"training": {"epochs": 3}})
    studio.wait(run, "done", seconds=60)
    assert give(studio, files.table(), "mine.csv").status_code == 201
    assert studio.http.post("/api/preview", json={"data": "digits"}, timeout=60).status_code == 200
    with studio.live(run) as viewer:
        viewer.recv(timeout=10)
    return run


def connections(folder):
    """What the processes of a watched studio connected or looked up: four or more of them were watched."""
    lines = (folder / "watched").read_text().splitlines()
    # The server, one that trains, one that answers and one that reads a file.
    assert sum(line.startswith("begun") for line in lines) >= 4
    return [line for line in lines if not line.startswith("begun")]


@pytest.mark.slow
def test_nobody_else_is_talked_to(tmp_path, static):
    with watched(tmp_path, static, REAL) as studio:
        used(studio)
    assert connections(tmp_path) == []


def test_talk_would_be_noticed(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = f"import socket; socket.create_connection({server.getsockname()}).close()"
        subprocess.run([sys.executable, "-c", words], env=watching(tmp_path), check=True)
    assert "socket.connect ('127.0.0.1'" in (tmp_path / "watched").read_text()


@pytest.mark.slow
def test_the_token_is_never_written_down_and_nobody_else_is_talked_to(tmp_path, static):
    with watched(tmp_path, static, "fake_child") as studio:
        home, run = studio.home, used(studio)
        secrets = [home.token, home.cookie]
        ask = studio.http.get
        assert ask(f"/?token={home.token}").status_code == 303
        assert ask(f"/?token={home.token}x").status_code == 401
        assert ask(f"/api/runs/{home.token}").status_code == 404
        assert ask("/api/runs", params={"limit": home.token}).status_code == 422
        assert ask("/", headers={"Authorization": "", "Cookie": f"narrows-{studio.port}={home.cookie}"}).is_success
        assert studio.http.patch(f"/api/runs/{run}", json={"name": ""}).status_code == 422
        with pytest.raises(InvalidStatus), studio.live(headers={"Authorization": f"Bearer {home.token}x"}):
            pass
        for broken in (f"GET /?token={home.token} HTTP/9\r\n\r\n", f"GET /{home.token}\x01 HTTP/1.1\r\nX: \r\n\r\n"):
            with socket.create_connection(("127.0.0.1", studio.port)) as raw:
                raw.sendall(broken.encode())
                raw.recv(1000)
        with contextlib.closing(sqlite3.connect(home.database)) as database:
            database.execute("DROP TABLE runs")
        assert ask("/api/runs").status_code == 500
    log = (tmp_path / "log").read_text()
    assert "incident" in log
    assert "Invalid HTTP request" in log
    places = [path for path in tmp_path.rglob("*") if path.is_file() and path != home.own / "token"]
    assert [path for path in places for secret in secrets if secret.encode() in path.read_bytes()] == []
    assert connections(tmp_path) == []


class Clock:
    """How long the callbacks of an event loop take, each in seconds of all time and of its thread's own work."""

    def __init__(self, thread, monkeypatch):
        self.whole, self.work = [], []
        run = asyncio.events.Handle._run

        def timed(handle):
            begin, work = time.perf_counter(), time.thread_time()
            try:
                return run(handle)
            finally:
                if threading.current_thread() is thread:
                    self.whole.append(time.perf_counter() - begin)
                    self.work.append(time.thread_time() - work)

        monkeypatch.setattr(asyncio.events.Handle, "_run", timed)


@pytest.mark.slow
def test_a_large_upload_does_not_keep_the_event_loop_busy(studio, monkeypatch):
    clock = Clock(studio.thread, monkeypatch)
    piece = b"\x01\x02 no file that is read here" * 40_000
    assert give(studio, (piece for _ in range((200 << 20) // len(piece) + 1))).status_code == 415
    assert len(clock.work) > 200
    # Other processes may take its core for longer, which is none of its doing.
    assert max(clock.work) < 0.05


class Slow:
    """A file on a disk that takes its time."""

    def __init__(self, file):
        self.file, self.read = file, file.read

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        time.sleep(0.3)
        self.file.close()

    def write(self, content):
        time.sleep(0.3)
        return self.file.write(content)


def test_a_slow_disk_does_not_hold_up_the_event_loop(studio, monkeypatch):
    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *mode: (Slow if path.name == "raw" else lambda f: f)(real(path, *mode))
    )
    clock = Clock(studio.thread, monkeypatch)
    assert give(studio, b"\x01\x02 no file" * 50_000).status_code == 415
    assert max(clock.whole) < 0.28
