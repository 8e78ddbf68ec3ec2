"""The library against the story told in plain torch: the same weights, order and noise give the same losses."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from narrows.bottleneck import Plain
from narrows.corrupt import Gaussian, Nothing
from narrows.nn import Dense
from narrows.recipe import Recipe
from narrows.train import Place, Step, fit, loop
from narrows.types import Layout, Split, Splits

FILE = Path(__file__).parents[2] / "examples" / "story.py"
EPOCHS = 3


@pytest.fixture(scope="module")
def story():
    spec = importlib.util.spec_from_file_location("story", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield module
    torch.set_num_threads(threads)


def losses(story, sigma):
    """The library's loss at every step, on the story's objects."""
    seen, unseen = (x.numpy() for x in story.data())
    layout = Layout("story", "table", (story.PIXELS,), low=0, high=1)
    recipe = Recipe(
        corruption=Gaussian(sigma=sigma) if sigma else Nothing(),
        network=Dense(widths=(256, 128)),
        bottleneck=Plain(size=story.CODE),
        training={"epochs": EPOCHS, "batch": story.BATCH, "rate": story.RATE, "warm_up": 0},
    )
    data = Splits(layout, Split(seen), Split(unseen), Split(unseen))
    return [event.loss for event in fit(recipe, data, place=Place("cpu", "float32", 1)) if isinstance(event, Step)]


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_the_library_makes_the_losses_of_the_story(story, monkeypatch, sigma):
    # Both throw the story's dice; first weights, schedule, optimiser and error are each one's own.
    monkeypatch.setattr(loop, "generator", lambda device, seed, purpose, number: story.dice(purpose, number))
    _, told = story.train(story.data()[0], sigma, EPOCHS)
    assert len(told) == 23 * EPOCHS
    assert told[-1] < told[0] / 3
    np.testing.assert_allclose(losses(story, sigma), told, rtol=0, atol=1e-6)


def test_the_library_rolls_dice_for_the_same_purposes(story):
    assert (story.ORDER, story.NOISE) == (loop.ORDER, loop.NOISE)


@pytest.mark.slow
def test_the_story_is_told_and_ends_well(story, capsys):
    story.main()
    said = capsys.readouterr().out
    ours, pca = (float(number) for number in re.search(r"error: ([\d.]+), PCA: ([\d.]+)", said).groups())
    assert ours < 0.7 * pca
    assert said.count("loss") == 4


def test_the_story_needs_torch_and_digits_alone():
    assert "narrows" not in FILE.read_text("utf-8")
    assert len(FILE.read_text("utf-8").splitlines()) <= 120
