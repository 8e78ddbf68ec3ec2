"""Models trained together learn what they would have learned alone."""

import numpy as np
import pytest
import torch

from narrows.changes import assign
from narrows.data import load
from narrows.data.scaling import fit_scaling
from narrows.readout import reconstruct
from narrows.recipe import build, recipe_for
from narrows.train import Finished, Notice, Place, fit
from narrows.train.feed import generator
from narrows.train.loop import JUDGE, feeds
from narrows.train.together import can_train_together, fit_together, judge


@pytest.mark.parametrize("corruption", ["none", "gaussian"])
def test_together_is_as_alone(corruption):
    data, rest = load("digits", limit=256), ["training.epochs=3", "network.widths=24,16", f"corruption={corruption}"]
    recipes = [assign(recipe_for(data), [f"bottleneck.size={k}", *rest]) for k in (2, 5, 9)]
    together = [event.result for event in fit_together(recipes, data) if isinstance(event, Finished)]
    for recipe, result in zip(recipes, together, strict=True):
        *_, alone = fit(recipe, data, place=Place("cpu", "float32", 1))
        outputs = [reconstruct(r.model, data.test.x).output for r in (alone.result, result)]
        np.testing.assert_allclose(outputs[0], outputs[1], atol=2e-3)


def test_only_recipes_that_differ_in_size_are_trained_together():
    data = load("digits", limit=256)
    one = recipe_for(data)
    assert can_train_together([one, assign(one, ["bottleneck.size=3"])], 1000)
    assert not can_train_together([one, assign(one, ["training.rate=0.1"])], 1000)
    assert not can_train_together([one, one], 10**9)


def test_another_arithmetic_is_not_trained_together_and_threads_are_kept():
    data = load("digits", limit=64)
    one = assign(recipe_for(data), ["training.epochs=1", "network.widths=8", "training.threads=1"])
    pair = [one, assign(one, ["bottleneck.size=3"])]
    assert can_train_together(pair, 1000)
    assert not can_train_together([assign(recipe, ["training.route=bf16"]) for recipe in pair], 1000)
    ended = [event.result.place.threads for event in fit_together(pair, data) if isinstance(event, Finished)]
    assert ended == [1, 1]


def test_models_are_judged_together_with_their_corruption():
    data = load("digits", limit=64)
    recipe = assign(recipe_for(data), ["corruption=gaussian", "corruption.sigma=0.5"])
    scaling = fit_scaling(data.train.x, data.layout)
    model = build(recipe, data.layout, scaling)
    valid = feeds(model, data, "cpu")[1]
    x = valid.gather(torch.arange(len(valid)))
    seen, _ = recipe.corruption(x, generator("cpu", recipe.seed, JUDGE, 0))
    expected = (model.eval()(seen).output - x).square().mean().item()
    assert judge([model], valid, recipe).tolist() == pytest.approx([expected], rel=1e-5)


def test_one_model_that_diverges_leaves_the_others_alone():
    data = load("digits", limit=64)
    base = assign(recipe_for(data), ["training.epochs=2", "network.widths=8"])
    pair = [assign(base, [f"bottleneck.size={k}"]) for k in (2, 4)]
    whole = [e.result for e in fit_together(pair, data) if isinstance(e, Finished)]
    events, notices, results = fit_together(pair, data), [], []
    for number, event in enumerate(events):
        if number == 0:
            # The stack's weights are those of its models: the first model's are spoiled after its first step.
            spoil(events)
        if isinstance(event, Notice):
            notices.append(event)
        if isinstance(event, Finished):
            results.append(event.result)
    assert [notice.code for notice in notices] == ["diverged"]
    assert [result.stopped for result in results] == ["diverged", "done"]
    outputs = [reconstruct(r.model, data.test.x).output for r in (whole[1], results[1])]
    np.testing.assert_array_equal(*outputs)


def spoil(events):
    """Put infinity into a weight of the first model of a training under way."""
    with torch.no_grad():
        next(events.gi_frame.f_locals["models"][0].parameters()).view(-1)[0] = float("inf")
