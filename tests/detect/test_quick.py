"""The score in few products against its parts one by one."""

import numpy as np
import pytest
import torch

from narrows.detect import Detector, Plan
from narrows.detect.whitening import LARGEST


@pytest.mark.parametrize("features", [1, 2, 7, 40])
def test_it_is_what_the_parts_say_one_by_one(features):
    x = np.random.default_rng(0).normal(size=(600, features)).astype(np.float32)
    detector = Detector.fit(x, plan=Plan(count=3, steps=(40, 40)))
    rows = detector.units(torch.from_numpy(x)) * 2
    with torch.no_grad():
        left = detector.left(rows - detector.networks(rows)).mean(-1)
        one_by_one = torch.stack([left, detector.whole(rows.unsqueeze(0)).mean(-1), detector.neighbours(rows)])
        assert torch.allclose(detector.quick(rows), one_by_one, rtol=1e-4, atol=1e-5)


def test_a_table_too_wide_to_look_at_dependence_is_scored_part_by_part():
    x = np.random.default_rng(0).normal(size=(60, LARGEST + 1)).astype(np.float32)
    detector = Detector.fit(x, plan=Plan(count=2, steps=(5, 5)))
    assert detector.quick is None
    assert np.isfinite(detector.score(x)).all()
    assert np.allclose(detector.explain(x).sum(1), detector.score(x), rtol=1e-4)
