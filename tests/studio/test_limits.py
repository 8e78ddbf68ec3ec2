"""Bodies: counted, timed, and read strictly before anything else looks at them."""

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

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


def through(limit, messages, *, json=False, idle=0.2):
    """What a request of these messages gets from an app behind `Limits` that reads all of its body."""

    async def app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        await asyncio.sleep(0 if messages else 60)
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


def test_a_slow_or_broken_peer_does_not_hold_up_others(studio_for_bad_files):
    studio = studio_for_bad_files
    held = [socket.create_connection(("127.0.0.1", studio.port)) for _ in range(50)]
    for raw in held:
        raw.sendall(b"POST /api/runs HTTP/1.1\r\nHost:")
    assert httpx.get(f"{studio.address}/api/health", timeout=2, trust_env=False).status_code == 200
    for raw in held:
        raw.close()
