"""Noise: added to every value, or put in the place of some.

References:
    Extracting and Composing Robust Features with Denoising Autoencoders (Vincent et al., 2008),
    https://doi.org/10.1145/1390156.1390294
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from narrows.settings import Settings

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Nothing(Settings):
    """Leave the input as it is."""

    kind: Literal["none"] = "none"

    def check(self, shape: tuple[int, ...]) -> None:
        """Every shape will do."""

    def __call__(self, x: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        import torch

        return x, torch.zeros(1, dtype=torch.bool, device=x.device)


def gaussian(x: Tensor, sigma: float, rng: Generator) -> tuple[Tensor, Tensor]:
    """Add independent normal noise to every value; the result is not clipped.

    Args:
        x: Objects, shape (B, *shape).
        sigma: Standard deviation in scaled units, at least 0.
        rng: Source of randomness, on the device of `x`.

    Returns:
        The noisy objects (B, *shape) and a mask (1,), True where sigma is above 0.

    Example:
        >>> import torch
        >>> y, _ = gaussian(torch.zeros(1000, 100), 0.5, torch.Generator().manual_seed(0))
        >>> round(y.std().item(), 2)
        0.5
    """
    import torch

    noise = torch.randn(x.shape, generator=rng, device=x.device, dtype=torch.float32)
    return x + (sigma * noise).to(x.dtype), torch.full((1,), sigma > 0, device=x.device)


def salt_pepper(x: Tensor, share: float, low: float, high: float, rng: Generator) -> tuple[Tensor, Tensor]:
    """Replace a random share of the values by the lowest or the highest, half and half.

    Args:
        x: Objects, shape (B, *shape).
        share: Probability of each value to be replaced, in [0, 1].
        low: What pepper sets a value to.
        high: What salt sets a value to.
        rng: Source of randomness, on the device of `x`.

    Returns:
        The noisy objects and the mask of replaced values, both (B, *shape).

    Example:
        >>> import torch
        >>> y, hit = salt_pepper(torch.full((4, 5), 0.5), 1.0, 0.0, 1.0, torch.Generator().manual_seed(0))
        >>> hit.all().item(), sorted(set(y.flatten().tolist()))
        (True, [0.0, 1.0])
    """
    import torch

    chance = torch.rand(x.shape, generator=rng, device=x.device)
    peppered = x.masked_fill(chance < share / 2, low)
    return peppered.masked_fill((chance >= share / 2) & (chance < share), high), chance < share


class Gaussian(Settings):
    """Independent normal noise on every value."""

    kind: Literal["gaussian"] = "gaussian"
    sigma: Annotated[float, Field(ge=0, le=100)] = 0.2
    """Standard deviation, in scaled units (pictures: 1 is the step from black to white)."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Every shape will do."""

    def __call__(self, x: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        return gaussian(x, self.sigma, rng)


class SaltPepper(Settings):
    """Some values set to the lowest or highest."""

    kind: Literal["salt-pepper"] = "salt-pepper"
    share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the values replaced."""
    low: float = 0.0
    """Value of pepper, in scaled units."""
    high: float = 1.0
    """Value of salt, in scaled units."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Every shape will do."""

    def __call__(self, x: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        return salt_pepper(x, self.share, self.low, self.high, rng)
