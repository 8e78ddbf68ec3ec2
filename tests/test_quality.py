"""What is promised of real data: slow, since it trains for real."""

import json

import numpy as np
import pytest

from narrows.changes import assign
from narrows.cli.main import run
from narrows.data import load
from narrows.metrics.baseline import PCABaseline
from narrows.metrics.latent import knn_accuracy
from narrows.readout import encode, report
from narrows.recipe import recipe_for
from narrows.train import Finished, fit

pytestmark = [pytest.mark.slow, pytest.mark.data]


def trained(data, *changes, network="dense"):
    *_, last = fit(assign(recipe_for(data, network=network), changes), data)
    assert isinstance(last, Finished)
    return last.result


def test_the_default_recipe_halves_the_error_of_pca_on_mnist(real):
    real("mnist")
    data = load("mnist")
    whole = report(trained(data), data)
    assert whole.test["mse"] <= 0.0040
    assert whole.baseline["pca"]["mse"] == pytest.approx(0.0078, abs=1e-4)


@pytest.mark.parametrize("network", ["dense", "conv", "lstm"])
@pytest.mark.parametrize(("name", "epochs"), [("digits", 40), ("glyphs", 10), ("mnist", 10)])
def test_every_network_learns_every_set_of_characters(real, name, epochs, network):
    if name == "mnist":
        real("mnist")
    data = load(name, limit=6000)
    whole = report(trained(data, "bottleneck.size=8", f"training.epochs={epochs}", network=network), data)
    assert whole.test["mse"] < 0.6 * whole.baseline["mean"]["mse"]


def test_eight_numbers_a_pixel_keep_the_land_cover_as_pca_does(real):
    real("hyperspectral/pavia_university_lowres.npz")
    data = load("pavia-university")
    parts = (data.train, data.valid, data.test)
    x, y = np.concatenate([p.x for p in parts]), np.concatenate([p.y for p in parts])
    result = trained(data, "bottleneck.size=8")
    scaled = result.scaling.apply(x)
    codes = (encode(result.model, x), PCABaseline.fit(scaled, 8).encode(scaled))
    ours, pca = (knn_accuracy(z, y, k=5, folds=5, repeats=20).mean for z in codes)
    assert data.layout.classes[0] == "asphalt"
    assert len(data.layout.classes) == 9
    assert pca == pytest.approx(0.92, abs=0.01)
    assert ours >= pca - 0.01


def test_the_demonstration_leaves_models_and_pictures(tmp_path, capsys):
    assert run(["demo", "--out", str(tmp_path / "demo"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {(r["name"], r["network"]) for r in result["runs"]} >= {
        (name, network) for name in ("digits", "glyphs") for network in ("dense", "conv", "lstm")
    }
    assert all(
        (tmp_path / "demo" / f"{r['network']}-{r['name']}" / "weights.safetensors").exists() for r in result["runs"]
    )
    assert len(result["pictures"]) >= 4
