"""Pixels of a plane parted by blocks, and taken out one by one or as patches."""

from __future__ import annotations

import numpy as np

from narrows.data.splits import split_groups
from narrows.storage import as_float32
from narrows.types import Split

FEWEST_BLOCKS = 15


def part_of_pixels(drawn: np.ndarray | None, usable: np.ndarray, block: int, rng: np.random.Generator) -> np.ndarray:
    """The side of each pixel (H, W): 0 training, 1 validation, 2 test, -1 no data; whole blocks at a time.

    Blocks are drawn within their rarest class, and a class left without training pixels takes a block back.

    Args:
        drawn: Class of each pixel (H, W), -1 where unlabelled; None without classes.
        usable: True (H, W) where a pixel has data.
        block: Side of a block in pixels, about: blocks share out the plane evenly.
        rng: Source of randomness.
    """
    rows, columns = usable.shape
    down, across = max(1, rows // block), max(1, columns // block)
    groups = (np.arange(rows)[:, None] * down // rows * across + np.arange(columns) * across // columns)[usable]
    labels = None if drawn is None else drawn[usable]
    parts = split_groups(groups, rng, y=None if labels is None else rarest(groups, labels))
    if not all(len(part) for part in parts):
        parts = split_groups(groups, rng)
    flat = np.zeros(len(groups), np.int8)
    for number, part in enumerate(parts):
        flat[part] = number
    for lost in [] if labels is None else np.setdiff1d(labels[labels >= 0], labels[flat == 0]):
        flat[groups == np.bincount(groups[labels == lost]).argmax()] = 0
    sides = np.full(usable.shape, -1, np.int8)
    sides[usable] = flat
    return sides


def rarest(groups: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For each pixel the class of its block that has the fewest pixels in the scene, -1 in blocks without classes."""
    names, counts = np.unique(labels[labels >= 0], return_counts=True)
    best = np.full(int(groups.max()) + 1, -1)
    for name in names[np.argsort(-counts, kind="stable")]:
        best[groups[labels == name]] = name
    return best[groups]


def block_size(rows: int, columns: int, most: int, fewest: int) -> int:
    """The largest side of blocks, in pixels, that leaves enough blocks to part."""
    sizes = range(most, fewest - 1, -1)
    return next((s for s in sizes if max(1, rows // s) * max(1, columns // s) >= FEWEST_BLOCKS), fewest)


def windows(plane: np.ndarray, side: int) -> np.ndarray:
    """Every side x side window of a plane (H, W), as a view (H - side + 1, W - side + 1, side, side)."""
    return np.lib.stride_tricks.sliding_window_view(plane, (side, side))


def take_pixels(cube: np.ndarray, labels: np.ndarray | None, at: np.ndarray) -> Split:
    """The pixels at (row, column) pairs (N, 2)."""
    row, column = at.T
    y = None if labels is None else labels[row, column]
    return Split(as_float32(cube[row, column]), y, places(at))


def take_patches(cube: np.ndarray, labels: np.ndarray | None, corners: np.ndarray, side: int) -> Split:
    """The patches (N, D, side, side) whose first pixels are at (row, column) pairs (N, 2)."""
    row, column = corners.T
    view = np.lib.stride_tricks.sliding_window_view(cube, (side, side), (0, 1))  # type: ignore[call-overload]
    middle = corners + side // 2
    y = None if labels is None else labels[middle[:, 0], middle[:, 1]]
    return Split(as_float32(view[row, column]), y, places(middle))


def places(at: np.ndarray) -> np.ndarray:
    """Pairs (N, 2) in words."""
    return np.array([f"row {row}, column {column}" for row, column in at.tolist()], np.str_)
