"""A look into a picture file that leaves it closed."""

import pytest
from PIL import Image


@pytest.fixture
def opened():
    """A function from the path of a PNG to the picture, whole and in memory."""

    def load(path):
        with Image.open(path, formats=["PNG"]) as picture:
            return picture.copy()

    return load
