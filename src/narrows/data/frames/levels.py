"""How surprising it is to meet a level of a category: little where rare levels are usual, much where levels are few.

    surprise = the lesser of   -ln (share of the rows whose level is as rare or rarer)
                         and   -ln (share of this level) less the mean of that over the rows, the entropy

Among a thousand equally rare codes each has a share of 1/1000, and none is a surprise: the second term is 0. In a
column with many levels that occur once, one more of them is no surprise either: the first term is small. A country
that nobody has been to, where there were three, is one by both.

References:
    The population frequencies of species and the estimation of population parameters (Good, 1953),
    https://doi.org/10.1093/biomet/40.3-4.237: what is new is as likely as what was seen once
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NEVER = 0.5
"""Rows that a level counts for which was not seen."""


def surprises(counts: Sequence[int], rows: int) -> tuple[np.ndarray, float]:
    """How surprising each level is (L,), and one that was never seen, in nats, 0 or more.

    Args:
        counts: Rows of each level (L,).
        rows: Rows of all levels; where these are more, the others are levels seen once.

    Example:
        >>> each, unseen = surprises([600, 390, 10], 1000)
        >>> each.round(1).tolist(), round(unseen, 1)
        ([0.0, 0.2, 3.9], 6.9)
        >>> each, unseen = surprises([10] * 100, 1000)  # a code is as good as another, a new one is not
        >>> each.max().round(1), round(unseen, 1)
        (np.float64(0.0), 3.0)
        >>> each, unseen = surprises([1] * 500 + [5] * 100, 1000)  # every second one is seen once: so may a new one be
        >>> each.max().round(1), round(unseen, 1)
        (np.float64(0.7), 0.7)
    """
    known = np.asarray(counts, np.float64)
    lone = max(rows - known.sum(), 0.0)
    total = known.sum() + lone
    entropy = (known @ np.log(total / known) + lone * np.log(total)) / total
    rising = np.sort(known)
    mass = lone + np.concatenate([[0.0], np.cumsum(rising)])
    rarer = mass[np.searchsorted(rising, known, "right")] / total
    own = np.maximum(np.log(total / known) - entropy, 0)
    once = mass[np.searchsorted(rising, 1, "right")]
    unseen = min(np.log((total + 1) / (once + NEVER)), max(np.log(total / NEVER) - entropy, 0))
    return np.minimum(-np.log(rarer), own) + 0.0, float(unseen)
