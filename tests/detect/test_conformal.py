"""P-values are super-uniform, and the check tells a broken promise from chance."""

import numpy as np
import pytest
from scipy.stats import beta, false_discovery_control

from narrows.detect.conformal import check, exact_interval, own_p_values, p_values, q_values, rate_interval
from narrows.errors import InputError, UsageError

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.9)


@pytest.mark.parametrize("decimals", [12, 0], ids=["distinct", "tied"])
@pytest.mark.parametrize("own", [False, True])
def test_p_values_of_exchangeable_scores_are_super_uniform(decimals, own):
    rng, rounds, p = np.random.default_rng(1), 20_000, []
    for _ in range(rounds):
        scores = rng.normal(size=20).round(decimals)
        p.append(own_p_values(scores)[0] if own else p_values(scores[:1], scores[1:])[0])
    for level in LEVELS:
        # Three standard errors above the promise; without ties it is met exactly.
        noise = 3 * np.sqrt(level * (1 - level) / rounds)
        assert np.mean(np.array(p) <= level) <= level + noise
        if decimals:
            assert np.mean(np.array(p) <= level) >= level - noise


def test_a_tie_counts_as_odder():
    assert p_values([1.0], [1.0, 1.0, 1.0]).tolist() == [1.0]
    assert p_values([1.0 + 1e-9], [1.0, 1.0, 1.0]).tolist() == [0.25]


def test_p_values_are_never_zero_and_fall_with_the_score():
    p = p_values(np.linspace(-5, 5, 101), np.random.default_rng(0).normal(size=99))
    assert p.min() == 0.01
    assert (np.diff(p) <= 0).all()


def test_q_values_are_benjamini_and_hochbergs():
    p = np.random.default_rng(2).random(500) ** 2
    assert q_values(p) == pytest.approx(false_discovery_control(p, method="bh"))


def test_q_values_refuse_what_is_no_probability():
    with pytest.raises(InputError, match="numbers in"):
        q_values([0.1, 1.2])


@pytest.mark.parametrize(("count", "rows"), [(0, 30), (3, 30), (30, 30), (17, 5000)])
def test_the_exact_interval_is_clopper_and_pearsons(count, rows):
    low = beta.ppf(0.025, count, rows - count + 1) if count else 0
    high = beta.ppf(0.975, count + 1, rows - count) if count < rows else 1
    assert exact_interval(count, rows) == pytest.approx((low, high))


def test_the_rate_of_one_calibration_lies_in_its_interval():
    rng, (low, high), inside = np.random.default_rng(3), rate_interval(299, 0.1), 0
    for _ in range(1000):
        calibration = np.sort(rng.random(299))
        inside += low <= 1 - calibration[-30] <= high  # uniform scores: the 30th highest is the threshold
    assert 0.93 <= inside / 1000 <= 0.97


def test_a_kept_promise_is_doubted_no_more_often_than_said():
    rng = np.random.default_rng(4)
    doubts = sum(not check(rng.normal(size=300), rng.normal(size=199), 0.05).holds for _ in range(500))
    assert doubts <= 5 + 3 * np.sqrt(5)


def test_a_broken_promise_is_told():
    rng = np.random.default_rng(5)
    seen = check(rng.normal(0.7, size=1000), rng.normal(size=999), 0.01)
    assert not seen.holds
    assert seen.low > 0.01
    assert "not like the calibration rows" in seen.sentence
    assert seen.as_dict()["sentence"] == seen.sentence


def test_a_rate_below_the_least_p_value_is_refused():
    with pytest.raises(UsageError, match="calibration row"):
        check([1.0], [1.0, 2.0], 0.1)
