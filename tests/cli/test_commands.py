"""The commands, as a person types them: results, files, JSON, and one sentence for what is wrong."""

import base64
import html
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from narrows.cli.main import run
from narrows.cli.train import comparison_rows, draw_comparison
from narrows.cli.use import read_codes
from narrows.compare import Comparison, Point
from narrows.data import load
from narrows.errors import InputError

SMALL = ["--set", "network.widths=32", "--epochs", "2", "--set", "training.route=float32"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert run(["train", "digits", "--out", str(folder), *SMALL]) == 0
    return folder


def answer(capsys, *arguments):
    status = run([*map(str, arguments), "--json"])
    out = capsys.readouterr().out
    return status, json.loads(out)


def test_train_ends_with_what_it_promises(tmp_path, capsys):
    status, result = answer(capsys, "train", "digits", "--out", tmp_path / "run", *SMALL)
    assert status == 0
    assert result["test"]["mse"] > 0
    assert result["baseline"]["pca"]["mse"] > 0
    assert {"seconds", "parameters", "epochs"} <= result.keys()
    assert json.loads((tmp_path / "run/report.json").read_text())["test"] == result["test"]


def test_train_does_not_replace_a_run_unasked(trained, capsys):
    status, result = answer(capsys, "train", "digits", "--out", trained, *SMALL)
    assert (status, result["error"]["code"]) == (2, "usage.exists")


@pytest.mark.parametrize("network", ["dense", "conv", "lstm", "unet"])
def test_every_network_trains_from_the_command_line(tmp_path, capsys, network):
    changes = {"dense": "network.widths=16", "conv": "network.channels=4", "lstm": "network.hidden=4"}
    change = changes.get(network, "network.channels=4,4")
    arguments = ["train", "digits", "--out", tmp_path / "r", "--network", network, "--epochs", "1", "--set", change]
    status, result = answer(capsys, *arguments)
    assert (status, result["network"]) == (0, network)


def test_reconstruct_draws_a_sheet_with_pca_beside(trained, tmp_path, capsys):
    status, result = answer(capsys, "reconstruct", trained, "--out", tmp_path / "sheet.png")
    assert status == 0
    assert result["baseline"]["pca"]["mse"] > 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size[0] > 300


def test_reconstruct_holds_pca_against_the_same_objects(trained, tmp_path, capsys):
    report = json.loads((trained / "report.json").read_text())
    for name, count in (("few.png", 2), ("many.png", 40), ("all.npy", 12)):
        _, result = answer(capsys, "reconstruct", trained, "--out", tmp_path / name, "--count", count)
        assert result["mse"] == pytest.approx(report["test"]["mse"], rel=1e-5)
        assert result["baseline"]["pca"] == pytest.approx(report["baseline"]["pca"], rel=1e-5)


@pytest.mark.parametrize("name", ["sheet.png", "all.npy"])
def test_reconstruct_says_when_pca_wins(trained, tmp_path, capsys, name):
    assert run(["reconstruct", str(trained), "--out", str(tmp_path / name)]) == 0
    assert "PCA wins: 8 numbers, error " in capsys.readouterr().out


def test_encode_then_decode_gives_the_reconstruction(trained, tmp_path, capsys):
    codes, made, rebuilt = tmp_path / "z.csv", tmp_path / "x.npy", tmp_path / "r.npy"
    assert answer(capsys, "encode", trained, "--out", codes)[0] == 0
    assert answer(capsys, "decode", trained, codes, "--out", made)[0] == 0
    assert answer(capsys, "reconstruct", trained, "--out", rebuilt)[0] == 0
    np.testing.assert_allclose(np.load(made), np.load(rebuilt), atol=1e-3)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("class,x1,x2", "has no columns z1, z2"),
        ("class,z1", "has no column z2; z1 to z2"),
        ("z1,z2,z3", "has a column z3; z1 to z2"),
    ],
)
def test_a_table_of_codes_names_the_columns_it_lacks(tmp_path, columns, words):
    path = tmp_path / "codes.csv"
    path.write_text(f"{columns}\n" + ",".join("1" * len(columns.split(","))) + "\n")
    with pytest.raises(InputError, match=words):
        read_codes(path, (2,))


def test_the_columns_of_codes_may_stand_in_any_order(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text("class,z2,z1\na,2,1\nb,4,3\n")
    assert read_codes(path, (2,)).tolist() == [[1, 2], [3, 4]]


def test_codes_as_csv_carry_the_class(trained, tmp_path, capsys):
    answer(capsys, "encode", trained, "--out", tmp_path / "z.csv")
    head, first, *_ = (tmp_path / "z.csv").read_text().splitlines()
    assert head == "z1,z2,z3,z4,z5,z6,z7,z8,class"
    assert first.rpartition(",")[2] in set("0123456789")


def test_generate_makes_samples_and_ways(trained, tmp_path, capsys):
    assert answer(capsys, "generate", trained, "--count", 6, "--out", tmp_path / "a.npy")[0] == 0
    status, _ = answer(capsys, "generate", trained, "--between", "0,1", "--count", 5, "--out", tmp_path / "b.npy")
    assert status == 0
    assert (np.load(tmp_path / "a.npy").shape, np.load(tmp_path / "b.npy").shape) == ((6, 1, 8, 8), (5, 1, 8, 8))


@pytest.mark.parametrize("extra", [["--count", 96], ["--count", 96, "--between", "3,17"], ["--count", 2]])
def test_made_objects_are_drawn(trained, tmp_path, capsys, extra):
    assert answer(capsys, "generate", trained, *extra, "--out", tmp_path / "a.png")[0] == 0
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.size[1] < 700


def test_a_way_stands_between_its_two_real_ends(trained, tmp_path, capsys, monkeypatch):
    from narrows.cli import draw

    kept = {}
    monkeypatch.setattr(draw, "reconstruction_sheet", lambda rows, path, **said: kept.update(said, rows=rows))
    assert answer(capsys, "generate", trained, "--count", 5, "--between", "3,17", "--out", tmp_path / "a.png")[0] == 0
    test = load("digits").test.x
    (row,) = kept["rows"].values()
    np.testing.assert_array_equal(row[[0, -1]], test[[3, 17]])
    assert kept["title"] == "digits: from object 3 to object 17 in 5 steps"
    assert kept["captions"]["object"] == ["3 (real)", "", "", "", "", "", "17 (real)"]


def test_a_map_of_some_objects_counts_them_as_arrays_do(trained, tmp_path, capsys):
    assert answer(capsys, "map", trained, "--limit", 50, "--out", tmp_path / "m.html")[0] == 0
    text = (tmp_path / "m.html").read_text("utf-8").partition('id="data">')[2].partition("</script>")[0]
    data = json.loads(text)
    labels = np.frombuffer(base64.b64decode(data["labels"]), "u1")
    assert (load("digits").test.y[data["ids"]] == labels).all()
    assert data["ids"] != list(range(50))


def test_a_log_holds_no_pictures_of_blocks(tmp_path, capfd):
    assert run(["train", "digits", "--out", str(tmp_path / "r"), *SMALL]) == 0
    assert "▀" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("suffix", ["png", "svg", "html"])
def test_map_draws_and_measures(trained, tmp_path, capsys, suffix):
    status, result = answer(capsys, "map", trained, "--out", tmp_path / f"map.{suffix}")
    assert status == 0
    assert 0 <= result["knn_accuracy"] <= 1
    assert (tmp_path / f"map.{suffix}").stat().st_size > 1000


def listed_classes(path):
    """The names a map shows: the texts matplotlib notes beside the outlines it draws them with, or a page's data."""
    if path.suffix == ".svg":
        return {html.unescape(text) for text in re.findall(r"<!-- (.*?) -->", path.read_text())}
    data = re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', path.read_text(), re.DOTALL)
    return {group["name"] for group in json.loads(data[1])["groups"]}


def addresses(path):
    """Every address a picture would load when it is shown, wherever that is."""
    text = re.sub(r"<metadata>.*?</metadata>", "", path.read_text(), flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"|<!DOCTYPE[^>]*>', "", text)
    loaded = re.findall(r"""\s(?:xlink:href|href|src)=["']([^"']*)|url\(["']?([^"')]*)|(\w+://[^"'\s<]*)""", text)
    return {address for found in loaded for address in found if address and not address.startswith(("#", "data:"))}


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_a_map_names_every_class_and_asks_nobody_for_anything(tmp_path, capsys, suffix):
    rng, names = np.random.default_rng(0), np.array(["asphalt", "meadows", "bare soil", "<b>shadows"])
    y = np.arange(80) % 4
    np.savez(tmp_path / "land.npz", X=rng.random((80, 6)).astype(np.float32), y=y, class_names=names)
    quick = ["--epochs", 1, "--set", "network.widths=8"]
    assert answer(capsys, "train", tmp_path / "land.npz", "--out", tmp_path / "run", *quick)[0] == 0
    out = tmp_path / f"map.{suffix}"
    assert answer(capsys, "map", tmp_path / "run", tmp_path / "land.npz", "--out", out)[0] == 0
    assert set(names) <= listed_classes(out)
    assert addresses(out) <= {"http://www.w3.org/2000/svg"}


def test_a_map_by_tsne_shows_equal_codes_at_one_place(tmp_path, capsys):
    quick = ["--bottleneck", "vq", "--epochs", 1, "--set", "network.widths=8"]
    assert answer(capsys, "train", "digits", "--out", tmp_path / "vq", *quick)[0] == 0
    arguments = ["map", tmp_path / "vq", "--projection", "tsne", "--limit", 100, "--out", tmp_path / "m.svg"]
    status, result = answer(capsys, *arguments)
    assert (status, result["projection"]) == (0, "tsne")


def test_compare_draws_the_networks_and_pca(tmp_path, capsys):
    arguments = ["digits", "--sizes", "2,4", "--networks", "dense,conv", "--epochs", 1, "--limit", 200]
    status, result = answer(capsys, "compare", *arguments, "--out", tmp_path / "c.png")
    assert status == 0
    assert (result["sizes"], sorted(result["test"])) == ([2, 4], ["conv", "dense"])
    assert result["pca"][0] > result["pca"][1] > 0


def test_compare_reads_the_settings_of_the_data(tmp_path, capsys):
    arguments = ["compare", "digits", "--sizes", "2", "--networks", "dense", "--epochs", 1, "--out", tmp_path / "c.svg"]
    small = answer(capsys, *arguments, "--set", "data.limit=40", "--set", "data.scaling=none")[1]
    same = answer(capsys, *arguments, "--limit", 40, "--set", "data.scaling=none")[1]
    large = answer(capsys, *arguments, "--set", "data.scaling=none")[1]
    assert small["pca"] == same["pca"] != large["pca"]
    assert large["pca"][0] > 1


def test_compare_says_what_learned_nothing(tmp_path, capsys):
    quick = ["--sizes", "2,4", "--networks", "dense", "--limit", 60, "--epochs", 2, "--set", "training.rate=10"]
    status, result = answer(capsys, "compare", "digits", *quick, "--out", tmp_path / "c.svg")
    assert (status, [notice["code"] for notice in result["notices"]]) == (0, ["worse-than-mean"] * 2)


def test_compare_with_nothing_left_to_draw_is_refused(tmp_path, capsys):
    quick = ["--sizes", "2,4", "--networks", "dense", "--limit", 60, "--epochs", 60, "--set", "training.rate=10"]
    status, result = answer(capsys, "compare", "digits", *quick, "--out", tmp_path / "c.svg")
    assert (status, result["error"]["code"], list(tmp_path.iterdir())) == (2, "usage.diverged", [])


def test_a_diverged_training_is_a_gap_in_table_picture_and_json(tmp_path):
    points = (Point("dense", 2, 0.1), Point("dense", 4, float("nan")), Point("conv", 2, float("nan")))
    found = Comparison((*points, Point("conv", 4, float("nan"))), (2, 4), (0.2, 0.1))
    assert comparison_rows(found)[:2] == [["dense", "0.1", "diverged"], ["conv", "diverged", "diverged"]]
    assert found.as_dict()["test"] == {"dense": [0.1, None], "conv": [None, None]}
    draw_comparison(found, tmp_path / "c.svg", "digits")
    text = (tmp_path / "c.svg").read_text()
    assert "<!-- dense" in text
    assert "<!-- conv" not in text


def test_data_lists_every_set(capsys):
    from narrows.data import DATASETS

    status, result = answer(capsys, "data")
    assert status == 0
    assert [row["name"] for row in result["datasets"]] == list(DATASETS)


def test_info_knows_runs_sets_and_the_schema(trained, capsys):
    assert answer(capsys, "info", trained)[1]["finished"] is True
    assert answer(capsys, "info", "digits")[1]["layout"]["shape"] == [1, 8, 8]
    assert "properties" in answer(capsys, "info", "--schema")[1]
    assert "torch" in answer(capsys, "info")[1]["packages"]


def test_info_on_a_name_that_is_nothing_says_that_no_file_has_it(capsys):
    status, result = answer(capsys, "info", "nosuch")
    assert (status, result["error"]["given"]) == (2, "unknown data set 'nosuch', and no file or folder of that name")


def test_seed_and_corruption_have_options_of_their_own(tmp_path, capsys):
    status, _ = answer(
        capsys, "train", "digits", "--seed", "7", "--corruption", "mask-pixels", "--set", "corruption.ratio=0.5",
        "--out", tmp_path / "run", *SMALL,
    )  # fmt: skip
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert status == 0
    assert (recipe["seed"], recipe["data"]["seed"]) == (7, 0)
    assert (recipe["corruption"]["kind"], recipe["corruption"]["ratio"]) == ("mask-pixels", 0.5)


def test_a_model_reads_a_picture_of_ones_own(trained, tmp_path, capsys):
    Image.new("L", (20, 20), 90).save(tmp_path / "mine.png")
    status, result = answer(capsys, "encode", trained, tmp_path / "mine.png", "--out", tmp_path / "z.npy")
    assert (status, result["objects"]) == (0, 1)


def bad(tmp_path, name):
    path = tmp_path / name
    if name == "nan.npy":
        x = np.ones((40, 5), np.float32)
        x[7, 2] = np.nan
        np.save(path, x)
    elif name == "cut.npy":
        np.save(path, np.ones((40, 5)))
        path.write_bytes(path.read_bytes()[:200])
    elif name == "one.npy":
        np.save(path, np.ones((1, 5)))
    elif name == "empty":
        path.mkdir()
    elif name == "mixed":
        path.mkdir()
        for i in range(12):
            Image.new("L", (10 + i, 10), i).save(path / f"{i}.png")
    elif name == "broken":
        path.mkdir()
        for i in range(12):
            (path / f"{i}.png").write_bytes(b"not a picture")
    return path


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("nan.npy", 3, "object"),
        ("cut.npy", 5, "bytes of values"),
        ("one.npy", 3, "1 object; at least 10"),
        ("empty", 3, "neither pictures nor sounds"),
        ("mixed", 3, "different sizes"),
        ("broken", 5, "not a readable picture"),
        ("missing.csv", 3, "no file"),
        ("missing", 3, "no file or folder"),
    ],
)
def test_bad_data_is_one_sentence_and_leaves_nothing(tmp_path, capsys, name, status, words):
    source = bad(tmp_path, name)
    got = run(["train", str(source), "--out", str(tmp_path / "run")])
    error = capsys.readouterr().err.strip().splitlines()
    assert (got, len(error)) == (status, 1)
    assert words in error[0]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["train", "digitz"], 2),
        (["trian"], 2),
        (["train"], 2),
        (["train", "digits", "--code", "many"], 2),
        (["train", "digits", "--code", "65"], 4),
        (["train", "digits", "--network", "danse"], 2),
        (["train", "digits", "--set", "network=conv", "--set", "network.channels=4,4,4,4"], 2),
        (["train", "digits", "--set", "objective.msee=1"], 2),
        (["reconstruct", "nowhere"], 6),
        (["compare", "digits", "--sizes", "two"], 2),
        (["compare", "digits", "--out", "c.jpg"], 2),
        (["compare", "digits", "--networks", ""], 2),
        (["compare", "digits", "--networks", "dense,danse"], 2),
        (["compare", "digits", "--sizes", "2,-3"], 2),
        (["compare", "digits", "--sizes", "64"], 2),
        (["compare", "digits", "--sizes", "2", "--set", "head=tahn"], 2),
        (["train", "digits", "--set", "objective.kl=1"], 2),
        (["train", "digits", "--recipe", "nowhere.json"], 3),
        (["train", "digits", "--resume", "nowhere"], 2),
        (["train", "--resume", "nowhere"], 6),
        (["train", "--resume", "nowhere", "--seed", "1"], 2),
        (["train", "--resume", "nowhere", "--corruption", "gaussian"], 2),
        (["train", "digits", "--seed", "-1"], 2),
        (["train", "digits", "--corruption", "gausian"], 2),
        (["info", "digits", "--schema"], 2),
    ],
)
def test_wrong_use_is_one_sentence_with_its_exit_status(tmp_path, monkeypatch, capsys, arguments, status):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == status
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_that_is_none_is_not_blamed_on_a_run(tmp_path, capsys):
    (tmp_path / "afile").write_text("not a recipe")
    status, result = answer(capsys, "train", "digits", "--recipe", tmp_path / "afile")
    assert status == 5
    assert result["error"]["step"].startswith("Give a recipe.json")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a file system where nothing can be made")
def test_a_place_where_nothing_can_be_made_is_one_sentence(capsys):
    status, result = answer(capsys, "train", "digits", "--out", "/proc/nothing", *SMALL)
    assert (status, result["error"]["code"]) == (8, "environment.disk")


def test_an_error_is_an_object_with_json(capsys):
    status, result = answer(capsys, "train", "digitz")
    assert (status, result["error"]["code"], result["error"]["exit"]) == (2, "usage.unknown", 2)


def test_a_bug_says_so_and_ends_with_1(monkeypatch, capsys):
    monkeypatch.setattr("narrows.cli.about.list_data", lambda talk: 1 / 0)
    assert run(["data"]) == 1
    assert "a bug in narrows" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_leaves_a_run_that_resumes(tmp_path):
    command = [sys.executable, "-m", "narrows"]
    arguments = ["train", "digits", "--out", str(tmp_path / "run"), *SMALL, "--epochs", "300"]
    process = subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while process.poll() is None and not (tmp_path / "run" / "model.json").exists():
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 7
    assert b"--resume" in error
    assert run(["train", "--resume", str(tmp_path / "run"), "--json"]) == 0
    assert not (tmp_path / "run" / "resume.safetensors").exists()
