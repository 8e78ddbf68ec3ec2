"""Models trained together learn what they would have learned alone."""

import numpy as np

from narrows.assign import assign
from narrows.data import load
from narrows.readout import reconstruct
from narrows.recipe import recipe_for
from narrows.train import Finished, Place, fit
from narrows.train.together import can_train_together, fit_together


def test_together_is_as_alone():
    data = load("digits", limit=256)
    recipes = [
        assign(recipe_for(data), [f"bottleneck.size={k}", "training.epochs=3", "network.widths=24,16"])
        for k in (2, 5, 9)
    ]
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
