"""Thresholds against searches through every possible one."""

import json

import numpy as np
import pytest
from sklearn.metrics import fbeta_score, precision_score, recall_score

from narrows.detect.conformal import p_values
from narrows.detect.threshold import RULES, Budget, Conformal, Cost, FBeta, Precision, Share, Threshold
from narrows.errors import InputError, UsageError

RNG = np.random.default_rng(5)
LABELS = (RNG.random(400) < 0.1).astype(int)
SCORES = RNG.normal(size=400).round(1) + 1.5 * LABELS
TIMES = np.sort(RNG.uniform(0, 4 * 86400, 400))
CANDIDATES = [*np.unique(SCORES), SCORES.max() + 1]


@pytest.mark.parametrize("name", RULES)
def test_every_rule_survives_json_and_says_what_it_was_fitted_on(name):
    threshold = RULES[name]().fit(SCORES, LABELS, TIMES, on="rows of last week")
    again = Threshold.model_validate(json.loads(threshold.model_dump_json()))
    assert again == threshold
    assert np.array_equal(again.alarms(SCORES), threshold.alarms(SCORES))
    assert "400 rows of last week" in threshold.sentence
    assert RULES[name]().words in threshold.sentence


@pytest.mark.parametrize("count", range(1, 400, 7))
def test_a_budget_is_never_exceeded_and_no_lower_threshold_keeps_it(count):
    threshold = Budget(count=count).fit(SCORES)
    reach = threshold.alarms(SCORES).sum()
    lower = SCORES[~threshold.alarms(SCORES)]
    assert reach <= count
    assert not len(lower) or (lower.max() <= SCORES).sum() > count


def test_a_budget_a_day_goes_by_the_time_the_rows_take():
    scores, days = np.arange(1000.0), np.datetime64("2026-03-01", "ns") + np.arange(1000) * np.timedelta64(864, "s")
    assert Budget(count=10, per="day").fit(scores, times=days).alarms(scores).sum() == 99  # 9.99 days
    assert Budget(count=10, per="week").fit(scores, times=days).alarms(scores).sum() == 14


def test_equal_scores_raise_no_alarm_where_the_budget_is_too_small_for_all_of_them():
    threshold = Budget(count=2).fit([7.0, 7.0, 7.0, 1.0])
    assert not threshold.alarms([7.0]).any()
    assert threshold.alarms([7.1]).all()
    assert "none of them at or above" in threshold.sentence


@pytest.mark.parametrize("share", [0.07, 0.1, 0.29, 0.57, 0.999])
def test_a_share_of_distinct_scores_is_exact(share):
    scores = RNG.permutation(1000).astype(float)
    assert Share(share=share).fit(scores).alarms(scores).sum() == round(share * 1000)


@pytest.mark.parametrize(("miss", "false_alarm"), [(1, 1), (20, 1), (1, 20), (1000, 1)])
def test_no_threshold_costs_less(miss, false_alarm):
    def cost(value):
        alarm = value <= SCORES
        return miss * (LABELS & ~alarm).sum() + false_alarm * (~LABELS.astype(bool) & alarm).sum()

    found = Cost(miss=miss, false_alarm=false_alarm).fit(SCORES, LABELS)
    assert cost(found.value) == min(map(cost, CANDIDATES))


@pytest.mark.parametrize("beta", [0.5, 1, 2])
def test_no_threshold_has_a_better_f_beta(beta):
    best = max(fbeta_score(LABELS, value <= SCORES, beta=beta, zero_division=0) for value in CANDIDATES)
    found = FBeta(beta=beta).fit(SCORES, LABELS)
    assert fbeta_score(LABELS, found.alarms(SCORES), beta=beta) == pytest.approx(best)


@pytest.mark.parametrize("at_least", [0.15, 0.3, 0.5])
def test_no_threshold_has_more_recall_at_the_precision(at_least):
    kept = [v for v in CANDIDATES[:-1] if precision_score(LABELS, v <= SCORES) >= at_least]
    best = max(recall_score(LABELS, value <= SCORES) for value in kept)
    alarms = Precision(at_least=at_least).fit(SCORES, LABELS).alarms(SCORES)
    assert precision_score(LABELS, alarms) >= at_least
    assert recall_score(LABELS, alarms) == best


@pytest.mark.parametrize("rate", [0.0099, 0.01, 0.05, 0.1, 0.37])
def test_a_conformal_threshold_alarms_where_the_p_value_is_at_most_the_rate(rate):
    calibration, new = SCORES[:199], SCORES[199:]
    threshold = Conformal(rate=max(rate, 1 / 200)).fit(calibration)
    assert np.array_equal(threshold.alarms(new), p_values(new, calibration) <= max(rate, 1 / 200))


def test_odd_rows_are_left_out_of_a_calibration():
    without = Conformal(rate=0.1).fit(SCORES[LABELS == 0])
    assert Conformal(rate=0.1).fit(SCORES, LABELS).value == without.value


@pytest.mark.parametrize(
    ("rule", "given", "kind", "words"),
    [
        (Cost(), {}, UsageError, "no labels for a threshold by least cost"),
        (FBeta(), {"labels": [0] * 4}, InputError, "all 4 labels are 0"),
        (FBeta(), {"labels": [1] * 4}, InputError, "all 4 labels are 1"),
        (FBeta(), {"labels": [0, 1, 2, 0]}, InputError, "a label '2'"),
        (FBeta(), {"labels": [0, 1]}, InputError, "labels of shape"),
        (Budget(count=5), {}, UsageError, "5 alerts in all would be 5 alerts for 4 rows"),
        (Budget(count=5, per="day"), {}, UsageError, "and no times"),
        (Budget(count=5, per="day"), {"times": [3.0] * 4}, InputError, "the same time"),
        (Budget(count=5, per="day"), {"times": [0, 1, 2, np.nan]}, InputError, "times are missing"),
        (Budget(count=5, per="day"), {"times": ["a"] * 4}, InputError, "seconds or dates"),
        (Budget(count=5, per="day"), {"times": [0, 1, 2, 3]}, UsageError, "0 alerts for 4 rows"),
        (Share(share=0.1), {}, UsageError, "at least one row"),
        (Precision(at_least=0.9), {"labels": [1, 0, 0, 0]}, UsageError, "at most 0.25, the best there is"),
        (Conformal(rate=0.01), {}, UsageError, "at least 99"),
    ],
)
def test_what_cannot_be_fitted_is_refused(rule, given, kind, words):
    with pytest.raises(kind, match=words):
        rule.fit([1.0, 2.0, 3.0, 4.0], **given)


@pytest.mark.parametrize("scores", [[], [[1.0]], ["a"], [1.0, np.nan], [np.inf]])
def test_scores_that_are_none_are_refused(scores):
    with pytest.raises(InputError):
        Share(share=0.5).fit(scores)
