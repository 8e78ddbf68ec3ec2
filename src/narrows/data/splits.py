"""Parting objects into training, validation and test, so that nothing of one is found in another."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from narrows.errors import InputError, counted
from narrows.storage import Objects, blocks
from narrows.types import Layout, Split, Splits

SHARES = (0.7, 0.1, 0.2)
"""Shares of training, validation and test objects where a set comes in one piece."""

FEWEST = 10


def fingerprints(x: Objects) -> np.ndarray:
    """A digest of 16 bytes of each object (N, ...): equal objects have equal ones, and no others have."""
    rows = (row for block in blocks(x) for row in np.ascontiguousarray(block).reshape(len(block), -1))
    return np.frombuffer(b"".join(blake2b(row.tobytes(), digest_size=16).digest() for row in rows), "S16")


def duplicate_groups(x: Objects) -> np.ndarray:
    """A group number for each object, the same for objects that are equal byte for byte.

    Example:
        >>> duplicate_groups(np.array([[1, 2], [3, 4], [1, 2]])).tolist()
        [0, 1, 0]
    """
    _, first, number = np.unique(fingerprints(x), return_index=True, return_inverse=True)
    # Numbered in the order in which they are first seen.
    return np.argsort(np.argsort(first))[number]


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
            f"{layout.name} has {counted(len(whole), 'object')}",
            expected=f"at least {FEWEST} to train and to judge",
            code="input.few",
        )
    equal = duplicate_groups(whole.x)
    repeated = len(whole) - len(np.unique(equal))
    if repeated:
        twins = f"{counted(repeated, 'object')} repeat{'s' * (repeated == 1)} another"
        notes = (*notes, f"{twins}; equal objects stay on one side of the split.")
    groups = equal if groups is None else join_groups(groups, equal)
    train, valid, test = split_groups(groups, np.random.default_rng(seed), y=whole.y)
    if not (len(train) and len(valid) and len(test)):
        raise InputError(
            f"{layout.name} falls into {len(np.unique(groups))} groups that must stay together",
            expected="at least three, with objects for training, validation and test",
            code="input.few",
        )
    return Splits(layout, whole.take(train), whole.take(valid), whole.take(test), notes)


def apart(*parts: Split, what: str = "objects") -> tuple[list[Split], tuple[str, ...]]:
    """The parts, each without the objects that equal one of a part before it, and a note where there were such."""
    kept, seen, lost = [parts[0]], fingerprints(parts[0].x), 0
    for part in parts[1:]:
        own = fingerprints(part.x)
        new = ~np.isin(own, seen)
        kept.append(part.take(np.flatnonzero(new)))
        seen, lost = np.concatenate([seen, own]), lost + int((~new).sum())
    note = f"{lost} {what} of validation and test are left out: they equal one of a part before."
    return kept, (note,) if lost else ()


def carve(
    layout: Layout,
    train: Split,
    test: Split,
    *,
    seed: int,
    official: bool = True,
    notes: tuple[str, ...] = (),
    most: int = 5000,
) -> Splits:
    """A set with its own test objects: a tenth of the training objects, at most `most`, becomes the validation.

    Args:
        layout: What one object is.
        train: The objects that are not for the test.
        test: The test objects.
        seed: Decides which objects validate.
        official: Whether others compare results on these test objects: then all of them stay, and a note tells how
            many equal a training object. Otherwise those are left out.
        notes: Handed on.
        most: Most validation objects.

    Raises:
        InputError: Fewer than ten training objects, or no test objects that are not among them.
    """
    if len(train) < FEWEST or not len(test):
        raise InputError(
            f"{layout.name} has {len(train)} training objects", expected=f"at least {FEWEST}", code="input.few"
        )
    new = ~np.isin(fingerprints(test.x), fingerprints(train.x))
    if not official and not new.any():
        raise InputError(
            f"every test object of {layout.name} equals a training object", expected="others", code="input.few"
        )
    share = min(0.1, most / len(train))
    equal = duplicate_groups(train.x)
    kept, valid = split_groups(equal, np.random.default_rng(seed), (1 - share, share), train.y)
    if not new.all():
        twins = f"{(~new).sum()} test objects"
        notes = (
            *notes,
            f"{twins} of the official split equal a training object."
            if official
            else f"{twins} that equal a training object are left out.",
        )
    return Splits(
        layout, train.take(kept), train.take(valid), test if official else test.take(np.flatnonzero(new)), notes
    )
