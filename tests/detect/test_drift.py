"""Drift is told where there is some, and hardly ever where there is none."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest, ks_2samp

from narrows.detect.drift import MOST_COLUMNS, Column, Reference, Watch, chance_of, drift, holm, kolmogorov_smirnov, psi
from narrows.errors import DamagedError, InputError, LimitError
from narrows.files import JSON_LIMIT

NAMES = ["amount", "hour", "age", "country"]


def rows_of(rng, count):
    """Continuous, heavy-tailed, whole numbers with gaps, and a code of a few values."""
    age = rng.integers(18, 90, count).astype(float)
    age[rng.random(count) < 0.05] = np.nan
    return np.column_stack([rng.normal(size=count), rng.lognormal(3, 2, count), age, rng.integers(0, 4, count)])


REFERENCE = Reference.fit(rows_of(np.random.default_rng(0), 4000), NAMES)


def test_the_rate_of_false_alarms_is_near_its_nominal():
    p = [
        drift(Reference.fit(rng.normal(size=(800, 8)), list("abcdefgh")), rng.normal(size=(300, 8))).p
        for rng in map(np.random.default_rng, range(200))
    ]
    for level in (0.05, 0.2):
        alarms = int((np.array(p) <= level).sum())
        assert binomtest(alarms, 200, level).pvalue > 0.01, f"{alarms} of 200 at {level}"


def test_columns_with_gaps_and_few_values_raise_no_more_false_alarms():
    p = [drift(REFERENCE, rows_of(np.random.default_rng(seed), 500)).p for seed in range(1, 201)]
    assert sum(value <= 0.05 for value in p) <= 17  # 10 expected, and two and a half spreads


@pytest.mark.parametrize("bins", [16, 64])
def test_p_values_in_bins_are_calibrated_as_those_of_all_values(bins):
    rng, ours, theirs = np.random.default_rng(1), [], []
    for _ in range(1000):
        a, b = rng.normal(size=1000), rng.normal(size=400)
        empty = Column.binned("a", a, bins)
        ours.append(kolmogorov_smirnov(empty.add(a), empty.add(b))[1])
        theirs.append(ks_2samp(a, b).pvalue)
    for level in (0.01, 0.05, 0.2):
        assert np.mean(np.array(ours) <= level) == pytest.approx(np.mean(np.array(theirs) <= level), abs=0.025)


def test_the_statistic_is_the_gap_at_the_borders():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=500), rng.normal(0.5, 1, 700)
    empty = Column.binned("a", a, 400)
    assert kolmogorov_smirnov(empty.add(a), empty.add(b))[0] == pytest.approx(ks_2samp(a, b).statistic, abs=0.005)


def test_the_index_is_the_textbooks():
    old, new = np.repeat(np.arange(10.0), 1000), np.repeat(np.arange(10.0), [2000, 0] + [1000] * 8)
    empty = Column.binned("a", old, 64)
    p, q = np.full(10, 1000.5), np.array([2000.5, 0.5] + [1000.5] * 8)
    p, q = p / p.sum(), q / q.sum()
    assert psi(empty.add(old), empty.add(new)) == pytest.approx(((q - p) * np.log(q / p)).sum())
    assert psi(empty.add(old), empty.add(old)) == 0


@pytest.mark.parametrize(
    ("column", "change", "words"),
    [
        (0, lambda v: v + 0.6, "amount: median"),
        (1, lambda v: v * 4, "hour: median"),
        (2, lambda v: np.where(np.arange(len(v)) % 2, v, np.nan), "age: missing in"),
        (3, lambda v: np.where(v == 2, 1, v), "country: 2 in 2"),
        (3, lambda v: np.where(v == 0, -5, v), "country: less than 0 in 0.00% of the rows"),
    ],
)
def test_a_column_that_moved_is_named_with_from_what_to_what(column, change, words):
    today = rows_of(np.random.default_rng(9), 1500)
    today[:, column] = change(today[:, column])
    found = drift(REFERENCE, today)
    assert [moved.name for moved in found.moved] == [NAMES[column]]
    assert found.moved[0].words.startswith(words)
    assert "1 of 4 columns over 1,500 rows moved" in found.sentence


def test_values_are_told_in_the_units_of_the_person():
    today = rows_of(np.random.default_rng(9), 1500) + np.eye(4)[0]
    found = drift(REFERENCE, today, show=lambda number, value: f"{value:.0f} in unit {number}")
    assert "now 1 in unit 0" in found.columns[0].words


def test_quantiles_in_words_are_those_of_the_values():
    values = np.random.default_rng(3).lognormal(2, 1, 5000)
    column = Column.binned("a", values, 64).add(values)
    for share in (0.05, 0.5, 0.95):
        assert column.quantile(share) == pytest.approx(np.quantile(values, share), rel=0.03)
    assert [column.quantile(0), column.quantile(1)] == [values.min(), values.max()]


@pytest.mark.parametrize(("sign", "words"), [(1, "now more than 2."), (-1, "now less than -2.")])
def test_what_lies_beyond_the_reference_is_not_guessed(sign, words):
    rng = np.random.default_rng(0)
    reference = Reference.fit(rng.normal(size=(2000, 1)), ["a"])
    assert words in drift(reference, sign * rng.lognormal(5, 2, (900, 1))).columns[0].words


def test_a_sure_but_small_difference_is_called_slight():
    rng = np.random.default_rng(0)
    found = drift(Reference.fit(rng.normal(size=(200_000, 1)), ["a"]), rng.normal(0.05, 1, (200_000, 1)))
    assert not found.moved
    assert found.sentence.startswith("Slight drift")


def test_scores_that_moved_ask_for_a_new_threshold():
    rng = np.random.default_rng(0)
    reference = Reference.fit(rng.normal(size=(900, 1)), ["a"], scores=rng.gamma(2, size=900))
    still, moved = (drift(reference, rng.normal(size=(400, 1)), rng.gamma(2, size=400) * k) for k in (1, 2))
    assert not still.scores.moved
    assert moved.scores.moved
    assert moved.sentence.endswith("fit a new threshold.")
    assert json.loads(json.dumps(moved.as_dict()))["scores"]["moved"] is True


def test_pieces_count_as_the_whole():
    today = rows_of(np.random.default_rng(4), 1000)
    watch = Watch(REFERENCE)
    for part in np.array_split(today, 7):
        watch.add(part)
    assert watch.drift() == drift(REFERENCE, today)


def test_a_reference_survives_json_to_the_last_digit():
    reference = Reference.fit(rows_of(np.random.default_rng(5), 700), NAMES, scores=np.arange(700.0) / 3)
    again = Reference.from_dict(json.loads(json.dumps(reference.as_dict())))
    today = rows_of(np.random.default_rng(6), 300)
    assert drift(again, today, np.arange(300)) == drift(reference, today, np.arange(300))


@pytest.mark.parametrize("columns", [1, 300, MOST_COLUMNS])
def test_a_reference_is_of_bounded_size(columns):
    x = np.random.default_rng(0).normal(size=(2000, columns)).astype(np.float32) * 1e-7
    reference = Reference.fit(x, [f"a column named {number}" for number in range(columns)])
    assert len(json.dumps(reference.as_dict(), indent=2)) < JSON_LIMIT


def test_columns_without_values_or_without_spread_are_taken():
    x = np.column_stack([np.full(50, np.nan), np.full(50, 3.0), np.arange(50.0)])
    reference = Reference.fit(x, ["a", "b", "c"])
    assert drift(reference, x).p == 1
    assert [column.moved for column in drift(reference, x[:, ::-1]).columns] == [True, False, True]


def test_holms_correction_is_the_definition():
    p = np.random.default_rng(0).random(30) ** 3
    order = np.argsort(p)
    expected = [min(1, max(p[order[k]] * (30 - k) for k in range(place + 1))) for place in range(30)]
    assert np.array(holm(p.tolist()))[order] == pytest.approx(expected)


@pytest.mark.parametrize(
    "change",
    [
        {"edges": "1 0"},
        {"edges": "0 nan"},
        {"counts": "1 2"},
        {"counts": "-1 2 3 4"},
        {"counts": "99999999999999999999 1 1 1"},
        {"counts": None},
        {"low": "x"},
    ],
)
def test_a_damaged_reference_is_refused(change):
    column = Column("a", np.array([0.0, 1.0]), np.array([0, 1, 2, 3])).as_dict()
    assert Column.from_dict(column).name == "a"
    with pytest.raises(DamagedError):
        Reference.from_dict({"columns": [column | change]})
    with pytest.raises(DamagedError):
        Reference.from_dict({})


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="4"):
        drift(REFERENCE, np.ones((3, 2)))
    with pytest.raises(InputError, match="infinite"):
        drift(REFERENCE, np.full((3, 4), np.inf))
    with pytest.raises(InputError, match="no rows"):
        Watch(REFERENCE).drift()
    with pytest.raises(LimitError):
        Reference.fit(np.ones((1, MOST_COLUMNS + 1)), ["a"] * (MOST_COLUMNS + 1))


@pytest.mark.parametrize("size", [20, 100, 5000])
def test_the_chance_of_a_gap_is_near_the_exact_one(size):
    from scipy.stats import kstwo

    for chance in (0.5, 0.1, 0.01, 0.001):
        gap = kstwo.isf(chance, size)
        assert chance_of(gap, size) == pytest.approx(chance, rel=0.15, abs=2e-4)
