"""Odd instants judged by the past alone: causality, pieces, bounded state, and what is told."""

import numpy as np
import pytest

from narrows.detect import Plan
from narrows.detect.series.causal import Causal, Excess, Rarity
from narrows.errors import InputError, UsageError

PLAN = Plan(count=2, steps=(40, 40))


def scorer(**settings):
    return Causal(**{"learn": 120, "windows": (1, 6), "plan": PLAN, **settings})


@pytest.fixture(scope="module")
def wave():
    time = np.arange(500)
    return np.sin(time / 4) + 0.05 * np.random.default_rng(0).normal(size=len(time))


@pytest.fixture(scope="module")
def scores(wave):
    return scorer().push(wave)


def test_later_values_change_no_earlier_score(wave, scores):
    changed = wave.copy()
    changed[300:] = np.random.default_rng(1).normal(size=200) * 50
    again = scorer().push(changed)
    assert (again[:300] == scores[:300]).all()
    assert (again[300:] != scores[300:]).any()


@pytest.mark.parametrize("size", [1, 7, 119, 121])
def test_pieces_give_the_scores_of_the_whole(wave, scores, size):
    causal = scorer()
    pieces = [causal.push(wave[i : i + size]) for i in range(0, 300, size)]
    assert (np.concatenate(pieces)[:300] == scores[:300]).all()


def test_an_iterator_gives_a_score_as_soon_as_a_value_comes(wave, scores):
    drawn = []

    def values():
        for value in wave[:140]:
            drawn.append(value)
            yield value

    for number, score in enumerate(scorer().over(values())):
        assert len(drawn) == number + 1
        assert score == scores[number]


def test_its_state_does_not_grow():
    causal = scorer(plan=Plan(count=2, steps=(5, 5)))
    rng = np.random.default_rng(0)
    for _ in range(4):
        causal.push(rng.normal(size=2000))
        assert len(causal.kept) == 5
        assert len(causal.excess.recent) <= causal.excess.pause + 1
    rarity = Rarity(memory=10)
    rarity(rng.random(100))
    assert len(rarity.past) == len(rarity.rising) == 10


@pytest.mark.parametrize("place", [260, 400])
def test_a_planted_oddity_is_the_highest_score(wave, place):
    odd = wave.copy()
    odd[place : place + 3] += 4
    assert abs(int(scorer().push(odd).argmax()) - place - 1) <= 1


def test_a_shape_that_no_single_value_betrays_is_found(wave):
    odd = wave.copy()
    odd[300:325] = odd[300]
    found = int(scorer().push(odd).argmax())
    assert 300 < found < 331


def test_what_comes_again_is_told_once(wave):
    odd = wave.copy()
    odd[[250, 300, 350, 400, 450]] = 4
    scores = scorer(fade=0.0).push(odd)
    assert scores[250] > 1
    assert scores[300:].max() < 0.2 * scores[250]


def test_an_event_is_told_once_and_again_after_the_pause():
    rising = np.array([[0.0, 5, 7, 7, 7, 12]])
    assert Excess(1, fade=0, pause=0)(rising).tolist() == [0, 5, 2, 0, 0, 5]
    assert Excess(1, fade=0, pause=2)(rising).tolist() == [0, 5, 0, 0, 0, 5]


def test_alarms_of_a_rate_keep_it_where_nothing_is_odd():
    rare = Rarity()(np.random.default_rng(0).random(20_000))
    assert (rare <= 0.01).mean() == pytest.approx(0.01, abs=0.003)


def test_rarity_counts_the_scores_it_remembers():
    scores = np.random.default_rng(0).integers(0, 5, 200).astype(float)
    for i, rare in enumerate(Rarity(memory=30)(scores)):
        past = scores[max(0, i - 30) : i]
        large = (past >= scores[i]).sum() if scores[i] > 0 else len(past)
        assert rare == (1 + large) / (1 + len(past))


@pytest.mark.parametrize("value", [0.0, 1e9, -1e-9])
def test_a_constant_series_has_nothing_odd(value):
    assert not scorer().push(np.full(300, value)).any()


def test_a_large_offset_changes_little(wave, scores):
    far = scorer().push(wave + 1e7)
    assert np.abs(far - scores).max() < 0.05 * scores.max() + 0.05


@pytest.mark.parametrize("settings", [{"learn": 11}, {"windows": ()}, {"windows": (0,)}, {"fade": -1.0}, {"pause": -1}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(UsageError, match=next(iter(settings))):
        scorer(**settings)


def test_what_is_no_number_is_refused_by_its_instant(wave):
    causal = scorer()
    causal.push(wave[:200])
    with pytest.raises(InputError, match="instant 203"):
        causal.push([0, 0, 0, np.nan])
    with pytest.raises(InputError, match="one channel"):
        causal.push(np.zeros((2, 2)))
