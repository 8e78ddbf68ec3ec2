"""The pair for production: a model learned from a table, another table scored by it, verdicts heeded, a past kept."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("pyarrow")

from narrows.cli.app import app
from narrows.data.frames import open_table
from narrows.detect.held import VALUES, Held
from narrows.detect.learn import held_out, learn
from narrows.detect.model import TableModel
from narrows.detect.rows import Columns, Rows
from narrows.detect.table import with_model
from narrows.detect.threshold import Cost, Share
from narrows.detect.verdicts import verdicts_in
from narrows.errors import InputError, UsageError

HOUR = 3600
HEAD = ("when", "card", "amount", "country", "fraud")
COLUMNS = Columns(label="fraud", time="when", customer="card", amount="amount")


def payments(path, rows, *, seed=0, start=0, odd=0.02, label=str):
    """Payments of 20 cards, an hour apart; the odd ones are large."""
    rng = np.random.default_rng(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        for row in range(rows):
            strange = row > 60 and rng.random() < odd
            amount = rng.lognormal(3, 0.4) * (40 if strange else 1)
            country = rng.choice(["GB", "FR"])
            writer.writerow([start + row * HOUR, f"c{row % 20}", round(amount, 2), country, label(int(strange))])
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return open_table(payments(tmp_path_factory.mktemp("learn") / "cards.csv", 1200))


@pytest.fixture(scope="module")
def learned(table):
    return learn(table, COLUMNS, rule=Share(share=0.02))


def scored(source, model):
    """All that was put beside the rows, by name."""
    found = with_model(source, model)
    parts = [added for _, added in found.rows()]
    return found, {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def labels_in(source, model):
    return np.concatenate([model.schema.labels(batch) for batch in source])


def test_the_last_rows_are_held_out_and_odd_ones_are_not_learned(table, learned):
    rows = Rows.of(table, COLUMNS, 0)
    fold = held_out(rows, 0)
    assert rows.times[fold.fit].max() < rows.times[fold.score].min()
    assert len(fold.score) == pytest.approx(len(rows.x) / 5, abs=1)
    odd = int(rows.labels.sum())
    assert f"{odd} rows that 'fraud' calls odd were not fitted." in learned.done
    assert learned.judgement.auroc.value > 0.95


def test_another_table_is_scored_from_where_the_first_one_ends(table, learned, tmp_path):
    new = open_table(payments(tmp_path / "new.csv", 600, seed=1, start=1200 * HOUR))
    forgetful = replace(learned.model, past=None)
    with_past, without = (scored(new, model)[1]["score"] for model in (learned.model, forgetful))
    first = np.arange(20)
    assert not np.allclose(with_past[first], without[first])
    odd = labels_in(new, learned.model) == 1
    assert np.median(with_past[odd]) > np.quantile(with_past[~odd], 0.99)


def test_a_table_that_begins_before_the_past_ends_is_scored_without_it(table, learned):
    again, alone = (scored(table, model)[1]["score"] for model in (learned.model, replace(learned.model, past=None)))
    assert (again == alone).all()


def test_the_model_goes_on_with_the_past_of_what_it_scored(learned, tmp_path):
    """A day scored after a day is like both in one file."""
    whole = open_table(payments(tmp_path / "whole.csv", 300, seed=2, start=1200 * HOUR))
    lines = (tmp_path / "whole.csv").read_text().splitlines(keepends=True)
    (tmp_path / "one.csv").write_text("".join(lines[:151]))
    (tmp_path / "two.csv").write_text("".join([lines[0], *lines[151:]]))
    found, one = scored(open_table(tmp_path / "one.csv"), learned.model)
    model = TableModel.from_files(found.model().to_files(tmp_path / "model"))
    _, two = scored(open_table(tmp_path / "two.csv"), model)
    both = np.append(one["score"], two["score"])
    assert both == pytest.approx(scored(whole, learned.model)[1]["score"], rel=1e-6)


def test_no_customer_can_be_read_in_a_saved_model(learned, tmp_path):
    folder = learned.model.to_files(tmp_path / "model")
    everything = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"c17" not in everything


def test_verdicts_change_scores_threshold_and_p_values_and_are_saved(table, learned, tmp_path):
    reviewed = open_table(payments(tmp_path / "reviewed.csv", 300, seed=3, start=1200 * HOUR))
    x, verdicts = verdicts_in(reviewed, learned.model)
    assert set(verdicts.tolist()) == {-1, 1}
    heeding = learned.model.heeding(x, verdicts)
    new = open_table(payments(tmp_path / "new.csv", 300, seed=4, start=1500 * HOUR))
    found, after = scored(new, TableModel.from_files(heeding.to_files(tmp_path / "model")))
    assert np.array_equal(after["score"], scored(new, heeding)[1]["score"])
    before = scored(new, learned.model)[1]
    odd = labels_in(new, learned.model) == 1
    assert (after["score"][odd] > before["score"][odd]).all()
    assert after["p_value"][~odd].mean() > 0.3
    assert "What was said of 300 rows is heeded." in found.done
    assert heeding.threshold.value != learned.model.threshold.value


def test_rows_that_set_the_threshold_do_not_once_they_are_reviewed(learned):
    held = learned.model.held
    heeding = learned.model.heeding(held.x[:10], np.full(10, -1))
    assert len(heeding.held.x) == len(held.x) - 10
    with pytest.raises(InputError, match="all"):
        learned.model.heeding(held.x, np.full(len(held.x), -1))


def test_another_rule_sets_another_threshold_on_the_rows_that_were_kept(learned):
    alarms = [(model.scorer.score(model.held.x) >= model.threshold.value).sum()
              for model in (learned.model.ruled(Share(share=0.1)), learned.model.ruled(Share(share=0.02)))]  # fmt: skip
    assert alarms == [24, 4]
    assert learned.model.ruled(Cost(miss=10, false_alarm=1)).threshold.rule.kind == "cost"
    with pytest.raises(UsageError, match="labels"):
        replace(learned.model, held=Held(learned.model.held.x)).ruled(Cost(miss=10, false_alarm=1))


def test_what_is_held_is_bounded():
    wide = Held.of(np.zeros((3000, VALUES // 1000), np.float32), None, np.zeros(3000))
    assert wide.x.shape == (1000, VALUES // 1000)
    assert wide.labels.shape == (1000,)


@pytest.mark.parametrize(
    ("words", "said"), [(["", "maybe"], "'maybe' in row 2"), (["", ""], "empty"), (["yes", "no"], None)]
)
def test_verdicts_are_yes_or_no_or_nothing(learned, tmp_path, words, said):
    model = replace(learned.model, schema=learned.model.schema.model_copy(update={"label": None}))
    path = payments(tmp_path / "reviewed.csv", 2, label=lambda odd: "")
    lines = [line + word for line, word in zip(path.read_text().splitlines(), ["", *words], strict=True)]
    path.write_text("\n".join(lines) + "\n")
    if said is None:
        assert verdicts_in(open_table(path), model, "fraud")[1].tolist() == [1, -1]
        return
    with pytest.raises(InputError, match=said):
        verdicts_in(open_table(path), model, "fraud")


def run(folder, *words):
    done = CliRunner().invoke(app, [*map(str, words), "--json"])
    return done, json.loads(done.stdout.splitlines()[-1]) if done.exit_code == 0 else str(done.exception)


def test_the_help_of_a_task_names_it_as_it_is_typed():
    said = CliRunner().invoke(app, ["train", "detect", "--help"]).output
    assert "train detect [OPTIONS]" in said
    assert "[OPTIONS] [source]" in CliRunner().invoke(app, ["train", "--help"]).output


def test_the_commands_for_every_day(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    columns = ["--label", "fraud", "--time", "when", "--customer", "card", "--amount", "amount"]
    done, told = run(tmp_path, "train", "detect", table.path, *columns, "--miss-cost", 20)
    assert done.exit_code == 0, told
    assert told["model"] == "cards-model"
    assert told["threshold"]["rule"]["kind"] == "cost"
    monday = payments(tmp_path / "monday.csv", 300, seed=3, start=1200 * HOUR)
    done, told = run(
        tmp_path, "detect", monday, "--model", "cards-model", "--save", "cards-model", "--force", "--peers"
    )
    assert done.exit_code == 0, told
    assert told["beside"]["peers"]
    tuesday = payments(tmp_path / "tuesday.csv", 300, seed=4, start=1500 * HOUR)
    heed = ["--feedback", "monday-scored.csv", "--alerts", 1, "--per", "day", "--save", "heeding"]
    done, told = run(tmp_path, "detect", tuesday, "--model", "cards-model", *heed)
    assert done.exit_code == 0, told
    assert told["beside"] is None
    assert "1 alert a day" in told["threshold"]["sentence"]
    assert TableModel.from_files("heeding").feedback is not None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["detect", "{}", "--feedback", "{}"], "--feedback without --model"),
        (["detect", "{}", "--model", "m", "--time", "when"], "beside --model"),
        (["detect", "{}", "--per", "day"], "--per day without --alerts"),
        (["detect", "{}", "--miss-cost", "5"], "labels"),
        (["train", "detect", "{}", "--miss-cost", "5", "--share", ".1"], "one rule"),
        (["train", "detect", "{}", "--label", "nothing"], "nothing"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    path = payments(tmp_path / "few.csv", 100)
    done, told = run(tmp_path, *[word.format(path) for word in words])
    assert done.exit_code != 0
    assert said in told
    assert [found.name for found in tmp_path.iterdir()] == ["few.csv"]
