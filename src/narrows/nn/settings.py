"""Settings of the networks: what a person may choose, with its limits; torch is imported only to build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from narrows.errors import UsageError
from narrows.settings import Settings

if TYPE_CHECKING:
    from narrows.nn.pair import Pair

Width = Annotated[int, Field(ge=1, le=16_384)]
Activation = Literal["silu", "gelu", "relu", "tanh", "identity"]


class Dense(Settings):
    """Fully connected layers: every unit sees every value (an ANN)."""

    kind: Literal["dense"] = "dense"
    widths: Annotated[tuple[Width, ...], Field(max_length=12)] = (1024, 512)
    """Units of each hidden layer of the encoder, outermost first; the decoder mirrors them. Empty: one linear map."""
    activation: Activation = "silu"
    """Function after each hidden layer. SiLU trains best here; identity makes the whole network linear."""
    tied: bool = False
    """Use each encoder matrix, transposed, in the decoder: half the weights."""

    def build(self, shape: tuple[int, ...], code: int) -> Pair:
        """The encoder and decoder for objects of `shape` and a code of `code` numbers."""
        from narrows.nn.dense import dense_pair

        return dense_pair(self, shape, code)


class Conv(Settings):
    """Convolutions that halve the picture or series at each layer (a CNN)."""

    kind: Literal["conv"] = "conv"
    channels: Annotated[tuple[Width, ...], Field(min_length=1, max_length=8)] = (32, 64)
    """Channels after each halving, outermost first."""
    kernel: Annotated[int, Field(ge=3, le=15, multiple_of=1)] = 3
    """Side of the filters in pixels or samples, an odd number."""
    activation: Activation = "silu"
    """Function after each convolution."""
    map: bool = False
    """Keep the code a map, as VQ-VAE does: `bottleneck.size` numbers for each place of the smallest grid.

    A place sees 1 + (kernel - 1) (2^L - 1) pixels a side after L layers; of background alone it has nothing to say.
    """

    def build(self, shape: tuple[int, ...], code: int) -> Pair:
        """The encoder and decoder for objects of `shape` and a code of `code` numbers."""
        if self.kernel % 2 == 0:
            raise UsageError(f"network.kernel={self.kernel}", expected="an odd number", code="usage.kernel")
        check_halvings(shape, len(self.channels), "network.channels")
        from narrows.nn.conv import conv_pair

        return conv_pair(self, shape, code)


class LSTM(Settings):
    """Long short-term memory: reads a series step by step, a picture row by row."""

    kind: Literal["lstm"] = "lstm"
    hidden: Width = 128
    """Units of memory in each direction."""
    layers: Annotated[int, Field(ge=1, le=4)] = 1
    """Stacked layers."""
    chunk: Annotated[int, Field(ge=1, le=4096)] = 1
    """Neighbouring samples of a series (or rows of a picture) taken in one step: fewer steps, faster."""

    def build(self, shape: tuple[int, ...], code: int) -> Pair:
        """The encoder and decoder for objects of `shape` and a code of `code` numbers."""
        from narrows.nn.lstm import lstm_pair

        return lstm_pair(self, shape, code)


class UNet(Settings):
    """Convolutions with skip connections around the bottleneck, for restoring rather than compressing.

    The code is a map: `bottleneck.size` numbers for each place of the smallest grid.
    """

    kind: Literal["unet"] = "unet"
    channels: Annotated[tuple[Width, ...], Field(min_length=2, max_length=6)] = (32, 64, 96)
    """Channels at each resolution, finest first; the picture is halved between two of them."""
    activation: Activation = "silu"
    """Function after each convolution."""

    def build(self, shape: tuple[int, ...], code: int) -> Pair:
        """The encoder and decoder for objects of `shape` and a code of `code` numbers a place."""
        check_halvings(shape, len(self.channels) - 1, "network.channels")
        from narrows.nn.unet import unet_pair

        return unet_pair(self, shape, code)


def halvings(shape: tuple[int, ...]) -> int:
    """How often the shorter side of an object can be halved before nothing is left to halve.

    Example:
        >>> halvings((1, 28, 28)), halvings((1, 3, 3)), halvings((103,))
        (5, 2, 7)
    """
    return (min(shape[1:] or shape) - 1).bit_length()


def check_halvings(shape: tuple[int, ...], wanted: int, path: str) -> None:
    """Refuse more halvings than the shorter side allows."""
    allowed = halvings(shape)
    if wanted <= allowed:
        return
    size = " x ".join(map(str, shape[1:] or shape))
    raise UsageError(
        f"{path} asks to halve a {size} object {wanted} times",
        expected=f"at most {allowed} for its shorter side",
        step="" if allowed else "Use network.kind=dense",
        code="usage.halvings",
    )
