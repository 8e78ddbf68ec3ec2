"""What every bottleneck is: a projection from features to a code, with penalties by name."""

from dataclasses import dataclass, field

from torch import Generator, Tensor, nn


@dataclass(eq=False)
class Code:
    """The code of a batch, and what it cost.

    Args:
        z: The code, shape (B, *grid, K): what the decoder reads.
        penalties: Costs by name, each a scalar averaged over the batch, before its weight.
        extras: By-products by name, such as the indices of a codebook, shape (B, *grid, groups).
    """

    z: Tensor
    penalties: dict[str, Tensor] = field(default_factory=dict)
    extras: dict[str, Tensor] = field(default_factory=dict)


class Bottleneck(nn.Module):
    """Features h (B, *grid, F) to a `Code`. Owns the projection F -> K.

    `differentiates` says that its penalty needs the slope of the code with respect to the input.
    """

    differentiates = False

    def __init__(self, features: int, size: int):
        super().__init__()
        self.size = size
        self.project = nn.Linear(features, size)

    def forward(self, h: Tensor, *, rng: Generator | None = None, x: Tensor | None = None) -> Code:
        """The code of features `h`.

        Args:
            h: Features, shape (B, *grid, F).
            rng: Source of randomness while training; None gives the deterministic code.
            x: The input the features come from, for a penalty on its slope.
        """
        raise NotImplementedError

    def weights(self, progress: float) -> dict[str, float]:
        """What a unit of each penalty costs at a point of the training, `progress` in [0, 1]."""
        return {}

    def learn(self, code: Code, rng: Generator) -> None:
        """Update what is learned without a gradient, after a step whose loss was finite."""

    def prior(self, count: int, rng: Generator) -> Tensor | None:
        """Codes (count, K) drawn from the distribution the code was trained towards, or None."""
        return None
