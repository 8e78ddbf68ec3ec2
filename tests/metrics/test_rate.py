"""The rate of a code, beside scipy's entropy."""

import numpy as np
import pytest
from scipy.stats import entropy as oracle

from narrows.errors import InputError
from narrows.metrics.rate import entropy, perplexity


@pytest.mark.parametrize("weights", [[1, 1, 1, 1], [8, 4, 2, 2], [100, 1, 1, 0]])
def test_entropy_is_that_of_scipy(rng, weights):
    symbols = rng.permutation(np.repeat(np.arange(len(weights)), np.array(weights) * 5)).reshape(5, -1)
    expected = oracle(weights, base=2)
    assert entropy(symbols) == pytest.approx(expected, abs=1e-12)
    assert perplexity(symbols) == pytest.approx(2**expected)


def test_no_symbols_are_refused():
    with pytest.raises(InputError, match="no symbols"):
        entropy(np.zeros(0, int))
