"""The benchmark of quality: every row is a recipe that can be built, and is measured once."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import quality

from narrows.changes import assign
from narrows.data import load
from narrows.data.scaling import fit_scaling
from narrows.recipe import build, recipe_for
from narrows.types import Layout, Split, Splits


@pytest.fixture(scope="module")
def pictures():
    """As many training objects as decide the defaults, of the layout of MNIST."""
    some = Split(np.zeros((400, 1, 28, 28), np.uint8))
    return Splits(Layout("pictures", "image", (1, 28, 28), low=0.0, high=255.0), some, some, some)


@pytest.mark.parametrize("row", quality.rows(), ids=lambda row: row.name)
def test_every_row_is_a_recipe_that_can_be_built(pictures, row):
    recipe = assign(recipe_for(pictures, network=row.network), row.changes)
    model = build(recipe, pictures.layout, fit_scaling(pictures.train.x, pictures.layout))
    size = row.name.split("-")[1]
    assert not size.isdigit() or model.code_shape == (int(size),)
    assert (row.seeds == 3) == (row.network == "dense" and not row.also)
    assert set(row.also) <= quality.MEASURES.keys()


def test_a_row_is_measured_once_and_its_figures_are_those_of_the_report(tmp_path):
    row = quality.Row("digits-4-dense", "digits", "dense", ("network.widths=8", "training.epochs=2"))
    found = quality.measure(row, 1, tmp_path, threads=1)
    report = json.loads((tmp_path / "report.json").read_text())
    assert found["mse"] == report["test"]["mse"]
    assert found["pca"] == report["baseline"]["pca"]["mse"]
    (tmp_path / "weights.safetensors").unlink()
    assert quality.measure(row, 1, tmp_path) == found
    line = quality.line(row, [found])
    assert line.startswith(f"digits-4-dense      {found['mse']:.5f}")


def test_a_row_without_pca_is_strict_json_and_a_dash(tmp_path):
    """A code map of more numbers than a digit has pixels has no PCA beside it."""
    changes = (
        "bottleneck=vq", "bottleneck.size=8", "bottleneck.group=8", "bottleneck.entries=4",
        "network.map=true", "network.channels=4", "network.kernel=3", "training.epochs=1",
    )  # fmt: skip
    row = quality.Row("digits-vq-conv", "digits", "conv", changes, also=("perplexity", "blank"))
    found = quality.measure(row, 0, tmp_path, threads=1)
    assert found["pca"] is None
    assert "NaN" not in (tmp_path / "figures.json").read_text()
    assert quality.measure(row, 0, tmp_path) == found
    assert " -      - " in quality.line(row, [found])


@pytest.mark.parametrize(("kernel", "sees"), [(3, 2), (5, 4), (7, 4)])
def test_blank_places_are_those_whose_window_holds_no_stroke(pictures, kernel, sees):
    """Place i of two layers sees the pixels 4 i - 3 p .. 4 i + 3 p, where p = (kernel - 1) / 2."""
    x = np.zeros((3, 1, 28, 28), np.uint8)
    x[..., 14, 14] = 255
    changes = ["bottleneck=vq", "network.map=true", "network.channels=4,6", f"network.kernel={kernel}"]
    recipe = assign(recipe_for(pictures, network="conv"), changes)
    model = build(recipe, pictures.layout, fit_scaling(x, pictures.layout))
    drawn = Splits(pictures.layout, Split(x), Split(x), Split(x))
    assert quality.blank_places(model, drawn) == pytest.approx(100 * (1 - (sees / 7) ** 2))


@pytest.mark.data
def test_the_places_of_the_codebook_row_see_enough_to_use_it(real):
    """Were all blank places one entry and the others used evenly, over 200 of 512 entries would be in use."""
    real("mnist")
    data, row = load("mnist", limit=3000), next(row for row in quality.rows() if "perplexity" in row.also)
    recipe = assign(recipe_for(data, network=row.network), row.changes)
    model = build(recipe, data.layout, fit_scaling(data.train.x, data.layout))
    assert model.code_shape == (7, 7, 32)
    blank = quality.blank_places(model, data) / 100
    bits = (1 - blank) * np.log2(511 / (1 - blank)) - blank * np.log2(blank)
    assert 2**bits > 250
