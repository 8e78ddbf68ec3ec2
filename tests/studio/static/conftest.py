"""An empty page that knows the modules of the studio, for tests of what they compute; no server is needed."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import narrows
from narrows.data.scaling import fit_scaling
from narrows.readout.graph import graph_of
from narrows.recipe import Recipe, build
from narrows.types import Layout

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


def made_model(network, bottleneck, shape, seed=0, **parts):
    """A model with weights that a float16 can hold, its graph, and scaled objects."""
    recipe = Recipe(network=network, bottleneck=bottleneck, seed=seed, **parts)
    layout = Layout("bricks", "image", shape)
    rng = np.random.default_rng(seed)
    x = rng.normal(40, 9, (20, *shape)).astype(np.float32)
    scaling = fit_scaling(x, layout)
    model = build(recipe, layout, scaling).eval().requires_grad_(False)
    for parameter in model.parameters():
        # Larger than at the start of a training, so that no function is only tried where it is a straight line.
        parameter.mul_(3)
    model.load_state_dict({name: value.half().to(value.dtype) for name, value in model.state_dict().items()})
    return model, graph_of(recipe, layout, model), scaling.apply(x)[:3]


@pytest.fixture(scope="session")
def made():
    """A function that makes a model with weights that a float16 can hold, its graph, and scaled objects."""
    return made_model


def noted(model, graph):
    """The outputs of the modules of a model by name, (B, D) each, filled in whenever it computes."""
    outputs, modules = {}, dict(model.named_modules())
    for layer in graph["layers"]:
        if layer["name"] in modules:
            modules[layer["name"]].register_forward_hook(note(layer, outputs))
    return outputs


def note(layer, outputs):
    """A hook that keeps what a layer of the graph gives, after its activation."""
    named = {"identity": lambda x: x, "silu": torch.nn.functional.silu, "gelu": torch.nn.functional.gelu}
    finish = named.get(layer["activation"]) or getattr(torch, layer["activation"])

    def hook(module, inputs, output):
        if layer["op"] == "lstm":
            states, (hidden, _) = output
            output = hidden[-2:].movedim(0, 1) if layer["returns"] == "last" else states
        if "limit" in layer:
            output = output.clamp(-layer["limit"], layer["limit"])
        outputs[layer["name"]] = finish(output).reshape(len(output), -1)

    return hook


@pytest.fixture(scope="session")
def seen():
    """A function that gives the outputs of a model's modules by name, filled in whenever it computes."""
    return noted
