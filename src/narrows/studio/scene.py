"""The scene that the pixels of a hyperspectral set come from, as a picture in false colours."""

import re
from io import BytesIO

import numpy as np
from PIL import Image

from narrows.types import Splits

PLACE = re.compile(r"row (\d+), column (\d+)")

BANDS = (0.52, 0.28, 0.08)
"""How far along the bands red, green and blue are taken: near their colours where a camera sees what the eye does."""

STRETCH = (0.02, 0.98)
"""Shares of the values of a band that become black and white."""

SIDE_LIMIT = 4096


def scene_of(data: Splits) -> bytes | None:
    """A PNG of the scene, a pixel an object, those that are not there transparent; None where objects are no pixels.

    Example:
        >>> from narrows.types import Layout, Split
        >>> where = np.array(["row 0, column 1", "row 2, column 0"])
        >>> split = Split(np.eye(2, 5, dtype=np.float32), where=where)
        >>> none = Split(np.zeros((0, 5), np.float32), where=where[:0])
        >>> picture = scene_of(Splits(Layout("made", "spectrum", (5,), view="pixels"), split, none, none))
        >>> Image.open(BytesIO(picture)).size
        (2, 3)
    """
    parts = [part for part in (data.train, data.valid, data.test) if len(part)]
    if data.layout.view != "pixels" or any(part.where is None for part in parts):
        return None
    found = [PLACE.fullmatch(str(place)) for part in parts for place in part.where]  # type: ignore[union-attr]
    if not found or not all(found):
        return None
    places = np.array([[int(number) for number in match.groups()] for match in found if match])
    rows, columns = places.max(0) + 1
    if max(rows, columns) > SIDE_LIMIT:
        return None
    picture = np.zeros((rows, columns, 4), np.uint8)
    picture[places[:, 0], places[:, 1], :3] = false_colours(np.concatenate([chosen_bands(part.x[:]) for part in parts]))
    picture[places[:, 0], places[:, 1], 3] = 255
    content = BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()


def chosen_bands(x: np.ndarray) -> np.ndarray:
    """Three bands (N, 3) of spectra (N, D)."""
    return x[:, [int(share * (x.shape[1] - 1)) for share in BANDS]].astype(np.float64)


def false_colours(bands: np.ndarray) -> np.ndarray:
    """Three bands (N, 3) as red, green and blue, uint8."""
    low, high = np.quantile(bands, STRETCH, axis=0)
    return np.rint(255 * ((bands - low) / np.maximum(high - low, 1e-12)).clip(0, 1)).astype(np.uint8)
