"""What the families share: the pair they return, activations, and the view of an object as (C, L) or (C, H, W)."""

from typing import NamedTuple

from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "identity": nn.Identity,
}

Skips = tuple[Tensor, ...]


class Encoder(nn.Module):
    """Objects x (B, *shape) to features h (B, *grid, F) and the skips past the bottleneck.

    `features` is F; `grid` is () where the whole object becomes one code, else the places that have one each;
    `skips` says whether anything goes past the bottleneck.
    """

    features: int
    grid: tuple[int, ...] = ()
    skips: bool = False

    def forward(self, x: Tensor) -> tuple[Tensor, Skips]:
        """Features of each object, and skips (empty but for a U-Net)."""
        raise NotImplementedError


class Decoder(nn.Module):
    """Codes z (B, *grid, K) and skips back to objects (B, *shape), before the output head."""

    def forward(self, z: Tensor, skips: Skips = ()) -> Tensor:
        """Objects rebuilt from codes; skips that are not given count as zero."""
        raise NotImplementedError


class Pair(NamedTuple):
    """An encoder and the decoder that mirrors it."""

    encoder: Encoder
    decoder: Decoder


def as_channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape as (C, L) or (C, H, W): a vector (D,) is one channel of D samples."""
    return (1, *shape) if len(shape) == 1 else tuple(shape)
