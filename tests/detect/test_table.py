"""Odd rows of a table from end to end: fitted on its own rows or on another table's, told, saved and refused."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("pyarrow")

from narrows.cli.app import app
from narrows.data.frames import open_table
from narrows.detect.model import ABOUT, CALIBRATION, TableModel
from narrows.detect.table import ADDED, Columns, with_model, without_model
from narrows.detect.threshold import Budget, Conformal
from narrows.errors import DamagedError, ModelError

ODD = 12


def write(path, rows=600, *, seed=0, odd=ODD, head=("when", "card", "amount", "country", "fraud")):
    """A table of payments, a few of them odd: an amount and a country that do not go together with the rest."""
    rng = np.random.default_rng(seed)
    strange = set(rng.choice(np.arange(60, rows), odd, replace=False).tolist())
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for row in range(rows):
            amount = rng.lognormal(3, 0.4) * (40 if row in strange else 1)
            country = "RU" if row in strange else rng.choice(["GB", "FR"])
            writer.writerow([row * 3600, f"c{row % 40}", round(amount, 2), country, int(row in strange)])
    return path


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A table, what was found in it, and its rows with what was put beside them."""
    source = open_table(write(tmp_path_factory.mktemp("table") / "cards.csv"))
    columns = Columns(label="fraud", time="when", leave_out=("card",))
    made = without_model(source, columns, rule=Budget(count=ODD))
    return made, list(made.rows())


def beside(rows, name):
    return np.concatenate([np.asarray(added[name]) for _, added in rows])


def test_the_odd_rows_are_found_and_told_in_the_units_of_the_table(found):
    made, rows = found
    report = made.report(peers=False)
    assert report.judgement.average_precision.value > 0.9
    assert beside(rows, "alarm").sum() <= ODD
    (first,) = [text for text, score in zip(beside(rows, "because"), beside(rows, "score"), strict=True)
                if score == beside(rows, "score").max()]  # fmt: skip
    assert "country RU, expected" in first or "amount" in first
    assert all(bool(text) == alarm for text, alarm in zip(beside(rows, "because"), beside(rows, "alarm"), strict=True))


def test_what_columns_added_adds_up_to_the_score(found):
    made, _ = found
    for alarm in made.alarms:
        assert sum(blame.part for blame in alarm.blames) + alarm.others == pytest.approx(alarm.score, rel=1e-4)


def test_rows_that_are_gone_through_again_are_counted_once(found):
    made, _ = found
    before = made.report(peers=False).as_dict()
    list(made.rows())
    assert made.report(peers=False).as_dict() == before


def test_no_row_is_scored_by_a_model_that_saw_it(found):
    made, _ = found
    for fold in made.folds:
        assert not set(fold.fit) & set(fold.score)
    assert all(fold.fit.max() < fold.score.min() for fold in made.folds[1:])


def test_the_label_and_what_is_left_out_are_no_features(found):
    made, _ = found
    assert set(made.schema.names) == {"amount", "country"}


def test_a_saved_model_scores_as_the_one_it_was_and_promises_what_it_keeps(found, tmp_path):
    made, _ = found
    model = made.model()
    again = TableModel.from_files(model.to_files(tmp_path / "model"))
    new = open_table(write(tmp_path / "new.csv", 1000, seed=1, odd=5))
    scores = [beside(list(with_model(new, each).rows()), "score") for each in (model, again)]
    assert (scores[0] == scores[1]).all()
    p = beside(list(with_model(new, again).rows()), "p_value")
    labels = np.concatenate([again.schema.labels(batch) for batch in new]) == 1
    assert p[labels].max() < 0.05
    assert (p[~labels] <= 0.1).mean() < 0.2


def test_a_model_promises_by_held_out_normal_rows_of_its_own(found):
    made, _ = found
    model, last = made.model(), made.folds[-1].score
    odd = np.concatenate([made.schema.labels(batch) for batch in made.source])[last].sum()
    assert odd
    assert len(model.calibration) == len(last) - odd
    assert "held-out" in model.threshold.sentence


def test_rows_that_look_different_are_called_so(found, tmp_path):
    made, _ = found
    rng = np.random.default_rng(2)
    with (tmp_path / "moved.csv").open("w") as file:
        file.write("when,amount,country\n")
        file.writelines(f"{row},{rng.lognormal(6, 0.4):.2f},GB\n" for row in range(400))
    new = with_model(open_table(tmp_path / "moved.csv"), made.model())
    list(new.rows())
    assert "amount" in [column.name for column in new.report().drift.moved]


def test_a_table_that_lacks_columns_is_refused_by_name(found, tmp_path):
    made, _ = found
    (tmp_path / "few.csv").write_text("amount\n3\n")
    with pytest.raises(ModelError, match="country"):
        list(with_model(open_table(tmp_path / "few.csv"), made.model()).rows())


def test_the_history_of_customers_is_used_and_must_be_there(tmp_path):
    source = open_table(write(tmp_path / "cards.csv"))
    columns = Columns(label="fraud", time="when", customer="card", amount="amount")
    made = without_model(source, columns, rule=Conformal(rate=0.05))
    assert "card: seconds since the last" in made.schema.names
    assert "card" not in made.schema.names
    batch, added = next(iter(made.rows()))
    assert batch.schema.names == list(source.names)
    assert set(added) == set(ADDED)
    (tmp_path / "few.csv").write_text("amount,country\n3,GB\n")
    with pytest.raises(ModelError, match="'card' and 'when'"):
        with_model(open_table(tmp_path / "few.csv"), made.model())


@pytest.mark.parametrize("name", [ABOUT, CALIBRATION])
def test_a_damaged_model_is_refused(found, tmp_path, name):
    made, _ = found
    folder = made.model().to_files(tmp_path / "model")
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedError):
        TableModel.from_files(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError):
        TableModel.from_files(folder)


def run(*words):
    return CliRunner().invoke(app, ["detect", *map(str, words)])


def test_the_command_writes_table_report_and_model_and_reads_the_model_again(tmp_path):
    table = write(tmp_path / "cards.csv", 300)
    out, report, model = tmp_path / "out.parquet", tmp_path / "out.html", tmp_path / "model"
    words = [table, "--label", "fraud", "--out", out, "--report", report, "--save", model, "--share", ".05", "--json"]
    done = run(*words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["rows"] == 300
    assert {peer["name"] for peer in told["beside"]["peers"]} >= {"Isolation Forest", "PCA", "kNN", "ECOD"}
    assert "<script" not in report.read_text("utf-8")
    assert "--force" in str(run(*words).exception)
    after = run(table, "--model", model, "--out", tmp_path / "b.csv", "--report", tmp_path / "b.html", "--json")
    assert after.exit_code == 0, after.output
    assert json.loads(after.stdout.splitlines()[-1])["drift"]["rows"] == 300


@pytest.mark.parametrize(
    ("content", "words", "said"),
    [
        ("a,b\n", [], "without rows"),
        ("a,b\n1,2\n", [], "no column"),
        ("a,b\n1,2\n3\n", [], "line 3"),
        ("a\n" + "1\n" * 50, [], "same everywhere"),
        ("a\n1\n2\n3\n", ["--label", "b"], "b"),
        ("a\n1\n2\n3\n", ["--alerts", "1", "--share", ".1"], "one rule"),
        ("a\n1\n2\n3\n", ["--model", "nowhere"], "no detector"),
        ("a,score\n1,2\n2,3\n4,1\n9,9\n", [], "score"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(tmp_path, content, words, said):
    (tmp_path / "bad.csv").write_text(content)
    done = run(tmp_path / "bad.csv", "--out", tmp_path / "o.csv", "--report", tmp_path / "o.html", *words)
    assert said in str(done.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv"]
