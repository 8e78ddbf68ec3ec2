"""The page's own modules, styles and some data as one HTML file, which works where it lies without any server.

Modules become data: addresses in the import map, so that they find each other by their names; what they ask the server
for is answered by `narrows/offline/api`, which stands under the name of `narrows/state/api`. The file's own policy lets
it load nothing else: no address, no script but these.
"""

import base64
import gzip
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from narrows.studio.pages import IMPORT_MAP, STATIC

ENTRY = "narrows/offline/page"
INSTEAD = {"narrows/state/api": "narrows/offline/api"}
"""Modules that stand under the name of others in a file."""

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
IMPORTED = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["']([^"'.][^"']*)["']""")
SHEET = re.compile(r'<link rel="stylesheet" href="(/static/[^"]+)">')
ADDRESS = re.compile(r"""url\(["']?(/static/[^"')]+)["']?\)""")


@dataclass(frozen=True)
class Part:
    """Bytes a page needs, each number of `width` bytes; packed place by place, since bytes of one place are alike."""

    content: bytes
    width: int = 1

    def packed(self) -> str:
        """As text for a page.

        Example:
            >>> base64.b64decode(Part(b"aAbB", 2).packed())[:2] == gzip.compress(b"")[:2]
            True
        """
        planes = np.frombuffer(self.content, np.uint8).reshape(-1, self.width).T.tobytes()
        # Without the time of packing: the same run gives the same file.
        return base64.b64encode(gzip.compress(planes, 6, mtime=0)).decode()


def one_file(title: str, about: Mapping[str, Any], parts: Mapping[str, Part]) -> bytes:
    """The page with its data.

    Args:
        title: What a browser calls it.
        about: What the page is told, JSON-ready.
        parts: Bytes by name.
    """
    said = {**about, "widths": {name: part.width for name, part in parts.items()}}
    blocks = [block("about", "application/json", safe_json(said))]
    blocks += [block(f"part-{name}", "text/plain", part.packed()) for name, part in parts.items()]
    names, start, style = json.dumps({"imports": dict(modules())}), f'import "{ENTRY}";', styles()
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy([names, start], [style])}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{style}</style>",
            f'<script type="importmap">{names}</script>',
            '</head><body><div id="app"></div>',
            "<noscript>This page draws with JavaScript: please allow it.</noscript>",
            *blocks,
            f'<script type="module">{start}</script>',
            "</body></html>",
        )
    ).encode()


def policy(scripts: list[str], styles: list[str]) -> str:
    """What the file may do: these scripts and styles, modules and pictures that it carries itself, nothing else.

    Example:
        >>> policy(["a"], ["b"]).split("; ")[-1]
        "form-action 'none'"
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(digest, scripts))} data:",
            f"style-src {' '.join(map(digest, styles))}",
            "img-src data: blob:",
            "font-src data:",
            "media-src data: blob:",
            "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def digest(text: str) -> str:
    """The source expression of an inline script or style."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def block(name: str, kind: str, text: str) -> str:
    """Data in a page, which no browser runs."""
    return f'<script type="{kind}" id="{name}">{text}</script>'


def safe_json(values: Any) -> str:
    """JSON that cannot end the element it stands in.

    Example:
        >>> safe_json("</script><script>alert(1)</script>")
        '"\\\\u003c/script>\\\\u003cscript>alert(1)\\\\u003c/script>"'
    """
    return json.dumps(values, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def modules(static: Path = STATIC) -> Iterator[tuple[str, str]]:
    """Every module the entry needs, by its bare name, as a data: address."""
    known = json.loads(IMPORT_MAP.findall((static / "index.html").read_bytes())[0])["imports"]
    waiting, done = [ENTRY], set[str]()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        source = (static / known[INSTEAD.get(name, name)].removeprefix("/static/")).read_text("utf-8")
        yield name, data_address("text/javascript", source.encode())
        waiting += [asked for asked in IMPORTED.findall(COMMENT.sub("", source)) if asked in known]


def styles(static: Path = STATIC) -> str:
    """The page's styles, and those of a file alone, with what they load inside."""
    kinds = {".woff2": "font/woff2", ".svg": "image/svg+xml", ".png": "image/png"}

    def inside(found: re.Match[str]) -> str:
        path = static / found[1].removeprefix("/static/")
        return f'url("{data_address(kinds[path.suffix], path.read_bytes())}")'

    linked = SHEET.findall((static / "index.html").read_text("utf-8"))
    sheets = [static / name.removeprefix("/static/") for name in (*linked, "offline.css")]
    return "\n".join(ADDRESS.sub(inside, sheet.read_text("utf-8")) for sheet in sheets)


def data_address(kind: str, content: bytes) -> str:
    """Bytes as an address of their own."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
