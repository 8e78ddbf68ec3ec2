"""The command that opens the page: it says where, keeps to its folder, and ends when it is told to."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from narrows.cli import studio as command
from narrows.cli.main import run
from narrows.errors import EnvironmentProblem


def begin(runs, *more):
    words = [sys.executable, "-m", "narrows", "studio", "--no-browser", "--runs", str(runs), *more]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, env=environment, **pipes)


def test_it_opens_says_where_and_ends_with_ctrl_c(tmp_path):
    with begin(tmp_path / "runs") as first:
        address = re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", first.stdout.readline())[0]
        with begin(tmp_path / "runs") as second:
            _, words = second.communicate(timeout=30)
        assert (second.returncode, words.count("\n")) == (2, 1)
        assert f"another studio (process {first.pid})" in words
        with urllib.request.urlopen(address.partition("?")[0] + "api/health", timeout=10) as answer:
            assert answer.read() == b'{"ok":true}'
        first.send_signal(signal.SIGINT)
        _, words = first.communicate(timeout=30)
    assert first.returncode == 0
    assert "Traceback" not in words


def test_without_its_packages_it_names_the_extra(tmp_path, monkeypatch, capsys):
    found = command.find_spec
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "uvicorn" else found(name))
    assert run(["studio", "--runs", str(tmp_path)]) == 8
    assert "pip install 'narrows[studio]'" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said():
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(EnvironmentProblem, match="Choose another --port"),
    ):
        command.listening("127.0.0.1", other.getsockname()[1])


def test_without_a_port_the_next_free_one_is_taken():
    with command.listening("127.0.0.1", 0) as first, command.listening("127.0.0.1", 0) as second:
        assert first.getsockname()[1] != second.getsockname()[1]


@pytest.mark.parametrize(
    ("host", "names"),
    [("127.0.0.1", ["127.0.0.1", "localhost", "[::1]"]), ("::1", ["[::1]", "127.0.0.1", "localhost", "[::1]"])],
)
def test_the_names_of_the_server(host, names):
    assert command.names_of(host) == names


def test_listening_everywhere_is_known_by_every_name_and_warned_of(monkeypatch, capsys):
    from narrows.cli.talk import Talk

    assert socket.gethostname() in command.names_of("0.0.0.0")
    command.tell(Talk(False), "http://127.0.0.1:1/?token=x", "0.0.0.0", "")
    assert "nothing is encrypted" in capsys.readouterr().out


def test_the_command_that_opens_a_browser_does_not_hold_the_token(tmp_path, monkeypatch, capsys):
    from narrows.studio.home import Home
    from narrows.studio.serve import Server

    asked = []
    monkeypatch.setattr(command.webbrowser, "open", asked.append)

    async def serve(self, sockets):
        self.opened()
        await asyncio.sleep(0.2)

    monkeypatch.setattr(Server, "serve", serve)
    # A thread of its own: a browser that another test has opened keeps an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run, ["studio", "--runs", str(tmp_path)]).result() == 0
    token = Home(tmp_path).token
    assert token in capsys.readouterr().out
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", asked[0])
    assert token not in asked[0]
