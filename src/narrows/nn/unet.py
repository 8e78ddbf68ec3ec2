"""U-Net encoder and decoder: skips carry the fine detail around the bottleneck.

References:
    U-Net: Convolutional Networks for Biomedical Image Segmentation (Ronneberger et al., 2015), arXiv 1505.04597
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from narrows.nn.conv import CONVOLUTIONS, TRANSPOSED, side_lengths
from narrows.nn.pair import ACTIVATIONS, Decoder, Encoder, Pair, Skips, as_channels
from narrows.nn.settings import UNet


def block(dims: int, a: int, b: int, activation: str) -> nn.Sequential:
    """Two convolutions of 3 that keep the size, from `a` to `b` channels."""
    conv, act = CONVOLUTIONS[dims], ACTIVATIONS[activation]
    return nn.Sequential(conv(a, b, 3, padding=1), act(), conv(b, b, 3, padding=1), act())


class UNetEncoder(Encoder):
    """x (B, C, *sides) -> a block at each resolution, halved between -> h (B, *grid, F) and one skip a halving."""

    skips = True

    def __init__(self, shape: tuple[int, ...], settings: UNet):
        super().__init__()
        C, *sides = self.shape = as_channels(shape)
        dims, channels = len(sides), settings.channels
        self.first = block(dims, C, channels[0], settings.activation)
        self.down = nn.ModuleList(CONVOLUTIONS[dims](a, b, 3, stride=2, padding=1) for a, b in pairwise(channels))
        self.blocks = nn.ModuleList(block(dims, c, c, settings.activation) for c in channels[1:])
        self.features = channels[-1]
        self.grid = side_lengths(tuple(sides), len(channels) - 1)[-1]

    def forward(self, x: Tensor) -> tuple[Tensor, Skips]:
        h, skips = self.first(x.reshape(-1, *self.shape)), []
        for down, around in zip(self.down, self.blocks, strict=True):
            skips.append(h)
            h = around(down(h))
        return h.movedim(1, -1), tuple(skips)


class UNetDecoder(Decoder):
    """z (B, *grid, K) and the skips -> doubled and joined at each resolution -> (B, *shape)."""

    def __init__(self, shape: tuple[int, ...], settings: UNet, code: int):
        super().__init__()
        C, *sides = as_channels(shape)
        dims, channels = len(sides), settings.channels
        self.shape = shape
        self.sides = side_lengths(tuple(sides), len(channels) - 1)[:-1][::-1]
        self.channels = channels[:-1][::-1]
        self.first = CONVOLUTIONS[dims](code, channels[-1], 1)
        up = list(pairwise(reversed(channels)))
        self.up = nn.ModuleList(
            TRANSPOSED[dims](a, b, 3, stride=2, padding=1, output_padding=tuple(1 - n % 2 for n in after))
            for (a, b), after in zip(up, self.sides, strict=True)
        )
        self.blocks = nn.ModuleList(block(dims, 2 * b, b, settings.activation) for _, b in up)
        self.last = CONVOLUTIONS[dims](channels[0], C, 1)

    def forward(self, z: Tensor, skips: Skips = ()) -> Tensor:
        h = self.first(z.movedim(-1, 1))
        for up, around, skip in zip(self.up, self.blocks, self.skips(z, skips), strict=True):
            h = around(torch.cat([up(h), skip], dim=1))
        return self.last(h).reshape(-1, *self.shape)

    def skips(self, z: Tensor, skips: Skips) -> Skips:
        """The skips, innermost first; zeros where the decoder is used alone."""
        if skips:
            return skips[::-1]
        return tuple(z.new_zeros(z.shape[0], c, *n) for c, n in zip(self.channels, self.sides, strict=True))


def unet_pair(settings: UNet, shape: tuple[int, ...], code: int) -> Pair:
    """The U-Net pair for objects of `shape` and `code` numbers a place of the smallest grid.

    Example:
        >>> encoder, decoder = unet_pair(UNet(channels=(4, 8)), (1, 9, 14), code=3)
        >>> h, skips = encoder(torch.zeros(2, 1, 9, 14))
        >>> h.shape, decoder(torch.zeros(2, *encoder.grid, 3), skips).shape
        (torch.Size([2, 5, 7, 8]), torch.Size([2, 1, 9, 14]))
    """
    return Pair(UNetEncoder(shape, settings), UNetDecoder(shape, settings, code))
