"""Dense encoder and decoder, side by side so that the mirror shows.

References:
    Reducing the Dimensionality of Data with Neural Networks (Hinton and Salakhutdinov, 2006),
    https://doi.org/10.1126/science.1127647
"""

from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from narrows.nn.pair import ACTIVATIONS, Decoder, Encoder, Pair, Skips
from narrows.nn.settings import Dense


class DenseEncoder(Encoder):
    """x (B, *shape) -> D -> widths -> h (B, F), where F is the last width, or D without widths."""

    def __init__(self, shape: tuple[int, ...], widths: tuple[int, ...], activation: str):
        super().__init__()
        sizes = (prod(shape), *widths)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.activation = ACTIVATIONS[activation]()
        self.features = sizes[-1]

    def forward(self, x: Tensor) -> tuple[Tensor, Skips]:
        h = x.flatten(1)
        for layer in self.layers:
            h = self.activation(layer(h))
        return h, ()


class DenseDecoder(Decoder):
    """z (B, K) -> widths, innermost first -> D -> (B, *shape)."""

    def __init__(self, shape: tuple[int, ...], widths: tuple[int, ...], activation: str, code: int):
        super().__init__()
        sizes = (code, *reversed(widths), prod(shape))
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.activation = ACTIVATIONS[activation]()
        self.shape = shape

    def forward(self, z: Tensor, skips: Skips = ()) -> Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            z = self.activation(layer(z))
        return last(z).unflatten(1, self.shape)


class TiedDecoder(Decoder):
    """z (B, K) -> the encoder's matrices, transposed and in reverse -> (B, *shape); only the biases are its own.

    `tie` gives it the matrices, the bottleneck's projection included: they are read, not owned.
    """

    def __init__(self, shape: tuple[int, ...], widths: tuple[int, ...], activation: str):
        super().__init__()
        self.biases = nn.ParameterList(torch.zeros(width) for width in (*reversed(widths), prod(shape)))
        self.activation = ACTIVATIONS[activation]()
        self.shape = shape
        self.mirrored: tuple[nn.Linear, ...] = ()

    def tie(self, layers: list[nn.Linear]) -> None:
        """Read the matrices of `layers`, given in the order of the encoder."""
        # A tuple of a plain attribute: nn.Module would otherwise register the layers a second time.
        object.__setattr__(self, "mirrored", tuple(reversed(layers)))

    def forward(self, z: Tensor, skips: Skips = ()) -> Tensor:
        last = len(self.mirrored) - 1
        for i, (layer, bias) in enumerate(zip(self.mirrored, self.biases, strict=True)):
            z = F.linear(z, layer.weight.t(), bias)
            z = z if i == last else self.activation(z)
        return z.unflatten(1, self.shape)


def dense_pair(settings: Dense, shape: tuple[int, ...], code: int) -> Pair:
    """The dense pair for objects of `shape` and a code of `code` numbers.

    Example:
        >>> encoder, decoder = dense_pair(Dense(widths=(32,)), (1, 8, 8), code=4)
        >>> h, _ = encoder(torch.zeros(5, 1, 8, 8))
        >>> h.shape, decoder(torch.zeros(5, 4)).shape
        (torch.Size([5, 32]), torch.Size([5, 1, 8, 8]))
    """
    encoder = DenseEncoder(shape, settings.widths, settings.activation)
    if settings.tied:
        return Pair(encoder, TiedDecoder(shape, settings.widths, settings.activation))
    return Pair(encoder, DenseDecoder(shape, settings.widths, settings.activation, code))
