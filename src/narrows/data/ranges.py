"""The range of the values of one source brought onto that of another: 0..255 of a picture onto 0..16 of a model."""

from __future__ import annotations

import numpy as np

from narrows.storage import Objects, Rows
from narrows.types import Layout


def brought(x: Objects, like: Layout, found: tuple[float, float] | None) -> tuple[Objects, tuple[str, ...]]:
    """Objects (N, *shape) with their range mapped onto the layout's, and a note of it; unchanged without bounds.

    Args:
        x: Raw objects.
        like: The layout of the model.
        found: Smallest and largest value possible in the source, None where unknown.

    Example:
        >>> like = Layout("digits", "image", (1, 1, 2), low=0, high=16)
        >>> x, notes = brought(np.array([[[[0, 255]]]], np.uint8), like, (0, 255))
        >>> x.tolist(), notes
        ([[[[0.0, 16.0]]]], ("Brought values from the source's range 0..255 to the model's 0..16.",))
    """
    if found is None or like.low is None or like.high is None or found == (like.low, like.high):
        return x, ()
    low, factor = found[0], (like.high - like.low) / (found[1] - found[0])
    base = like.low

    def mapped(raw: np.ndarray) -> np.ndarray:
        return ((np.asarray(raw, np.float32) - low) * factor + base).astype(np.float32, copy=False)

    note = f"Brought values from the source's range {found[0]:g}..{found[1]:g} to the model's {base:g}..{like.high:g}."
    return x.then(mapped) if isinstance(x, Rows) else mapped(x), (note,)
