"""The arithmetic and the threads of a run are chosen by size and by trying."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from narrows.changes import assign
from narrows.data import load
from narrows.data.scaling import fit_scaling
from narrows.recipe import build, recipe_for
from narrows.train import trial
from narrows.train.trial import choose_place, fastest, multiplications


@pytest.fixture(scope="module")
def digits():
    return load("digits", limit=64)


def model_and_batch(data, *changes, network="dense"):
    recipe = assign(recipe_for(data, network=network), changes)
    model = build(recipe, data.layout, fit_scaling(data.train.x, data.layout))
    return recipe, model, model.scaled(torch.from_numpy(data.train.x))


@pytest.mark.parametrize("network", ["dense", "conv", "unet"])
def test_multiplications_are_those_that_torch_counts(digits, network):
    _, model, x = model_and_batch(digits, network=network)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x[:1])
    assert multiplications(model, x[:1]) == counter.get_total_flops() / 2


def test_an_lstm_works_once_a_step(digits):
    _, short, x = model_and_batch(digits, "network.chunk=8", network="lstm")
    _, long, _ = model_and_batch(digits, "network.chunk=1", network="lstm")
    assert multiplications(long, x[:1]) > 4 * multiplications(short, x[:1])


def test_a_route_that_is_fast_but_wrong_is_refused():
    made = {"float32": (1.0, 3.0), "fast": (1.001, 1.0), "bf16": (1.001, 2.0)}
    assert fastest(lambda route: (torch.tensor(made[route][0]), made[route][1]), trial.ROUTES) == "bf16"


def test_a_route_that_is_hardly_faster_is_refused():
    seconds = {"float32": 1.0, "fast": 0.95, "bf16": 0.95}
    assert fastest(lambda route: (torch.ones(3), seconds[route]), trial.ROUTES) == "float32"


def test_a_small_model_gets_one_thread_and_no_trial(digits, monkeypatch):
    monkeypatch.setattr(trial, "tried", lambda *_: pytest.fail("a small model was tried"))
    monkeypatch.setattr(trial, "available_threads", lambda: 4)
    place = choose_place(*model_and_batch(digits, "network.widths=16"))
    assert (place.route, place.threads) == ("float32", 1)


def test_a_large_model_is_tried_once_and_left_as_it_was(digits, monkeypatch):
    monkeypatch.setattr(trial, "TRIED_WORK", 0)
    monkeypatch.setattr(trial, "TRIAL_SECONDS", 0.0)
    monkeypatch.setattr(trial, "CHOSEN", {})
    recipe, model, x = model_and_batch(digits, "network.widths=48")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = choose_place(recipe, model, x)
    assert first.route in trial.ROUTES
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    monkeypatch.setattr(trial, "tried", lambda *_: pytest.fail("a second trial was made"))
    assert choose_place(recipe, model, x) == first
