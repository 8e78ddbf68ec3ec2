"""The app: the guard outside, the limits within, the routes inside; refusals told as whoever asks prefers it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from narrows import __version__
from narrows.studio import calm
from narrows.studio.children import PROGRAM
from narrows.studio.desk import Desk
from narrows.studio.guard import Guard, policy
from narrows.studio.home import Home
from narrows.studio.jobs import AT_ONCE
from narrows.studio.limits import Limits
from narrows.studio.pages import STATIC, Pages
from narrows.studio.problems import PROBLEM_SCHEMA, PROBLEM_TYPE, TITLES, add_handlers
from narrows.studio.routes import ROUTERS

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": TITLES[status], "content": {PROBLEM_TYPE: {"schema": PROBLEM_SCHEMA}}}
    for status in (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 503, 507)
}
"""What every route may answer instead."""


def create_app(
    home: Home,
    hosts: Iterable[str],
    *,
    static: Path = STATIC,
    at_once: int = AT_ONCE,
    cores: int = 0,
    program: str = PROGRAM,
) -> Guard:
    """The studio as an ASGI app.

    Args:
        home: Its folders and its token.
        hosts: Host headers that are ours, each with its port.
        static: Where the files of the page lie.
        at_once: Families of runs that train at the same time.
        cores: Processor cores for training; all but one if 0.
        program: The module that children run.
    """
    pages = Pages(static)
    app = inner_app(Desk(home, pages, at_once=at_once, cores=cores, program=program))
    return Guard(calm.Calm(Limits(app)), token=home.token, cookie=home.cookie, hosts=hosts, csp=policy(pages.hashes))


def desk_of(app: Any) -> Desk:
    """The desk of an app, from within its guard."""
    while not isinstance(app, FastAPI):
        app = app.app
    return app.state.desk  # type: ignore[no-any-return]


def inner_app(desk: Desk) -> FastAPI:
    """The routes, without the guard around them."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await desk.open()
        yield
        await desk.close()

    app = FastAPI(
        title="narrows studio",
        version=__version__,
        description="Train autoencoders and look at them. Bytes are little endian; errors are problem JSON (RFC 9457).",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=PROBLEMS,
        lifespan=lifespan,
    )
    app.state.desk = desk
    add_handlers(app, desk.hidden)
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = partial(described, app, app.openapi)  # type: ignore[method-assign]
    return app


def described(app: FastAPI, schema: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The OpenAPI schema of the app, with the key that the guard asks for and the way in which problems are told."""
    found = schema()
    if "security" in found:
        return found
    found["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "what .studio/token holds"}
    }
    found["security"] = [{"token": []}]
    found["paths"]["/api/health"]["get"]["security"] = []
    calm.describe(found["paths"])
    return found
