"""No sentence for a client holds a place of this machine, whatever went wrong; answers of all tests are checked."""

import json

import files
import pytest
from conftest import check_places

from narrows.data.where import data_folders
from narrows.studio.hiding import hidden
from narrows.studio.home import Home
from narrows.studio.uploads import Uploads

SMALL = {"network": {"kind": "dense", "widths": [8]}, "bottleneck": {"kind": "plain", "size": 2}}


@pytest.fixture
def uploads(tmp_path):
    """Two uploads, one whole and one still being read."""
    uploads = Uploads(Home(tmp_path / "my runs"))
    for name in ("a" * 12, "b" * 12):
        (uploads.folder / name).mkdir()
    uploads.settle("a" * 12, "pets.zip", {"kind": "images", "source": "data"})
    return uploads


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("{uploads}/aaaaaaaaaaaa/data/cat/1.png is no picture", "pets.zip: cat/1.png is no picture"),
        ("no file or folder {uploads}/aaaaaaaaaaaa/data.csv. Check", "no file or folder pets.zip. Check"),
        ("'{uploads}/bbbbbbbbbbbb/raw.png' cannot be read", "'the file' cannot be read"),
        ("{runs}/digits/model.json is gone", "digits/model.json is gone"),
        ("{runs} is full", "the folder of the runs is full"),
        ("look in {data}, or in {data}/mnist", "look in the folder of the data, or in mnist"),
        ("/usr/lib/python3/torch/x.py and ~/.cache/y", "x.py and y"),
        ("3/4 of https://example.org/a/b, and/or /api", "3/4 of https://example.org/a/b, and/or /api"),
    ],
)
def test_a_place_goes_by_its_name(uploads, said, heard):
    places = {"uploads": uploads.folder, "runs": uploads.home.runs, "data": data_folders()[0]}
    assert hidden(said.format(**places), uploads) == heard


@pytest.mark.slow
def test_failures_of_uploads_and_recipes_name_no_place(whole_studio):
    studio = whole_studio
    studio.rest()
    give = lambda content, name: studio.http.post("/api/uploads", params={"name": name}, content=content)  # noqa: E731
    table, *others = (give(content, name).json()["id"] for content, name in FILES)
    (cards,) = studio.new({**SMALL, "data": {"name": "cards", "limit": 600}, "training": {"epochs": 1}})
    assert studio.wait(cards, "done", seconds=60)
    (mine,) = studio.new({**SMALL, "data": {"name": f"upload:{table}"}, "training": {"epochs": 1}})
    assert studio.wait(mine, "done", seconds=60)
    for run in (cards, mine):
        for upload in (table, *others, "a" * 12):
            answer = studio.http.post(f"/api/runs/{run}/use", json={"upload": upload, "task": "reconstruct"})
            assert answer.status_code < 500, answer.text
    sentences = [
        fails(studio, data) for data in (*others[1:], "a" * 12, {"name": f"upload:{table}", "label": "nonesuch"})
    ]
    (studio.home.uploads / table / "data.csv").unlink()
    assert studio.http.post(f"/api/runs/{cards}/use", json={"upload": table, "task": "reconstruct"}).status_code >= 400
    # Settings that were not loaded with before: what was is still in memory, and can be trained on.
    sentences.append(fails(studio, {"name": f"upload:{table}", "missing": "drop"}))
    assert "table.csv" in sentences[-1]
    for sentence in sentences:
        check_places(studio.home, sentence)
        assert ".studio" not in sentence


FILES = (
    (files.table(), "table.csv"),
    (files.picture(size=(8, 8)), "one.png"),
    (files.table(2), "few.csv"),
    (files.sound(), "a.wav"),
)


def fails(studio, data):
    """Why a run on this data cannot be; its preview, its beginning and its end are looked at."""
    recipe = {**SMALL, "data": data if isinstance(data, dict) else {"name": f"upload:{data}"}}
    assert studio.http.post("/api/preview", json={"recipe": recipe}).status_code >= 400
    answer = studio.http.post("/api/runs", json={"recipes": [recipe]})
    if answer.status_code != 201:
        return json.dumps(answer.json())
    return studio.wait(answer.json()["runs"][0]["id"], "failed")["why"]
