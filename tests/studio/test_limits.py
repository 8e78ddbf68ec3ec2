"""Bodies: counted, timed, and read strictly before anything else looks at them."""

import asyncio
import contextlib
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.responses import Response

from narrows.studio.guard import Decision
from narrows.studio.limits import Limits


def post(studio, content, path="/api/runs", **headers):
    return studio.http.post(path, content=content, headers={"Content-Type": "application/json", **headers})


DEEP = b'{"recipes":' + b"[" * 40 + b"]" * 40 + b"}"
BAD_JSON = {
    "not JSON": (b"{", 400),
    "a list": (b"[]", 400),
    "twice the same name": (b'{"recipes":[{}],"recipes":[{}]}', 400),
    "not a number": (b'{"recipes":[{"seed":NaN}]}', 400),
    "infinite": (b'{"recipes":[{"seed":1e999}]}', 400),
    "too deep": (DEEP, 400),
    "very deep": (b'{"recipes":' + b"[" * 100_000, 400),
    "not UTF-8": (b'{"recipes":"\xff"}', 400),
    "half a letter": (b'{"recipes":[{"\\ud800":1}]}', 400),
    "UTF-16": ('{"recipes":[{}]}'.encode("utf-16"), 400),
    "a megabyte and more": (b'{"recipes":"' + b"a" * (1 << 20) + b'"}', 413),
    "an unknown field": (b'{"recipes":[{}],"run":"x"}', 422),
    "too many": (json.dumps({"recipes": [{}] * 5}).encode(), 422),
    "none": (b'{"recipes":[]}', 422),
    "nothing": (b"", 422),
    "a number for a recipe": (b'{"recipes":[1]}', 422),
    "a huge number": (b'{"recipes":[{"seed":' + b"9" * 4000 + b"}]}", 422),
    "too many epochs": (b'{"recipes":[{"training":{"epochs":99999}}]}', 413),
    "a control sign in a name": (b'{"recipes":[{}],"names":["\x01"]}', 400),
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_a_bad_body_gets_a_sentence(studio_for_bad_files, case):
    content, status = BAD_JSON[case]
    answer = post(studio_for_bad_files, content)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert len(studio_for_bad_files.http.get("/api/runs").json()) == 1


def test_a_wrong_recipe_is_told_as_on_the_command_line(studio_for_bad_files):
    answer = post(studio_for_bad_files, b'{"recipes":[{"bottleneck":{"kind":"plain","siz":3}}]}')
    assert answer.status_code == 422
    assert "unknown setting 'siz'" in answer.json()["detail"]
    answer = post(studio_for_bad_files, b'{"recipes":[{"network":{"kind":"danse"}}]}')
    assert "Did you mean 'dense'?" in answer.json()["detail"]


def test_a_length_that_is_no_length(studio_for_bad_files):
    studio = studio_for_bad_files
    for length in ("-1", "1e3", "5, 6", str(1 << 40)):
        with socket.create_connection(("127.0.0.1", studio.port)) as raw:
            head = (
                f"POST /api/runs HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nAuthorization: Bearer {studio.home.token}"
            )
            raw.sendall(f"{head}\r\nContent-Length: {length}\r\n\r\n{{}}".encode())
            assert raw.recv(100).split()[1] in (b"400", b"413")


def through(limit, messages, *, json=False, idle=0.2, gap=0.0):
    """What a request of these messages gets from an app behind `Limits` that reads all of its body."""

    async def app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        await asyncio.sleep(gap if messages else 60)
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    sent = []
    scope = {"type": "http", "method": "POST", "headers": [], "path": "/"}
    scope["narrows.decision"] = Decision(("POST",), body=limit, json=json)
    # A thread of its own: a browser that another test has opened keeps an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(Limits(app, idle=idle)(scope, receive, send))).result()
    return sent[0]["status"]


def piece(size, more=True):
    return {"type": "http.request", "body": b"1" * size, "more_body": more}


def test_bytes_are_counted_as_they_arrive():
    assert through(10, [piece(5), piece(5, more=False)]) == 200
    with pytest.raises(Exception, match="more than 10 bytes"):
        through(10, [piece(5), piece(6, more=False)])


def test_a_body_that_never_comes_is_given_up():
    assert through(10, [piece(2)], json=True) == 408


def test_half_a_body_is_refused():
    assert through(10, [piece(2), {"type": "http.disconnect"}], json=True) == 400


def test_a_body_that_trickles_is_given_up(monkeypatch):
    monkeypatch.setattr("narrows.studio.limits.RATE", 1000)
    with pytest.raises(HTTPException, match="at least 1,000 bytes a second"):
        through(200, [*(piece(1) for _ in range(50)), piece(0, more=False)], gap=0.02)
    assert through(99_000, [*(piece(900) for _ in range(20)), piece(0, more=False)], gap=0.02) == 200


def test_a_body_may_not_take_for_ever_at_any_rate(monkeypatch):
    monkeypatch.setattr("narrows.studio.limits.WHOLE_SECONDS", 0.1)
    with pytest.raises(HTTPException, match=r"all within 0\.1"):
        through(10**9, [*(piece(10**6) for _ in range(20)), piece(0, more=False)], gap=0.02)


def raw_to(studio, sent=b""):
    raw = socket.create_connection(("127.0.0.1", studio.port), timeout=10)
    raw.sendall(sent)
    return raw


def ended(raw):
    """Whether the other side has ended a connection, perhaps after an answer."""
    with raw, contextlib.suppress(ConnectionResetError):
        try:
            while raw.recv(65_536):
                pass
        except TimeoutError:
            return False
    return True


def trickle(raw, seconds):
    """Send a byte again and again; whether the other side has ended it within so many seconds."""
    end = time.monotonic() + seconds
    with raw, contextlib.suppress(OSError):
        while time.monotonic() < end:
            raw.sendall(b"a")
            time.sleep(0.03)
        return False
    return True


def test_headers_that_do_not_end_are_cut_off_and_hold_up_nobody(studio, monkeypatch):
    monkeypatch.setattr("narrows.studio.serve.HEAD_SECONDS", 0.4)
    half = f"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\n".encode()
    held = [raw_to(studio, sent) for sent in [b"", b"POST /api/runs HTTP/1.1\r\nHost:", half] * 10]
    begin = time.monotonic()
    assert httpx.get(f"{studio.address}/api/health", timeout=2, trust_env=False).status_code == 200
    assert all(map(ended, held))
    assert time.monotonic() - begin < 5
    assert trickle(raw_to(studio, half + b"X: "), 5)
    second = raw_to(studio, half + b"\r\n")
    assert b"200" in second.recv(1000)
    assert trickle(second, 5)
    body = raw_to(studio, half + b"Content-Length: 1000\r\n\r\n")
    assert trickle(body, 5)


def test_an_answer_that_takes_longer_than_headers_may_is_not_cut_off(studio, monkeypatch):
    monkeypatch.setattr("narrows.studio.serve.HEAD_SECONDS", 0.2)
    monkeypatch.setattr("narrows.studio.store.Store.runs", lambda store: time.sleep(0.5) or [])
    assert studio.http.get("/api/runs").status_code == 200
    with studio.live() as viewer:
        time.sleep(0.5)
        assert viewer.ping().wait(5)


def large(studio, monkeypatch, size=20 << 20):
    """A connection that has asked for an answer larger than what systems hold of one on the way."""
    answer = Response(b"x" * size)
    monkeypatch.setattr(studio.server.desk.pages, "answer", lambda path, request: answer)
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    raw.settimeout(10)
    raw.connect(("127.0.0.1", studio.port))
    key = f"Host: 127.0.0.1:{studio.port}\r\nAuthorization: Bearer {studio.home.token}"
    raw.sendall(f"GET /static/x HTTP/1.1\r\n{key}\r\n\r\n".encode())
    return raw


def read(raw, gap=0.0):
    """The bytes that come before the other side ends a connection, or has sent all."""
    count = 0
    with contextlib.suppress(ConnectionResetError):
        while count < 20 << 20 and (piece := raw.recv(1 << 20)):
            count += len(piece)
            time.sleep(gap)
    return count


def test_an_answer_that_nobody_takes_is_given_up(studio, monkeypatch):
    monkeypatch.setattr("narrows.studio.serve.TAKE_SECONDS", 0.3)
    with large(studio, monkeypatch) as raw:
        time.sleep(1)
        assert 0 < read(raw) < 20 << 20


def test_an_answer_that_is_taken_slowly_arrives(studio, monkeypatch):
    monkeypatch.setattr("narrows.studio.serve.TAKE_SECONDS", 0.3)
    with large(studio, monkeypatch) as raw:
        assert read(raw, gap=0.01) >= 20 << 20


def test_a_machine_has_so_many_connections_and_no_more(studio, monkeypatch):
    monkeypatch.setattr("narrows.studio.serve.LOCAL_CONNECTIONS", 5)
    assert studio.http.get("/api/health").status_code == 200
    with studio.live():
        held = [raw_to(studio) for _ in range(3)]
        assert ended(raw_to(studio))
        assert studio.http.get("/api/health").status_code == 200
        held.pop().close()
        time.sleep(0.2)
        last = raw_to(studio, f"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\n\r\n".encode())
        assert b"200" in last.recv(1000)
    for raw in [*held, last]:
        raw.close()
