"""The guard: the one door of the studio, outermost, for http and WebSocket alike.

    method -> host -> address -> decision for the path -> origin -> token -> the app

Whatever is not allowed by a table here is refused; a path without a decision does not exist. It reads the path of the
scope, never an address put together from headers.

Every web page that is open in the same browser can send requests to this port, and a name that its owner lets point
here (DNS rebinding) makes them look local. So the host and the origin are compared with exact lists, and nothing is
told to who does not know the token: it is handed over once in the address that `narrows studio` opens, then kept in a
cookie that scripts cannot read and other sites cannot send; programs send it as a bearer.
"""

import asyncio
import contextlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from narrows.studio.problems import PROBLEM_TYPE, problem

Headers = dict[bytes, list[bytes]]
HeaderList = list[tuple[bytes, bytes]]

KB, MB = 1 << 10, 1 << 20
URL_LIMIT, HEADERS_LIMIT = 2 * KB, 16 * KB
JSON_BODY, UPLOAD_BODY, CODES_BODY = MB, 512 * MB, 16 * MB
DRAINED, DRAIN_SECONDS = MB, 1.0
COOKIE_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class Decision:
    """What the guard lets through at a path.

    Args:
        methods: The methods allowed; "WS" for a WebSocket.
        public: Whether it answers without the token.
        body: Most bytes a request may bring.
        json: Whether that body is JSON.
    """

    methods: tuple[str, ...]
    public: bool = False
    body: int = 0
    json: bool = True


READ = Decision(("GET",))

DECISIONS: dict[str, Decision] = {
    "/": READ,
    "/static/{path:path}": READ,
    "/api/health": Decision(("GET",), public=True),
    "/api/openapi.json": READ,
    "/api/live": Decision(("WS",)),
    "/api/choices": READ,
    "/api/preview": Decision(("POST",), body=JSON_BODY),
    "/api/corrupt": Decision(("POST",), body=JSON_BODY),
    "/api/runs": Decision(("GET", "POST"), body=JSON_BODY),
    "/api/runs/{run}": Decision(("GET", "PATCH", "DELETE"), body=JSON_BODY),
    "/api/runs/{run}/do": Decision(("POST",), body=JSON_BODY),
    "/api/runs/{run}/fork": Decision(("POST",), body=JSON_BODY),
    "/api/runs/{run}/objects": READ,
    "/api/runs/{run}/labels": READ,
    "/api/runs/{run}/where": READ,
    "/api/runs/{run}/scene": READ,
    "/api/runs/{run}/points": READ,
    "/api/runs/{run}/weights": READ,
    "/api/runs/{run}/snapshots/{step}": READ,
    "/api/runs/{run}/project": Decision(("POST",), body=JSON_BODY),
    "/api/runs/{run}/decode": Decision(("POST",), body=CODES_BODY, json=False),
    "/api/runs/{run}/use": Decision(("POST",), body=JSON_BODY),
    "/api/runs/{run}/export": READ,
    "/api/uploads": Decision(("GET", "POST"), body=UPLOAD_BODY, json=False),
    "/api/uploads/{upload}": Decision(("GET", "DELETE")),
}
"""Every path there is. A route that is not here cannot be reached, and a test fails on it."""

SAFE = ("GET",)
NAMED = {tuple(path.split("/")): decision for path, decision in DECISIONS.items()}

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def policy(hashes: Iterable[str] = ()) -> str:
    """The content security policy of every answer.

    Args:
        hashes: SHA-256 of the inline scripts allowed, in base64: the import map of the page.

    Example:
        >>> policy(["abc="]).split("; ")[1]
        "script-src 'self' 'sha256-abc='"
    """
    scripts = " ".join(["'self'", *(f"'sha256-{digest}'" for digest in hashes)])
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


class Refusal(Exception):
    """A request that is not let through: status, sentence, step."""

    def __init__(self, status: int, detail: str, step: str = ""):
        super().__init__(detail)
        self.status, self.detail, self.step = status, detail, step

    def __str__(self) -> str:
        return f"{self.detail} {self.step}." if self.step else self.detail


class Guard:
    """An ASGI app around another that lets through what the tables allow.

    Args:
        app: What is guarded.
        token: The secret.
        cookie: What a browser keeps instead of it.
        hosts: Host headers that are ours, such as "127.0.0.1:8000", exactly.
        csp: The content security policy of every answer.
    """

    def __init__(self, app: ASGIApp, *, token: str, cookie: str, hosts: Iterable[str], csp: str):
        self.app, self.token, self.cookie, self.csp = app, token, cookie, csp
        self.hosts = frozenset(host.lower() for host in hosts)
        self.once: set[str] = set()
        self.origins = frozenset(f"http://{host}" for host in self.hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] not in ("http", "websocket"):
            raise RuntimeError(f"no decision for {scope['type']}")
        try:
            decision = self.check(scope)
        except Refusal as refusal:
            await self.refuse(refusal, scope, receive, send)
            return
        if decision is None:
            await self.hand_over(scope, send)
            return
        scope["narrows.decision"] = decision
        await self.app(scope, receive, self.sealed(scope, send))

    def check(self, scope: Scope) -> Decision | None:
        """The decision for a request; None where the token is to be handed over.

        Raises:
            Refusal: It is not let through.
        """
        headers = gathered(scope["headers"])
        method = "WS" if scope["type"] == "websocket" else scope["method"]
        check_size(scope)
        self.check_host(headers)
        path = checked_path(scope)
        if method == "GET" and path == "/" and b"token=" in scope["query_string"]:
            self.check_key(scope["query_string"])
            return None
        decision = decide(path)
        if not (decision and decision.public):
            self.check_token(headers)
        if decision is None:
            raise Refusal(404, "There is nothing here.")
        if method not in decision.methods:
            raise Refusal(405, f"{method[:10]} is not possible here.")
        self.check_origin(method, headers)
        return decision

    def check_host(self, headers: Headers) -> None:
        """Refuse a request that was meant for another name: it may come from a page that lets its name point here."""
        given = headers.get(b"host", [])
        if len(given) != 1 or given[0].decode("latin-1").lower() not in self.hosts:
            raise Refusal(400, "The Host header is not one of this studio.", "Open the address that the terminal shows")

    def check_origin(self, method: str, headers: Headers) -> None:
        """Refuse what the page of another origin sends: one that is not ours, or none without a bearer."""
        given = headers.get(b"origin", [])
        if any(origin.decode("latin-1") not in self.origins for origin in given) or len(given) > 1:
            raise Refusal(403, "The Origin header is not this studio's.")
        if method not in SAFE and not given and not self.has_bearer(headers):
            raise Refusal(403, "A change needs an Origin header, or the token as a bearer.")
        site = headers.get(b"sec-fetch-site", [b"same-origin"])
        if any(word not in (b"same-origin", b"none") for word in site):
            raise Refusal(403, "Another site asked for this.")

    def check_token(self, headers: Headers) -> None:
        """Refuse who knows neither the cookie nor the token."""
        if self.has_bearer(headers):
            return
        if any(same(value, self.cookie) for value in cookies(headers, self.cookie_name(headers))):
            return
        raise Refusal(401, "This page opens with its key.", "Open the address that narrows studio prints")

    def has_bearer(self, headers: Headers) -> bool:
        """Whether the token comes as a bearer."""
        bearer = [value for value in headers.get(b"authorization", []) if value[:7].lower() == b"bearer "]
        return any(same(value[7:].strip(), self.token) for value in bearer)

    def key(self) -> str:
        """A key that opens the page once, for the command that opens a browser: other users can read that."""
        self.once.add(made := secrets.token_urlsafe(32))
        return made

    def spend(self, given: bytes) -> bool:
        """Whether these bytes are a key that was not used yet; it is then."""
        found = {key for key in self.once if same(given, key)}
        self.once -= found
        return bool(found)

    def check_key(self, query: bytes) -> None:
        """Refuse a wrong token in the address."""
        given = parse_qs(query.decode("latin-1")).get("token", [])
        key = given[0].encode("latin-1", "replace") if len(given) == 1 else b""
        if not (same(key, self.token) or self.spend(key)):
            raise Refusal(401, "That is not the key of this studio.", "Open the address that narrows studio prints")

    def cookie_name(self, headers: Headers) -> str:
        """The name of the cookie: one a port, since browsers do not keep cookies of ports apart."""
        return "narrows-" + headers[b"host"][0].decode("latin-1").rpartition(":")[2].strip("]")

    async def hand_over(self, scope: Scope, send: Send) -> None:
        """Change the token in the address into a cookie, and send the browser to the page itself."""
        name = self.cookie_name(gathered(scope["headers"]))
        cookie = f"{name}={self.cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age={COOKIE_SECONDS}"
        extra = [(b"location", b"/"), (b"set-cookie", cookie.encode())]
        await self.sealed(scope, send)({"type": "http.response.start", "status": 303, "headers": extra})
        await send({"type": "http.response.body", "body": b""})

    async def refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        """Say no."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        is_page = scope["path"] == "/"
        body = page_of(refusal) if is_page else json.dumps(problem(refusal.status, str(refusal), step=refusal.step))
        kind = b"text/html; charset=utf-8" if is_page else PROBLEM_TYPE.encode()
        content = body.encode()
        headers = [(b"content-type", kind), (b"content-length", str(len(content)).encode())]
        if scope["method"] not in SAFE:
            headers.append((b"connection", b"close"))
            await drain(receive)
        sealed = self.sealed(scope, send)
        await sealed({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def sealed(self, scope: Scope, send: Send) -> Send:
        """`send` with the headers that every answer carries."""
        extra = {**SECURITY_HEADERS, "Content-Security-Policy": self.csp}
        if not scope["path"].startswith("/static/"):
            extra["Cache-Control"] = "no-store"
        added = [(name.lower().encode(), value.encode()) for name, value in extra.items()]

        async def sending(message: dict) -> None:  # type: ignore[type-arg]
            if message["type"] == "http.response.start":
                ours = {name for name, _ in added}
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in ours]
                message = {**message, "headers": kept + added}
            await send(message)

        return sending  # type: ignore[return-value]


async def drain(receive: Receive) -> None:
    """Read what a refused request still brings, if it is not much: else its sender may never see the answer."""
    left = DRAINED
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def gathered(headers: HeaderList) -> Headers:
    """Headers by name, every value kept."""
    found: Headers = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value)
    return found


def check_size(scope: Scope) -> None:
    """Refuse addresses and headers longer than any of ours."""
    if len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"]) > URL_LIMIT:
        raise Refusal(414, f"The address is longer than {URL_LIMIT:,} bytes.")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS_LIMIT:
        raise Refusal(431, f"The headers are longer than {HEADERS_LIMIT:,} bytes.")


def checked_path(scope: Scope) -> str:
    """The path of a request, which has to be written in the one way that ours are: no dots, no escapes, no doubles."""
    path, raw = scope["path"], scope.get("raw_path") or scope["path"].encode()
    parts = path.split("/")[1:] or [""]
    plain = all(part not in ("", ".", "..") for part in parts[:-1]) and parts[-1] not in (".", "..")
    allowed = all(letter.isascii() and (letter.isalnum() or letter in "/._-") for letter in path)
    if scope.get("root_path") or not (path.startswith("/") and plain and allowed) or b"%" in raw:
        raise Refusal(404, "There is nothing here.")
    return path


def decide(path: str) -> Decision | None:
    """The decision for a path, None where there is none.

    Example:
        >>> decide("/api/runs/abc/do").methods, decide("/api/other"), decide("/static/js/page/app.js") is READ
        (('POST',), None, True)
    """
    parts = tuple(path.split("/"))
    if parts[:2] == ("", "static") and len(parts) > 2:
        return DECISIONS["/static/{path:path}"]
    return next((decision for named, decision in NAMED.items() if fits(parts, named)), None)


def fits(parts: tuple[str, ...], named: tuple[str, ...]) -> bool:
    """Whether the parts of a path are those of a template."""
    return len(parts) == len(named) and all(
        part == name or (name.startswith("{") and part != "") for part, name in zip(parts, named, strict=True)
    )


def cookies(headers: Headers, name: str) -> list[bytes]:
    """The values of a cookie in the request."""
    # Servers on other ports of this machine set cookies that come along, and some of them are not well formed.
    pairs = (pair.partition(b"=") for header in headers.get(b"cookie", []) for pair in header.split(b";"))
    return [value.strip() for given, _, value in pairs if given.strip() == name.encode("latin-1")]


def same(given: bytes, wanted: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how nearly."""
    return hmac.compare_digest(given, wanted.encode())


def page_of(refusal: Refusal) -> str:
    """A refusal as a page for people."""
    step = f"<p>{escape(refusal.step)}.</p>" if refusal.step else ""
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>narrows studio</title>'
    return f"{head}<h1>narrows studio</h1><p>{escape(refusal.detail)}</p>{step}</html>"


def hosts_for(names: Iterable[str], port: int) -> list[str]:
    """The Host headers of a server: its names, with the port it listens on.

    Example:
        >>> hosts_for(["localhost"], 8000), hosts_for(["localhost"], 80)
        (['localhost:8000'], ['localhost:80', 'localhost'])
    """
    return [host for name in names for host in ([f"{name}:{port}"] + ([name] if port == 80 else []))]
