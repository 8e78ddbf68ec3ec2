"""Exported files against the live model, by onnxruntime; and files that do something else, which are refused."""

import json
import sys

import numpy as np
import onnxruntime
import pytest
import torch

from narrows.bottleneck import BOTTLENECKS, FSQ, Plain
from narrows.cli.main import run
from narrows.data.scaling import fit_scaling
from narrows.errors import EnvironmentProblem, ModelError, UsageError
from narrows.nn import LSTM, NETWORKS, Conv, Dense, UNet
from narrows.readout import decode, encode, export, export_onnx
from narrows.recipe import Recipe, build
from narrows.types import Layout

SMALL = {
    "dense": Dense(widths=(16,)),
    "dense, tied": Dense(widths=(16,), tied=True),
    "conv": Conv(channels=(4, 6)),
    "conv, map": Conv(channels=(4, 6), map=True),
    "lstm": LSTM(hidden=5, chunk=3),
    "unet": UNet(channels=(4, 6)),
}
QUICK = {
    ("dense", "plain"),
    ("dense, tied", "sparse-topk"),
    ("conv", "sparse-kl"),
    ("conv, map", "vq"),
    ("dense", "fsq"),
    ("dense", "variational"),
}
PLAIN = Plain(size=8)
PICTURES = Layout("bricks", "image", (2, 7, 10), ("red", "grün"), units="grey level")


def made(layout=PICTURES, network=SMALL["dense"], bottleneck=PLAIN):
    """A recipe and its untrained model, with raw values far from the network's units."""
    recipe = Recipe(network=network, bottleneck=bottleneck)
    x = np.random.default_rng(0).normal(40, 9, (20, *layout.shape)).astype(np.float32)
    model = build(recipe, layout, fit_scaling(x, layout)).eval().requires_grad_(False)
    return recipe, model, x


def written(path, layout=PICTURES, part="whole", **parts):
    recipe, model, x = made(layout, **parts)
    exported = export_onnx(model, path, recipe=recipe, layout=layout, part=part)
    return exported, model, x


def answer(path, x):
    session = onnxruntime.InferenceSession(path)
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def test_every_network_is_exported():
    assert {settings.kind for settings in SMALL.values()} == NETWORKS.keys()


@pytest.mark.parametrize(
    ("network", "bottleneck"),
    [pytest.param(n, b, marks=() if (n, b) in QUICK else pytest.mark.slow) for n in SMALL for b in BOTTLENECKS],
)
def test_the_file_gives_what_the_model_gives(tmp_path, network, bottleneck):
    _, model, x = written(tmp_path / "m.onnx", network=SMALL[network], bottleneck=BOTTLENECKS[bottleneck](size=8))
    for count in (1, 3, 20):
        raw = torch.from_numpy(x[:count])
        wanted = model.unscaled(model(model.scaled(raw)).output).numpy()
        np.testing.assert_allclose(answer(tmp_path / "m.onnx", x[:count]), wanted, rtol=1e-4)
    assert wanted.std() > 0.1


@pytest.mark.parametrize("shape", [(30,), (2, 30)], ids=str)
@pytest.mark.slow
def test_series_and_tables_too(tmp_path, shape):
    for name in ("dense", "conv", "lstm", "unet"):
        exported, _, _ = written(tmp_path / "m.onnx", Layout("s", "series", shape), network=SMALL[name])
        assert exported.inputs == {"objects": ["batch", *shape]}


@pytest.mark.parametrize(
    "network", ["dense", *(pytest.param(name, marks=pytest.mark.slow) for name in SMALL if name != "dense")]
)
def test_encoder_and_decoder_are_files_of_their_own(tmp_path, network):
    there, model, x = written(tmp_path / "e.onnx", part="encoder", network=SMALL[network])
    back, _, _ = written(tmp_path / "d.onnx", part="decoder", network=SMALL[network])
    z = answer(tmp_path / "e.onnx", x)
    np.testing.assert_allclose(z, encode(model, x), atol=1e-5)
    np.testing.assert_allclose(answer(tmp_path / "d.onnx", z), decode(model, z), rtol=1e-4)
    assert (there.outputs, back.inputs) == ({"codes": ["batch", *model.code_shape]},) * 2


@pytest.mark.slow
def test_an_lstm_encoder_of_single_samples_reads_any_length(tmp_path):
    series = Layout("beats", "series", (2, 12))
    parts = {"network": LSTM(hidden=4, chunk=1), "part": "encoder"}
    exported, model, x = written(tmp_path / "e.onnx", series, **parts)
    assert exported.inputs == {"objects": ["batch", 2, "length"]}
    for length in (1, 5, 31):
        raw = np.resize(x, (3, 2, length))
        wanted = model.encode(model.scaled(torch.from_numpy(raw))).z.numpy()
        np.testing.assert_allclose(answer(tmp_path / "e.onnx", raw), wanted, atol=1e-5)


def test_the_file_says_what_it_is(tmp_path):
    written(tmp_path / "m.onnx")
    notes = onnxruntime.InferenceSession(tmp_path / "m.onnx").get_modelmeta().custom_metadata_map
    values = {name.removeprefix("narrows."): json.loads(text) for name, text in notes.items()}
    assert values["classes"] == ["red", "grün"]
    assert (values["units"], values["shape"], values["part"]) == ("grey level", [2, 7, 10], "whole")
    assert Recipe.model_validate(values["recipe"]).network == SMALL["dense"]


def test_exporting_leaves_the_model_as_it_was(tmp_path):
    recipe, model, _ = made()
    model.train()
    export_onnx(model, tmp_path / "m.onnx", recipe=recipe, layout=PICTURES)
    assert model.training


def test_a_file_of_another_model_is_refused_and_the_old_one_stays(tmp_path, monkeypatch):
    translate = export.translate

    def tampered(live, *rest):
        bias = live.model.decoder.layers[-1].bias
        original = bias[0].item()
        bias[0] += 0.01
        translate(live, *rest)
        bias[0] = original

    monkeypatch.setattr(export, "translate", tampered)
    recipe, model, _ = made()
    (tmp_path / "m.onnx").write_text("old")
    with pytest.raises(ModelError, match="differs from the model"):
        export_onnx(model, tmp_path / "m.onnx", recipe=recipe, layout=PICTURES)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("m.onnx", "old")]


def fixed_batch(live, x):
    if len(x) != 2:
        raise RuntimeError("expected 2")
    return live(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (fixed_batch, "does not run on 1 objects: expected 2"),
        (lambda live, x: live(torch.from_numpy(x)).numpy()[:, :1], "instead of"),
        (lambda live, x: live(torch.from_numpy(x)).numpy() * np.nan, "differs"),
        (lambda live, x: live(torch.from_numpy(x[:1].repeat(len(x), 0))).numpy(), "differs"),
    ],
)
def test_every_way_of_being_wrong_is_seen(wrong, words):
    live = export.Whole(made()[1])
    with pytest.raises(ModelError, match=words):
        export.compare(live, lambda x: wrong(live, x))


@pytest.mark.parametrize(("level", "border"), [(0.0, True), (0.1, False)])
def test_a_code_between_two_levels_is_known_to_stand_on_a_border(level, border):
    _, model, _ = made(bottleneck=FSQ(size=4, levels=2))
    live = export.Encode(model)
    x = export.probe(live, 1)
    ahead = model.bottleneck.project(model.encoder(model.scaled(x))[0])[0, 0]
    model.bottleneck.project.bias[0] += level - ahead
    assert export.on_a_border(live, x, live(x)).tolist() == [border]


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "onnxscript"])
def test_a_missing_package_is_one_sentence(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    recipe, model, _ = made()
    with pytest.raises(EnvironmentProblem, match=rf"'{package}', which is not installed.*narrows\[onnx\]"):
        export_onnx(model, tmp_path / "m.onnx", recipe=recipe, layout=PICTURES)


def test_an_unknown_part_is_refused(tmp_path):
    recipe, model, _ = made()
    with pytest.raises(UsageError, match="choose from decoder, encoder, whole"):
        export_onnx(model, tmp_path / "m.onnx", recipe=recipe, layout=PICTURES, part="head")


def test_the_command_exports_a_run(tmp_path, capsys):
    small = ["--set", "network.widths=32", "--epochs", "1", "--set", "training.route=float32"]
    assert run(["train", "digits", "--out", str(tmp_path / "run"), *small]) == 0
    capsys.readouterr()
    assert run(["export", str(tmp_path / "run"), "--to", "onnx", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["inputs"] == {"objects": ["batch", 1, 8, 8]}
    assert 0 <= result["difference"] < 1e-4
    made = answer(result["out"], np.full((4, 1, 8, 8), 7, np.float32))
    assert 0 <= made.min() < made.max() <= 16


@pytest.mark.parametrize(("words", "status"), [(["--to", "onnx"], 6), (["--to", "tflite"], 2), (["--part", "head"], 6)])
def test_a_missing_run_or_format_is_one_sentence(tmp_path, capsys, words, status):
    assert run(["export", str(tmp_path / "none"), *words, "--json"]) == status
    assert json.loads(capsys.readouterr().out)["error"]["exit"] == status
