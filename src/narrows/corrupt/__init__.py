"""Corruptions: what is done to an object before the encoder sees it; the target stays as it was.

Function first: (x, ..., rng) -> (input, mask), with x (B, *shape) in scaled units and the mask True where a value
was altered. The settings in `CORRUPTIONS` import no torch until they are called.
"""

from typing import Annotated

from pydantic import Field

from narrows.corrupt.masking import MaskPatches, MaskPixels, MaskSpans
from narrows.corrupt.noise import Gaussian, Nothing, SaltPepper

CORRUPTIONS = {
    "none": Nothing,
    "gaussian": Gaussian,
    "salt-pepper": SaltPepper,
    "mask-pixels": MaskPixels,
    "mask-patches": MaskPatches,
    "mask-spans": MaskSpans,
}

Corruption = Annotated[
    Nothing | Gaussian | SaltPepper | MaskPixels | MaskPatches | MaskSpans, Field(discriminator="kind")
]

__all__ = [
    "CORRUPTIONS",
    "Corruption",
    "Gaussian",
    "MaskPatches",
    "MaskPixels",
    "MaskSpans",
    "Nothing",
    "SaltPepper",
]
