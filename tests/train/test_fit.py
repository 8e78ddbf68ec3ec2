"""Training: events, resuming to the last bit, divergence, interruption, and the error a linear network must reach."""

import json
import signal
import time

import numpy as np
import pytest
import torch

from narrows.bottleneck import BOTTLENECKS
from narrows.changes import assign
from narrows.data import load
from narrows.errors import DamagedError, InputError, Interrupted, ModelError
from narrows.nn import NETWORKS
from narrows.readout import report
from narrows.recipe import recipe_for
from narrows.train import Epoch, Finished, Judging, Notice, Place, Started, Step, fit, loop, open_run
from narrows.train.device import choose_device
from narrows.train.engine import Autograd, Stacked
from narrows.train.tensors import read_header
from narrows.types import Layout, Split, Splits

PLACE = Place("cpu", "float32", 1)


@pytest.fixture(scope="module")
def digits():
    return load("digits", limit=256)


def recipe(data, *changes, network="dense", bottleneck="plain"):
    small = {"dense": ["network.widths=32"], "conv": ["network.channels=4,8"], "lstm": ["network.hidden=8"]}
    small["unet"] = ["network.channels=4,6"]
    base = recipe_for(data, network=network, bottleneck=bottleneck)
    return assign(base, [*small[network], "training.epochs=2", "training.batch=64", *changes])


def result_of(events):
    return next(event for event in events if isinstance(event, Finished)).result


def weights(result):
    return {name: tensor.clone() for name, tensor in result.model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_learns_with_every_bottleneck(digits, network, bottleneck):
    chosen = recipe(digits, "bottleneck.size=8", network=network, bottleneck=bottleneck)
    history = result_of(fit(chosen, digits, place=PLACE)).history
    assert np.isfinite(history[-1].valid["loss"])
    assert history[-1].train["mse"] < history[0].train["mse"]


def test_events_come_in_order(digits):
    kinds = [type(event) for event in fit(recipe(digits), digits, place=PLACE)]
    assert kinds == [Started, *([Step] * 4 + [Epoch]) * 2, Finished]


def test_the_logged_terms_add_up_to_the_loss(digits):
    chosen = recipe(digits, "objective.l1=0.5", "bottleneck.warm_up=0", bottleneck="variational")
    last = result_of(fit(chosen, digits, place=PLACE)).history[-1].valid
    beta = chosen.bottleneck.beta / 64
    assert last["loss"] == pytest.approx(last["mse"] + 0.5 * last["l1"] + beta * last["kl"], rel=1e-5)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(digits):
    first, second, other = (
        weights(result_of(fit(recipe(digits, f"seed={seed}"), digits, place=PLACE))) for seed in (0, 0, 1)
    )
    assert same(first, second)
    assert not same(first, other)


@pytest.mark.parametrize("stop", [1, 3, 4, 6])
@pytest.mark.parametrize(
    ("network", "bottleneck", "changes"),
    [
        ("dense", "plain", ["corruption=gaussian"]),
        ("conv", "vq", []),
        ("conv", "vq", ["network.map=true", "bottleneck.group=8"]),
        ("lstm", "variational", []),
        ("dense", "contractive", ["network.tied=true"]),
    ],
)
def test_a_run_stopped_at_any_step_ends_with_the_same_bits(digits, tmp_path, network, bottleneck, changes, stop):
    chosen = recipe(digits, "bottleneck.size=8", *changes, network=network, bottleneck=bottleneck)
    whole = result_of(fit(chosen, digits, place=PLACE))
    events = fit(chosen, digits, folder=tmp_path, place=PLACE)
    for event in events:
        if isinstance(event, Step) and (event.epoch - 1) * event.steps + event.step == stop:
            signal.raise_signal(signal.SIGINT)
            break
    with pytest.raises(Interrupted, match="--resume"):
        list(events)
    resumed = list(fit(chosen, digits, folder=tmp_path, resume=True))
    assert (resumed[0].resumed_at, resumed[0].bit_exact) == (stop, True)
    assert same(weights(whole), weights(result_of(resumed)))
    assert [e.valid for e in result_of(resumed).history] == [e.valid for e in whole.history]


def test_a_consumer_that_walks_away_leaves_a_resumable_run(digits, tmp_path):
    chosen = recipe(digits)
    events = fit(chosen, digits, folder=tmp_path, place=PLACE)
    while not isinstance(next(events), Epoch):
        pass
    events.close()
    whole = result_of(fit(chosen, digits, place=PLACE))
    assert same(weights(whole), weights(result_of(fit(chosen, digits, folder=tmp_path, resume=True))))


def test_another_place_resumes_and_says_so(digits, tmp_path):
    chosen = recipe(digits)
    events = fit(chosen, digits, folder=tmp_path, place=PLACE)
    next(events), next(events)
    events.close()
    started = next(fit(chosen, digits, folder=tmp_path, resume=True, place=Place("cpu", "float32", 2)))
    assert (started.bit_exact, "threads was 1, is 2" in started.reason) == (False, True)


def test_a_finished_run_opens_with_its_weights(digits, tmp_path):
    result = result_of(fit(recipe(digits), digits, folder=tmp_path, place=PLACE))
    saved = open_run(tmp_path)
    assert same(weights(result), dict(saved.model.state_dict()))
    assert saved.layout == digits.layout
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "manifest.json", "metrics.jsonl", "model.json", "recipe.json", "weights.safetensors",
    ]  # fmt: skip


def test_the_history_is_on_disk(digits, tmp_path):
    result = result_of(fit(recipe(digits), digits, folder=tmp_path, place=PLACE))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["valid"] for line in lines] == [epoch.valid for epoch in result.history]


@pytest.mark.parametrize("step", [3, 7])
@pytest.mark.parametrize(("network", "engine"), [("dense", Stacked), ("conv", Autograd)])
def test_divergence_is_caught_within_the_step_and_finite_weights_kept(digits, monkeypatch, network, engine, step):
    chosen, calls, kept = recipe(digits, "training.epochs=5", network=network), [], {}
    compute = engine.compute

    def poisoned(self, *batch):
        calls.append(batch)
        loss = compute(self, *batch)
        return loss if len(calls) < step else loss._replace(total=loss.total * float("nan"))

    monkeypatch.setattr(engine, "compute", poisoned)
    seen, events = [], fit(chosen, digits, place=PLACE)
    for event in events:
        seen.append(event)
        if isinstance(event, Epoch if step > 4 else Step):
            kept = {name: t.clone() for name, t in events.gi_frame.f_locals["run"].model.state_dict().items()}
    notice, result = next(event for event in seen if isinstance(event, Notice)), result_of(seen)
    assert (notice.code, result.stopped, len(calls)) == ("diverged", "diverged", step)
    assert sum(isinstance(event, Step) for event in seen) == step - 1
    assert same(weights(result), kept)
    assert "diverged" in {finding.code for finding in report(result, digits).findings}


def test_patience_ends_a_run_that_no_longer_improves(digits):
    chosen = recipe(digits, "training.epochs=500", "training.patience=2", "training.rate=0.05")
    result = result_of(fit(chosen, digits, place=PLACE))
    assert result.stopped == "patience"
    assert len(result.history) < 500


def test_a_linear_autoencoder_reaches_the_error_of_pca_and_no_less(rng):
    x = (rng.normal(size=(600, 4)) @ rng.normal(size=(4, 10)) + 0.3 * rng.normal(size=(600, 10))).astype(np.float32)
    data = Splits(Layout("plane", "table", (10,)), Split(x), Split(x), Split(x))
    changes = [
        "network.widths=[]",
        "bottleneck.size=3",
        "training.epochs=2000",
        "training.rate=0.01",
        "training.batch=600",
    ]
    result = result_of(fit(assign(recipe_for(data), changes), data, place=PLACE))
    whole = report(result, data)
    assert whole.baseline["pca"]["mse"] <= whole.test["mse"] <= 1.005 * whole.baseline["pca"]["mse"]


def test_one_object_is_refused(digits):
    data = Splits(digits.layout, digits.train.take(slice(1)), digits.valid, digits.test)
    with pytest.raises(InputError, match="1 training objects; at least 2"):
        list(fit(recipe(digits), data))


def test_resuming_another_recipe_is_refused(digits, tmp_path):
    events = fit(recipe(digits), digits, folder=tmp_path, place=PLACE)
    next(events), next(events)
    events.close()
    with pytest.raises(ModelError, match="another recipe"):
        list(fit(recipe(digits, "seed=5"), digits, folder=tmp_path, resume=True))


@pytest.mark.parametrize("name", ["weights.safetensors", "recipe.json", "model.json"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_cut_short_is_one_clear_error(digits, tmp_path, name, share):
    result_of(fit(recipe(digits), digits, folder=tmp_path, place=PLACE))
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(DamagedError):
        open_run(tmp_path)


def test_weights_of_another_model_are_refused_by_their_shapes(digits, tmp_path):
    for folder, width in (("a", 32), ("b", 16)):
        chosen = recipe(digits, f"network.widths={width},")
        result_of(fit(chosen, digits, folder=tmp_path / folder, place=PLACE))
    (tmp_path / "b/weights.safetensors").replace(tmp_path / "a/weights.safetensors")
    with pytest.raises(ModelError, match="as the recipe beside it says"):
        open_run(tmp_path / "a")


def test_an_empty_folder_is_not_a_run(tmp_path):
    with pytest.raises(ModelError, match=r"no recipe\.json"):
        open_run(tmp_path)


def test_the_device_asked_for_must_be_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(Exception, match=r"training\.device=cuda"):
        choose_device("cuda")


def test_the_time_of_a_pause_is_none_of_the_trainings(digits, tmp_path):
    begin, pauses = time.monotonic(), 0.0
    events = fit(recipe(digits), digits, place=PLACE, folder=tmp_path)
    for event in events:
        if isinstance(event, Step) and event.step == 2:
            time.sleep(0.3)
            pauses += 0.3
    assert event.result.seconds < time.monotonic() - begin - pauses + 0.05
    events = fit(recipe(digits), digits, place=PLACE, folder=tmp_path)
    next(events), next(events)
    time.sleep(0.5)
    events.close()
    assert next(fit(recipe(digits), digits, place=PLACE, folder=tmp_path, resume=True)).resumed_at == 1
    assert read_tensors_note(tmp_path)["seconds"] < 0.4


def read_tensors_note(folder):
    with (folder / "resume.safetensors").open("rb") as file:
        return read_header(file, folder / "resume.safetensors").note


def test_a_long_judgement_can_be_left_between_batches(digits, tmp_path, monkeypatch):
    monkeypatch.setitem(loop.EVALUATION_BATCH, "dense", 50)
    whole = result_of(fit(recipe(digits), digits, place=PLACE))
    events = fit(recipe(digits), digits, place=PLACE, folder=tmp_path)
    seen = next(event for event in events if isinstance(event, Judging))
    assert (seen.done, seen.objects) == (50, len(digits.valid))
    events.close()
    resumed = result_of(fit(recipe(digits), digits, place=PLACE, folder=tmp_path, resume=True))
    assert same(weights(whole), weights(resumed))
    assert [e.valid for e in whole.history] == [e.valid for e in resumed.history]
