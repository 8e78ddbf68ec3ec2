"""Dots that lie on each other, spread a little so that each can be seen."""

import numpy as np

# Distance of neighbours on a spread heap, and the most that a heap may reach, as shares of the map.
PITCH, REACH = 0.0075, 0.06
# Dots on each other that may stay: a few hide little.
PAIRS = 3
GOLDEN = np.pi * (3 - np.sqrt(5))


def spread_heaps(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, bool]:
    """Places (N, 2) where dots of one place stand around it like the seeds of a sunflower; whether any was moved.

    Nothing moves unless one dot in twenty lies in a heap of more than three. A heap keeps clear of its neighbours;
    within it the rarest class stands in the middle.

    Args:
        points: Places, shape (N, 2).
        labels: Class numbers, shape (N,).

    Example:
        >>> places, moved = spread_heaps(np.zeros((5, 2)), np.zeros(5, int))
        >>> moved, len(np.unique(places.round(4), axis=0))
        (True, 5)
    """
    span = float(np.ptp(points.astype(float), axis=0).max()) or 1.0
    rounded = np.round((points - points.min(0)) / span * 1e5)
    heaps, heap, size = np.unique(rounded, axis=0, return_inverse=True, return_counts=True)
    heap = heap.ravel()
    if (size[heap] > PAIRS).mean() < 0.05:
        return points, False
    rank, room = _ranks(heap, labels), _room(heaps / 1e5)[heap]
    pitch = np.minimum(PITCH, room / np.sqrt(size[heap])) * (size[heap] > 1)
    radius = pitch * np.sqrt(rank + 0.5) * span
    moved = points + np.stack([np.cos(rank * GOLDEN), np.sin(rank * GOLDEN)], 1) * radius[:, None]
    return moved.astype(np.float32), True


def _ranks(heap: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The place of each dot in its heap, from 0, rare classes first."""
    _, number, counts = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.lexsort((np.arange(len(heap)), counts[number.ravel()], heap))
    starts = np.flatnonzero(np.diff(heap[order], prepend=-1))
    rank = np.empty(len(heap), int)
    rank[order] = np.arange(len(heap)) - np.repeat(starts, np.diff([*starts, len(heap)]))
    return rank


def _room(heaps: np.ndarray) -> np.ndarray:
    """How far each heap (M, 2) may reach: less than half way to the next one."""
    from scipy.spatial import KDTree

    if len(heaps) == 1:
        return np.array([REACH])
    nearest = KDTree(heaps).query(heaps, k=2)[0][:, 1]
    return np.minimum(REACH, 0.45 * nearest)
