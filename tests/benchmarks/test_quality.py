"""The benchmark of quality: every row is a recipe that can be built, and is measured once."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import quality

from narrows.changes import assign
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
