"""The autoencoder as one torch module: encode, code, decode.

raw -> scale -> x -> encoder -> h -> bottleneck -> code z -> decoder -> head -> output -> unscale -> raw
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from narrows.bottleneck.code import Bottleneck, Code
from narrows.errors import UsageError
from narrows.nn.dense import TiedDecoder
from narrows.nn.pair import Decoder, Encoder

HEADS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: x,
    "clipped": lambda x: x,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}
"""Last function by name. "clipped" is linear while training, and clipped to the range of the values in use."""

HEAD_BOUNDS = {"clipped": (0.0, 1.0), "sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


def choose_head(asked: str, bounds: tuple[float, float] | None, *, probabilities: bool = False) -> str:
    """The output head for values within `bounds` (None where unbounded); "auto" picks one that fits.

    For values in [0, 1] that is "clipped": measured on MNIST, five epochs give half the error a sigmoid gives.

    Args:
        asked: "auto" or a name in `HEADS`.
        bounds: Smallest and largest value possible after scaling, or None.
        probabilities: Whether the objective needs outputs strictly inside [0, 1], so "auto" takes a sigmoid.

    Raises:
        UsageError: The head asked for cannot reach all the values, and would squash them silently.

    Example:
        >>> choose_head("auto", (0.0, 1.0)), choose_head("auto", None)
        ('clipped', 'linear')
    """
    if asked == "auto":
        return ("sigmoid" if probabilities else "clipped") if bounds == (0.0, 1.0) else "linear"
    reach = HEAD_BOUNDS.get(asked)
    if reach and (bounds is None or bounds[0] < reach[0] or bounds[1] > reach[1]):
        given = "values without bounds" if bounds is None else f"values from {bounds[0]:g} to {bounds[1]:g}"
        raise UsageError(
            f"head={asked} with {given}",
            expected=f"values from {reach[0]:g} to {reach[1]:g}, or the rest would be squashed silently",
            step="Use head=auto or head=linear",
            code="usage.head",
        )
    return asked


@dataclass(eq=False)
class Pass:
    """One batch through the model: the output (B, *shape) in scaled units, and its code."""

    output: Tensor
    code: Code


class Model(nn.Module):
    """Encoder, bottleneck and decoder, with the scaling of the data they were trained on.

    Args:
        encoder: Objects to features.
        bottleneck: Features to a code.
        decoder: Codes to objects.
        head: Name in `HEADS`.
        shape: Shape of one object.
        offset: Subtracted from raw values, broadcastable to `shape`.
        scale: Then divided by, broadcastable to `shape`.
    """

    offset: Tensor
    spread: Tensor

    def __init__(
        self,
        encoder: Encoder,
        bottleneck: Bottleneck,
        decoder: Decoder,
        *,
        head: str,
        shape: tuple[int, ...],
        offset: Tensor,
        scale: Tensor,
    ):
        super().__init__()
        self.encoder, self.bottleneck, self.decoder = encoder, bottleneck, decoder
        self.head, self.shape = head, shape
        self.register_buffer("offset", offset)
        self.register_buffer("spread", scale)
        self.tie()

    def tie(self) -> None:
        """Let a tied decoder read the encoder's matrices."""
        if isinstance(self.decoder, TiedDecoder):
            layers = [layer for layer in self.encoder.modules() if isinstance(layer, nn.Linear)]
            self.decoder.tie([*layers, self.bottleneck.project])

    @property
    def parameters_count(self) -> int:
        """Numbers that training changes by gradient."""
        return sum(p.numel() for p in self.parameters())

    @property
    def code_shape(self) -> tuple[int, ...]:
        """Shape of the code of one object: (K,), or (*grid, K) where each place has its own."""
        return (*self.encoder.grid, self.bottleneck.size)

    def scaled(self, raw: Tensor) -> Tensor:
        """Raw objects (B, *shape) in the units the network works in, float32."""
        return (raw.float() - self.offset) / self.spread

    def unscaled(self, x: Tensor) -> Tensor:
        """Objects of the network (B, *shape) back in raw units, float32."""
        return x.float() * self.spread + self.offset

    def forward(self, x: Tensor, rng: Generator | None = None) -> Pass:
        """Scaled objects x (B, *shape) to their reconstruction; `rng` is given while training."""
        if rng is not None and self.bottleneck.differentiates:
            x = x.detach().requires_grad_()
        h, skips = self.encoder(x)
        code = self.bottleneck(h, rng=rng, x=x)
        return Pass(self.finished(self.decoder(code.z, skips)), code)

    def finished(self, output: Tensor) -> Tensor:
        """The decoder's output (B, *shape) through the head, float32."""
        output = HEADS[self.head](output.float())
        return output.clamp(0, 1) if self.head == "clipped" and not self.training else output

    def encode(self, x: Tensor) -> Code:
        """The deterministic code of scaled objects x (B, *shape)."""
        return self.bottleneck(self.encoder(x)[0])

    def decode(self, z: Tensor) -> Tensor:
        """Scaled objects (B, *shape) from codes z (B, *grid, K), without skips."""
        return self.finished(self.decoder(z))
