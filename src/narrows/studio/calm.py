"""Refusals as answers: who asks for it gets a problem with status 200, its own status within.

A browser writes every other status into its console as an error, whatever the page makes of it. Programs see the
status itself, unless they ask too. What the guard refuses, and a bug, keep theirs for everybody.
"""

from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from narrows.studio.guard import gathered
from narrows.studio.problems import PROBLEM_SCHEMA, PROBLEM_TYPE

PREFERENCE = "problems=200"
"""What a request has in its header Prefer (RFC 7240) to be told of problems in this way."""


class Calm:
    """An ASGI app around another that tells problems with status 200 to who prefers that."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not prefers(gathered(scope["headers"]).get(b"prefer", [])):
            await self.app(scope, receive, send)
            return

        async def calmly(message: Message) -> None:
            await send(calmed(message) if message["type"] == "http.response.start" else message)

        await self.app(scope, receive, calmly)


def prefers(given: Iterable[bytes]) -> bool:
    """Whether header lines hold the preference, perhaps among others.

    Example:
        >>> prefers([b"wait=5, problems=200"]), prefers([b"problems=2000"]), prefers([])
        (True, False, False)
    """
    return any(part.strip() == PREFERENCE.encode() for line in given for part in line.split(b","))


def calmed(message: Message) -> Message:
    """The begin of an answer, with status 200 where it is that of a problem and not of a bug."""
    kind = gathered(message["headers"]).get(b"content-type", [b""])[0]
    if kind != PROBLEM_TYPE.encode() or message["status"] == 500:
        return message
    headers = [*message["headers"], (b"preference-applied", PREFERENCE.encode())]
    return {**message, "status": 200, "headers": headers}


def describe(paths: dict[str, Any]) -> None:
    """Say in the paths of an OpenAPI schema that every operation takes the preference, and what it answers then."""
    asked = {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "enum": [PREFERENCE]},
        "description": "Tell a problem with status 200; the status it has otherwise stands within.",
    }
    for way in (way for ways in paths.values() for way in ways.values()):
        way["parameters"] = [*way.get("parameters", []), asked]
        answer = way["responses"].setdefault("200", {"description": "A problem, where that is preferred."})
        answer.setdefault("content", {})[PROBLEM_TYPE] = {"schema": PROBLEM_SCHEMA}
