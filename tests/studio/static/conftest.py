"""An empty page that knows the modules of the studio, for tests of what they compute; no server is needed."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

import narrows

STATIC = Path(narrows.__file__).parent / "studio" / "static"
HOST = "http://narrows.test/"


def import_map():
    """The import map of the page itself, for this page's address."""
    found = re.search(r'<script type="importmap">(.*?)</script>', (STATIC / "index.html").read_text(), re.DOTALL)
    return {name: HOST + path.removeprefix("/static/") for name, path in json.loads(found[1])["imports"].items()}


def answer(route):
    path = route.request.url.removeprefix(HOST)
    if not path:
        blank = f'<!doctype html><script type="importmap">{json.dumps({"imports": import_map()})}</script>'
        route.fulfill(body=blank, content_type="text/html")
    else:
        route.fulfill(path=STATIC / path, content_type="text/javascript")


class Lab:
    """Runs JavaScript with arrays of numbers in and out."""

    def __init__(self, page):
        self.page = page

    def __call__(self, body, **given):
        """What the body of an async function of `given` returns; arrays become typed arrays, and back."""
        script = f"async (given) => window.lab(async ({{ {', '.join(given)} }}) => {{ {body} }}, given)"
        return opened(self.page.evaluate(script, {name: packed(value) for name, value in given.items()}))


def packed(value):
    if not isinstance(value, np.ndarray):
        return value
    return {"$": str(value.dtype), "bytes": base64.b64encode(value.tobytes()).decode()}


def opened(value):
    if isinstance(value, dict) and "$" in value:
        return np.frombuffer(base64.b64decode(value["bytes"]), value["$"])
    if isinstance(value, dict):
        return {key: opened(part) for key, part in value.items()}
    return [opened(part) for part in value] if isinstance(value, list) else value


EXCHANGE = """
const KINDS = { float32: Float32Array, float16: Uint16Array, uint8: Uint8Array, int16: Int16Array, int32: Int32Array };
const open = (v) => (v && v.$ ? new KINDS[v.$](Uint8Array.from(atob(v.bytes), (c) => c.charCodeAt(0)).buffer) : v);
const pack = (v) => {
  if (ArrayBuffer.isView(v)) {
    const bytes = new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
    const name = Object.keys(KINDS).find((key) => v instanceof KINDS[key]);
    return { $: name, bytes: btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join("")) };
  }
  if (Array.isArray(v)) return v.map(pack);
  return v && typeof v === "object" ? Object.fromEntries(Object.entries(v).map(([k, p]) => [k, pack(p)])) : v;
};
window.lab = async (f, given) => pack(await f(Object.fromEntries(Object.entries(given).map(([k, v]) => [k, open(v)]))));
"""


@pytest.fixture(scope="module")
def lab(browser):
    """A function that runs JavaScript in an empty page that knows the studio's modules."""
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route("**/*", answer)
    page.add_init_script(EXCHANGE)
    page.goto(HOST)
    yield Lab(page)
    context.close()
    assert not errors, errors
