"""The page and its files."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from narrows.studio.desk import Here

router = APIRouter(include_in_schema=False)


@router.get("/")
def index(request: Request, desk: Here) -> Response:
    """The page."""
    return desk.pages.answer("index.html", request)


@router.get("/static/{path:path}")
def static(path: str, request: Request, desk: Here) -> Response:
    """A file of the page."""
    return desk.pages.answer(path, request)
