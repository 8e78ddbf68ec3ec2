"""Bodies within their limits: counted as they arrive, given up when nothing comes, JSON read strictly before the app.

The guard has decided how many bytes a request may bring; what it says of its own length is only a first hint.
"""

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from narrows.files import parse_json
from narrows.studio.guard import SAFE, Decision, gathered
from narrows.studio.problems import answer, problem

IDLE_SECONDS = 60.0
"""A request of which nothing arrives for so long is given up."""

RATE, WHOLE_SECONDS = 4096, 3600.0
"""Bytes a second that a body has to bring after its first `IDLE_SECONDS`, and seconds that may be waited for all of it.

Only the time in which the peer is waited for counts.
"""


class Limits:
    """An ASGI app around another that hands it no more than the decision of the guard allows."""

    def __init__(self, app: ASGIApp, idle: float = IDLE_SECONDS):
        self.app, self.idle = app, idle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self.app(scope, receive, send)
            return
        decision: Decision = scope["narrows.decision"]
        counted = Counted(receive, decision.body, self.idle)
        try:
            check_length(scope, decision.body)
            source = replayed(await checked_json(counted)) if decision.json and decision.body else counted
        except HTTPException as error:
            await answer(problem(error.status_code, error.detail))(scope, receive, send)
            return
        await self.app(scope, source, send)


class Counted:
    """`receive` that raises once more has come than is allowed, or too slowly, or nothing for too long."""

    def __init__(self, receive: Receive, limit: int, idle: float):
        self.receive, self.limit, self.idle = receive, limit, idle
        self.count, self.waited = 0, 0.0

    async def __call__(self) -> Message:
        left = min(self.idle + self.count / RATE, WHOLE_SECONDS) - self.waited
        begin = time.monotonic()
        try:
            message = await asyncio.wait_for(self.receive(), max(0.0, min(self.idle, left)))
        except TimeoutError:
            raise too_slow(self.idle, self.waited + time.monotonic() - begin) from None
        self.waited += time.monotonic() - begin
        self.count += len(message.get("body", b""))
        if self.count > self.limit:
            raise too_large(self.limit)
        return message


def too_slow(idle: float, waited: float) -> HTTPException:
    """The error for a body that does not come, or too slowly."""
    expected = f"After {idle:g} seconds at least {RATE:,} bytes a second are expected, and all within {WHOLE_SECONDS:g}"
    return HTTPException(408, f"Waited {waited:.1f} seconds for the body of the request. {expected}.")


def too_large(limit: int) -> HTTPException:
    """The error for a body beyond its limit."""
    return HTTPException(413, f"The request brings more than {limit:,} bytes.")


def check_length(scope: Scope, limit: int) -> None:
    """Refuse a body that says itself that it is too long."""
    for value in gathered(scope["headers"]).get(b"content-length", []):
        if not value.isdigit():
            raise HTTPException(400, "The length of the request is not a number.")
        if int(value) > limit:
            raise too_large(limit)


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The body of a request as it arrives.

    Raises:
        HTTPException: It is cut short.
    """
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "The request was cut short.")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def checked_json(receive: Receive) -> bytes:
    """A whole body, which has to be empty or an object in strict JSON: each name once, finite numbers, not too deep."""
    content = b"".join([piece async for piece in pieces(receive)])
    if not content:
        return content
    try:
        values = parse_json(content)
    except ValueError as error:
        raise HTTPException(400, f"That is not JSON as it is read here: {str(error)[:200]}.") from None
    if not isinstance(values, dict):
        raise HTTPException(400, "The request has to be a JSON object.")
    return content


def replayed(content: bytes) -> Receive:
    """A `receive` that gives a body again, and then the end."""
    waiting: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]
    forever = asyncio.Event()

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        await forever.wait()
        return {"type": "http.disconnect"}

    return receive
