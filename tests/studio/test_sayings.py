"""What the page offers to copy says the same recipe."""

import shlex

import pytest

from narrows.changes import assign, parse
from narrows.data import load
from narrows.recipe import Recipe, recipe_for
from narrows.studio.sayings import command, python

RECIPES = (
    Recipe(),
    Recipe(network={"kind": "conv", "channels": [8, 16], "map": True}, bottleneck={"kind": "fsq", "size": 3}, seed=4),
    Recipe(network={"kind": "lstm", "hidden": 9, "chunk": 2}, corruption={"kind": "gaussian"}, head="sigmoid"),
    Recipe(objective={"mse": 0.5, "ssim": 0.5}, training={"rate": 1e-3, "patience": 3}, data={"limit": 100, "seed": 2}),
    Recipe(corruption={"kind": "mask-pixels"}, bottleneck={"kind": "variational", "size": 2, "beta": 0.5}),
)


def as_the_command_line_reads(words):
    """The recipe that `narrows train` makes of these words."""
    data = load(words[2])
    options = dict(zip(words[3::2], words[4::2], strict=True))
    changes = [value for name, value in zip(words[3::2], words[4::2], strict=True) if name == "--set"]
    return assign(recipe_for(data, network=options["--network"], bottleneck=options["--bottleneck"]), changes)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.network.kind)
def test_the_command_says_the_recipe(recipe):
    assert as_the_command_line_reads(shlex.split(command(recipe))) == recipe


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.network.kind)
def test_the_program_says_the_recipe(recipe):
    text = python(recipe)
    compile(text, "copied", "exec")
    values = text.partition("model_validate(")[2].partition(")\ndata =")[0]
    assert parse(__import__("ast").literal_eval(values)) == recipe


def test_a_name_with_signs_in_it_stays_a_name():
    assert shlex.split(command(Recipe(), "my file; rm -rf.csv"))[2] == "my file; rm -rf.csv"
