"""The graph of every network and bottleneck against the model it describes."""

import json

import numpy as np
import pytest
import torch

from narrows.bottleneck import BOTTLENECKS, VQ, Plain, SparseTopK
from narrows.data.scaling import Scaling, fit_scaling, plain
from narrows.errors import ModelError
from narrows.nn import LSTM, NETWORKS, Conv, Dense, UNet
from narrows.readout.graph import WAYS, graph_of, put_weights, span_of, weights_of
from narrows.recipe import Recipe, build
from narrows.train.trial import multiplications
from narrows.types import Layout

SMALL = {
    "dense": Dense(widths=(16, 12)),
    "dense, no layers": Dense(widths=()),
    "dense, tied": Dense(widths=(16,), tied=True),
    "conv": Conv(channels=(4, 6)),
    "conv, map": Conv(channels=(4, 6, 5), map=True, kernel=5),
    "lstm": LSTM(hidden=5, chunk=3),
    "lstm, two layers": LSTM(hidden=4, layers=2),
    "unet": UNet(channels=(4, 6, 5)),
}
CODES = {
    **{name: settings(size=4) for name, settings in BOTTLENECKS.items() if name not in ("sparse-topk", "vq")},
    "sparse-topk": SparseTopK(size=4, k=2),
    "vq": VQ(size=4, group=2, entries=7),
}
SHAPES = [(2, 7, 10), (2, 30), (29,)]
CASES = [
    *((network, bottleneck, SHAPES[0]) for network in SMALL for bottleneck in CODES),
    *((network, bottleneck, shape) for network in SMALL for bottleneck in ("plain", "vq") for shape in SHAPES[1:]),
]
"""Every network with every bottleneck on pictures, and on series and vectors with a few."""


def made(network, bottleneck=None, shape=(2, 7, 10), **parts):
    """A recipe's untrained model with raw values far from the network's units, and its graph."""
    recipe = Recipe(network=network, bottleneck=bottleneck or Plain(size=8), **parts)
    layout = Layout("bricks", "image", shape, ("red", "grün"))
    x = np.random.default_rng(0).normal(40, 9, (20, *shape)).astype(np.float32)
    model = build(recipe, layout, fit_scaling(x, layout)).eval().requires_grad_(False)
    return model, graph_of(recipe, layout, model.requires_grad_())


def seen(model, x):
    """The shape of what every module of a model gave for one object."""
    shapes = {}

    def note(name):
        def hook(module, inputs, output):
            output = output[0] if isinstance(output, tuple) else output
            if isinstance(output, torch.Tensor):
                shapes[name] = list(output.shape[1:])

        return hook

    for name, module in model.named_modules():
        module.register_forward_hook(note(name))
    model(x)
    return shapes


def test_every_network_has_a_way():
    assert {settings.kind for settings in SMALL.values()} == NETWORKS.keys() == WAYS.keys()


@pytest.mark.parametrize(("network", "bottleneck", "shape"), CASES, ids=str)
def test_the_graph_tells_the_truth(network, bottleneck, shape):
    model, graph = made(SMALL[network], CODES[bottleneck], shape)
    assert json.loads(json.dumps(graph)) == graph
    assert graph["parameters"] == model.parameters_count
    assert graph["code"]["grid"] + [graph["code"]["size"]] == list(model.code_shape)
    assert graph["layers"][-1]["out"] == list(shape)
    uncounted = sum(layer["madds"] for layer in graph["layers"] if layer["op"] == "vq" or layer.get("transposed"))
    assert graph["madds"] - uncounted == multiplications(model, torch.zeros(1, *shape))
    check_chain(graph)
    check_shapes(graph, seen(model, torch.zeros(1, *shape)))


def check_chain(graph):
    """Every layer reads what stands before it, and their shapes meet."""
    out = {"object": graph["shape"]}
    for layer in graph["layers"]:
        assert out[layer["from"][0]] == layer["in"]
        assert layer["name"] not in out
        out[layer["name"]] = layer["out"]
        assert all(name in out for name in layer["from"])
    assert graph["code"]["layer"] in out


def check_shapes(graph, shapes):
    """Every layer that is a module gives the shape the module gave."""
    checked = [layer for layer in graph["layers"] if layer["name"] in shapes]
    assert len(checked) >= sum(layer["parameters"] > 0 for layer in graph["layers"] if not layer.get("transposed")) - 1
    for layer in checked:
        given = shapes[layer["name"]]
        assert layer["out"] == (given[-1:] if layer.get("returns") == "last" else given), layer["name"]


@pytest.mark.parametrize("network", SMALL)
def test_weights_go_out_and_come_back(network):
    model, graph = made(SMALL[network], CODES["vq"])
    weights = weights_of(model, graph)
    assert (weights.dtype, weights.shape) == (np.float16, (graph["count"],))
    assert graph["count"] == model.parameters_count + model.bottleneck.entries.numel()
    other, _ = made(SMALL[network], CODES["vq"], seed=1)
    put_weights(other, graph, weights)
    x = torch.from_numpy(np.random.default_rng(1).normal(0, 1, (3, 2, 7, 10)).astype(np.float32))
    with torch.no_grad():
        model.load_state_dict({name: value.half().float() for name, value in model.state_dict().items()})
        assert torch.equal(model(x).output, other(x).output)
    np.testing.assert_array_equal(weights_of(other, graph), weights)


def test_each_number_stands_where_the_graph_says():
    model, graph = made(Dense(widths=(16,)))
    weights, bias = weights_of(model, graph), graph["layers"][1]["weights"]["bias"]
    wanted = model.encoder.layers[0].bias.detach().numpy().astype(np.float16)
    np.testing.assert_array_equal(weights[bias["at"] :][: bias["shape"][0]], wanted)


def test_weights_of_another_model_are_refused():
    model, graph = made(Dense(widths=(16,)))
    with pytest.raises(ModelError, match="numbers, as the graph has"):
        put_weights(model, graph, np.zeros(3, np.float16))


def test_a_large_model_is_remote():
    recipe, layout = Recipe(bottleneck={"kind": "plain", "size": 2}), Layout("cells", "table", (29,))
    model = build(recipe, layout, Scaling("none", plain(0), plain(1)))
    assert [graph_of(recipe, layout, model, limit=limit)["remote"] for limit in (10, 10_000_000)] == [True, False]


def test_scaling_is_told_as_one_number_or_one_a_value():
    _, pictures = made(Dense(widths=(4,)))
    assert len(pictures["scale"]["offset"]) == 140
    recipe, layout = Recipe(bottleneck={"kind": "plain", "size": 2}), Layout("cells", "table", (29,))
    graph = graph_of(recipe, layout, build(recipe, layout, Scaling("unit", plain(3), plain(255), 0, 1)))
    assert graph["scale"] == {"offset": 3, "spread": 255}


def test_values_without_bounds_are_drawn_between_their_quantiles():
    raw = np.random.default_rng(0).normal(0, 1, (1000, 5))
    low, high = span_of(Scaling("none", plain(0), plain(1)), raw)
    assert (low, high) == pytest.approx((-2.576, 2.576), abs=0.2)
    assert span_of(Scaling("unit", plain(0), plain(1), 0.0, 1.0), raw) == (0.0, 1.0)
    assert span_of(Scaling("none", plain(0), plain(1)), np.ones((4, 2))) == (0.5, 1.5)
