"""Forks: a training that begins with given weights, its resuming, and the live model that a training shows."""

from itertools import pairwise

import pytest
import torch

from narrows.changes import assign
from narrows.data import load
from narrows.errors import ModelError
from narrows.recipe import recipe_for
from narrows.train import Epoch, Finished, Place, Started, Step, fit
from narrows.train.checkpoint import START, learned
from narrows.train.engine import Autograd, Stacked
from narrows.train.run import snapshot

PLACE = Place("cpu", "float32", 1)

NETWORKS = {
    "dense": ("network.widths=16",),
    "conv": ("network.channels=4,8",),
    "lstm": ("network.hidden=8",),
}


@pytest.fixture(scope="module")
def digits():
    return load("digits", limit=128)


def small(data, network="dense", bottleneck="plain", *changes):
    base = recipe_for(data, network=network, bottleneck=bottleneck)
    return assign(base, [*NETWORKS[network], "training.epochs=3", "training.batch=32", *changes])


def result_of(events):
    return next(event for event in events if isinstance(event, Finished)).result


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def weights_after(steps, recipe, data):
    """The weights of a training after some steps, read from its live model."""
    events = fit(recipe, data, place=PLACE)
    model = next(events).model
    while steps:
        steps -= isinstance(next(events), Step)
    taken = {name: tensor.clone() for name, tensor in learned(model).items()}
    events.close()
    return taken


@pytest.mark.parametrize(
    ("network", "route", "engine"),
    [
        ("dense", "float32", Stacked),
        ("dense", "bf16", Stacked),
        ("dense", "fast", Stacked),
        ("conv", "float32", Autograd),
        ("lstm", "float32", Autograd),
    ],
)
def test_the_model_in_started_is_live(digits, network, route, engine):
    chosen, seen = small(digits, network), []
    events = fit(chosen, digits, place=Place("cpu", route, 1))
    started = next(events)
    assert isinstance(started, Started)
    for event in events:
        if isinstance(event, Step):
            assert isinstance(events.gi_frame.f_locals["run"].engine, engine)
            seen.append(torch.cat([tensor.float().flatten() for tensor in learned(started.model).values()]).clone())
        if isinstance(event, Epoch) and event.best:
            best = snapshot(started.model)
        if isinstance(event, Finished):
            assert same(best, dict(event.result.model.state_dict()))
    assert all(not torch.equal(before, after) for before, after in pairwise(seen))


def test_reading_the_live_model_between_events_changes_nothing(digits):
    for network in NETWORKS:
        chosen = small(digits, network)
        undisturbed, events = result_of(fit(chosen, digits, place=PLACE)), fit(chosen, digits, place=PLACE)
        model, x = next(events).model, torch.rand(3, 1, 8, 8)
        for event in events:
            if isinstance(event, Finished):
                break
            training = model.training
            with torch.no_grad():
                model.eval()(x)
            model.train(training)
        assert same(dict(undisturbed.model.state_dict()), dict(event.result.model.state_dict()))


@pytest.mark.parametrize("bottleneck", ["plain", "vq"])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_fork_begins_with_the_weights_given(digits, network, bottleneck):
    chosen = small(digits, network, bottleneck)
    given = weights_after(5, chosen, digits)
    events = fit(chosen.with_(seed=7), digits, place=PLACE, start=given)
    assert same(given, learned(next(events).model))


def test_first_weights_given_as_they_would_be_drawn_change_nothing(digits):
    chosen = small(digits)
    plain, given = result_of(fit(chosen, digits, place=PLACE)), weights_after(0, chosen, digits)
    forked = result_of(fit(chosen, digits, place=PLACE, start=given))
    assert same(dict(plain.model.state_dict()), dict(forked.model.state_dict()))


@pytest.mark.parametrize("steps", [0, 5])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_fork_resumes_to_the_last_bit(digits, network, steps, tmp_path, kill_after):
    chosen = small(digits, network)
    given = weights_after(3, chosen, digits)
    whole = result_of(fit(chosen, digits, place=PLACE, start=given))
    # After no step nothing had been saved: the fork begins again, with its own first weights.
    kill_after(
        fit(chosen, digits, folder=tmp_path, place=PLACE, start=given, save_steps=2),
        Started if not steps else Step,
        steps or 1,
    )
    resumed = result_of(fit(chosen, digits, folder=tmp_path, place=PLACE, resume=True))
    assert same(dict(whole.model.state_dict()), dict(resumed.model.state_dict()))


def test_a_fork_killed_before_its_description_was_written_begins_again(digits, tmp_path, kill_after):
    chosen = small(digits)
    given = weights_after(3, chosen, digits)
    whole = result_of(fit(chosen, digits, place=PLACE, start=given))
    kill_after(fit(chosen, digits, folder=tmp_path, place=PLACE, start=given), Started)
    (tmp_path / "model.json").unlink()
    resumed = result_of(fit(chosen, digits, folder=tmp_path, place=PLACE, resume=True))
    assert same(dict(whole.model.state_dict()), dict(resumed.model.state_dict()))


def test_a_new_run_in_the_folder_of_a_fork_is_no_fork(digits, tmp_path):
    chosen = small(digits)
    list(fit(chosen, digits, folder=tmp_path, place=PLACE, start=weights_after(3, chosen, digits)))
    assert (tmp_path / START).is_file()
    events = fit(chosen, digits, folder=tmp_path, place=PLACE)
    next(events)
    assert not (tmp_path / START).exists()


def test_weights_of_another_model_are_refused(digits):
    given = weights_after(1, small(digits), digits)
    with pytest.raises(ModelError, match=r"'bottleneck\.project\.bias' as \(8,\); \(4,\)"):
        next(fit(small(digits, "dense", "plain", "bottleneck.size=4"), digits, place=PLACE, start=given))
    del given["bottleneck.project.bias"]
    with pytest.raises(ModelError, match="as nothing"):
        next(fit(small(digits), digits, place=PLACE, start=given))


def test_a_resumed_run_takes_no_first_weights(digits, tmp_path):
    with pytest.raises(ModelError, match="weights to begin with"):
        next(fit(small(digits), digits, folder=tmp_path, place=PLACE, resume=True, start={}))
