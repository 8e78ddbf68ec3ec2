"""The picture of a scene: every pixel in its place, in colours of its bands."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from narrows.data import load
from narrows.studio.scene import scene_of
from narrows.types import Layout, Split, Splits

LAYOUT = Layout("made", "spectrum", (100,), view="pixels")


def splits(places, x, layout=LAYOUT):
    """Objects at these places, parted in three."""
    where = np.array([f"row {r}, column {c}" for r, c in places])
    return Splits(layout, *(Split(x[i::3], where=where[i::3]) for i in range(3)))


def picture(data):
    return np.asarray(Image.open(BytesIO(scene_of(data))))


def test_every_pixel_is_in_its_place(rng):
    places = [(r, c) for r in range(6) for c in range(4) if (r, c) != (2, 3)]
    red = np.linspace(0, 1, len(places))
    x = np.zeros((len(places), 100), np.float32)
    x[:, 51] = red
    found = picture(splits(places, x))
    assert found.shape == (6, 4, 4)
    assert found[2, 3].tolist() == [0, 0, 0, 0]
    assert (found[..., 3] == 255).sum() == len(places)
    shades = [int(found[place][0]) for place in places]
    assert shades == sorted(shades)
    assert (shades[0], shades[-1]) == (0, 255)
    assert found[..., 1:3].max() == 0


def test_objects_that_are_no_pixels_have_no_scene():
    assert scene_of(load("digits")) is None
    assert scene_of(load("cards", limit=100)) is None
    x = np.zeros((6, 100), np.float32)
    patches = Layout("made", "image", (1, 10, 10), view="patches")
    assert scene_of(splits([(0, i) for i in range(6)], x, patches)) is None


@pytest.mark.data
def test_the_scene_of_pavia(real):
    real("hyperspectral/pavia_university_lowres.npz")
    found = picture(load("pavia-university"))
    assert found.shape == (80, 50, 4)
    assert (found[..., 3] == 255).all()
    assert found[..., :3].std() > 30
