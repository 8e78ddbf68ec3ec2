"""The guard: every route has a decision, and nobody without the key, from another name or another page gets in."""

import http.client
import json
import re
import socket

import pytest
from conftest import opened, small_page
from starlette.routing import BaseRoute, Mount
from websockets.exceptions import InvalidStatus

from narrows.studio.app import inner_app
from narrows.studio.desk import Desk
from narrows.studio.guard import DECISIONS, Guard, decide
from narrows.studio.home import Home
from narrows.studio.pages import Pages

PUBLIC = {"/api/health"}


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """One studio for all these tests: none of them changes it."""
    folder = tmp_path_factory.mktemp("guard")
    with opened(folder / "runs", small_page(folder / "static")) as studio:
        yield studio


def every_route(routes, prefix=""):
    """Path and methods of each route, those of mounts, included routers and WebSockets among them."""
    for route in routes:
        assert isinstance(route, BaseRoute)
        inner = getattr(route, "original_router", None) or (route if isinstance(route, Mount) else None)
        if inner is not None:
            yield from every_route(inner.routes, prefix + getattr(route, "path", ""))
        else:
            methods = set(getattr(route, "methods", None) or {"WS"})
            yield prefix + route.path, methods - {"HEAD"}


@pytest.fixture
def app(tmp_path):
    return inner_app(Desk(Home(tmp_path), Pages(tmp_path)))


def undecided(routes):
    """What routes answer to and the guard has not decided on."""
    return {
        (path, method)
        for path, methods in every_route(routes)
        for method in methods
        if path not in DECISIONS or method not in DECISIONS[path].methods
    }


def test_every_route_has_a_decision(app):
    assert undecided(app.routes) == set()


def test_a_route_a_mount_and_a_socket_without_decision_are_noticed(app):
    async def endpoint(*_):
        raise AssertionError

    app.add_api_route("/api/more", endpoint)
    app.add_api_websocket_route("/api/other", endpoint)
    app.mount("/files", inner_app(app.state.desk))
    found = undecided(app.routes)
    assert {("/api/more", "GET"), ("/api/other", "WS"), ("/files/api/runs", "POST")} <= found


def test_every_decision_has_a_route(app):
    routes = {}
    for path, methods in every_route(app.routes):
        routes[path] = routes.get(path, set()) | methods
    assert {path: set(decision.methods) for path, decision in DECISIONS.items()} == routes


def test_what_is_public_is_this_list():
    assert {path for path, decision in DECISIONS.items() if decision.public} == PUBLIC


def concrete(path):
    return re.sub(r"\{\w+(:path)?\}", "a1", path)


def ask(studio, method, path, headers=None, body=None):
    """One request with exactly these headers; status, headers and body of its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=10)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    given = {"Host": f"127.0.0.1:{studio.port}", **(headers or {})}
    for name, value in given.items():
        for one in value if isinstance(value, list) else [value]:
            connection.putheader(name, one)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), content


def key(studio):
    return {"Authorization": f"Bearer {studio.home.token}"}


def cookie(studio):
    return {"Cookie": f"narrows-{studio.port}={studio.home.cookie}"}


def test_nothing_answers_without_the_key(studio):
    for path, decision in DECISIONS.items():
        for method in decision.methods:
            if method != "WS" and path not in PUBLIC:
                assert ask(studio, method, concrete(path))[0] == 401, (method, path)
    assert ask(studio, "GET", "/api/nothing")[0] == 401
    with pytest.raises(InvalidStatus), studio.live(headers={}):
        pass
    assert ask(studio, "GET", "/api/health")[2] == b'{"ok":true}'


@pytest.mark.parametrize("wrong", ["", "Bearer", "Bearer ", "Bearer x", "Basic {token}", "Bearer {cookie}", "{token}"])
def test_a_wrong_key_does_not_open(studio, wrong):
    given = wrong.format(token=studio.home.token, cookie=studio.home.cookie)
    assert ask(studio, "GET", "/api/runs", {"Authorization": given})[0] == 401


def test_the_key_is_handed_over_once(studio):
    status, headers, _ = ask(studio, "GET", f"/?token={studio.home.token}")
    assert (status, headers["location"]) == (303, "/")
    jar = headers["set-cookie"]
    assert "HttpOnly" in jar
    assert "SameSite=Strict" in jar
    assert studio.home.token not in jar
    given = {"Cookie": jar.partition(";")[0]}
    assert b"<p>page" in ask(studio, "GET", "/", given)[2]
    assert ask(studio, "GET", "/static/js/app.js", given)[0] == 200


@pytest.mark.parametrize("query", ["token=", "token=x", "token={0}&token={0}", "token={0}x", "a=1&token=%00"])
def test_a_wrong_address_hands_nothing_over(studio, query):
    status, headers, content = ask(studio, "GET", "/?" + query.format(studio.home.token))
    assert status == 401
    assert "set-cookie" not in headers
    assert studio.home.token.encode() not in content


def test_the_address_leads_nowhere_else(studio):
    _, headers, _ = ask(studio, "GET", f"/?token={studio.home.token}&next=https://evil.example")
    assert headers["location"] == "/"


HOSTS = [
    "evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", "127.0.0.1:{port}.evil.example",
    "evil.example:{port}", "0.0.0.0:{port}", "127.0.0.1:{port}:{port}", "[::1]:{port}", "user@127.0.0.1:{port}", "",
    "127.0.0.1:{port}/", "127.0.0.1.:{port}", "2130706433:{port}",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_another_host_is_refused(studio, host):
    given = {**key(studio), "Host": host.format(port=studio.port)}
    assert ask(studio, "GET", "/api/runs", given)[0] == 400
    assert ask(studio, "GET", "/api/health", given)[0] == 400
    with pytest.raises(InvalidStatus), studio.live(headers=given):
        pass


def test_two_hosts_or_none_are_refused(studio):
    for head in (f"Host: 127.0.0.1:{studio.port}\r\nHost: evil.example\r\n", ""):
        with socket.create_connection(("127.0.0.1", studio.port)) as raw:
            text = f"GET /api/health HTTP/1.1\r\n{head}Connection: close\r\n\r\n"
            raw.sendall(text.encode())
            assert raw.recv(100).split()[1] == b"400"


ORIGINS = [
    "null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:{port}.evil.example", "https://127.0.0.1:{port}",
    "http://localhost.evil.example:{port}", "http://evil.example/http://127.0.0.1:{port}", "http://127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}", "file://", "", "http://127.0.0.1:{port} http://evil.example", "http://[::1]:{port}",
]  # fmt: skip


@pytest.mark.parametrize("origin", ORIGINS)
def test_another_origin_is_refused_on_every_surface(studio, origin):
    given = {"Origin": origin.format(port=studio.port)}
    for way in (key(studio), cookie(studio)):
        assert ask(studio, "POST", "/api/runs", {**way, **given}, b"{}")[0] == 403
        assert ask(studio, "DELETE", "/api/runs/a1", {**way, **given})[0] == 403
        status, headers, _ = ask(studio, "GET", "/api/runs", {**way, **given})
        assert status == 403
        assert "access-control-allow-origin" not in {name.lower() for name in headers}
        with pytest.raises(InvalidStatus), studio.live(headers={**way, **given}):
            pass


def test_a_change_by_cookie_needs_the_origin(studio):
    assert ask(studio, "POST", "/api/runs", cookie(studio), b"{}")[0] == 403
    with pytest.raises(InvalidStatus), studio.live(headers=cookie(studio)):
        pass
    ours = {"Origin": f"http://127.0.0.1:{studio.port}"}
    assert ask(studio, "POST", "/api/runs", {**cookie(studio), **ours}, b"{}")[0] == 422
    with studio.live(headers={**cookie(studio), **ours}):
        pass


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_what_the_browser_says_comes_from_another_site_is_refused(studio, site):
    assert ask(studio, "GET", "/api/runs", {**cookie(studio), "Sec-Fetch-Site": site})[0] == 403


def test_a_cookie_of_another_port_or_value_does_not_open(studio):
    for jar in (f"narrows-1={studio.home.cookie}", f"narrows-{studio.port}={studio.home.token}", "narrows=", "=;;="):
        assert ask(studio, "GET", "/api/runs", {"Cookie": jar})[0] == 401


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "TRACE", "PROPFIND", "FOO", "get"])
def test_other_methods_are_refused(studio, method):
    for path in ("/", "/api/runs", "/static/js/page/app.js", "/api/health"):
        assert ask(studio, method, path, key(studio))[0] in (400, 405)


PATHS = [
    "/static/../secret.key", "/static/%2e%2e/secret.key", "/static/js/..%2fsecret.key", "/static//etc/passwd",
    "/static/%2fetc/passwd", "/static/js/page/app.js%00", "/static/..\\secret.key", "/static/secret.key", "/static/.",
    "//api/runs", "/api//runs", "/api/./runs", "/api/runs/", "/API/runs", "/api/runs;x", "/api%2fruns", "/static/",
    "/static", "/api/health/..", "/docs", "/redoc", "/openapi.json", "/api/runs/a1/do/x", "/static/js/page/app.js/",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_is_not_written_as_ours_does_not_exist(studio, path):
    status, _, content = ask(studio, "GET", path, key(studio))
    assert status == 404, content
    assert b"not part of the page" not in content


def test_the_guard_reads_the_path_and_not_headers(studio):
    tricks = {"X-Forwarded-Host": "127.0.0.1", "X-Original-URL": "/api/health", "X-Rewrite-URL": "/api/health"}
    tricks |= {"Forwarded": "host=127.0.0.1", "X-HTTP-Method-Override": "GET"}
    assert ask(studio, "GET", "/api/runs", tricks)[0] == 401


def test_long_addresses_and_headers_are_refused(studio):
    assert ask(studio, "GET", "/api/runs?x=" + "a" * 3000, key(studio))[0] == 414
    assert ask(studio, "GET", "/api/runs", {**key(studio), "X-A": "a" * 20_000})[0] in (400, 431)


def test_every_answer_carries_its_headers(studio):
    import base64
    import hashlib

    answers = [
        ask(studio, "GET", path, way) for path in ("/", "/api/runs", "/api/nothing") for way in ({}, key(studio))
    ]
    for _, headers, _ in [*answers, ask(studio, "GET", "/static/js/page/app.js", key(studio))]:
        low = {name.lower(): value for name, value in headers.items()}
        assert low["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in low["content-security-policy"]
        assert "server" not in low
    for _, headers, _ in answers:
        assert {name.lower(): value for name, value in headers.items()}["cache-control"] == "no-store"
    digest = base64.b64encode(hashlib.sha256(b'{"imports":{}}').digest()).decode()
    policy = answers[1][1]["content-security-policy"]
    assert f"script-src 'self' 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "img-src 'self' data: blob:" in policy
    assert "worker-src 'self' blob:" in policy
    said = dict(part.split(" ", 1) for part in policy.split("; "))
    assert said["default-src"] == said["connect-src"] == "'self'"
    assert said["object-src"] == said["base-uri"] == said["form-action"] == "'none'"
    assert "style-src" not in said


def test_the_key_and_the_folders_are_for_their_user_alone(studio):
    assert (studio.home.own / "token").stat().st_mode & 0o777 == 0o600
    assert studio.home.own.stat().st_mode & 0o777 == 0o700
    assert len(studio.home.token) >= 43


def test_decisions_match_whole_paths():
    assert decide("/api/runs/x/do") is DECISIONS["/api/runs/{run}/do"]
    assert decide("/api/runs//do") is None
    assert decide("/api/runs/x/do/y") is None
    assert decide("/static") is None


def test_who_is_refused_sees_the_answer_even_while_sending(studio):
    for _ in range(20):
        assert ask(studio, "POST", "/api/uploads", {}, b"x" * 500_000)[0] == 401


def test_errors_say_nothing_of_this_machine(studio):
    status, headers, content = ask(studio, "GET", "/api/runs/a1", key(studio))
    body = json.loads(content)
    assert (status, headers["content-type"]) == (404, "application/problem+json")
    assert set(body) == {"type", "title", "status", "detail", "code", "expected", "step"}
    assert str(studio.home.runs).encode() not in content


@pytest.mark.parametrize("target", ["*", "nothing", "http://127.0.0.1/api/health", "127.0.0.1:80"])
def test_an_address_that_is_no_path_does_not_exist(studio, target):
    for method in ("GET", "OPTIONS"):
        assert ask(studio, method, target)[0] in (400, 404)


def test_a_header_that_only_looks_like_a_key_does_not_stand_for_the_origin(studio):
    for wrong in ("Bearer x", "Basic x", ""):
        given = {**cookie(studio), "Authorization": wrong}
        assert ask(studio, "POST", "/api/runs", given, b"{}")[0] == 403
        with pytest.raises(InvalidStatus), studio.live(headers=given):
            pass


@pytest.mark.parametrize("other", ['prefs={"a": 1}', "noequals", "a,b=1", "\xfc=1", "a=b c", 'x="'])
def test_cookies_of_other_servers_on_this_machine_do_no_harm(studio, other):
    ours = cookie(studio)["Cookie"]
    for jar in (f"{other}; {ours}", f"{ours}; {other}"):
        assert ask(studio, "GET", "/api/runs", {"Cookie": jar})[0] == 200
    assert ask(studio, "GET", "/api/runs", {"Cookie": other})[0] == 401


def test_a_key_for_once_opens_once(studio):
    guard = studio.server.config.app
    first, second = guard.key(), guard.key()
    assert ask(studio, "GET", f"/?token={first}")[0] == 303
    assert ask(studio, "GET", f"/?token={first}")[0] == 401
    assert ask(studio, "GET", "/api/runs", {"Authorization": f"Bearer {second}"})[0] == 401
    assert ask(studio, "GET", f"/?token={second}")[0] == 303


def test_the_names_of_hosts_are_compared_without_case():
    guard = Guard(None, token="", cookie="", hosts=["MyBox:80"], csp="")
    assert guard.hosts == {"mybox:80"}
    assert guard.origins == {"http://mybox:80"}
