"""NAB's score: its fixed points, and what an alarm is worth by its place."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import nab


@pytest.fixture
def series():
    values = np.random.default_rng(0).normal(size=1000)
    return [
        nab.Series("one", values, np.array([[400, 449], [700, 799]])),
        nab.Series("none", values, np.zeros((0, 2), int)),
    ]


def alarms(series, *places):
    """An alarm at each of some places of the first series."""
    made = [np.zeros(len(one.values), bool) for one in series]
    made[0][list(places)] = True
    return made


def test_silence_is_0_and_perfection_100(series):
    judge = nab.Judge(series)
    assert judge.at(alarms(series)) == 0
    assert judge.at([nab.perfect(one) > 0 for one in series]) == pytest.approx(100)


def test_an_alarm_counts_the_earlier_the_more_and_once_a_window(series):
    judge = nab.Judge(series)
    early, late = judge.at(alarms(series, 400)), judge.at(alarms(series, 449))
    assert early == pytest.approx(50)
    assert 25 < late < early
    assert judge.at(alarms(series, 400, 401, 449)) == pytest.approx(early)


def test_an_alarm_outside_costs_and_behind_a_window_less(series):
    judge = nab.Judge(series)
    right_behind, far = judge.at(alarms(series, 452)), judge.at(alarms(series, 650))
    assert far < right_behind < 0
    assert far == pytest.approx(-100 * nab.FALSE / 4)


def test_what_lies_in_the_probation_is_not_judged(series):
    assert series[0].probation == 150
    assert nab.Judge(series).at(alarms(series, 10, 149)) == 0


def test_the_best_threshold_is_the_best_of_all(series):
    rng = np.random.default_rng(1)
    scores = [rng.random(len(one.values)).round(2) for one in series]
    judge = nab.Judge(series)
    best, threshold = judge.best(scores)
    tried = [judge.at([score >= value for score in scores]) for value in np.unique(np.concatenate(scores))]
    assert best == pytest.approx(max(0, *tried))
    assert judge.at([score >= threshold for score in scores]) == pytest.approx(best)


def test_the_baseline_looks_at_the_past_alone():
    values = np.random.default_rng(0).normal(size=300)
    changed = values.copy()
    changed[200:] += 9
    assert (nab.windowed_gaussian(values)[:200] == nab.windowed_gaussian(changed)[:200]).all()


def test_our_own_threshold_asks_no_label_and_no_later_score():
    scores = np.random.default_rng(0).random(6000)
    later = scores.copy()
    later[3000:] *= 9
    alarms, again = nab.own([scores, later])
    assert (alarms[:3000] == again[:3000]).all()
    assert alarms.mean() == pytest.approx(1 / nab.RARE, rel=0.5)
    assert not nab.own([np.zeros(100)])[0].any()


def test_the_interval_holds_the_score(series):
    judge = nab.Judge(series[:1] * 5)
    scores = [nab.perfect(one) for one in judge.series]
    assert nab.interval(judge.series, scores) == pytest.approx((100, 100))
    scores[0] = np.zeros(1000)
    low, high = nab.interval(judge.series, scores)
    assert judge.best(scores)[0] == pytest.approx(80)
    assert low < 80 < high
