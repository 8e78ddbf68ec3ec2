"""Errors as the page gets them: problem JSON (RFC 9457) with our code, what was expected, and one next step."""

import logging
import secrets
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from narrows.changes import explain
from narrows.errors import (
    DamagedError,
    EnvironmentProblem,
    InputError,
    Interrupted,
    LimitError,
    ModelError,
    NarrowsError,
    UsageError,
)

log = logging.getLogger("narrows.studio")

STATUS_BY_CODE = {
    "usage.no-run": 404,
    "usage.no-upload": 404,
    "usage.no-snapshot": 404,
    "usage.no-file": 404,
    "model.snapshot": 404,
    "usage.state": 409,
    "usage.busy": 429,
    "usage.format": 415,
    "environment.disk": 507,
}
STATUS_BY_KIND: dict[type[NarrowsError], int] = {
    UsageError: 422,
    InputError: 422,
    LimitError: 413,
    DamagedError: 422,
    ModelError: 409,
    Interrupted: 409,
    EnvironmentProblem: 503,
}
TITLES = {
    400: "That request cannot be read",
    401: "This address needs its key",
    403: "Refused",
    404: "Not here",
    405: "That cannot be done here",
    408: "Too slow",
    409: "Not now",
    413: "Too large",
    414: "Too long an address",
    415: "Not a kind of file that is read here",
    422: "That does not fit",
    429: "Too many at once",
    431: "Too long a header",
    500: "A bug in narrows",
    503: "Not possible here and now",
    507: "The disk is nearly full",
}


PROBLEM_TYPE = "application/problem+json"
PROBLEM_SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("type", "title", "detail", "code", "expected", "step")}
    | {"status": {"type": "integer"}},
    "required": ["type", "title", "status", "detail", "code", "expected", "step"],
}
"""The JSON Schema of the body of an error."""


def problem(status: int, detail: str, *, code: str = "", expected: str = "", step: str = "") -> dict[str, Any]:
    """The body of an error.

    Args:
        status: Its HTTP status.
        detail: All there is to say of it, what was expected and the next step among it.
        code: Stable name of the error.
        expected: The part of `detail` that says what was expected.
        step: The part of it that says what to do next.

    Example:
        >>> problem(404, "no run 'x'")["title"]
        'Not here'
    """
    title = TITLES.get(status, "Refused")
    parts = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return {**parts, "code": code or f"http.{status}", "expected": expected, "step": step}


def status_of(error: NarrowsError) -> int:
    """The HTTP status of an error of ours."""
    kinds = (STATUS_BY_KIND[kind] for kind in type(error).__mro__ if kind in STATUS_BY_KIND)
    return STATUS_BY_CODE.get(error.code) or next(kinds, 422)


def told(error: NarrowsError) -> dict[str, Any]:
    """An error of ours as the body of an answer."""
    return problem(status_of(error), str(error), code=error.code, expected=error.expected, step=error.step)


def answer(body: dict[str, Any]) -> JSONResponse:
    """An error as an answer."""
    return JSONResponse(body, status_code=body["status"], media_type=PROBLEM_TYPE)


def revived(error: dict[str, Any]) -> NarrowsError:
    """An error that a child told, as an error again.

    Example:
        >>> revived(UsageError("unknown network 'danse'", code="usage.unknown").as_dict()).code
        'usage.unknown'
    """
    exits = {kind.exit: kind for kind in STATUS_BY_KIND}
    kind = exits.get(int(error.get("exit", 1)), NarrowsError)
    said = {name: str(error.get(name, "")) for name in ("expected", "step", "code")}
    made = kind(str(error.get("given", "")), **said)
    made.args = (str(error.get("message", made.args[0])),)
    return made


def add_handlers(app: FastAPI, hidden: Callable[[str], str]) -> None:
    """Let every error of an app be told in this way; one that is a bug carries only the number of its log entry.

    Args:
        app: The app.
        hidden: Takes out of a sentence what nobody needs to know, such as places on this machine.
    """

    @app.exception_handler(NarrowsError)
    def ours(request: Request, error: NarrowsError) -> JSONResponse:
        if error.exit == 1:
            return incident(error)
        return answer({name: hidden(value) if isinstance(value, str) else value for name, value in told(error).items()})

    @app.exception_handler(RequestValidationError)
    def unfit(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        inside = recipe_place(tuple(first["loc"]))
        if inside is not None:
            return answer(told(explain({**first, "loc": inside})))  # type: ignore[typeddict-item]
        where = ".".join(map(str, first["loc"]))[:80]
        return answer(problem(422, f"{where}: {first['msg'][:200]}", code="usage.value"))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        return answer(problem(error.status_code, str(error.detail)))

    @app.exception_handler(Exception)
    def bug(request: Request, error: Exception) -> JSONResponse:
        return incident(error)


def recipe_place(place: tuple[int | str, ...]) -> tuple[int | str, ...] | None:
    """A place in the body of a request as a place in its recipe; None where it is not in one.

    Example:
        >>> recipe_place(("body", "recipes", 0, "seed")), recipe_place(("body", "recipe", "seed"))
        (('seed',), ('seed',))
        >>> recipe_place(("body", "names")) is None
        True
    """
    if place[:2] == ("body", "recipe"):
        return place[2:]
    return place[3:] if place[:2] == ("body", "recipes") and len(place) > 2 else None


def incident(error: Exception) -> JSONResponse:
    """The answer to a bug: a number under which the log tells more."""
    number = secrets.token_hex(4)
    log.error("incident %s", number, exc_info=error)
    step = "Report it with what the terminal says"
    detail = f"A bug in narrows; its log tells more under incident {number}. {step}."
    return answer(problem(500, detail, code="bug", step=step))
