"""What the page says of a value, against the slopes that torch finds: weights, receptive fields, answers, filters."""

import numpy as np
import pytest
import torch

from narrows.bottleneck import FSQ, VQ, Plain, SparseKL, SparseTopK
from narrows.metrics.latent import dead_units
from narrows.nn import LSTM, Conv, Dense, UNet
from narrows.readout.graph import weights_of

NETS = {
    "dense": Dense(widths=(16, 11)),
    "dense, tied": Dense(widths=(16,), tied=True),
    "conv": Conv(channels=(4, 6)),
    "conv, map": Conv(channels=(4, 6, 5), map=True, kernel=5),
    "lstm": LSTM(hidden=5, chunk=3),
    "unet": UNet(channels=(4, 6)),
}
SHAPES = [(2, 7, 10), (2, 30)]

EXPLAIN = """
  const { Model } = await import("narrows/nn/nn");
  const { explain } = await import("narrows/nn/explain");
  const model = new Model(graph, weights);
  model.forward(object);
  return asked.map(([name, index]) => explain(model, name, index));
"""


def asked_of(graph, ops, count=6):
    """Some values of the layers of some kinds: the first, the last and a few between."""
    rng = np.random.default_rng(0)
    chosen = [layer for layer in graph["layers"] if layer["op"] in ops]
    sizes = [(layer["name"], int(np.prod(layer["out"]))) for layer in chosen]
    return [[name, int(i)] for name, size in sizes for i in {0, size - 1, *rng.integers(0, size, count)}]


class Inside:
    """Input of each module of a model, and the slopes of one of its values before the activation."""

    def __init__(self, model, x):
        self.modules, self.inputs = dict(model.named_modules()), {}
        hooks = [module.register_forward_hook(self.note(name)) for name, module in self.modules.items()]
        model(x)
        for hook in hooks:
            hook.remove()

    def note(self, name):
        def hook(module, inputs, output):
            self.inputs[name] = inputs[0].detach()

        return hook

    def slopes(self, name, index):
        given = self.inputs[name].requires_grad_()
        made = self.modules[name](given).reshape(-1)[index]
        (slope,) = torch.autograd.grad(made, given)
        return made.item(), slope.reshape(-1).numpy(), given.detach().reshape(-1).numpy()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("network", ["dense", "conv", "conv, map", "unet"])
def test_a_value_is_the_sum_that_torch_makes(lab, made, network, shape):
    model, graph, x = made(NETS[network], Plain(size=4), shape)
    asked = asked_of(graph, {"dense", "conv1d", "conv2d", "convt1d", "convt2d"})
    given = lab(EXPLAIN, graph=graph, weights=weights_of(model, graph), object=x[0], asked=asked)
    inside = Inside(model, torch.from_numpy(x[:1]))
    for (name, index), origin in zip(asked, given, strict=True):
        sum_, slopes, inputs = inside.slopes(name, index)
        weights = np.zeros_like(slopes)
        weights[origin["terms"]["index"]] = origin["terms"]["weight"]
        np.testing.assert_array_equal(weights, slopes)
        near = 1e-5 * max(1.0, float(np.ptp(inputs)))
        np.testing.assert_allclose(origin["terms"]["value"], inputs[origin["terms"]["index"]], atol=near)
        assert origin["sum"] == pytest.approx(sum_, abs=near)
        assert origin["bias"] + origin["terms"]["product"].sum() == pytest.approx(sum_, abs=near)
        check_finished(origin)


def check_finished(origin):
    """The value is the activation of the sum."""
    named = {"identity": lambda x: x, "silu": torch.nn.functional.silu}
    finish = named.get(origin["activation"]) or getattr(torch, origin["activation"])
    assert origin["value"] == pytest.approx(finish(torch.tensor(origin["sum"])).item(), abs=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_window_is_where_the_kernel_looked(lab, made, shape):
    model, graph, x = made(NETS["conv"], Plain(size=4), shape)
    asked = asked_of(graph, {"conv1d", "conv2d", "convt1d", "convt2d"})
    given = lab(EXPLAIN, graph=graph, weights=weights_of(model, graph), object=x[0], asked=asked)
    sides = {layer["name"]: layer["in"] for layer in graph["layers"]}
    for origin in given:
        seen = np.zeros(sides[origin["name"]], bool)
        box = zip(origin["window"]["from"], origin["window"]["to"], strict=True)
        seen[(slice(None), *(slice(a, b + 1) for a, b in box))] = True
        np.testing.assert_array_equal(np.flatnonzero(seen), origin["terms"]["index"])


def test_a_tied_layer_and_layers_that_move_values(lab, made):
    model, graph, x = made(NETS["dense, tied"], Plain(size=4), (2, 7, 10))
    asked = [["decoder.layers.0", 3], ["decoder.shape", 77], ["encoder.flat", 5]]
    given = lab(EXPLAIN, graph=graph, weights=weights_of(model, graph), object=x[0], asked=asked)
    np.testing.assert_array_equal(given[0]["terms"]["weight"], model.bottleneck.project.weight[:, 3])
    check_finished(given[0])
    assert (given[1]["name"], given[1]["index"]) == ("decoder.layers.1", 77)
    assert given[2] is None


def test_the_strongest_terms_come_first(lab, made):
    model, graph, x = made(NETS["dense"], Plain(size=4), (2, 7, 10))
    script = """
      const { Model } = await import("narrows/nn/nn");
      const { explain, strongest } = await import("narrows/nn/explain");
      const model = new Model(graph, weights);
      model.forward(object);
      return strongest(explain(model, "encoder.layers.0", 4).terms, 5);
    """
    given = lab(script, graph=graph, weights=weights_of(model, graph), object=x[0])
    products = x[0].reshape(-1) * model.encoder.layers[0].weight[4].numpy()
    assert [one["index"] for one in given] == np.argsort(-np.abs(products))[:5].tolist()
    np.testing.assert_allclose([one["product"] for one in given], products[[one["index"] for one in given]], rtol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_gates_of_a_memory_add_up(lab, made, layers):
    model, graph, x = made(LSTM(hidden=5, layers=layers), Plain(size=4), (2, 9))
    asked = asked_of(graph, {"lstm"})
    given = lab(EXPLAIN, graph=graph, weights=weights_of(model, graph), object=x[0], asked=asked)
    functions = {"input": "sigmoid", "forget": "sigmoid", "candidate": "tanh", "output": "sigmoid"}
    inputs = Inside(model, torch.from_numpy(x[:1])).inputs
    for (name, _), origin in zip(asked, given, strict=True):
        memory = origin["memory"]
        gates = {gate["name"]: gate for gate in memory["gates"]}
        for gate, function in functions.items():
            total = torch.tensor(gates[gate]["fromInput"] + gates[gate]["fromHidden"] + gates[gate]["bias"])
            assert gates[gate]["value"] == pytest.approx(getattr(torch, function)(total).item(), abs=1e-5)
        values = {gate: gates[gate]["value"] for gate in gates}
        cell = values["forget"] * memory["before"] + values["input"] * values["candidate"]
        assert memory["cell"] == pytest.approx(cell, abs=1e-5)
        assert origin["value"] == pytest.approx(values["output"] * np.tanh(memory["cell"]), abs=1e-5)
        if layers == 1:
            lstm = model.get_submodule(name)
            weight = lstm.weight_ih_l0_reverse if memory["backward"] else lstm.weight_ih_l0
            wanted = weight[5 + memory["unit"]] @ inputs[name][0, memory["step"]]
            assert gates["forget"]["fromInput"] == pytest.approx(wanted.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("bottleneck", "op"),
    [
        (SparseKL(size=4), "sigmoid"),
        (SparseTopK(size=4, k=2), "topk"),
        (FSQ(size=4, levels=5), "fsq"),
        (VQ(size=4, group=2, entries=7), "vq"),
    ],
    ids=lambda part: getattr(part, "kind", part),
)
def test_what_a_bottleneck_did_to_a_number(lab, made, bottleneck, op):
    model, graph, x = made(NETS["dense"], bottleneck, (2, 7, 10))
    name = f"bottleneck.{op}"
    asked = [[name, i] for i in range(4)]
    given = lab(EXPLAIN, graph=graph, weights=weights_of(model, graph), object=x[0], asked=asked)
    code = model.encode(torch.from_numpy(x[:1]))
    before = model.bottleneck.project(model.encoder(torch.from_numpy(x[:1]))[0])[0]
    for i, origin in enumerate(given):
        terms = dict(zip(origin["terms"]["index"].tolist(), origin["terms"]["value"], strict=True))
        assert terms[i] == pytest.approx(before[i].item(), abs=1e-5)
        assert origin["value"] == pytest.approx(code.z[0, i].item(), abs=1e-5)
        if op == "topk":
            assert origin["kept"] == bool(code.z[0, i])
        if op == "fsq":
            assert origin["level"] == code.extras["indices"][0, i]
        if op == "vq":
            assert origin["entry"] == code.extras["indices"][0, i // 2]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("network", [name for name in NETS if name != "dense, tied"])
def test_a_receptive_field_is_where_the_slope_is_not_zero(lab, made, seen, network, shape):
    model, graph, x = made(NETS[network], Plain(size=4), shape)
    outputs = seen(model.double(), graph)
    given_x = torch.from_numpy(x[:1]).double().requires_grad_()
    model(given_x)
    names = {layer["name"] for layer in graph["layers"]}
    asked = [[name, i] for name, i in asked_of(graph, {layer["op"] for layer in graph["layers"]}, 2) if name in outputs]
    script = """
      const { field } = await import("narrows/nn/field");
      return asked.map(([name, index]) => field(graph, name, index));
    """
    given = lab(script, graph=graph, asked=asked)
    assert {name for name, _ in asked} <= names
    for (name, index), mask in zip(asked, given, strict=True):
        (slope,) = torch.autograd.grad(outputs[name][0, index], given_x, retain_graph=True)
        np.testing.assert_array_equal(mask != 0, slope.reshape(-1).numpy() != 0, err_msg=f"{name} {index}")


@pytest.mark.parametrize(("network", "name"), [("dense", "encoder.layers.0"), ("conv", "encoder.layers.1")])
def test_units_answer_the_objects_that_move_them_most(lab, made, seen, network, name):
    model, graph, _ = made(NETS[network], Plain(size=4), (2, 7, 10))
    layer = model.get_submodule(name)
    layer.weight[2], layer.bias[2] = 0, 0.5
    outputs = seen(model, graph)
    x = np.random.default_rng(3).normal(0, 1, (30, 2, 7, 10)).astype(np.float32)
    model.encode(torch.from_numpy(x))
    script = """
      const { Model } = await import("narrows/nn/nn");
      const { Survey } = await import("narrows/nn/survey");
      const survey = new Survey(new Model(graph, weights), name, 4);
      for (let i = 0; i < 30; i += 1) survey.add(objects.subarray(i * graph.values, (i + 1) * graph.values), 100 + i);
      return { best: survey.best, dead: survey.dead };
    """
    given = lab(script, graph=graph, weights=weights_of(model, graph), objects=x, name=name)
    units = outputs[name].reshape(30, len(layer.bias), -1).numpy()
    for unit, best in enumerate(given["best"]):
        if unit != 2:
            wanted = np.argsort(-units[:, unit].max(1))[:4]
            assert [one["object"] - 100 for one in best] == wanted.tolist()
            assert [one["index"] % units.shape[2] for one in best] == units[wanted, unit].argmax(1).tolist()
    flat = units.transpose(0, 2, 1).reshape(-1, units.shape[1])
    assert given["dead"] == dead_units(flat).tolist() == [2]


def test_filters_and_patterns_are_the_weights(lab, made):
    script = """
      const { Model } = await import("narrows/nn/nn");
      const { filters } = await import("narrows/nn/filters");
      const model = new Model(graph, weights);
      return Object.fromEntries(graph.layers.map(({ name }) => [name, filters(model, name)]));
    """
    model, graph, _ = made(NETS["conv"], Plain(size=4), (2, 7, 10))
    given = lab(script, graph=graph, weights=weights_of(model, graph))
    same(given["encoder.layers.1"][0], model.encoder.layers[1].weight, [3, 3])
    same(given["decoder.layers.0"][0], model.decoder.layers[0].weight.transpose(0, 1), [3, 3])
    assert given["encoder.flat"] == []
    for tied in (False, True):
        model, graph, _ = made(Dense(widths=(16,), tied=tied), Plain(size=4), (2, 7, 10))
        given = lab(script, graph=graph, weights=weights_of(model, graph))
        same(given["encoder.layers.0"][0], model.encoder.layers[0].weight, [2, 7, 10])
        same(given["bottleneck.project"][0], model.bottleneck.project.weight, [16])
        last = model.encoder.layers[0].weight if tied else model.decoder.layers[1].weight.t()
        same(given["decoder.layers.1"][0], last, [2, 7, 10])
    model, graph, _ = made(NETS["lstm"], VQ(size=4, group=2, entries=7), (2, 30))
    given = lab(script, graph=graph, weights=weights_of(model, graph))
    matrices = {plates["name"]: plates for plates in given["encoder.lstm"]}
    same(matrices["weight_hh_l0_reverse"], model.encoder.lstm.weight_hh_l0_reverse, [5])
    same(given["bottleneck.vq"][0], model.bottleneck.entries, [2])


def same(plates, weight, shape):
    assert plates["shape"] == shape
    assert len(plates["values"]) == plates["count"] * plates["each"] * int(np.prod(shape))
    np.testing.assert_array_equal(plates["values"], weight.reshape(-1).numpy())
