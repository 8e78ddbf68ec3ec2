"""Following a growing file: rows as they become whole, scored as offline, state bounded; and the commands."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from threading import Thread

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from narrows.data.frames import open_table
from narrows.detect.series import Plan, learn_series, series_with_model
from narrows.detect.series.follow import Follower
from narrows.errors import LimitError, ModelError

HEAD = "flow,heat\n"
STEPS = 80


def pump(rows, seed=0):
    rng, time = np.random.default_rng(seed), np.arange(rows) / 20 * 2 * np.pi
    return np.stack([np.sin(time), np.cos(time)], 1).round(3) + rng.normal(size=(rows, 2)).round(2) * 0.05


def lines(values):
    return "".join(f"{flow:.6f},{heat:.6f}\n" for flow, heat in values)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    path = tmp_path_factory.mktemp("usual") / "usual.csv"
    path.write_text(HEAD + lines(pump(600)))
    return path


@pytest.fixture(scope="module")
def model(usual):
    return learn_series(open_table(usual), plan=Plan(steps=STEPS, trim=0.01)).model


class Rows:
    """Asked to stop once so many rows were read of the file at hand, and of those before it, or after a while."""

    def __init__(self, rows, seconds=20):
        self.rows, self.before, self.until = rows, 0, time.monotonic() + seconds

    def follow(self, follower):
        def stop():
            return self.before + follower.row >= self.rows or time.monotonic() > self.until

        for piece in follower.pieces(stop, poll=0.01):
            last = piece.first + len(piece.instants) - 1 == follower.row
            self.before += follower.row if last else 0
            yield piece


def test_a_file_that_grows_is_scored_as_the_whole_is(tmp_path, model):
    values = pump(150, seed=1)
    values[90:96] = 0
    text, path, whole = HEAD + lines(values), tmp_path / "now.csv", tmp_path / "whole.csv"
    whole.write_text(text)

    def write():
        with path.open("w") as file:
            for start in range(0, len(text), 97):
                file.write(text[start : start + 97])
                file.flush()
                time.sleep(0.001)

    follower = Follower(path, model)
    writer = Thread(target=write)
    writer.start()
    pieces, longest = [], 0
    for piece in Rows(150).follow(follower):
        pieces.append(piece)
        longest = max(longest, len(follower.waiting), len(follower.stream.raw))
    writer.join()
    scores = np.concatenate([piece.instants.scores for piece in pieces])
    expected = series_with_model(open_table(whole), model).instants.scores
    np.testing.assert_allclose(scores, expected[: len(scores)], rtol=1e-5, atol=1e-5)
    assert len(scores) == 150
    assert longest <= 3 * model.detector.grid.length
    assert [piece.first for piece in pieces] == np.cumsum([1, *(len(p.instants) for p in pieces[:-1])]).tolist()


@pytest.mark.parametrize("how", ["cut", "replaced"])
def test_a_file_that_begins_anew_is_said(tmp_path, model, how):
    path, said = tmp_path / "now.csv", []
    path.write_text(HEAD + lines(pump(60)))
    follower, pieces = Follower(path, model, said.append), []
    for piece in Rows(60 + 50).follow(follower):
        pieces.append(piece)
        if len(pieces) == 1:
            if how == "replaced":
                (tmp_path / "new.csv").write_text(HEAD + lines(pump(50)))
                os.replace(tmp_path / "new.csv", path)
            else:
                path.write_text(HEAD + lines(pump(50)))
    assert [piece.first for piece in pieces if piece.first == 1] == [1, 1]
    assert sum(len(piece.instants) for piece in pieces) == 110
    assert said[0].startswith("now.csv begins anew: " + ("it was cut" if how == "cut" else "another file"))


def test_a_row_that_cannot_be_read_is_missing_and_said(tmp_path, model):
    path, said = tmp_path / "now.csv", []
    path.write_text(HEAD + lines(pump(40)) + "0.5\n0.5,warm\n" + lines(pump(20)) + "0.1,0.")
    found = list(Rows(62).follow(Follower(path, model, said.append)))
    assert said == [
        "Row 41 has 1 field instead of 2: taken as missing.",
        "Row 42: heat is 'warm', no finite number: taken as missing.",
    ]
    scores = np.concatenate([piece.instants.scores for piece in found])
    assert len(scores) == 62
    assert scores[40] == 0
    assert np.isfinite(scores).all()


def test_what_cannot_be_followed_is_refused(tmp_path, model):
    path = tmp_path / "now.csv"
    path.write_text("flow,cold\n1.5,2\n")
    with pytest.raises(ModelError, match="lacks 1 channel: 'heat'"):
        next(Follower(path, model).pieces(lambda: False))
    path.write_text("x" * (2 << 20))
    with pytest.raises(LimitError, match="a line of more than"):
        next(Follower(path, model).pieces(lambda: False))


def test_few_rows_are_said_to_have_no_score(tmp_path, model):
    path, said = tmp_path / "now.csv", []
    path.write_text(HEAD + lines(pump(5)))
    assert list(Rows(5).follow(Follower(path, model, said.append))) == []
    assert said == ["5 rows were too few for a window and got no score."]


def test_the_commands_are_a_pair(tmp_path, usual, answer, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, learned = answer("train", "detect", usual, "--series", "--out", "m", "--window", "20")
    assert (status, learned["window"]) == (0, 20)
    values = pump(300, seed=2)
    values[200:210] = 0
    (tmp_path / "next.csv").write_text(HEAD + lines(values))
    status, told = answer("detect", "next.csv", "--series", "--model", "m")
    assert status == 0
    assert told["alarms"][0]["row"].startswith("rows ")
    scored = list(csv.DictReader((tmp_path / "next-scored.csv").read_text().splitlines()))
    assert len(scored) == 300
    assert scored[204]["alarm"] == "true"
    assert scored[204]["because"].startswith(("flow 0, expected", "heat 0, expected"))
    for words in (["--window", "8"], ["--peers"], ["--alerts", "3"]):
        assert answer("detect", "next.csv", "--series", "--model", "m", "--force", *words)[0] == 2
    assert answer("detect", "next.csv", "--window", "8")[0] == 2
    assert answer("detect", "next.csv", "--series", "--follow", "--force")[0] == 2
    assert answer("detect", "next.csv", "--series", "--architecture", "dens", "--force")[0] == 2


@pytest.mark.slow
def test_ctrl_c_ends_the_following_with_whole_lines(tmp_path, model):
    model.to_files(tmp_path / "m")
    (tmp_path / "now.csv").write_text(HEAD + lines(pump(100)))
    words = ["detect", "now.csv", "--series", "--model", "m", "--follow", "--json"]
    child = subprocess.Popen([sys.executable, "-m", "narrows", *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    out, until = tmp_path / "now-scored.csv", time.monotonic() + 60
    while not (out.exists() and out.stat().st_size) and time.monotonic() < until:
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    told = json.loads(child.communicate(timeout=60)[0])
    assert child.returncode == 0
    scored = list(csv.DictReader(out.read_text().splitlines()))
    assert (told["rows"], len(scored)) == (100, 100)
    assert {"flow", "heat", "score", "p_value", "alarm", "because"} == set(scored[0])
