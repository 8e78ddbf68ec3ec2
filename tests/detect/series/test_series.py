"""Odd instants of a series: found, blamed, never judged by what was fitted on them; models, streams, bad input."""

import csv
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from narrows.data.frames import open_table
from narrows.detect.report import page
from narrows.detect.rows import Columns
from narrows.detect.series import (
    Plan,
    SeriesDetector,
    SeriesModel,
    learn_series,
    series_with_model,
    series_without_model,
)
from narrows.detect.series.blocks import time_blocks
from narrows.detect.series.channels import read
from narrows.detect.series.stream import Stream
from narrows.detect.series.windows import Grid, usual_grid
from narrows.detect.threshold import Budget, Share
from narrows.errors import DamagedError, InputError, LimitError, ModelError, UsageError

QUICK = Plan(steps=150)
ODD = slice(700, 715)
HOUR = 3600


def pump(rows=1200, odd=True, seed=0):
    """Three channels of period 30; in the second one an oddity of another form, and no larger than usual values."""
    rng, time = np.random.default_rng(seed), np.arange(rows) / 30 * 2 * np.pi
    values = np.stack([np.sin(time), 40 + 5 * np.cos(time), np.sin(2 * time)], 1) + rng.normal(
        size=(rows, 3)
    ) * np.array([0.05, 0.25, 0.05])
    if odd:
        values[ODD, 1] = 40
    return values


def written(path, values, names=("flow", "heat", "turns"), **more):
    """A recording as a CSV file; `more` are columns beside the channels."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, *more])
        for row, others in zip(values, zip(*more.values(), strict=True) if more else [()] * len(values), strict=True):
            writer.writerow(["" if isinstance(v, float) and np.isnan(v) else v for v in row] + list(others))
    return open_table(path)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    values = pump()
    values[100:103, 0] = np.nan
    when = np.arange(len(values)) * HOUR
    source = written(tmp_path_factory.mktemp("series") / "pump.csv", values, when=when, note=["ok"] * len(values))
    return series_without_model(source, Columns(time="when"), plan=QUICK)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    source = written(tmp_path_factory.mktemp("usual") / "usual.csv", pump(odd=False))
    return learn_series(source, plan=replace(QUICK, trim=0.01)).model


def test_an_oddity_in_one_of_three_channels_is_found_and_blamed(found):
    oddest = found.stretches[0]
    assert ODD.start - 15 <= oddest[0] <= ODD.stop
    assert oddest[-1] < ODD.stop + 15
    assert found.instants.scores.argmax() in range(ODD.start, ODD.stop)
    first = found.alarms[0]
    assert first.blames[0].column == "heat"
    assert first.because.startswith("heat 40, expected about 3") or "expected about 4" in first.because
    parts = found.instants.parts
    np.testing.assert_allclose(parts.sum(1), found.instants.scores)


def test_what_was_done_is_said(found):
    told = " ".join(found.report().done)
    for words in ("Windows of 30 samples: the period", "5 blocks of time", "note is not used", "3 values missing"):
        assert words in told


def test_every_row_gets_a_finite_score_and_the_page_shows_the_series(found):
    rows = list(found.rows())
    added = {name: np.concatenate([np.asarray(part[name]) for _, part in rows]) for name in rows[0][1]}
    assert len(added["score"]) == 1200
    assert np.isfinite(added["score"]).all()
    assert np.isfinite(added["p_value"]).all()
    assert (added["because"] != "").tolist() == added["alarm"].tolist()
    shown = page(found.report())
    assert "The series" in shown
    assert 'class="band"' in shown
    assert "heat" in shown
    assert "nan" not in shown.lower()


def test_no_window_straddles_a_split():
    for block in time_blocks(1000, 30):
        for begin, end in block.fit:
            assert end - begin >= 30
            assert end <= block.begin - 30 or begin >= block.end + 30


def test_what_a_block_holds_does_not_reach_what_scores_it():
    values, grid, block = pump(), usual_grid(30), time_blocks(1200, 30)[2]
    poisoned = values.copy()
    poisoned[block.begin : block.end] += 100
    fitted = [SeriesDetector.fit(given, grid, parts=block.fit, plan=Plan(steps=30)) for given in (values, poisoned)]
    one, other = (detector.score(values).scores for detector in fitted)
    assert np.array_equal(one, other)


@pytest.mark.parametrize("grid", [usual_grid(30), Grid(30, 3, 8)])
def test_a_stream_gives_what_the_whole_gives(grid):
    values = pump(400)
    values[50:52] = np.nan
    detector = SeriesDetector.fit(pump(odd=False), grid, plan=Plan(steps=60))
    whole = detector.score(values).scores
    stream = Stream(detector)
    pieces = [stream.push(values[:1]), stream.push(values[1:2]), stream.push(np.empty((0, 3)))]
    for row in range(2, 400, 7):
        pieces.append(stream.push(values[row : row + 7]))
        given = sum(map(len, pieces))
        assert given >= min(row + 7, 400) - grid.delay - grid.hop or row + 7 < 30
        assert len(stream.raw) <= 2 * grid.length + 7
    pieces.append(stream.finish())
    np.testing.assert_allclose(np.concatenate([piece.scores for piece in pieces]), whole, rtol=1e-5, atol=1e-5)


def test_a_model_scores_the_next_series_and_survives_the_disk(model, tmp_path):
    source = written(tmp_path / "next.csv", pump(seed=1))
    again = SeriesModel.from_files(model.to_files(tmp_path / "model"))
    one, other = (series_with_model(source, each) for each in (model, again))
    assert np.array_equal(one.instants.scores, other.instants.scores)
    assert np.array_equal(one.p_values, other.p_values)
    assert set(range(ODD.start + 2, ODD.stop - 2)) <= set(one.alarmed)
    assert one.p_values[ODD].max() < 0.01
    ruled = again.ruled(Share(share=0.25)).threshold
    assert ruled.value < again.threshold.value
    with pytest.raises(UsageError, match="no times"):
        again.ruled(Budget(count=1, per="day"))


def test_a_model_lacks_a_channel_or_is_damaged(model, tmp_path):
    with pytest.raises(ModelError, match="lacks 1 channel: 'turns'"):
        series_with_model(written(tmp_path / "two.csv", pump()[:, :2], ("flow", "heat")), model)
    folder = model.to_files(tmp_path / "model")
    numbers = folder / "series.safetensors"
    numbers.write_bytes(numbers.read_bytes()[:-1])
    with pytest.raises(DamagedError):
        SeriesModel.from_files(folder)


def test_odd_instants_are_not_learned_and_judge_those_held_out(tmp_path):
    values = pump()
    values[300:310] += 3
    values[1100:1110, 2] = 0
    label = np.zeros(len(values), int)
    label[[*range(300, 310), *range(1100, 1110)]] = 1
    learned = learn_series(written(tmp_path / "a.csv", values, odd=label), Columns(label="odd"), plan=QUICK)
    assert "No window with one of 20 odd instants was fitted." in learned.done
    assert learned.judgement.auroc.value > 0.9


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pump(40), "a series of 40 samples"),
        (pump(1), "it never changes"),
        (np.full((300, 3), 7.0), "it never changes"),
        (np.full((300, 3), np.nan), "it is empty"),
        ([["warm", "cold", "hot"]] * 300, "it has no numbers"),
        ([[1.5, 2, 3], ["warm", 3, 4]] + [[row / 7, row, row] for row in range(300)], "flow has 'warm' in row 2"),
        ([[1.5, 2, 3], [1, "inf", 4]] + [[row / 7, row, row] for row in range(300)], "heat is infinite in row 2"),
    ],
    ids=["short", "one row", "constant", "missing", "text", "a word", "infinite"],
)
def test_bad_input_is_said(tmp_path, values, words):
    with pytest.raises(InputError, match=words):
        series_without_model(written(tmp_path / "bad.csv", values), window=16, plan=QUICK)


def test_ten_thousand_channels_are_too_many(tmp_path):
    rng = np.random.default_rng(0)
    names = [f"c{number}" for number in range(10_000)]
    with pytest.raises(LimitError, match="10,000 channels"):
        series_without_model(written(tmp_path / "wide.csv", rng.integers(0, 9, (60, 10_000)), names))


def test_times_rise_and_uneven_steps_are_said(tmp_path):
    values = pump(100)[:, :1]
    back = [*range(50), 10, *range(51, 100)]
    with pytest.raises(InputError, match="goes back in row 51"):
        read(written(tmp_path / "back.csv", values, ("flow",), when=back), Columns(time="when"))
    uneven = read(written(tmp_path / "u.csv", values, ("flow",), when=np.square(range(100))), Columns(time="when"))
    assert "Steps of time differ, from 1 to 197: windows count rows and not time." in uneven.notes
    with pytest.raises(UsageError, match="column 'wen'"):
        read(written(tmp_path / "c.csv", values, ("flow",)), Columns(time="wen"))
