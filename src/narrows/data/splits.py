"""Parting objects into training, validation and test, so that nothing of one is found in another."""

from collections.abc import Iterable

import numpy as np

from narrows.errors import InputError
from narrows.types import Layout, Split, Splits

SHARES = (0.7, 0.1, 0.2)
"""Shares of training, validation and test objects where a set comes in one piece."""

FEWEST = 10


def duplicate_groups(x: np.ndarray) -> np.ndarray:
    """A group number for each object, the same for objects that are equal byte for byte.

    Example:
        >>> duplicate_groups(np.array([[1, 2], [3, 4], [1, 2]])).tolist()
        [0, 1, 0]
    """
    seen: dict[bytes, int] = {}
    rows = np.ascontiguousarray(x).reshape(len(x), -1)
    return np.array([seen.setdefault(row.tobytes(), len(seen)) for row in rows], np.int64)


def join_groups(*groupings: np.ndarray) -> np.ndarray:
    """The finest grouping that keeps together what any of several groupings keeps together.

    Example:
        >>> join_groups(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7])).tolist()
        [0, 0, 0, 1]
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(groupings[0])
    rows, columns, offset = [], [], count
    for grouping in groupings:
        names, number = np.unique(grouping, return_inverse=True)
        rows.append(np.arange(count))
        columns.append(number + offset)
        offset += len(names)
    row, column = np.concatenate(rows), np.concatenate(columns)
    graph = coo_matrix((np.ones(len(row), bool), (row, column)), shape=(offset, offset))
    labels = connected_components(graph, directed=False)[1][:count]
    return np.unique(labels, return_inverse=True)[1]


def split_groups(
    groups: np.ndarray,
    rng: np.random.Generator,
    shares: Iterable[float] = SHARES,
    y: np.ndarray | None = None,
) -> tuple[np.ndarray, ...]:
    """Numbers of the objects of each part, shuffled; no group is in two parts.

    Args:
        groups: Group of each object (N,).
        rng: Source of randomness.
        shares: Share of each part; they add up to 1.
        y: Classes (N,): each class is spread over the parts as evenly as its groups allow.

    Example:
        >>> parts = split_groups(np.arange(10), np.random.default_rng(0), (0.5, 0.5))
        >>> [len(part) for part in parts]
        [5, 5]
    """
    borders = np.cumsum(list(shares))[:-1]
    names, first, number, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    label = np.zeros(len(names), np.int64) if y is None else y[first]
    part_of = np.zeros(len(names), np.int64)
    for value in np.unique(label):
        members = rng.permutation(np.flatnonzero(label == value))
        filled = np.cumsum(sizes[members])
        middle = (filled - sizes[members] / 2) / filled[-1]
        part_of[members] = np.searchsorted(borders, middle, side="right")
    chosen = part_of[number]
    return tuple(rng.permutation(np.flatnonzero(chosen == part)) for part in range(len(borders) + 1))


def part(
    layout: Layout, whole: Split, *, seed: int, groups: np.ndarray | None = None, notes: tuple[str, ...] = ()
) -> Splits:
    """A set that comes in one piece, parted 70 : 10 : 20; equal objects stay on one side.

    Args:
        layout: What one object is.
        whole: All objects.
        seed: Decides the split.
        groups: What else must stay together (N,), such as the windows of a stretch of time.
        notes: Handed on.

    Raises:
        InputError: Fewer than ten objects, or all of them in fewer than three groups.
    """
    if len(whole) < FEWEST:
        raise InputError(
            f"{layout.name} has {len(whole)} object{'s' * (len(whole) != 1)}",
            expected=f"at least {FEWEST} to train and to judge",
            code="input.few",
        )
    equal = duplicate_groups(whole.x)
    repeated = len(whole) - len(np.unique(equal))
    if repeated:
        notes = (*notes, f"{repeated} objects repeat another; equal objects stay on one side of the split.")
    groups = equal if groups is None else join_groups(groups, equal)
    train, valid, test = split_groups(groups, np.random.default_rng(seed), y=whole.y)
    if not (len(train) and len(valid) and len(test)):
        raise InputError(
            f"{layout.name} falls into {len(np.unique(groups))} groups that must stay together",
            expected="at least three, with objects for training, validation and test",
            code="input.few",
        )
    return Splits(layout, whole.take(train), whole.take(valid), whole.take(test), notes)


def carve(layout: Layout, train: Split, test: Split, *, seed: int, most: int = 5000) -> Splits:
    """A set with its own test objects: a tenth of the training objects, at most `most`, becomes the validation."""
    if len(train) < FEWEST or not len(test):
        raise InputError(
            f"{layout.name} has {len(train)} training objects", expected=f"at least {FEWEST}", code="input.few"
        )
    share = min(0.1, most / len(train))
    equal = duplicate_groups(train.x)
    kept, valid = split_groups(equal, np.random.default_rng(seed), (1 - share, share), train.y)
    twins = np.isin(fingerprints(test.x), fingerprints(train.x)).sum()
    notes = (f"{twins} test objects of the official split equal a training object.",) if twins else ()
    return Splits(layout, train.take(kept), train.take(valid), test, notes)


def fingerprints(x: np.ndarray) -> np.ndarray:
    """A 64-bit hash of each object."""
    rows = np.ascontiguousarray(x).reshape(len(x), -1)
    return np.array([hash(row.tobytes()) for row in rows], np.int64)
