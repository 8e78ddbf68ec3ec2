"""Gaps in a table, columns left out, and what is said of the columns."""

import numpy as np
import pytest

from narrows.data import load, read
from narrows.errors import InputError, UsageError


@pytest.fixture
def table(tmp_path):
    """A table of 60 rows: gaps in two columns of numbers and in one of words."""
    rng, lines = np.random.default_rng(0), ["id,age,score,kind"]
    for row in range(60):
        age = "" if row % 10 == 3 else f"{rng.normal(40, 10):.3f}"
        score = "NA" if row == 5 else f"{rng.normal():.3f}"
        kind = "" if row == 7 else "abbb"[row % 4]
        lines.append(f"{row * 2},{age},{score},{kind}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    return tmp_path / "t.csv"


def test_all_columns_with_gaps_are_named_with_their_counts_and_a_way_out(table):
    with pytest.raises(InputError) as caught:
        load(table)
    assert "age (6 rows, first 4), score (1 row, first 6)" in caught.value.given
    assert "data.missing=drop" in caught.value.step
    assert "data.leave_out=age,score" in caught.value.step


def test_rows_with_gaps_are_dropped_and_named_as_in_the_file(table):
    data = load(table, missing="drop")
    assert sum(map(len, (data.train, data.valid, data.test))) == 60 - 8
    assert "8 rows of 60 left out for gaps." in data.notes
    assert not {"row 4", "row 6", "row 8"} & {*data.train.where, *data.valid.where, *data.test.where}
    assert "row 60" in {*data.train.where, *data.valid.where, *data.test.where}


def test_gaps_get_the_mean_and_the_most_frequent_word_of_the_training_rows(table):
    data = load(table, missing="mean")
    assert data.layout.columns == ("id", "age", "score", "kind=a", "kind=b")
    known = [x for x, where in zip(data.train.x, data.train.where, strict=True) if int(where[4:]) % 10 != 4]
    assert data.layout.fill[1] == pytest.approx(np.mean(known, 0)[1], rel=1e-5)
    assert data.layout.fill[3:] == (0, 1)
    whole = read(table, like=data.layout)
    assert whole.x[3, 1] == pytest.approx(data.layout.fill[1], rel=1e-5)
    assert whole.x[7, 3:].tolist() == [0, 1]
    assert type(data.layout).from_dict(data.layout.as_dict()) == data.layout


def test_columns_are_left_out_and_the_others_explained(table):
    data = load(table, missing="drop", leave_out=("age",))
    assert data.layout.columns == ("id", "score", "kind=a", "kind=b")
    notes = " ".join(data.notes)
    assert "id, score as numbers; kind (2 values) as categories" in notes
    assert "kind has 2 texts: --set data.label=kind makes it the class." in notes
    assert "id counts up: leave it out with --set data.leave_out=id." in notes
    with pytest.raises(UsageError, match="Did you mean 'age'"):
        load(table, leave_out=("agee",))


def test_gaps_are_no_matter_of_pictures():
    with pytest.raises(UsageError, match=r"data\.missing=drop has no meaning for digits"):
        load("digits", missing="drop")


def test_info_and_a_run_take_the_settings_of_a_table(table, tmp_path, answer):
    status, result = answer("info", table, "--set", "data.missing=drop", "--set", "data.leave_out=id")
    assert (status, result["layout"]["columns"]) == (0, ["age", "score", "kind=a", "kind=b"])
    assert answer("info", table, "--set", "training.epochs=3")[0] == 2
    quick = ["--epochs", 1, "--set", "network.widths=8", "--out", tmp_path / "run"]
    assert answer("train", table, "--set", "data.missing=drop", *quick)[0] == 0
    assert answer("encode", tmp_path / "run", table, "--out", tmp_path / "z.npy")[1]["objects"] == 52
