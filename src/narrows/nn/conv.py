"""Convolutional encoder and decoder, for pictures (2-D), series and spectra (1-D), of any size and channel count.

Each layer halves every side, rounded up (n -> ceil(n / 2)); the decoder undoes exactly that, odd sides included.
"""

from itertools import pairwise
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from narrows.nn.pair import ACTIVATIONS, Decoder, Encoder, Pair, Skips, as_channels
from narrows.nn.settings import Conv

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d}
TRANSPOSED: dict[int, Any] = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d}


def side_lengths(sides: tuple[int, ...], halvings: int) -> list[tuple[int, ...]]:
    """The sides before, and after each of the halvings.

    Example:
        >>> side_lengths((28, 5), 2)
        [(28, 5), (14, 3), (7, 2)]
    """
    lengths = [sides]
    for _ in range(halvings):
        lengths.append(tuple(-(-n // 2) for n in lengths[-1]))
    return lengths


class ConvEncoder(Encoder):
    """x (B, C, *sides) -> channels, halved each time -> h (B, F), F = last channels x last sides.

    With a code that is a map, the last sides stay: h (B, *grid, F), F = last channels.
    """

    def __init__(self, shape: tuple[int, ...], settings: Conv):
        super().__init__()
        C, *sides = self.shape = as_channels(shape)
        layer = CONVOLUTIONS[len(sides)]
        steps = pairwise((C, *settings.channels))
        self.layers = nn.ModuleList(
            layer(a, b, settings.kernel, stride=2, padding=settings.kernel // 2) for a, b in steps
        )
        self.activation = ACTIVATIONS[settings.activation]()
        last = side_lengths(tuple(sides), len(settings.channels))[-1]
        self.grid = last if settings.map else ()
        self.features = settings.channels[-1] * (1 if settings.map else prod(last))

    def forward(self, x: Tensor) -> tuple[Tensor, Skips]:
        h = x.reshape(-1, *self.shape)
        for layer in self.layers:
            h = self.activation(layer(h))
        return (h.movedim(1, -1) if self.grid else h.flatten(1)), ()


class ConvDecoder(Decoder):
    """z (B, *grid, K) -> features -> channels, doubled each time -> (B, *shape)."""

    def __init__(self, shape: tuple[int, ...], settings: Conv, code: int):
        super().__init__()
        C, *sides = as_channels(shape)
        lengths = side_lengths(tuple(sides), len(settings.channels))
        self.shape, self.inner = shape, (settings.channels[-1], *lengths[-1])
        self.map = settings.map
        self.first = nn.Linear(code, settings.channels[-1] if settings.map else prod(self.inner))
        self.activation = ACTIVATIONS[settings.activation]()
        layer, k = TRANSPOSED[len(sides)], settings.kernel
        steps = list(pairwise((C, *settings.channels)))
        # A stride of 2 maps both n and n - 1 to the same length: the output padding says which of them it was.
        self.layers = nn.ModuleList(
            layer(b, a, k, stride=2, padding=k // 2, output_padding=tuple(1 - n % 2 for n in before))
            for (a, b), before in reversed(list(zip(steps, lengths, strict=False)))
        )

    def forward(self, z: Tensor, skips: Skips = ()) -> Tensor:
        h = self.first(z)
        h = h.movedim(-1, 1) if self.map else h.unflatten(1, self.inner)
        if h.ndim == 4:
            h = h.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            h = layer(self.activation(h))
        return h.reshape(-1, *self.shape)


def conv_pair(settings: Conv, shape: tuple[int, ...], code: int) -> Pair:
    """The convolutional pair for objects of `shape` and a code of `code` numbers.

    Example:
        >>> encoder, decoder = conv_pair(Conv(channels=(4, 8)), (3, 9, 14), code=5)
        >>> encoder(torch.zeros(2, 3, 9, 14))[0].shape, decoder(torch.zeros(2, 5)).shape
        (torch.Size([2, 96]), torch.Size([2, 3, 9, 14]))
        >>> conv_pair(Conv(channels=(4, 8), map=True), (3, 9, 14), code=5).encoder(torch.zeros(2, 3, 9, 14))[0].shape
        torch.Size([2, 3, 4, 8])
    """
    return Pair(ConvEncoder(shape, settings), ConvDecoder(shape, settings, code))
