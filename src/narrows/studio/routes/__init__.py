"""The routes of the studio, a family a file; each is a few lines between a request and what answers it.

Every path also needs a decision in `narrows.studio.guard`.
"""

from fastapi import APIRouter

from narrows.studio.routes import about, live, numbers, page, runs, try_out, uploads

ROUTERS: tuple[APIRouter, ...] = (
    page.router,
    about.router,
    runs.router,
    numbers.router,
    try_out.router,
    uploads.router,
    live.router,
)
"""All routes, in the order of the documentation."""
