"""What a person said of rows: near ones follow, far ones do not, the blame adds up, and nothing else changes."""

import numpy as np
import pytest
import torch

from narrows.detect import Detector, Plan
from narrows.detect.feedback import MOST, Feedback, Reviewed
from narrows.errors import InputError


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).normal(size=(800, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def detector(x):
    return Detector.fit(x, plan=Plan(steps=(80, 80)))


@pytest.fixture(scope="module")
def odd():
    """Two kinds of oddity, five rows of each."""
    rng = np.random.default_rng(1)
    kinds = np.repeat([[8, 0, 0, 0], [0, 0, -8, 0]], 5, 0) + rng.normal(size=(10, 4)) / 4
    return kinds.astype(np.float32)


def test_a_row_like_a_confirmed_one_rises_and_like_a_cleared_one_falls(detector, odd):
    heeding = Reviewed.by(detector, odd[[0, 1, 5, 6]], np.array([1, 1, -1, -1]))
    before, after = detector.score(odd), heeding.score(odd)
    assert (after[2:5] > 2 * before[2:5]).all()
    assert (after[7:] < before[7:] / 2).all()


def test_rows_that_nobody_spoke_of_keep_their_scores(detector, odd, x):
    heeding = Reviewed.by(detector, odd[:5], np.ones(5))
    far = np.array([[0, -9, 0, 9]], np.float32)
    assert heeding.score(far) == pytest.approx(detector.score(far), rel=0.01)
    rank = [np.argsort(np.argsort(scored.score(x))) for scored in (heeding, detector)]
    assert np.corrcoef(*rank)[0, 1] > 0.95


def test_contributions_add_up_and_what_was_expected_stays(detector, odd):
    heeding = Reviewed.by(detector, odd[:3], np.array([1, -1, 1]))
    assert np.allclose(heeding.explain(odd).sum(1), heeding.score(odd), rtol=1e-4)
    assert (heeding.expected(odd) == detector.expected(odd)).all()


def test_a_score_does_not_depend_on_the_rows_beside_it(detector, odd, x):
    heeding = Reviewed.by(detector, odd, np.resize([1, -1], 10))
    assert (heeding.score(x)[[3, 700]] == np.concatenate([heeding.score(x[[3]]), heeding.score(x[[700]])])).all()


def test_the_last_word_on_a_row_counts_and_earlier_feedback_is_kept(detector, odd):
    first = Reviewed.by(detector, odd[:2], np.array([1, 1]))
    again = Reviewed.by(detector, odd[1:3], np.array([-1, 1]), first.feedback)
    assert sorted(again.feedback.verdicts.tolist()) == [-1, 1, 1]
    assert again.factor(odd[[1]])[0] < first.factor(odd[[1]])[0]


def test_no_more_rows_are_remembered_than_may_be():
    rows = torch.arange(float(MOST + 100)).unsqueeze(1)
    feedback = Feedback.of(rows, torch.ones(len(rows)))
    assert len(feedback.rows) == MOST
    assert feedback.rows.min() == 100


@pytest.mark.parametrize(("rows", "verdicts"), [(0, []), (2, [1]), (2, [0, 1])])
def test_what_is_no_verdict_is_refused(detector, odd, rows, verdicts):
    with pytest.raises(InputError, match="verdicts"):
        Reviewed.by(detector, odd[:rows], np.array(verdicts))
