"""The page's own files: a closed list, read once when the server starts, and the hash of its import map."""

import base64
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from narrows.errors import UsageError

STATIC = Path(__file__).parent / "static"

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
IMPORT_MAP = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True)
class File:
    """One file of the page: its content, its type, and a tag that changes with it."""

    content: bytes
    kind: str
    tag: str


class Pages:
    """All files of the page by their path below /static/.

    Args:
        folder: Where they lie; files of other kinds than the page is made of are left out.
    """

    def __init__(self, folder: Path = STATIC):
        paths = sorted(path for path in folder.rglob("*") if path.suffix in TYPES and path.is_file())
        self.files = {path.relative_to(folder).as_posix(): read(path) for path in paths}

    @property
    def hashes(self) -> list[str]:
        """The SHA-256 of the inline scripts of the page that may run: its import maps."""
        index = self.files.get("index.html")
        maps = IMPORT_MAP.findall(index.content) if index else []
        return [base64.b64encode(sha256(text).digest()).decode() for text in maps]

    def answer(self, name: str, request: Request) -> Response:
        """A file, or "not changed" for who has it.

        Raises:
            UsageError: There is no such file.
        """
        file = self.files.get(name)
        if file is None:
            raise UsageError("No such file is part of the page", code="usage.no-file")
        headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.kind, headers=headers)


def read(path: Path) -> File:
    """A file with its type and its tag."""
    content = path.read_bytes()
    return File(content, TYPES[path.suffix], f'"{sha256(content).hexdigest()[:20]}"')
