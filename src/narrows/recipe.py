"""The recipe: one sentence that says all there is to know about an autoencoder and its training.

    data -> corruption -> encoder -> bottleneck -> decoder -> objective

The command line parses it, a saved model stores it, its JSON Schema describes it. Importing this file does not
import torch; `build` does.
"""

from __future__ import annotations

from math import inf, log2, prod
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from narrows.bottleneck import BOTTLENECKS, Bottleneck, Plain
from narrows.corrupt import Corruption, Nothing
from narrows.errors import LimitError, unknown
from narrows.nn import NETWORKS, Conv, Dense, Network
from narrows.nn.settings import LSTM, UNet, halvings
from narrows.settings import Settings

if TYPE_CHECKING:
    from narrows.data.scaling import Scaling
    from narrows.model import Model
    from narrows.types import Layout, Splits

PARAMETER_LIMIT = 500_000_000


class Data(Settings):
    """Where the objects come from and how they are cut and scaled."""

    name: str = "digits"
    """Name of a data set (`narrows data` lists them) or path of a file or folder."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Train on at most this many objects."""
    view: str = "auto"
    """How a source is cut into objects: "auto", "pixels", "patches", "frames", "rows" ..., where it has a choice."""
    side: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Side in pixels to bring pictures to, or of a patch."""
    window: Annotated[int, Field(ge=2, le=1_000_000)] | None = None
    """Length of a window of a series, or of the frames of a sound, in samples."""
    label: str | None = None
    """Column of a table that holds the class."""
    missing: Literal["stop", "drop", "mean"] = "stop"
    """Gaps in a table: "stop" refuses them, "drop" leaves out rows that have one, "mean" fills them with the mean of
    the training rows, or with their most frequent word."""
    leave_out: tuple[str, ...] = ()
    """Columns of a table that are not used."""
    scaling: Literal["auto", "unit", "minmax", "standard", "none"] = "auto"
    """How raw values are scaled: "auto" is to [0, 1] where they are bounded, else to mean 0 and variance 1."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Decides the split, and what a simulator draws."""


class Training(Settings):
    """How the weights are found."""

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 20
    """Times every training object is seen."""
    batch: Annotated[int, Field(ge=1, le=65_536)] = 256
    """Objects a step."""
    rate: Annotated[float, Field(gt=0, le=10)] = 2e-3
    """Largest learning rate; it warms up to it and decays to zero along a cosine."""
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.03
    """Share of the steps over which the learning rate grows."""
    decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Weight decay, apart from the gradient (AdamW)."""
    clip: Annotated[float, Field(gt=0)] | None = None
    """Largest norm of the gradient, or none."""
    patience: Annotated[int, Field(ge=1)] | None = None
    """Stop after this many epochs without a better validation loss, or never."""
    route: Literal["auto", "float32", "fast", "bf16"] = "auto"
    """Arithmetic: "auto" measures once which is fastest here and writes down what it chose."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Processor threads; none leaves the choice to the size of the model."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute: "auto" takes a CUDA card if there is one; "mps" is refused, since nothing is tested on it."""


class Recipe(Settings):
    """A whole autoencoder and its training.

    Example:
        >>> recipe = Recipe(bottleneck={"kind": "variational", "size": 8})
        >>> recipe.bottleneck.beta, Recipe.model_validate_json(recipe.model_dump_json()) == recipe
        (0.1, True)
    """

    data: Data = Data()
    """The objects."""
    corruption: Corruption = Nothing()
    """What is done to an object before the encoder sees it; the target stays as it was."""
    network: Network = Dense()
    """The encoder and the decoder."""
    bottleneck: Bottleneck = Plain()
    """The narrow passage between them."""
    head: Literal["auto", "linear", "clipped", "sigmoid", "tanh"] = "auto"
    """Last function of the decoder; "auto" fits the range of the values."""
    objective: dict[str, Annotated[float, Field(ge=0, le=1e6)]] = Field(default={"mse": 1.0})
    """Weight of each error term: mse, l1, huber, bce, ssim."""
    training: Training = Training()
    """How the weights are found."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Decides the first weights, the order of the objects and every corruption."""

    def with_(self, **changes: Any) -> Recipe:
        """The same recipe with some parts changed, checked again."""
        return type(self).model_validate({**self.model_dump(), **changes})


def build(recipe: Recipe, layout: Layout, scaling: Scaling) -> Model:
    """The untrained model of a recipe, its first weights decided by `recipe.seed` alone.

    Args:
        recipe: What to build.
        layout: What one object is.
        scaling: How raw values become the network's.

    Raises:
        UsageError: The parts do not fit each other or the objects.
        LimitError: The code is not narrower than allowed, or the model is too large.
    """
    import torch

    from narrows.model import Model, choose_head
    from narrows.objective import check_objective

    bounds = scaling.bounds
    head = choose_head(recipe.head, bounds, probabilities="bce" in recipe.objective)
    check(recipe, layout)
    check_objective(recipe.objective, layout.shape, bounds)

    def assemble() -> Model:
        encoder, decoder = recipe.network.build(layout.shape, recipe.bottleneck.size)
        bottleneck = recipe.bottleneck.build(encoder.features, layout.values)
        offset, spread = torch.as_tensor(scaling.offset), torch.as_tensor(scaling.scale)
        return Model(encoder, bottleneck, decoder, head=head, shape=layout.shape, offset=offset, scale=spread)

    # Counting on the meta device first: nothing is allocated for a model that is refused.
    with torch.device("meta"):
        count = assemble_count(recipe, layout)
    if count > PARAMETER_LIMIT:
        raise LimitError(
            f"a model of {count:,} parameters and numbers of codebooks",
            expected=f"at most {PARAMETER_LIMIT:,}",
            step="Use fewer or narrower layers",
            code="limit.parameters",
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return assemble()


def assemble_count(recipe: Recipe, layout: Layout) -> int:
    """Numbers that the encoder, bottleneck and decoder of a recipe hold, codebooks included.

    Raises:
        LimitError: A code that is a map has more numbers in all than allowed.
    """
    encoder, decoder = recipe.network.build(layout.shape, recipe.bottleneck.size)
    if not encoder.skips:
        recipe.bottleneck.check(layout.values, places=prod(encoder.grid))
    bottleneck = recipe.bottleneck.build(encoder.features, layout.values)
    parts = (encoder, bottleneck, decoder)
    return sum(held.numel() for part in parts for held in (*part.parameters(), *part.buffers()))


def check(recipe: Recipe, layout: Layout) -> None:
    """Refuse a corruption or a code that cannot be for objects of this layout."""
    recipe.bottleneck.check(layout.values)
    recipe.corruption.check(layout.shape)


def code_size(values: int) -> int:
    """The default size of a code: the largest power of two up to an eighth of the object, from 2 to 256.

    Example:
        >>> code_size(784), code_size(64), code_size(103), code_size(3)
        (64, 8, 8, 2)
    """
    return int(2 ** min(8, max(1, int(log2(max(values / 8, 1))))))


DENSE_WIDTHS: tuple[tuple[float, tuple[int, ...]], ...] = (
    (200, (64, 32)),
    (1000, (256, 128)),
    (inf, (1024, 512)),
)
"""Widths of a dense network for large objects, by how many there are at most to train on: weights are learned from
objects, and millions of weights are not learned from a few dozen."""


def default_network(name: str, layout: Layout, count: float = inf) -> Network:
    """The settings of a network that suit objects of a layout, `count` of them to train on."""
    if name not in NETWORKS:
        raise unknown("network", name, NETWORKS)
    small = layout.values < 256
    widths = (256, 128) if small else next(widths for most, widths in DENSE_WIDTHS if count <= most)
    depth = halvings(layout.shape)
    rows = layout.shape[-2] if len(layout.shape) == 3 else layout.shape[-1]
    choices: dict[str, Network] = {
        "dense": Dense(widths=widths),
        "conv": Conv(channels=(32, 64, 128)[: max(1, min(depth, 3 if not small else 2))]),
        "lstm": LSTM(hidden=64 if small else 128, chunk=max(1, rows // 40)),
        "unet": UNet(channels=(32, 64, 96)[: max(2, min(depth + 1, 3))]),
    }
    return choices[name]


def default_training(count: int, name: str) -> Training:
    """Batch and epochs for `count` training objects: about 3,000 steps."""
    batch = 256 if count >= 20_000 else 64
    steps = max(1, count // batch)
    epochs = min(200, max(5, round(3000 / steps)))
    return Training(epochs=epochs, batch=batch)


def recipe_for(
    data: Splits, *, network: str = "dense", bottleneck: str = "plain", source: Data | None = None
) -> Recipe:
    """The default recipe for a data set: what is trained where nothing else is said."""
    if bottleneck not in BOTTLENECKS:
        raise unknown("bottleneck", bottleneck, BOTTLENECKS)
    # A code of more than half as many numbers as objects could tell them apart without learning what they share.
    size = min(code_size(min(data.layout.values, 4 * len(data.train))), data.layout.values)
    return Recipe(
        data=source or Data(name=data.layout.name),
        network=default_network(network, data.layout, len(data.train)),
        bottleneck=BOTTLENECKS[bottleneck](size=size),
        training=default_training(len(data.train), network),
    )
