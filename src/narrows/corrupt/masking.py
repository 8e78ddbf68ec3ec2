"""Masking: hide a share of the input, so that the model has to fill it in.

The share is exact in every object: losses of different batches then compare.

References:
    Extracting and Composing Robust Features with Denoising Autoencoders (Vincent et al., 2008),
    https://doi.org/10.1145/1390156.1390294
    Masked Autoencoders Are Scalable Vision Learners (He et al., 2022), arXiv 2111.06377
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from narrows.errors import UsageError
from narrows.settings import Settings

if TYPE_CHECKING:
    from torch import Generator, Tensor

Ratio = Annotated[float, Field(ge=0, lt=1)]


def choose(batch: int, places: int, count: int, rng: Generator) -> Tensor:
    """A mask (B, places), True at exactly `count` places of each row, drawn at random."""
    import torch

    rank = torch.rand(batch, places, generator=rng, device=rng.device).argsort(1).argsort(1)
    return rank < count


def sides_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The sides of an object (C, *sides); a vector (D,) has the one side D."""
    return shape[1:] if len(shape) > 1 else shape


def spread(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A mask over places (B, places) as one over objects: (B, 1, *sides), or (B, D) for vectors."""
    sides = sides_of(shape)
    return mask.reshape(len(mask), *((1,) if len(shape) > 1 else ()), *sides)


def mask_pixels(x: Tensor, ratio: float, fill: float, rng: Generator) -> tuple[Tensor, Tensor]:
    """Hide a share of the pixels, samples or columns of each object, all channels of one together.

    Args:
        x: Objects, shape (B, C, *sides) or (B, D).
        ratio: Share to hide, in [0, 1).
        fill: Value put there, in scaled units.
        rng: Source of randomness, on the device of `x`.

    Returns:
        The masked objects, and the mask (B, 1, *sides) or (B, D), True where hidden.

    Example:
        >>> import torch
        >>> _, hidden = mask_pixels(torch.ones(2, 3, 4, 4), 0.25, 0.0, torch.Generator().manual_seed(0))
        >>> hidden.shape, hidden.sum((1, 2, 3)).tolist()
        (torch.Size([2, 1, 4, 4]), [4, 4])
    """
    places = prod(sides_of(tuple(x.shape[1:])))
    hidden = spread(choose(len(x), places, round(ratio * places), rng), tuple(x.shape[1:]))
    return x.masked_fill(hidden, fill), hidden


def mask_patches(x: Tensor, ratio: float, side: int, fill: float, rng: Generator) -> tuple[Tensor, Tensor]:
    """Hide a share of the square patches of each picture.

    Args:
        x: Pictures, shape (B, C, H, W).
        ratio: Share of the patches to hide, in [0, 1).
        side: Side of a patch in pixels, a divisor of H and W.
        fill: Value put there, in scaled units.
        rng: Source of randomness, on the device of `x`.

    Returns:
        The masked pictures (B, C, H, W) and the mask (B, 1, H, W), True where hidden.

    Example:
        >>> import torch
        >>> y, hidden = mask_patches(torch.ones(2, 3, 8, 8), 0.25, 4, 0.0, torch.Generator().manual_seed(0))
        >>> y.mean().item(), hidden.sum().item()  # one patch of four, in each of two pictures
        (0.75, 32)
    """
    B, _, H, W = x.shape
    h, w = H // side, W // side
    hidden = choose(B, h * w, round(ratio * h * w), rng).reshape(B, 1, h, w)
    hidden = hidden.repeat_interleave(side, 2).repeat_interleave(side, 3)
    return x.masked_fill(hidden, fill), hidden


def mask_spans(x: Tensor, ratio: float, length: int, fill: float, rng: Generator) -> tuple[Tensor, Tensor]:
    """Hide spans of neighbouring samples of each series, all channels together.

    The series is cut into pieces of `length`, the first one shorter by a random amount, and whole pieces are
    hidden; so spans never overlap and the number of hidden pieces is exact.

    Args:
        x: Series (B, C, L), or vectors (B, D).
        ratio: Share of the pieces to hide, in [0, 1).
        length: Samples of a span, at most L.
        fill: Value put there, in scaled units.
        rng: Source of randomness, on the device of `x`.

    Returns:
        The masked series, and the mask (B, 1, L) or (B, D), True where hidden.

    Example:
        >>> import torch
        >>> _, hidden = mask_spans(torch.ones(1, 1, 12), 0.5, 3, 0.0, torch.Generator().manual_seed(0))
        >>> hidden.int().tolist()
        [[[0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0]]]
    """
    import torch

    L = x.shape[-1]
    pieces = -(-L // length)
    hidden = choose(len(x), pieces, round(ratio * pieces), rng)
    shift = torch.randint(0, length, (len(x), 1), generator=rng, device=x.device)
    samples = (torch.arange(L, device=x.device) + shift) // length % pieces
    mask = spread(hidden.gather(1, samples), tuple(x.shape[1:]))
    return x.masked_fill(mask, fill), mask


class MaskPixels(Settings):
    """Single pixels, samples or columns hidden."""

    kind: Literal["mask-pixels"] = "mask-pixels"
    ratio: Ratio = 0.3
    """Share hidden, exact in every object."""
    fill: float = 0.0
    """Value put there, in scaled units."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Every shape will do."""

    def __call__(self, x: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        return mask_pixels(x, self.ratio, self.fill, rng)


class MaskPatches(Settings):
    """Square patches of a picture hidden."""

    kind: Literal["mask-patches"] = "mask-patches"
    ratio: Ratio = 0.5
    """Share of the patches hidden, exact in every picture."""
    side: Annotated[int, Field(ge=1, le=4096)] = 4
    """Side of a patch in pixels; must divide height and width."""
    fill: float = 0.0
    """Value put there, in scaled units."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse what is not a picture, and patches that do not fill it."""
        if len(shape) != 3:
            raise UsageError(
                f"corruption=mask-patches with objects of shape {shape}",
                expected="pictures",
                step="Use corruption=mask-spans or mask-pixels",
                code="usage.corruption",
            )
        _, H, W = shape
        if H % self.side or W % self.side:
            raise UsageError(
                f"corruption.side={self.side}", expected=f"a divisor of {H} and of {W} pixels", code="usage.corruption"
            )

    def __call__(self, x: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        return mask_patches(x, self.ratio, self.side, self.fill, rng)


class MaskSpans(Settings):
    """Spans of neighbouring samples hidden."""

    kind: Literal["mask-spans"] = "mask-spans"
    ratio: Ratio = 0.3
    """Share of the spans hidden."""
    length: Annotated[int, Field(ge=1, le=1_000_000)] = 8
    """Samples of a span."""
    fill: float = 0.0
    """Value put there, in scaled units."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse pictures, and spans longer than the series."""
        if len(shape) == 3:
            raise UsageError(
                f"corruption=mask-spans with pictures of shape {shape}",
                expected="series or vectors",
                step="Use corruption=mask-patches",
                code="usage.corruption",
            )
        if self.length > shape[-1]:
            raise UsageError(
                f"corruption.length={self.length}", expected=f"at most {shape[-1]} samples", code="usage.corruption"
            )

    def __call__(self, x: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        return mask_spans(x, self.ratio, self.length, self.fill, rng)
