"""Binary frames: what changes many times a second travels as plain numbers, little endian, behind 16 bytes.

'N' | version | kind | slot | step (4) | a (4) | b (4) | payload

points   a objects; b bit 0: all of them, bits 8..15: the projection. Bounds, then 16-bit places (a, 2) within them
weights  a numbers of 16 bits, in the order of the model's graph
tiles    a objects of b values, 8 bits each, from the graph's low to its high
"""

import struct
from typing import NamedTuple

import numpy as np

from narrows.errors import DamagedError

VERSION = 1
HEADER = struct.Struct("<4B3I")

POINTS, WEIGHTS, TILES = 1, 2, 3

PROJECTIONS = ("code", "pca", "tsne")
"""How codes came onto the plane, by the number a frame says."""

FINEST = 65_535
"""Steps between the bounds of a coordinate."""


class Frame(NamedTuple):
    """One frame: its kind, the place of its run in a viewer's list, its step, two numbers and what it carries."""

    kind: int
    slot: int
    step: int
    a: int
    b: int
    payload: bytes


def pack(kind: int, step: int, a: int, b: int, payload: bytes, slot: int = 0) -> bytes:
    """A frame as bytes.

    Example:
        >>> unpack(pack(TILES, step=7, a=1, b=2, payload=b"xy", slot=3))
        Frame(kind=3, slot=3, step=7, a=1, b=2, payload=b'xy')
    """
    return HEADER.pack(ord("N"), VERSION, kind, slot, step, a, b) + payload


def unpack(frame: bytes) -> Frame:
    """The parts of a frame.

    Raises:
        DamagedError: It is none, or not as long as it says.
    """
    if len(frame) < HEADER.size:
        raise DamagedError(f"a frame of {len(frame)} bytes", expected=f"at least {HEADER.size}")
    letter, version, kind, slot, step, a, b = HEADER.unpack_from(frame)
    sizes = {POINTS: 16 + 4 * a, WEIGHTS: 2 * a, TILES: a * b}
    if (letter, version) != (ord("N"), VERSION) or len(frame) - HEADER.size != sizes.get(kind):
        raise DamagedError(f"bytes that are no frame of version {VERSION}", step="Update narrows")
    return Frame(kind, slot, step, a, b, frame[HEADER.size :])


class Places(NamedTuple):
    """Points on a plane in 16 bits a coordinate: bounds (x0, y0, x1, y1) in float32, and places (N, 2) within them."""

    bounds: np.ndarray
    places: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """The points (N, 2) in float32, each within a 65,535th of the extent of the given one."""
        low, high = self.bounds[:2], self.bounds[2:]
        return (low + self.places * ((high - low) / FINEST)).astype(np.float32)


def places(points: np.ndarray) -> Places:
    """Points (N, 2) in 16 bits a coordinate; those that are not finite lie at the centre.

    Example:
        >>> places(np.array([[0.0, -1.0], [2.0, 1.0]])).points.tolist()
        [[0.0, -1.0], [2.0, 1.0]]
    """
    finite = np.isfinite(points).all(1, keepdims=True)
    points = np.where(finite, points, np.mean(points, 0, where=finite) if finite.any() else 0.0)
    low, high = (points.min(0), points.max(0)) if len(points) else (np.zeros(2), np.zeros(2))
    high = np.where(high > low, high, low + 1)
    bounds = np.concatenate([low, high]).astype(np.float32)
    return Places(bounds, np.rint((points - low) / (high - low) * FINEST).astype("<u2"))


def points_frame(step: int, where: Places, projection: str, *, complete: bool) -> bytes:
    """The frame of points on the plane.

    Args:
        step: The step whose weights placed them.
        where: The points.
        projection: Name in `PROJECTIONS`.
        complete: Whether these are all objects, or the first ones of the fixed order.
    """
    b = int(complete) | PROJECTIONS.index(projection) << 8
    return pack(POINTS, step, len(where.places), b, where.bounds.astype("<f4").tobytes() + where.places.tobytes())


def read_points(frame: Frame) -> tuple[Places, str, bool]:
    """What `points_frame` was given.

    Example:
        >>> frame = points_frame(5, places(np.eye(2)), "pca", complete=True)
        >>> where, projection, complete = read_points(unpack(frame))
        >>> where.points.tolist(), projection, complete
        ([[1.0, 0.0], [0.0, 1.0]], 'pca', True)
    """
    bounds = np.frombuffer(frame.payload, "<f4", 4)
    where = np.frombuffer(frame.payload, "<u2", offset=16).reshape(-1, 2)
    return Places(bounds, where), PROJECTIONS[frame.b >> 8], bool(frame.b & 1)


def weights_frame(step: int, weights: np.ndarray) -> bytes:
    """The frame of a model's numbers (P,), float16.

    Example:
        >>> np.frombuffer(unpack(weights_frame(1, np.array([0.5, -2.0], np.float16))).payload, "<f2").tolist()
        [0.5, -2.0]
    """
    return pack(WEIGHTS, step, len(weights), 0, weights.astype("<f2", copy=False).tobytes())


def tiles_frame(step: int, tiles: np.ndarray) -> bytes:
    """The frame of some outputs (E, D), uint8.

    Example:
        >>> unpack(tiles_frame(9, np.zeros((12, 64), np.uint8)))[2:5]
        (9, 12, 64)
    """
    return pack(TILES, step, len(tiles), tiles.shape[1], tiles.tobytes())


def tiles(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scaled objects (E, *shape) as bytes (E, D), 0 to 255 from `low` to `high`.

    Example:
        >>> tiles(np.array([[0.0, 0.5, 2.0]]), 0, 1).tolist()
        [[0, 128, 255]]
    """
    share = np.nan_to_num((x.reshape(len(x), -1) - low) / ((high - low) or 1))
    return np.rint(255 * share.clip(0, 1)).astype(np.uint8)
