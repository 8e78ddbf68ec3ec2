"""Curves and areas as scikit-learn's; intervals that hold the truth as often as they say."""

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn import metrics

from narrows.detect.curves import Ranking, cost_curve, judge, precision_of, precision_recall, resampled, roc
from narrows.errors import InputError, UsageError

RNG = np.random.default_rng(7)
LABELS = RNG.random(1000) < 0.08
PLAIN = RNG.normal(size=1000) + 1.2 * LABELS
SCORES = [PLAIN, PLAIN.round(1), PLAIN.round(0)]
tied = pytest.mark.parametrize("scores", SCORES, ids=["distinct", "some ties", "many ties"])


@tied
def test_areas_are_scikit_learns(scores):
    judged = judge(scores, LABELS, rounds=20)
    assert judged.auroc.value == pytest.approx(metrics.roc_auc_score(LABELS, scores), abs=1e-12)
    assert judged.average_precision.value == pytest.approx(metrics.average_precision_score(LABELS, scores), abs=1e-12)
    assert judged.base_rate == LABELS.mean()


@tied
def test_the_roc_curve_is_scikit_learns(scores):
    false, hits, thresholds = metrics.roc_curve(LABELS, scores, drop_intermediate=False)
    curve = roc(scores, LABELS)
    assert curve.x == pytest.approx(false)
    assert curve.y == pytest.approx(hits)
    assert curve.thresholds == pytest.approx(thresholds)


@tied
def test_the_precision_recall_curve_is_scikit_learns(scores):
    precision, recall, thresholds = metrics.precision_recall_curve(LABELS, scores)
    curve = precision_recall(scores, LABELS)
    assert curve.x[::-1] == pytest.approx(recall[:-1])
    assert curve.y[::-1] == pytest.approx(precision[:-1])
    assert curve.thresholds[::-1] == pytest.approx(thresholds)


def test_recall_at_a_number_of_alerts_is_counted():
    top = np.argsort(-PLAIN)
    judged = judge(PLAIN, LABELS, alerts=(1, 50, 1000, 5000), rounds=20)
    assert set(judged.recall) == {1, 50, 1000}
    assert judged.recall[50].value == pytest.approx(LABELS[top[:50]].sum() / LABELS.sum())
    assert judged.recall[1000].value == 1


def test_recall_within_a_tie_is_what_chance_gives():
    assert judge([1, 1, 1, 1], [1, 0, 0, 0], alerts=(1, 2), rounds=5).recall[2].value == 0.5


def test_the_cost_is_counted_at_every_threshold():
    curve = cost_curve(PLAIN.round(1), LABELS, miss=30, false_alarm=2)
    for alerts, cost, threshold in zip(curve.x, curve.y, curve.thresholds, strict=True):
        alarm = PLAIN.round(1) >= threshold
        assert alerts == alarm.sum()
        assert cost == 30 * (LABELS & ~alarm).sum() + 2 * (~LABELS & alarm).sum()


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng, held, truth = np.random.default_rng(1), 0, 0.8413447  # P(N(1, 1/2) > N(0, 1/2)) = Phi(1)
    labels = np.arange(150) < 40
    for seed in range(200):
        auroc = judge(rng.normal(size=150) / np.sqrt(2) + labels, labels, seed=seed, rounds=100).auroc
        held += auroc.low <= truth <= auroc.high
    assert 0.88 <= held / 200 <= 0.99


@tied
def test_samples_of_groups_are_samples_of_rows(scores):
    ranking, rng = Ranking.of(scores, LABELS), np.random.default_rng(0)
    assert len(ranking.odd) <= 2 * LABELS.sum() + 1
    by_groups = [precision_of(*ranking.drawn(rng)) for _ in range(2000)]
    by_rows = [precision_of(*ranking.weighted(LABELS, weight)) for weight in resampled(LABELS, 1, 2000)]
    assert ks_2samp(by_groups, by_rows).pvalue > 0.01


def test_a_sample_is_weighed_as_its_rows_would_be():
    weight = next(resampled(LABELS, 3, 1)).astype(int)
    rows = np.repeat(np.arange(1000), weight)
    expected = metrics.average_precision_score(LABELS[rows], SCORES[1][rows])
    assert precision_of(*Ranking.of(SCORES[1], LABELS).weighted(LABELS, weight)) == pytest.approx(expected)


def test_the_bootstrap_follows_its_seed():
    one, same, other = (judge(PLAIN, LABELS, seed=seed, rounds=20) for seed in (0, 0, 1))
    assert one == same
    assert one != other


def test_the_sentence_states_the_base_rate():
    judged = judge(PLAIN, LABELS, rounds=20)
    assert f"base rate {LABELS.mean():.4g}" in judged.sentence
    assert judged.as_dict()["sentence"] == judged.sentence


def test_one_class_only_is_refused():
    with pytest.raises(InputError, match="all 1,000 labels are 0"):
        judge(PLAIN, np.zeros(1000))
    with pytest.raises(UsageError):
        judge(PLAIN, LABELS, alerts=(0,))
