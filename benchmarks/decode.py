"""How long the studio's page takes to decode a code and to pass an object, in headless Chromium, beside torch.

    python benchmarks/decode.py            needs Chromium on the PATH and `pip install playwright`

The default models of 28 x 28 pictures with a code of 2 numbers, as a drag in the map decodes them; and what new weights
cost: float16 numbers made ready for the layers of the decoder. A screen of 60 frames a second leaves 16.7 ms a frame.
"""

import argparse
import base64
import json
import shutil
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import Page, sync_playwright

import narrows
from narrows.data.scaling import Scaling, plain
from narrows.nn import Network
from narrows.nn.settings import Conv
from narrows.readout.graph import graph_of, weights_of
from narrows.recipe import Recipe, build, default_network
from narrows.types import Layout

JS = Path(narrows.__file__).parent / "studio" / "static" / "js"
HOST = "http://narrows.test/"
LAYOUT = Layout("pictures", "image", (1, 28, 28), low=0.0, high=255.0)
MODELS: dict[str, Network] = {
    "dense 1024, 512": default_network("dense", LAYOUT),
    "conv 32, 64": Conv(channels=(32, 64)),
    "conv 32, 64, 128": default_network("conv", LAYOUT),
    "LSTM 2 x 128": default_network("lstm", LAYOUT),
    "U-Net 32, 64, 96": default_network("unet", LAYOUT),
}
TITLES = ("decode p50", "p95", "forward p50", "p95", "new weights p50", "p95", "torch decode p50")
TIMES = """async ([graph, bytes]) => {
  const { Model } = await import("narrows/nn/nn");
  const weights = new Uint16Array(Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)).buffer);
  const model = new Model(graph, weights);
  const z = new Float32Array(model.z.length), x = new Float32Array(graph.values).fill(0.5);
  const timed = (f) => Array.from({ length: 150 }, (_, i) => {
    z.fill(Math.sin(i));
    const begin = performance.now();
    f();
    return performance.now() - begin;
  }).slice(30);
  const fresh = () => { model.update(weights); model.decode(z); };
  return [timed(() => model.decode(z)), timed(() => model.forward(x)), timed(fresh)];
}"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", default="", help="the models whose name begins so")
    only = options.parse_args().only
    torch.set_num_threads(1)
    print(" " * 20 + "".join(f"{title:>17}" for title in TITLES))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        for name, network in MODELS.items():
            if not name.startswith(only):
                continue
            tell(name, network, opened(browser.new_page()))
        browser.close()


def opened(page: Page) -> Page:
    """An empty page that knows the modules of the studio."""
    files = [file.relative_to(JS).with_suffix("").as_posix() for file in JS.rglob("*.js")]
    names = {f"narrows/{name}": f"{HOST}{name}.js" for name in files}
    blank = f'<script type="importmap">{json.dumps({"imports": names})}</script>'
    page.route(HOST, lambda route: route.fulfill(body=blank, content_type="text/html"))
    page.route(f"{HOST}**/*.js", lambda route: route.fulfill(path=JS / route.request.url.removeprefix(HOST)))
    page.goto(HOST)
    return page


def tell(name: str, network: Network, page: Page) -> None:
    recipe = Recipe(network=network, bottleneck={"kind": "plain", "size": 2})
    model = build(recipe, LAYOUT, Scaling("unit", plain(0), plain(255), 0.0, 1.0)).eval().requires_grad_(False)
    graph = graph_of(recipe, LAYOUT, model)
    weights = base64.b64encode(weights_of(model, graph).tobytes()).decode()
    columns = [float(np.percentile(times, at)) for times in page.evaluate(TIMES, [graph, weights]) for at in (50, 95)]
    print(f"{name:<20}" + "".join(f"{time:>14.1f} ms" for time in [*columns, by_torch(model)]))


def by_torch(model: torch.nn.Module) -> float:
    """Median milliseconds in which torch decodes one code on one thread."""
    z, times = torch.zeros(1, *model.code_shape), []
    for _ in range(60):
        begin = time.perf_counter()
        model.decode(z)
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times)


if __name__ == "__main__":
    main()
