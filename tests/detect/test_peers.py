"""The classical methods are what they are called, and the verdict is plain."""

import numpy as np
import pytest
from scipy.stats import skew, spearmanr
from sklearn.ensemble import IsolationForest

from narrows.detect.crossfit import random_folds
from narrows.detect.peers import PEERS, beside, cross_peer_scores, peer_scores
from narrows.errors import InputError

RNG = np.random.default_rng(3)
FIT = RNG.gamma(2.0, size=(300, 4))
NEW = np.concatenate([RNG.gamma(2.0, size=(60, 4)), RNG.gamma(2.0, size=(6, 4)) + 9])
LABELS = np.arange(66) >= 60


def test_isolation_forest_is_scikit_learns():
    expected = -IsolationForest(random_state=4).fit(FIT).score_samples(NEW)
    assert np.array_equal(peer_scores(FIT, NEW, seed=4, names=["Isolation Forest"])["Isolation Forest"], expected)


def test_pca_along_all_components_is_mahalanobis_distance():
    centred = NEW - FIT.mean(0)
    expected = np.einsum("nd,de,ne->n", centred, np.linalg.inv(np.cov(FIT.T)), centred)
    assert peer_scores(FIT, NEW, seed=0, names=["PCA"])["PCA"] == pytest.approx(expected)


def test_knn_is_the_distance_of_the_fifth():
    scale = lambda rows: (rows - FIT.mean(0)) / FIT.std(0)  # noqa: E731
    distances = np.sqrt(np.square(scale(NEW)[:, None] - scale(FIT)[None]).sum(2))
    assert peer_scores(FIT, NEW, seed=0, names=["kNN"])["kNN"] == pytest.approx(np.sort(distances, 1)[:, 4])


def test_ecod_is_three_sums_of_tails():
    def tail(share):
        return -np.log((1 + share.sum()) / (1 + len(FIT)))

    skewness, expected = skew(FIT, axis=0), []
    for row in NEW:
        left = np.array([tail(FIT[:, c] <= row[c]) for c in range(4)])
        right = np.array([tail(FIT[:, c] >= row[c]) for c in range(4)])
        chosen = np.where(skewness < 0, left, right)
        expected.append(max(left.sum(), right.sum(), chosen.sum()))
    assert peer_scores(FIT, NEW, seed=0, names=["ECOD"])["ECOD"] == pytest.approx(expected)


@pytest.mark.parametrize("name", PEERS)
def test_every_method_finds_what_is_far_away_and_takes_constant_columns(name):
    fit, new = (np.column_stack([rows, np.full(len(rows), 7.0)]) for rows in (FIT, NEW))
    scores = peer_scores(fit, new, seed=0, names=[name])[name]
    assert np.isfinite(scores).all()
    assert set(np.argsort(-scores)[:6]) == set(np.flatnonzero(LABELS))


@pytest.mark.parametrize("name", PEERS)
def test_every_method_takes_constant_rows_and_a_single_one(name):
    for rows in (np.ones((20, 3)), np.ones((1, 2))):
        assert np.isfinite(peer_scores(rows, rows, seed=0, names=[name])[name]).all()


def test_the_winner_is_named():
    good, poor = LABELS + 0.01 * RNG.random(66), RNG.random(66)
    won = beside(good, {"PCA": poor}, LABELS, rounds=100)
    lost = beside(poor, {"PCA": good, "kNN": poor}, LABELS, rounds=100)
    assert won.sentence.startswith("narrows wins")
    assert lost.sentence.startswith("PCA wins")
    assert won.gap[1] > 0 > lost.gap[2]


def test_a_gap_that_may_be_chance_is_no_win():
    scores = RNG.normal(size=66) + LABELS
    assert beside(scores, {"PCA": scores + 0.01 * RNG.normal(size=66)}, LABELS, rounds=100).sentence.startswith(
        "No clear winner"
    )


def test_without_labels_nobody_wins_and_agreement_is_told():
    one, other = RNG.normal(size=500), RNG.normal(size=500)
    other += one
    table = beside(one, {"kNN": other}, top=50)
    shared = len(set(np.argsort(-one)[:50]) & set(np.argsort(-other)[:50])) / 50
    assert table.gap is None
    assert table.peers[1].agreement == pytest.approx(spearmanr(one, other).statistic)
    assert table.peers[1].overlap == shared
    assert "nobody can say" in table.sentence
    assert "wins" not in table.sentence


def test_cross_fitted_methods_are_fitted_on_the_folds_of_the_detector():
    folds = random_folds(FIT, seed=1, count=3)
    scores = cross_peer_scores(FIT, folds, seed=0, names=["ECOD"])["ECOD"]
    for fold in folds:
        own = peer_scores(FIT[fold.fit], FIT[fold.score], seed=0, names=["ECOD"])["ECOD"]
        assert np.array_equal(scores[fold.score], own)


def test_what_is_no_table_is_refused():
    with pytest.raises(InputError, match="not finite"):
        peer_scores(FIT, np.full((2, 4), np.nan), seed=0)
    with pytest.raises(InputError, match="2 rows"):
        beside([1.0, 2.0], {"PCA": np.ones(3)})
