"""Using a model: on which objects, of which source, and what is said where they do not fit."""

import numpy as np
import pytest
from PIL import Image

from narrows.cli.main import run
from narrows.data import load

QUICK = ["--epochs", "1", "--set", "network.widths=8"]


def pictures(folder, count=3, size=(32, 32), mode="RGB"):
    """A folder with the test digits drawn larger, as picture files of 0..255."""
    folder.mkdir()
    for number, x in enumerate(load("digits").test.x[:count]):
        picture = Image.fromarray((x[0] * 255.0 / 16).round().astype(np.uint8), "L")
        picture.resize(size, Image.Resampling.NEAREST).convert(mode).save(folder / f"{number}.png")
    return folder


def test_pictures_of_another_range_are_brought_to_the_models(digits_run, tmp_path, answer):
    own, theirs = tmp_path / "own.npy", tmp_path / "theirs.npy"
    assert answer("encode", digits_run, "--out", own)[0] == 0
    source = pictures(tmp_path / "p", size=(8, 8), mode="L")
    _, result = answer("encode", digits_run, source, "--out", theirs)
    assert "Brought values from the source's range 0..255 to the model's 0..16." in result["notes"]
    np.testing.assert_allclose(np.load(theirs), np.load(own)[:3], atol=0.05)


def test_a_conversion_of_pictures_is_said(digits_run, tmp_path, answer, capsys):
    source = pictures(tmp_path / "p")
    _, result = answer("reconstruct", digits_run, source, "--out", tmp_path / "s.png")
    assert "Converted 3 pictures from 32 x 32 RGB to 8 x 8 grey." in result["notes"]
    assert result["mse"] < 1
    run(["encode", str(digits_run), str(source), "--out", str(tmp_path / "z.npy")])
    assert "! Converted 3 pictures from 32 x 32 RGB" in capsys.readouterr().out


def test_an_array_within_the_models_range_is_left_as_it_is(digits_run, tmp_path, answer):
    x = load("digits").test.x
    np.save(tmp_path / "bytes.npy", x)
    np.save(tmp_path / "loud.npy", x.astype(np.float32) * 3)
    for name, notes in (("bytes.npy", 0), ("loud.npy", 1)):
        _, result = answer("reconstruct", digits_run, tmp_path / name, "--out", tmp_path / "x.npy")
        assert len(result["notes"]) == notes
    assert "outside the range the model was trained on" in result["notes"][0]


@pytest.mark.parametrize(
    ("source", "split", "count", "named"),
    [
        ([], [], 359, "test"),
        ([], ["--split", "train"], 1258, "train"),
        ([], ["--split", "all"], 1797, "all"),
        (["digits"], [], 1797, "all"),
        (["digits"], ["--split", "valid"], 180, "valid"),
    ],
)
def test_the_split_is_chosen_and_named(digits_run, tmp_path, answer, source, split, count, named):
    for command, out in (("encode", "z.npy"), ("reconstruct", "x.npy"), ("map", "m.svg")):
        limit = ["--limit", 2000] if command == "map" else []
        _, result = answer(command, digits_run, *source, *split, *limit, "--out", tmp_path / out)
        assert (result["objects"], result["split"]) == (count, named)


@pytest.mark.parametrize("split", ["tset", "train"])
def test_a_split_that_is_not_there_is_refused(digits_run, tmp_path, answer, split):
    np.save(tmp_path / "x.npy", load("digits").test.x)
    status, _ = answer("encode", digits_run, tmp_path / "x.npy", "--split", split, "--out", tmp_path / "z.npy")
    assert status == 2


def test_a_map_shows_a_whole_scene_unless_a_split_is_asked_for(tmp_path, answer):
    np.savez(tmp_path / "s.npz", cube=np.random.default_rng(0).random((20, 20, 6)).astype(np.float32))
    assert answer("train", tmp_path / "s.npz", "--out", tmp_path / "r", *QUICK)[0] == 0
    asked = {"all": [], "test": ["--split", "test"]}
    counts = {n: answer("map", tmp_path / "r", *a, "--out", tmp_path / "m.svg")[1] for n, a in asked.items()}
    assert (counts["all"]["objects"], counts["all"]["split"], counts["test"]["split"]) == (400, "all", "test")
    assert counts["test"]["objects"] < 200


def test_a_run_finds_its_data_from_any_folder_and_misses_it_by_name(tmp_path, monkeypatch, answer):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    np.save(tmp_path / "here/x.npy", np.random.default_rng(0).random((40, 6)).astype(np.float32))
    monkeypatch.chdir(tmp_path / "here")
    assert answer("train", "x.npy", "--out", tmp_path / "run", *QUICK)[0] == 0
    monkeypatch.chdir(tmp_path / "there")
    assert answer("encode", tmp_path / "run")[0] == 0
    (tmp_path / "here/x.npy").rename(tmp_path / "here/moved.npy")
    for command in ("encode", "generate"):
        status, result = answer(command, tmp_path / "run")
        assert status == 3
        assert f"the data this run was trained on, {tmp_path / 'here/x.npy'}, is not there" in result["error"]["given"]
    assert answer("encode", tmp_path / "run", tmp_path / "here/moved.npy")[0] == 0
