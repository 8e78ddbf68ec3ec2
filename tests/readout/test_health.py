"""What the report says of few objects, short trainings and overfitting."""

import numpy as np
import pytest

from narrows.cli.main import run
from narrows.data.splits import part
from narrows.metrics.baseline import PCABaseline
from narrows.readout import report
from narrows.readout.health import Patient, overfitted, too_short
from narrows.recipe import recipe_for
from narrows.train import Epoch, fit
from narrows.types import Layout, Split


def history(valid, train=None):
    train = train or valid
    pairs = enumerate(zip(train, valid, strict=True), 1)
    return tuple(Epoch(n, len(valid), {"loss": t}, {"loss": v}, 0.1, 0.0, True) for n, (t, v) in pairs)


def said(check, valid, train=None, stopped="done"):
    return check(Patient(None, None, None, None, {}, {}, history(valid, train), stopped))


@pytest.mark.parametrize(
    ("losses", "stopped", "short"),
    [
        ([1.0, 0.8, 0.6], "done", True),
        ([1.0, 0.8, 0.6], "diverged", False),
        ([1.0, 0.31, 0.305, 0.302, 0.3, 0.3], "done", False),
        ([1.0, 0.5, 0.6], "done", False),
        ([1.0], "done", False),
    ],
)
def test_a_training_that_ended_too_early_is_named(losses, stopped, short):
    assert ("train longer" in said(too_short, losses, stopped=stopped)) is short


@pytest.mark.parametrize(
    ("valid", "train", "over"),
    [
        ([1.0, 0.5, 0.7], [1.0, 0.6, 0.4], True),
        ([1.0, 0.5, 0.51], [1.0, 0.6, 0.4], False),
        ([1.0, 0.5, 0.7], [1.0, 0.6, 0.9], False),
    ],
)
def test_a_validation_loss_that_rises_again_is_overfitting(valid, train, over):
    assert ("was lowest in epoch 2 of 3" in said(overfitted, valid, train)) is over


def few(count=60, side=24):
    x = np.random.default_rng(0).integers(0, 256, (count, 3, side, side)).astype(np.uint8)
    return part(Layout("few", "image", x.shape[1:], low=0, high=255), Split(x), seed=0)


def test_pca_has_no_more_components_than_the_objects_span():
    x = np.random.default_rng(0).normal(size=(6, 40))
    assert PCABaseline.fit(x, 20).count == 5
    assert PCABaseline.fit(np.tile(x, (1, 100)), 20).count == 5


def test_few_objects_get_a_small_model_and_are_named():
    data = few()
    recipe = recipe_for(data)
    assert recipe.bottleneck.size <= len(data.train) / 2
    assert recipe.network.widths == (64, 32)
    recipe = recipe.with_(bottleneck={"kind": "plain", "size": 100}, training={"epochs": 1})
    *_, last = fit(recipe, data)
    whole = report(last.result, data)
    assert whole.baseline["pca"]["size"] == len(data.train) - 1 == 41
    assert "PCA with 41, all that the training objects allow" in whole.sentence
    found = {finding.code: finding.sentence for finding in whole.findings}
    assert "Only 42 training objects" in found["few-objects"]


def test_what_is_one_is_said_as_one_and_pca_wins_once(tmp_path, capsys):
    quick = ["--epochs", "1", "--set", "network.widths=8", "--out", str(tmp_path / "r")]
    assert run(["train", "digits", *quick]) == 0
    said = capsys.readouterr().out
    assert ", 1 epoch, " in said
    assert said.count("PCA wins") == 1
    assert "does better: " not in said
