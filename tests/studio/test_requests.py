"""The bench: what it answers, checked against the model itself, and what it refuses."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from driver import Child

from narrows.changes import assign
from narrows.data import load
from narrows.errors import InputError, LimitError, ModelError, NarrowsError, UsageError
from narrows.recipe import Recipe, recipe_for
from narrows.studio import frames, requests
from narrows.studio.requests import ANSWERS
from narrows.studio.shown import EXAMPLES
from narrows.train import fit, open_run
from narrows.train.feed import generator
from narrows.train.loop import JUDGE


def ask(do, *parts, **values):
    return ANSWERS[do](values, list(parts))


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def train(folder, data, *changes):
    recipe = assign(recipe_for(data), ["network.widths=16", "training.epochs=2", *changes])
    *_, last = fit(recipe, data, folder=folder)
    return recipe, last.result


@pytest.fixture(scope="module")
def plain(digits, tmp_path_factory):
    """A trained run of a code of two numbers and its shown set, as questions name it."""
    return prepared(digits, tmp_path_factory.mktemp("run"), "bottleneck.size=2")


@pytest.fixture(scope="module")
def wide(digits, tmp_path_factory):
    """The same of a code of five."""
    return prepared(digits, tmp_path_factory.mktemp("run"), "bottleneck.size=5")


@pytest.fixture(params=["plain", "wide"])
def run(request):
    """Each of them."""
    return request.getfixturevalue(request.param)


def prepared(digits, folder, change):
    train(folder / "a", digits, change)
    named = {"id": "a", "folder": str(folder / "a"), "shown": str(folder / "shown"), "source": "digits"}
    ask("prepare", **named)
    return named


def points_of(answer):
    return frames.read_points(frames.unpack(answer[1][0]))


def codes(run, x):
    model = open_run(run["folder"]).model
    with torch.no_grad():
        return model.encode(model.scaled(torch.from_numpy(x))).z.numpy()


def shown_objects(run):
    return np.fromfile(f"{run['shown']}/objects.bin", np.uint8).reshape(-1, 1, 8, 8)


@pytest.mark.parametrize("network", ["dense", "conv", "lstm"])
def test_a_preview_is_the_default_recipe_and_what_it_would_train(digits, network):
    result, (weights, objects) = ask("preview", data="digits", source="digits", network=network)
    expected = recipe_for(digits, network=network)
    assert result["recipe"] == expected.model_dump(mode="json")
    assert result["counts"] == {"train": 1258, "valid": 180, "test": 359}
    assert (result["layout"]["kind"], result["classes"][3]) == ("image", "3")
    model = next(fit(expected, digits)).model
    numbers = np.frombuffer(frames.unpack(weights).payload, "<f2")
    assert numbers.size == result["graph"]["count"] == sum(p.numel() for p in model.parameters())
    # The first weights are those that training begins with.
    first = torch.cat([p.detach().half().flatten() for p in model.parameters()]).numpy()
    assert np.array_equal(np.sort(numbers), np.sort(first))
    sample = np.frombuffer(objects, result["sample"]["dtype"]).reshape(-1, *result["sample"]["shape"])
    assert len(sample) == len(result["sample"]["ids"]) == EXAMPLES
    assert result["sample"]["labels"][:10] == list(range(10))
    json.dumps(result, allow_nan=False)


def test_a_preview_takes_some_of_a_recipe_and_a_whole_one_as_it_is(digits):
    part = {"data": {"name": "digits"}, "network": {"kind": "dense", "widths": [7]}, "training": {"rate": 0.5}}
    made = ask("preview", recipe=part, source="digits")[0]["recipe"]
    default = recipe_for(digits).model_dump(mode="json")
    assert (made["network"]["widths"], made["training"]["rate"]) == ([7], 0.5)
    assert made["training"]["epochs"] == default["training"]["epochs"]
    assert made["bottleneck"] == default["bottleneck"]
    whole = Recipe(seed=4, bottleneck={"kind": "fsq", "size": 3}).model_dump(mode="json")
    assert ask("preview", recipe=whole, source="digits")[0]["recipe"] == whole


@pytest.mark.parametrize(
    ("question", "error", "words"),
    [
        ({"recipe": []}, UsageError, "recipe=\\[\\]; an object"),
        ({"recipe": {"data": {"name": "digits"}, "network": {"kind": "danse"}}}, UsageError, "Did you mean 'dense'"),
        ({"recipe": {"network": {"kind": 7}}}, UsageError, "unknown network '7'"),
        ({"recipe": {"bottleneck": {"size": 65}}}, LimitError, "65 numbers, from bottleneck.size=65; at most 64"),
        ({"recipe": {"bottleneck": {"size": -1}}}, UsageError, "bottleneck.size=-1; greater than or equal to 1"),
        ({"recipe": {"data": []}}, UsageError, "data=\\[\\]"),
        ({"recipe": {"nettwork": {}}}, UsageError, "Did you mean 'network'"),
        ({"data": "digits", "bottleneck": "plane"}, UsageError, "unknown bottleneck 'plane'"),
        ({"recipe": {"objective": {"mse": 1, "sim": 1}}}, NarrowsError, "sim"),
        ({"recipe": {"network": {"kind": "dense", "widths": [16384, 16384, 16384]}}}, LimitError, "parameters"),
        ({"recipe": {"data": {"name": "digits", "window": 7}}}, UsageError, "window"),
    ],
)
def test_a_wrong_recipe_is_refused_in_the_librarys_own_words(question, error, words):
    with pytest.raises(error, match=words) as found:
        ask("preview", source="digits", **question)
    assert found.value.as_dict()["code"]


def test_the_preview_of_a_large_model_is_its_outline(digits):
    recipe = {"network": {"kind": "dense", "widths": [8192, 8192]}}
    result, (weights, _) = ask("preview", recipe=recipe, source="digits")
    assert (result["graph"]["remote"], weights) == (True, b"")
    assert result["graph"]["parameters"] > 130_000_000


def test_data_that_are_not_there_are_refused():
    with pytest.raises(NarrowsError, match="unknown data set 'nowhere'"):
        ask("preview", data="nowhere", source="nowhere")
    with pytest.raises(InputError, match="no file or folder"):
        ask("preview", data="upload:1", source="/nowhere/upload.csv")


def test_the_corruption_shown_is_that_of_the_recipe(digits):
    recipe = {"data": {"name": "digits"}, "corruption": {"kind": "gaussian", "sigma": 0.3}, "seed": 5}
    result, (content,) = ask("corrupt", recipe=recipe, source="digits", objects=[0, 3, 11], seed=5)
    seen = np.frombuffer(content, "<f2").reshape(result["shape"])
    _, (_, objects) = ask("preview", recipe=recipe, source="digits")
    x = torch.from_numpy(np.frombuffer(objects, np.uint8).reshape(-1, 1, 8, 8) / np.float32(16))
    expected, _ = recipe_for(digits).with_(corruption=recipe["corruption"]).corruption(x, generator("cpu", 5, JUDGE, 0))
    assert np.abs(seen - expected[[0, 3, 11]].numpy()).max() < 1e-3
    again = ask("corrupt", recipe=recipe, source="digits", objects=[3], seed=5)[1][0]
    assert again == seen[1].tobytes()
    assert ask("corrupt", recipe=recipe, source="digits", objects=[3], seed=6)[1][0] != again


@pytest.mark.parametrize("objects", [[12], [-1], ["0"], [True], 3, [0.5]])
def test_objects_outside_the_sample_are_refused(objects):
    with pytest.raises(UsageError, match="numbers from 0 to 11"):
        ask("corrupt", recipe={"data": {"name": "digits"}}, source="digits", objects=objects)


def test_points_are_the_codes_of_all_objects(run):
    where, projection, complete = points_of(ask("points", **run, step=None))
    z = codes(run, shown_objects(run))
    assert (complete, len(where.places)) == (True, 359)
    if z.shape[1] == 2:
        assert projection == "code"
        assert np.abs(where.points - z).max() < np.ptp(z, 0).max() / 60_000
    else:
        assert projection == "pca"
        # A projection keeps no more than the distances there are, and of PCA's plane the most there can be.
        kept = np.var(where.points, 0).sum()
        values = np.linalg.eigvalsh(np.cov(z.T, bias=True))
        assert kept == pytest.approx(values[-2:].sum(), rel=1e-3)


@pytest.mark.slow
def test_tsne_keeps_neighbours_and_is_said_to_be_one(wide):
    pytest.importorskip("openTSNE")
    answer = ask("project", **wide, kind="tsne", step=None)
    where, projection, complete = points_of(answer)
    assert (projection, complete, answer[0]) == ("tsne", True, {"projection": "tsne", "count": 359})
    assert len(where.places) == 359


def test_tsne_of_many_objects_takes_the_first_of_them(wide, monkeypatch):
    pytest.importorskip("openTSNE")
    monkeypatch.setattr(requests, "TSNE_MOST", 100)
    where, _, complete = points_of(ask("project", **wide, kind="tsne", step=None))
    assert (len(where.places), complete) == (100, False)


def test_weights_are_those_of_the_best_epoch(run):
    _, (frame,) = ask("weights", **run, step=None)
    best = open_run(run["folder"]).model
    numbers = np.frombuffer(frames.unpack(frame).payload, "<f2")
    assert np.array_equal(np.sort(numbers), np.sort(torch.cat([p.half().flatten() for p in best.parameters()]).numpy()))


def test_decoding_is_the_models_own(run):
    model, z = open_run(run["folder"]).model, codes(run, shown_objects(run)[:7]).astype(np.float16)
    result, (content,) = ask("decode", z.tobytes(), **run, step=None)
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(z.astype(np.float32))).numpy()
    assert result == {"n": 7, "shape": [1, 8, 8]}
    assert np.abs(np.frombuffer(content, "<f2").reshape(expected.shape) - expected).max() < 1e-3


@pytest.mark.parametrize("content", [b"", b"12", np.float16([np.nan] * 10).tobytes(), np.zeros(11, "<f2").tobytes()])
def test_codes_that_are_none_are_refused(plain, content):
    with pytest.raises(InputError, match="numbers of codes; finite numbers"):
        ask("decode", content, **plain, step=None)


def test_too_many_codes_are_refused(plain):
    size = open_run(plain["folder"]).model.code_shape[0]
    with pytest.raises(LimitError, match="4,097 codes; at most 4,096"):
        ask("decode", np.zeros(4097 * size, "<f2").tobytes(), **plain, step=None)


def test_a_snapshot_that_is_not_there_is_refused(plain):
    with pytest.raises(ModelError, match="no snapshot of step 7"):
        ask("points", **plain, step=7)


def test_an_upload_is_brought_to_the_model_and_goes_through_it(run, tmp_path, rng):
    from PIL import Image

    for number in range(3):
        Image.fromarray(rng.integers(0, 255, (20, 20), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    result, (x, output) = ask("use", **run, upload=str(tmp_path), task="reconstruct")
    assert result["objects"]["count"] == 3
    assert result["where"] == ["0.png", "1.png", "2.png"]
    x, output = (np.frombuffer(part, "<f2").astype(np.float32).reshape(3, 1, 8, 8) for part in (x, output))
    assert x.min() >= 0
    assert x.max() <= 1
    model = open_run(run["folder"]).model
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).output.numpy()
    assert np.abs(output - expected).max() < 5e-3
    errors = np.square(output - x).reshape(3, -1).mean(1)
    assert result["error"] == pytest.approx(errors.tolist(), rel=0.02)


def test_an_upload_of_another_kind_is_refused(plain, tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(NarrowsError, match=r"columns|shape|table|kind|2"):
        ask("use", **plain, upload=str(tmp_path / "a.csv"), task="reconstruct")
    with pytest.raises(UsageError, match="task 'colour'; reconstruct"):
        ask("use", **plain, upload=str(tmp_path / "a.csv"), task="colour")


def test_a_run_begun_in_a_terminal_gets_its_shown_set(digits, tmp_path):
    train(tmp_path / "a", digits, "bottleneck.size=2")
    named = {"id": "a", "folder": str(tmp_path / "a"), "shown": str(tmp_path / "s"), "source": "digits"}
    ask("prepare", **named)
    about = json.loads((tmp_path / "s" / "about.json").read_text())
    assert about["objects"]["count"] == 359
    assert about["baseline"]["pca"]["size"] == 2
    assert len(about["graph"]["layers"]) >= 4


def test_data_outside_are_weighed_before_they_are_read(digits, tmp_path, monkeypatch):
    recipe, _ = train(tmp_path / "t", digits)
    named = {"id": "t", "folder": str(tmp_path / "t"), "shown": str(tmp_path / "shown"), "outside": True}
    scaling = {**named, "source": str(tmp_path / "data")}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_bytes(b"1,2\n" * 100)
    os.mkfifo(tmp_path / "data" / "pipe")
    monkeypatch.setattr(requests, "is_finished", lambda folder: False)
    monkeypatch.setattr(requests, "loaded", lambda *given: given)
    for source in ("/dev/zero", str(tmp_path / "data"), str(tmp_path / "data" / "pipe")):
        with pytest.raises(InputError, match="neither a file nor a folder"):
            ask("prepare", **named, source=source)
    with pytest.raises(InputError, match="neither a file nor a folder"):
        requests.scaling_of(scaling)
    with pytest.raises(InputError, match="neither a file nor a folder"):
        ask("export", **scaling, dry=True)
    (tmp_path / "data" / "pipe").unlink()
    assert requests.data_of(recipe, scaling) == (recipe.data, scaling["source"])
    monkeypatch.setattr("narrows.studio.outside.BYTES_LIMIT", 399)
    with pytest.raises(LimitError, match="have more than"):
        requests.data_of(recipe, scaling)
    assert requests.data_of(recipe, {**scaling, "outside": False}) == (recipe.data, scaling["source"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold to this limit")
def test_the_child_that_answers_has_its_memory():
    words = """if True:
        import sys
        from multiprocessing import Pipe
        from narrows.studio import child, rlimits, wire
        rlimits.share_of_memory = child.share_of_memory = lambda: 1 << 30
        class Greedy(child.Bench):
            def work(self):
                import numpy as np, torch
                from narrows.studio.failure import problem_of
                for much in (lambda: np.ones(1 << 28), lambda: torch.ones(1 << 29), lambda: [0] * (1 << 28)):
                    try:
                        much()
                    except Exception as error:
                        print(type(problem_of(error)).__name__, flush=True)
        child.WORKERS["bench"], child.FIRST_DATA = Greedy, "json"
        here, there = Pipe()
        child.main(there, "bench")"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, env=environment)
    assert said.stdout.split() == ["LimitError"] * 3


@pytest.mark.slow
def test_answers_and_refusals_over_a_pipe(tmp_path):
    child = Child("bench")
    try:
        child.until("ready")
        child.say("preview", call=1, data="digits", source="digits")
        child.say("preview", call=2, data="digits", source="digits", network="danse")
        child.say("nonsense", call=3)
        message, parts = child.until("reply", call=1)
        assert message["ok"]
        assert len(parts) == 2
        refused = child.until("reply", call=2)[0]
        assert (refused["ok"], refused["error"]["code"]) == (False, "usage.unknown")
        assert child.until("reply", call=3)[0]["error"]["code"] == "usage.unknown"
        child.say("exit")
        child.process.join(10)
        assert child.process.exitcode == 0
    finally:
        child.close()
