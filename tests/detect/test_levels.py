"""Words beside numbers: what a column of words weighs, and what it is blamed for."""

import numpy as np
import pytest
import torch

pytest.importorskip("pyarrow")
from sklearn.metrics import average_precision_score

from narrows.data.frames import Schema
from narrows.data.frames.batch import batch_of
from narrows.detect import Detector, Plan
from narrows.detect.drift import Reference, drift
from narrows.detect.levels import Roles
from narrows.detect.rows import feature_names, shower
from narrows.detect.whitening import fit_whitening
from narrows.errors import InputError

SHORT = Plan(count=4, steps=(200, 200))


def payments(rows, seed=0, odd=0.01):
    """Payments by 300 cards, and which are frauds: large amounts in a country of their own."""
    rng = np.random.default_rng(seed)
    fraud = rng.random(rows) < odd
    return {
        "amount": rng.lognormal(3, 1, rows) * np.where(fraud, 12, 1),
        "card": [f"k{card}" for card in rng.integers(0, 300, rows)],
        "country": np.where(fraud, "RU", rng.choice(["GB", "FR", "DE"], rows, p=[0.6, 0.3, 0.1])),
    }, fraud


@pytest.fixture(scope="module")
def fitted():
    """Payments, which of them are frauds, their schema and a detector fitted on all of them."""
    table, fraud = payments(5000)
    batch = batch_of(table)
    schema = Schema.fit([batch])
    x = schema.features(batch)
    return x, fraud, schema, Detector.fit(x, groups=schema.groups, roles=schema.roles, plan=SHORT)


def test_a_country_that_only_frauds_have_is_not_drowned_by_three_hundred_cards(fitted):
    x, fraud, _, detector = fitted
    assert average_precision_score(fraud, detector.score(x)) > 0.9


def test_the_country_and_the_amount_are_blamed_and_not_the_card(fitted):
    x, fraud, schema, detector = fitted
    parts = detector.explain(x[fraud])
    assert parts.min() >= 0
    np.testing.assert_allclose(parts.sum(1), detector.score(x[fraud]), rtol=1e-6)
    card = schema.place("card")
    assert (parts.argmax(1) != card).all()
    assert parts[:, card].mean() < 0.1 * parts.sum(1).mean()


def test_a_country_that_nobody_has_been_to_is_odd_and_a_new_card_less_so(fitted):
    _, _, schema, detector = fitted
    usual = {"amount": [20.0] * 3, "card": ["k1", "new", "k1"], "country": ["GB", "GB", "XX"]}
    known, card, country = detector.score(schema.features(batch_of(usual)))
    assert known < card < country
    assert country > 3 * known


def test_the_expected_country_is_told(fitted):
    _, _, schema, detector = fitted
    row = batch_of({"amount": [20.0], "card": ["k1"], "country": ["GB"]})
    assert schema.expected("country", detector.expected(schema.features(row))[0]) == "GB"
    assert schema.expected("card", detector.expected(schema.features(row))[0]) == "one of many"


def test_only_what_surprises_is_called_rare(fitted):
    _, _, schema, _ = fitted
    row = batch_of({"amount": [20.0], "card": ["k1"], "country": ["XX"]})
    assert [schema.describe(name, row, 0) for name in ("card", "country")] == ["card k1", "country XX (rare)"]


def test_a_detector_of_words_is_saved_whole(fitted, tmp_path):
    x, _, _, detector = fitted
    again = Detector.from_files(detector.to_files(tmp_path / "new"))
    for name in ("score", "explain", "expected"):
        np.testing.assert_array_equal(getattr(again, name)(x[:100]), getattr(detector, name)(x[:100]))


def test_a_row_of_words_is_scored_alike_alone_and_among_others(fitted):
    x, _, _, detector = fitted
    np.testing.assert_array_equal(np.concatenate([detector.score(x[i : i + 1]) for i in (0, 1500)]),
                                  detector.score(x)[[0, 1500]])  # fmt: skip


def test_a_column_of_words_has_one_unit_and_thirty_levels_weigh_as_much_as_three():
    rng = np.random.default_rng(0)
    table = batch_of({"few": [f"w{w}" for w in rng.integers(0, 3, 3000)],
                      "many": [f"w{w}" for w in rng.integers(0, 30, 3000)]})  # fmt: skip
    schema = Schema.fit([table])
    x = schema.features(table)
    detector = Detector.fit(x, groups=schema.groups, roles=schema.roles, plan=Plan(count=2, steps=(20, 20)))
    inside = detector.units(torch.from_numpy(x)).var(0)
    weights = [float(inside[start:stop].sum()) for start, stop in schema.groups]
    assert weights == pytest.approx([1, 1], abs=0.05)


def test_a_rare_level_is_not_whitened_to_the_size_of_a_common_one():
    rng = np.random.default_rng(0)
    rows = np.stack([rng.normal(size=5000), np.arange(5000) % 2, np.arange(5000) % 500 == 0], 1).astype(np.float32)
    rows[:, 1] -= rows[:, 2] * rows[:, 1]
    roles = Roles.of(["value", "level", "level"], [(0, 1), (1, 3)])
    x = torch.from_numpy(rows).unsqueeze(0)
    plain, soft = (fit_whitening(x, 1.0, each)(x)[0].sum() for each in (None, roles))
    assert soft < 0.3 * plain
    assert soft > 2


def test_features_and_their_values_are_told_in_the_words_of_the_table(fitted):
    _, _, schema, _ = fitted
    names, show = feature_names(schema), shower(schema)
    assert names[0] == "amount"
    assert {"country = GB", "country = FR", "country (how surprising)", "country (others)"} <= set(names)
    assert show(names.index("country = FR"), 1.0) == "yes"
    assert show(0, 0.0).startswith("about ")


def test_a_word_that_became_common_is_named_by_drift(fitted):
    x, _, schema, _ = fitted
    table, _ = payments(2000, 1)
    table["country"] = np.where(np.arange(2000) % 2, "FR", table["country"])
    today = schema.features(batch_of(table))
    found = drift(Reference.fit(x, feature_names(schema)), today, show=shower(schema))
    said = {column.name: column.words for column in found.moved}
    assert said["country = FR"].startswith("country = FR: yes in ")
    assert not [name for name in said if name.startswith(("card", "amount"))]


def test_roles_of_another_number_of_features_are_refused(fitted):
    x, _, schema, _ = fitted
    with pytest.raises(InputError, match="roles of 1 feature"):
        Detector.fit(x, groups=schema.groups, roles=["value"])
