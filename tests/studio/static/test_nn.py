"""The page's own arithmetic against PyTorch: every network with every bottleneck, layer by layer."""

import numpy as np
import pytest
import torch

from narrows.bottleneck import BOTTLENECKS, FSQ, VQ, Plain, SparseTopK
from narrows.changes import assign
from narrows.data import load
from narrows.data.scaling import Scaling, plain
from narrows.nn import LSTM, NETWORKS, Conv, Dense, UNet
from narrows.readout.graph import graph_of, weights_of
from narrows.recipe import Recipe, build, recipe_for
from narrows.train import Finished, fit
from narrows.types import Layout

NETS = {
    "dense": Dense(widths=(16, 11)),
    "dense, no layers": Dense(widths=()),
    "dense, tied": Dense(widths=(16, 9), tied=True, activation="gelu"),
    "conv": Conv(channels=(4, 6, 7)),
    "conv, map": Conv(channels=(4, 6, 5), map=True, kernel=5, activation="relu"),
    "lstm": LSTM(hidden=5, chunk=3),
    "lstm, two layers": LSTM(hidden=4, layers=2),
    "unet": UNet(channels=(4, 6, 5), activation="tanh"),
}
CODES = {
    **{name: settings(size=4) for name, settings in BOTTLENECKS.items() if name not in ("sparse-topk", "vq", "fsq")},
    "sparse-topk": SparseTopK(size=4, k=2),
    "vq": VQ(size=4, group=2, entries=7),
    "fsq": FSQ(size=4, levels=6),
}
SHAPES = [(2, 7, 10), (2, 30), (29,)]
CASES = [
    *((network, bottleneck, SHAPES[0]) for network in NETS for bottleneck in CODES),
    *((network, bottleneck, shape) for network in NETS for bottleneck in ("plain", "vq") for shape in SHAPES[1:]),
]
"""Every network with every bottleneck on pictures, and on series and vectors with a few."""

TOLERANCE = 1e-5


def near(given, wanted, what):
    """Equal to within 1e-5 of the range of the values."""
    wanted = np.asarray(wanted, np.float32).reshape(-1)
    difference = np.abs(np.asarray(given).reshape(-1) - wanted).max()
    assert difference <= TOLERANCE * (np.ptp(wanted) or 1), f"{what}: {difference}"


RUN = """
  const { Model } = await import("narrows/nn/nn");
  const model = new Model(graph, weights);
  const copy = ({ z, y, trace }) =>
    ({ z: z.slice(), y: y.slice(), trace: Object.fromEntries(Object.entries(trace).map(([k, v]) => [k, v.slice()])) });
  const D = graph.values, K = codes.length / (objects.length / D);
  const forward = [], decoded = [];
  for (let i = 0; i < objects.length / D; i += 1) {
    forward.push(copy(model.forward(objects.subarray(i * D, (i + 1) * D))));
    decoded.push(copy(model.decode(codes.subarray(i * K, (i + 1) * K))));
  }
  return { forward, decoded };
"""


def test_every_part_is_tried():
    assert {settings.kind for settings in NETS.values()} == NETWORKS.keys()
    assert CODES.keys() == BOTTLENECKS.keys()


@pytest.mark.parametrize(("network", "bottleneck", "shape"), CASES, ids=str)
def test_every_layer_gives_what_torch_gives(lab, made, seen, network, bottleneck, shape):
    model, graph, x = made(NETS[network], CODES[bottleneck], shape)
    outputs = seen(model, graph)
    passed = model(torch.from_numpy(x))
    outputs = dict(outputs)
    codes = np.random.default_rng(1).normal(0, 1, passed.code.z.shape).astype(np.float32)
    wanted = model.decode(torch.from_numpy(codes)).numpy()
    given = lab(RUN, graph=graph, weights=weights_of(model, graph), objects=x, codes=codes)
    for i, one in enumerate(given["forward"]):
        near(one["z"], passed.code.z[i], "code")
        near(one["y"], passed.output[i], "output")
        near(given["decoded"][i]["y"], wanted[i], "decoded")
        for name, output in outputs.items():
            near(one["trace"][name], output[i], name)
    assert outputs
    assert wanted.std() > 0.05


@pytest.mark.parametrize("activation", ["silu", "gelu", "relu", "tanh", "identity"])
@pytest.mark.parametrize("head", ["linear", "clipped", "sigmoid", "tanh"])
def test_every_activation_and_every_head(lab, activation, head):
    recipe = Recipe(network=Dense(widths=(16,), activation=activation), bottleneck=Plain(size=4), head=head)
    layout = Layout("cells", "table", (29,), low=0.0, high=1.0)
    model = build(recipe, layout, Scaling("unit", plain(0), plain(1), 0.0, 1.0)).eval().requires_grad_(False)
    model.load_state_dict({name: (2 * value).half().float() for name, value in model.state_dict().items()})
    graph = graph_of(recipe, layout, model)
    x = np.random.default_rng(0).uniform(0, 1, (5, 29)).astype(np.float32)
    codes = np.random.default_rng(1).normal(0, 2, (5, 4)).astype(np.float32)
    given = lab(RUN, graph=graph, weights=weights_of(model, graph), objects=x, codes=codes)
    near([one["y"] for one in given["forward"]], model(torch.from_numpy(x)).output, "output")
    near([one["y"] for one in given["decoded"]], model.decode(torch.from_numpy(codes)), "decoded")


def test_gates_of_an_lstm_are_torchs(lab, made):
    model, graph, x = made(LSTM(hidden=4, layers=2), Plain(size=4), (2, 30))
    script = """
      const { Model } = await import("narrows/nn/nn");
      return new Model(graph, weights).encode(object).gates["encoder.lstm"];
    """
    given = lab(script, graph=graph, weights=weights_of(model, graph), object=x[0])
    lstm, steps = model.encoder.lstm, model.encoder.steps.split(torch.from_numpy(x[:1]))[0]
    states, _ = lstm(steps[None])
    for way, side in zip(given[2:], (slice(4), slice(4, 8)), strict=True):
        near(way["hidden"], states[0, :, side], "hidden")
        near(np.multiply(way["output"], np.tanh(way["cell"])), states[0, :, side], "hidden from output and cell")
    cell = torch.nn.LSTMCell(2, 4)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(cell, name).data = getattr(lstm, f"{name}_l0_reverse")
    h = c = torch.zeros(1, 4)
    for t in reversed(range(len(steps))):
        sums = steps[t] @ cell.weight_ih.t() + cell.bias_ih + h @ cell.weight_hh.t() + cell.bias_hh
        h, c = cell(steps[t][None], (h, c))
        near(given[1]["cell"].reshape(-1, 4)[t], c.detach(), "cell")
        for name, part, function in zip(
            ("input", "forget", "candidate", "output"),
            sums.detach().chunk(4, dim=1),
            (torch.sigmoid, torch.sigmoid, torch.tanh, torch.sigmoid),
            strict=True,
        ):
            near(given[1][name].reshape(-1, 4)[t], function(part), name)


@pytest.mark.parametrize("network", ["dense", "conv, map", "unet"])
def test_a_clamped_unit_stays_where_it_is_held(lab, made, network):
    model, graph, x = made(NETS[network], Plain(size=4), (2, 7, 10))
    script = """
      const { Model } = await import("narrows/nn/nn");
      const model = new Model(graph, weights);
      const { z, y } = model.forward(object, { clamp: { 0: 0.75, 1: null, 3: 0 } });
      return { z: z.slice(), y: y.slice() };
    """
    given = lab(script, graph=graph, weights=weights_of(model, graph), object=x[0])
    h, skips = model.encoder(torch.from_numpy(x[:1]))
    z = model.bottleneck(h).z
    z[..., 0], z[..., 3] = 0.75, 0
    near(given["z"], z, "code")
    near(given["y"], model.finished(model.decoder(z, skips)), "output")


def test_new_weights_a_twin_and_many_objects(lab, made):
    model, graph, x = made(NETS["conv"], Plain(size=4), (2, 7, 10))
    other, _, _ = made(NETS["conv"], Plain(size=4), (2, 7, 10), seed=1)
    script = """
      const { Model } = await import("narrows/nn/nn");
      const model = new Model(graph, weights), twin = model.twin();
      const before = model.forward(objects.subarray(0, graph.values)).y;
      twin.decode(new Float32Array(4));
      const kept = before.slice();
      model.update(later);
      const codes = twin.encodeMany(objects);
      const reached = model.reach(objects.subarray(0, graph.values), "encoder.layers.1").slice();
      return { kept, codes, reached, made: model.decodeMany(codes) };
    """
    given = lab(script, graph=graph, weights=weights_of(model, graph), later=weights_of(other, graph), objects=x)
    near(given["kept"], model(torch.from_numpy(x[:1])).output, "output")
    codes = other.encode(torch.from_numpy(x)).z
    near(given["codes"], codes, "codes")
    near(given["made"], other.decode(codes), "objects")
    with torch.no_grad():
        h = torch.from_numpy(x[:1])
        for layer in list(other.encoder.layers)[:2]:
            h = torch.nn.functional.silu(layer(h))
    near(given["reached"], h, "layer")


def test_raw_values_are_scaled_and_unscaled(lab, made):
    model, graph, x = made(NETS["dense"], Plain(size=4), (2, 7, 10))
    raw = model.unscaled(torch.from_numpy(x)).numpy()
    script = "const nn = await import('narrows/nn/nn'); return [nn.scaled(raw, graph), nn.unscaled(x, graph)];"
    given = lab(script, graph=graph, raw=raw, x=x)
    near(given[0], x, "scaled")
    near(given[1], raw, "unscaled")


def test_every_float16_is_read(lab):
    patterns = np.arange(65536, dtype=np.uint16).view(np.float16)
    given = lab("return (await import('narrows/state/half')).unhalved(patterns);", patterns=patterns)
    np.testing.assert_array_equal(given, patterns.astype(np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("network", ["dense", "conv", "lstm"])
def test_the_drift_from_float32_is_not_seen(lab, network, capsys):
    """The default models, trained on drawn letters and rounded to float16, against the unrounded ones."""
    data = load("glyphs", limit=1500)
    recipe = assign(recipe_for(data, network=network), ["training.epochs=3"])
    result = next(event for event in fit(recipe, data) if isinstance(event, Finished)).result
    model, graph = result.model.eval(), graph_of(recipe, data.layout, result.model)
    x = result.scaling.apply(data.test.x[:20])
    passed = model(torch.from_numpy(x))
    codes, output = passed.code.z.detach().numpy(), passed.output.detach().numpy()
    given = lab(RUN, graph=graph, weights=weights_of(model, graph), objects=x, codes=codes)
    drift = max(
        np.abs(one["y"] - y.reshape(-1)).max() for way in given.values() for one, y in zip(way, output, strict=True)
    )
    with capsys.disabled():
        print(f" {network}: largest drift {255 * drift:.3f}/255", end="")
    assert output.std() > 0.1
    assert 0 < drift <= 2 / 255
