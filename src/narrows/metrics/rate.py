"""How much a code says: the entropy of its symbols, and how many of them are as good as in use.

References:
    A Mathematical Theory of Communication (Shannon, 1948), https://doi.org/10.1002/j.1538-7305.1948.tb01338.x
"""

import numpy as np

from narrows.errors import InputError


def entropy(indices: np.ndarray) -> float:
    """The entropy in bits of symbols (any shape), from how often each occurs.

    Raises:
        InputError: No symbol.

    Example:
        >>> entropy(np.array([0, 1, 2, 3])), entropy(np.array([7, 7]))
        (2.0, 0.0)
    """
    if not np.size(indices):
        raise InputError("no symbols", expected="at least one", code="input.empty")
    counts = np.unique(indices, return_counts=True)[1]
    share = counts / counts.sum()
    return float(max(0.0, -(share * np.log2(share)).sum()))


def perplexity(indices: np.ndarray) -> float:
    """How many symbols, used evenly, would say as much: from 1 to the number of different ones.

    Example:
        >>> round(perplexity(np.array([0, 0, 1, 1, 2, 2])), 6)
        3.0
    """
    return float(2 ** entropy(indices))
