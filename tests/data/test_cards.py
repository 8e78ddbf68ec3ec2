import numpy as np
import pytest

from narrows.data.cardlife import CHANNELS, FASTEST, IMPOSSIBLE, KINDS, ONLINE, speeds
from narrows.data.cards import card_features, load_cards, own_mean, simulate_cards
from narrows.errors import LimitError, UsageError


@pytest.fixture(scope="module")
def bought():
    return simulate_cards(400, 60, np.random.default_rng(1), fraud=0.02)


@pytest.fixture(scope="module")
def features(bought):
    names, x = card_features(bought[0])
    return dict(zip(names, x.T, strict=True))


def sorted_by_customer(columns):
    order = np.lexsort((columns["time"], columns["customer"]))
    return order, {name: column[order] for name, column in columns.items()}


def test_purchases_come_in_order_of_time_within_the_days(bought):
    time = bought[0]["time"]
    assert (np.diff(time) >= 0).all()
    assert (time.min() >= 0, time.max() < 60 * 86400) == (True, True)


def test_customers_buy_about_once_a_day(bought):
    assert len(bought[1]) == pytest.approx(400 * 60, rel=0.1)


@pytest.mark.parametrize("fraud", [0.005, 0.02, 0.1])
def test_the_share_of_fraud_is_about_as_asked(fraud):
    _, kinds = simulate_cards(400, 60, np.random.default_rng(2), fraud=fraud)
    assert (kinds > 0).mean() == pytest.approx(fraud, rel=0.15)


def test_every_kind_of_fraud_has_its_quarter(bought):
    counts = np.bincount(bought[1], minlength=len(KINDS))[1:]
    assert counts.min() > 0.7 * counts.max()


def test_without_fraud_all_is_genuine():
    assert not simulate_cards(50, 20, np.random.default_rng(0), fraud=0)[1].any()


def test_the_same_seed_gives_the_same_purchases():
    first, again, other = (simulate_cards(40, 20, np.random.default_rng(seed))[0]["amount"] for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other) or (first != other).any()


def test_impossible_travel_is_impossible_and_only_a_cloned_card_does_it(bought):
    columns, kinds = bought
    order, by_customer = sorted_by_customer(columns)
    fast, cloned = speeds(by_customer), kinds[order] == KINDS.index("cloned card")
    assert fast[cloned].min() > IMPOSSIBLE
    assert fast[~cloned].max() <= FASTEST


def test_card_testing_is_tiny_online_and_in_bursts(bought, features):
    columns, kinds = bought
    tested = kinds == KINDS.index("card testing")
    assert columns["amount"][tested].max() <= 8
    assert (columns["channel"][tested] == ONLINE).all()
    assert features["purchases in the last hour"][tested].mean() > 2
    assert features["purchases in the last hour"][kinds == 0].mean() < 0.3


def test_a_stolen_card_is_dear_and_far_from_home(bought, features):
    columns, kinds = bought
    stolen = kinds == KINDS.index("stolen card")
    assert np.median(columns["amount"][stolen]) > 4 * np.median(columns["amount"][kinds == 0])
    assert np.median(np.expm1(features["log km from home"][stolen])) > 200
    assert (columns["channel"][stolen] != ONLINE).all()


def test_an_account_is_taken_over_at_night_online_from_new_merchants(bought, features):
    columns, kinds = bought
    taken = kinds == KINDS.index("account takeover")
    assert (columns["time"][taken] % 86400 < 5 * 3600).all()
    assert (columns["channel"][taken] == ONLINE).all()
    assert features["new merchant"][taken].mean() > 0.7


def test_genuine_customers_mostly_stay_near_home_and_sometimes_travel(bought, features):
    km = np.expm1(features["log km from home"][bought[1] == 0])
    assert np.median(km) < 20
    assert 0.01 < (km > 100).mean() < 0.15


def test_features_know_nothing_of_the_future(bought):
    columns, _ = bought
    early = columns["time"] < 30 * 86400
    names, whole = card_features(columns)
    _, prefix = card_features({name: column[early] for name, column in columns.items()})
    np.testing.assert_allclose(prefix, whole[early], rtol=1e-5, atol=1e-5)
    assert len(names) == whole.shape[1]


def test_features_know_nothing_of_other_customers(bought):
    columns, _ = bought
    own = columns["customer"] == 7
    _, whole = card_features(columns)
    _, alone = card_features({name: column[own] for name, column in columns.items()})
    np.testing.assert_allclose(alone, whole[own], rtol=1e-5, atol=1e-5)


def test_features_do_not_depend_on_the_order_given(bought):
    columns, _ = bought
    shuffled = np.random.default_rng(0).permutation(len(columns["time"]))
    _, x = card_features(columns)
    _, y = card_features({name: column[shuffled] for name, column in columns.items()})
    assert (np.abs(y - x[shuffled]).max(1) > 1e-4).mean() < 0.001  # purchases of one second may change places


def test_counts_and_spending_against_a_plain_loop(bought, features):
    columns, _ = bought
    mine = np.flatnonzero(columns["customer"] == 3)
    time, amount = columns["time"][mine], columns["amount"][mine]
    past = [(time < t) & (time >= t - 86400) for t in time]
    np.testing.assert_allclose(features["purchases in the last day"][mine], [p.sum() for p in past])
    spent = np.log1p([amount[p].sum() for p in past])
    np.testing.assert_allclose(features["log spent in the last day"][mine], spent, rtol=1e-5, atol=1e-6)


def test_a_new_merchant_is_new_once(bought, features):
    columns, _ = bought
    pairs = set(zip(columns["customer"].tolist(), columns["merchant"].tolist(), strict=True))
    assert features["new merchant"].sum() == len(pairs)


def test_own_mean_begins_at_the_usual_one():
    assert own_mean(np.array([5.0, 9.0, 1.0]), np.array([0, 0, 2]), 2.0).tolist() == [2.0, 2.75, 2.0]


def test_load_parts_in_order_of_time(bought):
    splits = load_cards(customers=200, days=30)
    day = [
        [int(text.split()[1].rstrip(",")) for text in part.where] for part in (splits.train, splits.valid, splits.test)
    ]
    sizes = np.array([len(part) for part in day])
    assert max(day[0]) <= min(day[1]) <= max(day[1]) <= min(day[2])
    np.testing.assert_allclose(sizes / sizes.sum(), [0.7, 0.1, 0.2], atol=0.001)
    assert day[0] != sorted(day[0])


def test_load_says_what_the_columns_and_classes_are():
    splits = load_cards(customers=100, days=20)
    assert splits.layout.shape == (len(splits.layout.columns),) == splits.train.x.shape[1:]
    assert splits.layout.classes == KINDS
    assert splits.train.x.dtype == np.float32
    assert np.isfinite(splits.train.x).all()
    one_hot = [splits.layout.columns.index(f"channel={name}") for name in CHANNELS]
    assert (splits.train.x[:, one_hot].sum(1) == 1).all()


def test_limit_keeps_the_first_training_objects():
    whole, cut = load_cards(customers=100, days=20), load_cards(customers=100, days=20, limit=50)
    np.testing.assert_array_equal(cut.train.x, whole.train.x[:50])
    assert len(cut.test) == len(whole.test)


def test_a_forest_finds_the_frauds_far_better_than_chance():
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import roc_auc_score

    splits = load_cards(customers=300, days=40, fraud=0.02)
    forest = IsolationForest(n_estimators=50, random_state=0).fit(splits.train.x)
    assert roc_auc_score(splits.test.y > 0, -forest.score_samples(splits.test.x)) > 0.9


def test_hardly_any_purchases_are_handled():
    columns, kinds = simulate_cards(1, 2, np.random.default_rng(0))
    assert len(card_features(columns)[1]) == len(kinds)


@pytest.mark.parametrize("wrong", [(0, 10, 0.1), (10, 1, 0.1), (10, 10, 0.9), (10, 10, -0.1)])
def test_impossible_settings_are_refused(wrong):
    customers, days, fraud = wrong
    with pytest.raises(UsageError, match="at least 1 customer"):
        simulate_cards(customers, days, np.random.default_rng(0), fraud=fraud)


def test_too_many_purchases_are_refused():
    with pytest.raises(LimitError, match="limit"):
        simulate_cards(10**6, 365, np.random.default_rng(0))
