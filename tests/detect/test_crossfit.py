"""No row is scored by what saw it, one equal to it, one of its customer, or one after it."""

import numpy as np
import pytest

from narrows.detect.crossfit import cross_fit, random_folds, stretches, time_folds
from narrows.errors import InputError, UsageError

RNG = np.random.default_rng(0)
ROWS = RNG.integers(0, 40, (600, 2)).astype(np.float32)  # 600 of 1,600 possible rows: many are equal
CUSTOMERS = np.array([f"c{number}" for number in RNG.integers(0, 30, 600)])
TIMES = np.datetime64("2026-01-01") + RNG.integers(0, 50, 600).astype("timedelta64[D]")


def rows_of(x):
    return {row.tobytes() for row in x}


def every_fold(folds, x):
    scored = np.concatenate([fold.score for fold in folds])
    assert sorted(scored.tolist()) == list(range(len(x)))
    for fold in folds:
        assert len(fold.fit)
        assert not rows_of(x[fold.fit]) & rows_of(x[fold.score])
    return folds


@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_are_in_one_fold(seed):
    folds = every_fold(random_folds(ROWS, seed=seed), ROWS)
    assert [len(fold.fit) + len(fold.score) for fold in folds] == [600] * 5
    assert max(len(fold.score) for fold in folds) < 150


@pytest.mark.parametrize("seed", range(5))
def test_a_customer_is_in_one_fold_and_equal_rows_of_others_are_not_fitted(seed):
    for fold in every_fold(random_folds(ROWS, seed=seed, customers=CUSTOMERS), ROWS):
        assert not set(CUSTOMERS[fold.fit]) & set(CUSTOMERS[fold.score])
        assert len(fold.fit) > 200


@pytest.mark.parametrize("customers", [None, CUSTOMERS])
def test_by_time_only_the_past_is_fitted_save_for_the_first(customers):
    folds = every_fold(time_folds(TIMES, ROWS, count=4, customers=customers), ROWS)
    first = TIMES[folds[0].score].max()
    for fold in folds:
        fitted, scored = TIMES[fold.fit], TIMES[fold.score]
        assert fitted.min() > scored.max() if scored.max() <= first else fitted.max() < scored.min()
        if customers is not None:
            assert not set(customers[fold.fit]) & set(customers[fold.score])


def test_the_first_stretch_is_scored_by_the_second_alone():
    folds = time_folds(np.arange(100), np.arange(100)[:, None], count=4)
    assert set(folds[0].fit.tolist()) == set(folds[1].score.tolist())


def test_a_moment_is_in_one_stretch():
    seconds = np.repeat([1.0, 2.0, 3.0, 4.0], [10, 70, 10, 10])
    part = stretches(seconds, 5)
    assert all(len(set(part[seconds == moment])) == 1 for moment in (1, 2, 3, 4))
    assert sorted(set(part)) == list(range(len(set(part))))


def test_equal_seeds_give_equal_folds_and_others_do_not():
    one, same, other = (random_folds(ROWS, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.score, b.score) for a, b in zip(one, same, strict=True))
    assert any(not np.array_equal(a.score, b.score) for a, b in zip(one, other, strict=True))


def test_p_values_are_ranks_within_a_fold():
    x = RNG.normal(size=(200, 3))
    folds = random_folds(x, seed=0, count=4)
    fitted = cross_fit(x, folds, lambda rows: lambda new: np.abs(new - rows.mean(0)).sum(1))
    for number, fold in enumerate(folds):
        size = len(fold.score)
        assert (fitted.fold[fold.score] == number).all()
        assert sorted(fitted.p_values[fold.score]) == pytest.approx(np.arange(1, size + 1) / size)


def test_a_planted_row_is_found_though_it_could_have_been_learned():
    x = RNG.normal(size=(300, 2))
    x[17] = 12.0

    def nearest(rows):  # a model that knows its rows by heart scores them 0
        return lambda new: np.abs(new[:, None] - rows[None]).sum(2).min(1)

    assert nearest(x)(x).max() == 0
    assert cross_fit(x, random_folds(x, seed=0), nearest).scores.argmax() == 17


def test_what_cannot_be_parted_is_refused():
    with pytest.raises(InputError, match="cannot be parted"):
        random_folds(np.ones((50, 2)), seed=0)
    with pytest.raises(InputError, match="cannot be parted"):
        time_folds(np.zeros(50), np.arange(50)[:, None])
    with pytest.raises(InputError, match="cannot be parted"):
        time_folds(np.arange(50), np.arange(50)[:, None], customers=["a"] * 50)
    with pytest.raises(UsageError, match="at least 2"):
        random_folds(ROWS, seed=0, count=1)


def test_a_row_in_no_fold_is_an_error():
    x = np.arange(10.0)[:, None]
    with pytest.raises(InputError, match="in no fold"):
        cross_fit(x, random_folds(x, seed=0, count=2)[:1], lambda rows: lambda new: new[:, 0])
