"""A studio that really listens, with children that have no torch unless a test asks for the real ones; a browser."""

import contextlib
import json
import shutil
import socket
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from narrows.data.where import data_folders
from narrows.studio.app import create_app
from narrows.studio.children import PROGRAM
from narrows.studio.guard import hosts_for
from narrows.studio.home import Home
from narrows.studio.pages import STATIC
from narrows.studio.serve import Server

# What the tests and their children import by name.
sys.path.insert(0, str(Path(__file__).parent))

from browsing import PATIENCE, until


class Studio:
    """A running studio, as a test sees it."""

    def __init__(self, home, port, server, thread):
        self.home, self.port, self.server, self.thread = home, port, server, thread
        self.address = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(
            base_url=self.address, headers={"Authorization": f"Bearer {home.token}"}, timeout=30, trust_env=False,
            event_hooks={"response": [self.check_words]},
        )  # fmt: skip

    def check_words(self, answer):
        """No answer of any test holds a place of this machine, and no problem says anything twice."""
        kind = answer.headers.get("content-type", "")
        if "json" in kind:
            answer.read()
            check_places(self.home, answer.text)
        if "problem" in kind:
            check_problem(answer.json())

    def new(self, *recipes, **more):
        """Begin runs; returns their ids."""
        answer = self.http.post("/api/runs", json={"recipes": list(recipes) or [{}], **more})
        assert answer.status_code == 201, answer.text
        return [run["id"] for run in answer.json()["runs"]]

    def run(self, run):
        return next(row for row in self.http.get("/api/runs").json() if row["id"] == run)

    def wait(self, run, *states, seconds=20):
        """Wait until a run is in one of the states; returns its row."""
        end = time.monotonic() + PATIENCE * seconds
        while time.monotonic() < end:
            row = self.run(run)
            if row["state"] in states:
                return row
            time.sleep(0.03)
        raise AssertionError(f"{run} is {row['state']} ({row['why']}), not {states}")

    def do(self, run, what):
        return self.http.post(f"/api/runs/{run}/do", json={"do": what})

    def rest(self):
        """Stop all that trains."""
        for row in self.http.get("/api/runs").json():
            if row["state"] in ("running", "starting", "waiting", "paused"):
                self.do(row["id"], "stop")
                self.wait(row["id"], "stopped", "done", seconds=40)

    def clear(self):
        """Leave nothing of what a test made."""
        self.rest()
        for row in self.http.get("/api/runs").json():
            assert self.http.delete(f"/api/runs/{row['id']}").status_code == 200
        for upload in self.http.get("/api/uploads").json():
            assert self.http.delete(f"/api/uploads/{upload['id']}").status_code == 200
        for folder in self.home.bin.iterdir():
            shutil.rmtree(folder)

    def trainers(self):
        """The processes that train or could."""
        jobs = self.server.desk.jobs
        return {child.process.pid for child in (*jobs.spares, *(family.child for family in jobs.working()))}

    @contextlib.contextmanager
    def live(self, *runs, want=("points",), **more):
        """A WebSocket that watches."""
        headers = more.pop("headers", {"Authorization": f"Bearer {self.home.token}"})
        with connect(
            f"ws://127.0.0.1:{self.port}/api/live", additional_headers=headers, proxy=None, max_size=None, **more
        ) as viewer:
            if runs:
                viewer.send(json.dumps({"type": "watch", "runs": list(runs), "want": list(want)}))
            yield viewer


def check_places(home, text):
    """What a client reads names no folder of this machine."""
    places = [home.runs, Path.home(), *data_folders()]
    assert not [place for place in map(str, places) if len(place) > 1 and place in text], text


def check_problem(problem):
    """The detail of a problem says all, and once: the expectation and the step are parts of it."""
    for part in ("expected", "step"):
        assert problem["detail"].count(problem[part]) == 1 or not problem[part], problem
    sentences = [sentence.strip(" .") for sentence in problem["detail"].replace("; ", ". ").split(". ")]
    assert len({*sentences}) == len(sentences), problem


def update(viewer, timeout=10):
    """The next update of a viewer and its frames."""
    message = json.loads(viewer.recv(timeout=timeout))
    return message, [viewer.recv(timeout=timeout) for _ in range(message.get("frames", 0))]


def ack(viewer):
    viewer.send(json.dumps({"type": "ack"}))


@pytest.fixture
def static(tmp_path):
    return small_page(tmp_path / "static")


def small_page(folder):
    """A tiny page."""
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text('<!doctype html><script type="importmap">{"imports":{}}</script><p>page')
    (folder / "js" / "app.js").write_text("export const one = 1;\n")
    (folder / "secret.key").write_text("not part of the page")
    return folder


@contextlib.contextmanager
def opened(runs, static, program="fake_child", **options):
    """A studio that listens while inside."""
    home = Home(runs)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = create_app(home, hosts_for(["127.0.0.1", "localhost"], port), static=static, program=program, **options)
    server = Server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    end = time.monotonic() + 20
    while not server.started and time.monotonic() < end:
        time.sleep(0.01)
    studio = Studio(home, port, server, thread)
    try:
        yield studio
    finally:
        studio.http.close()
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def open_studio(tmp_path, static):
    """A function that opens a studio on the runs of this test."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(opened(tmp_path / "runs", static, **options))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("runs"), small_page(tmp_path_factory.mktemp("page") / "static")) as studio:
        yield studio


@pytest.fixture
def studio(shared):
    """A studio with nothing in it: the one of the module, cleared afterwards."""
    yield shared
    shared.clear()


@pytest.fixture(scope="module")
def studio_for_bad_files(tmp_path_factory):
    """One studio for much that is bad: it has to live through it all, and what it trains has to go on."""
    with opened(tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("static")) as studio:
        (run,) = studio.new({"training": {"epochs": 10_000}})
        before = studio.wait(run, "running")["step"]
        yield studio
        assert studio.wait(run, "running")["step"] > before


@pytest.fixture(scope="session")
def whole_studio(tmp_path_factory):
    """The studio as it is: its own page, and children that compute."""
    with opened(tmp_path_factory.mktemp("runs"), STATIC, program=PROGRAM) as studio:
        yield studio


@pytest.fixture
def enter(page, whole_studio):
    """A function that opens a view of the whole studio in the page, and waits until something has learned."""

    def opening(view, query=""):
        if query:
            whole_studio.rest()
        page.goto(f"{whole_studio.address}/?token={whole_studio.home.token}")
        page.goto(f"{whole_studio.address}/#1/{view}{query}")
        page.reload()
        until(page, "window.__probe && window.__probe.firstVisibleMs !== null", seconds=40)
        return page

    return opening
