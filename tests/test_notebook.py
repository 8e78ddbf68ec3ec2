"""What a notebook shows: pieces of HTML that need nothing else, and one notebook that runs."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from narrows import fit, load, open_run, recipe_for
from narrows.notebook import card
from narrows.readout import report

FIRST_LOOK = Path(__file__).parent.parent / "examples" / "first_look.ipynb"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder, data = tmp_path_factory.mktemp("run"), load("digits", limit=200)
    recipe = recipe_for(data).with_(
        training={"epochs": 2, "route": "float32"}, network={"kind": "dense", "widths": [8]}
    )
    *_, last = fit(recipe, data, folder=folder)
    report(last.result, data)
    return last.result


def parsed(html):
    """The HTML as a tree: what is not well formed is refused."""
    head, *rest = html.split("<img")
    return ET.fromstring(head + "".join(f"<img{part.replace('>', '/>', 1)}" for part in rest))


def test_a_result_draws_its_examples_and_its_losses(trained):
    tree = parsed(trained._repr_html_())
    assert len(tree.findall(".//img")) == 2 * len(trained.examples) == 16
    assert len(tree.findall(".//polyline")) == 2
    assert [head.text for head in tree.iter("th")] == ["input", "output"]


def test_a_saved_run_draws_its_losses_and_says_its_report(trained):
    html = open_run(trained.folder)._repr_html_()
    assert len(parsed(html).findall(".//polyline")) == 2
    assert json.loads((trained.folder / "report.json").read_text())["sentence"] in html


def test_a_result_without_history_or_examples_still_draws(trained):
    from dataclasses import replace

    assert "64 → 8 → 64" in parsed(replace(trained, history=(), examples=None)._repr_html_()).find("b").text


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 4, 6), (5, 4, 4), (2, 30), (7,), (1,)])
def test_objects_of_every_shape_become_tiles(shape):
    tree = parsed(card("x", {}, rows={"input": np.random.default_rng(0).normal(size=(3, *shape))}))
    assert len(tree.findall(".//img")) + len(tree.findall(".//polyline")) == 3


def test_pixels_are_those_of_the_object():
    import base64
    import io

    from PIL import Image

    x = np.array([[[[0.0, 0.5], [1.0, 2.0]]]])
    source = parsed(card("x", {}, rows={"input": x}, bounds=(0, 1))).find(".//img").get("src")
    picture = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))
    assert np.asarray(picture).tolist() == [[0, 128], [255, 255]]


def test_text_is_escaped_and_the_page_chooses_the_colours():
    bad = '<script>alert(1)</script>"'
    html = card(bad, {bad: bad}, rows={bad: np.ones((1, 4))}, curves={bad: [2.0, 1.0]})
    assert "<script>" not in html
    assert parsed(html).find("b").text == bad
    assert "#" not in html
    assert "http" not in html
    assert "currentColor" in html


@pytest.mark.parametrize("values", [[], [0.0], [float("nan")], [1.0], [1.0, 1.0], [-1.0, 2.0]])
def test_curves_that_cannot_be_drawn_do_no_harm(values):
    parsed(card("x", {}, curves={"loss": values}))


def test_the_notebook_is_stored_without_outputs():
    cells = json.loads(FIRST_LOOK.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_notebook_runs(tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    book = nbformat.read(FIRST_LOOK, as_version=4)
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    shown = "".join(str(output.get("data", {}).keys()) for output in outputs)
    assert "text/html" in shown
    assert "image/png" in shown
