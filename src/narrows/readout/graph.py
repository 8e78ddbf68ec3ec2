"""A model as layers for another runtime: what each one does, from which shape to which, and where its numbers stand.

The page of the studio runs and draws a model by this graph alone. Layers stand in an order in which they can be
computed; `from` names the layers whose output each one reads ("object" is the scaled object), and all numbers stand
in one flat float16 array, which `weights_of` fills from a model, live or trained.
"""

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from narrows.bottleneck.variational import LOG_VARIANCE_LIMIT
from narrows.data.scaling import Scaling
from narrows.errors import ModelError
from narrows.model import Model
from narrows.nn.pair import as_channels
from narrows.recipe import Recipe
from narrows.types import Layout

VERSION = 1

REMOTE_FROM = 4_000_000
"""Numbers above which a page does not run the model itself: 8 MB of float16."""

OBJECT = "object"
"""The name by which a layer reads the scaled object."""

QUANTILES = (0.005, 0.995)
"""Between these shares of the values objects without bounds are drawn: a few extremes must not darken all others."""

Layer = dict[str, Any]


class Walk:
    """The way through a model, layer by layer.

    Args:
        model: What is walked through.
        shape: Shape of one object.
    """

    def __init__(self, model: Model, shape: tuple[int, ...]):
        self.model = model
        self.layers: list[Layer] = []
        self.at: dict[str, int] = {}
        self.count = 0
        self.last, self.shape = OBJECT, tuple(shape)

    def tensor(self, name: str) -> Tensor:
        """A parameter or a buffer by its name."""
        return tensors_of(self.model)[name]

    def place(self, name: str) -> Layer:
        """Where a tensor stands in the flat array: placed at its first use, so that a tied matrix stands there once."""
        tensor = self.tensor(name)
        if name not in self.at:
            self.at[name] = self.count
            self.count += tensor.numel()
        return {"at": self.at[name], "shape": list(tensor.shape), "tensor": name}

    def add(
        self,
        op: str,
        name: str,
        out: Iterable[int],
        *,
        label: str = "",
        tensors: dict[str, str] | None = None,
        activation: str = "identity",
        madds: int = 0,
        also: tuple[str, ...] = (),
        **settings: Any,
    ) -> None:
        """One more layer, which reads the last one and those named in `also`."""
        names = tensors or {}
        fresh = [self.tensor(name) for name in names.values() if name not in self.at]
        weights = {key: self.place(name) for key, name in names.items()}
        self.layers.append(
            {
                "part": name.partition(".")[0],
                "name": name,
                "label": label or op,
                "op": op,
                "from": [self.last, *also],
                "in": list(self.shape),
                "out": list(out),
                "activation": activation,
                "weights": weights,
                "parameters": sum(tensor.numel() for tensor in fresh if isinstance(tensor, nn.Parameter)),
                "madds": madds,
                **settings,
            }
        )
        self.last, self.shape = name, tuple(self.layers[-1]["out"])

    def reshape(self, name: str, out: tuple[int, ...]) -> None:
        """The same values in another shape, if it is another."""
        if out != self.shape:
            self.add("reshape", name, out)

    def dense(
        self, name: str, activation: str = "identity", *, tied: str = "", bias: str = "", **settings: Any
    ) -> None:
        """A matrix and a bias along the last axis; `tied` names a matrix that is read transposed."""
        weight = tied or f"{name}.weight"
        rows, columns = self.tensor(weight).shape
        width = columns if tied else rows
        self.add(
            "dense",
            name,
            (*self.shape[:-1], width),
            label=f"dense {width}",
            tensors={"weight": weight, "bias": bias or f"{name}.bias"},
            activation=activation,
            madds=rows * columns * prod(self.shape[:-1]),
            transposed=bool(tied),
            **settings,
        )

    def conv(self, name: str, activation: str = "identity") -> None:
        """A convolution, or a transposed one, over an object (C, *sides)."""
        layer: Any = self.model.get_submodule(name)
        k, s, p = layer.kernel_size[0], layer.stride[0], layer.padding[0]
        sides, settings = self.shape[1:], {"kernel": k, "stride": s, "padding": p}
        if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d):
            extra = settings["output_padding"] = list(layer.output_padding)
            op, label = "convt", f"conv {layer.out_channels}, {s}x up"
            after = tuple((n - 1) * s - 2 * p + k + more for n, more in zip(sides, extra, strict=True))
        else:
            op, label = "conv", f"conv {layer.out_channels}" + (f", 1/{s}" if s > 1 else "")
            after = tuple((n + 2 * p - k) // s + 1 for n in sides)
        self.add(
            f"{op}{len(sides)}d",
            name,
            (layer.out_channels, *after),
            label=label,
            tensors={"weight": f"{name}.weight", "bias": f"{name}.bias"},
            activation=activation,
            madds=layer.weight.numel() * prod(sides if op == "convt" else after),
            **settings,
        )

    def lstm(self, name: str, returns: str) -> None:
        """An LSTM both ways over steps (T, V): "last" gives the memory each way ends with, "sequence" all of them."""
        layer: Any = self.model.get_submodule(name)
        T, out = self.shape[0], 2 * layer.hidden_size
        names = {short: f"{name}.{short}" for short, _ in layer.named_parameters()}
        self.add(
            "lstm",
            name,
            (out,) if returns == "last" else (T, out),
            label=f"LSTM 2 x {layer.hidden_size}",
            tensors=names,
            madds=T * sum(weight.numel() for weight in layer.parameters() if weight.ndim > 1),
            hidden=layer.hidden_size,
            layers=layer.num_layers,
            bidirectional=layer.bidirectional,
            returns=returns,
        )


def dense_encoder(walk: Walk, network: Any) -> None:
    """The object as one row of values, then a matrix a layer."""
    walk.reshape("encoder.flat", (prod(walk.shape),))
    for i in range(len(network.widths)):
        walk.dense(f"encoder.layers.{i}", network.activation)


def dense_decoder(walk: Walk, network: Any) -> None:
    """The mirror of the encoder; tied, it reads the encoder's matrices transposed."""
    last = len(network.widths)
    tied = ["bottleneck.project.weight", *(f"encoder.layers.{i}.weight" for i in reversed(range(last)))]
    for i in range(last + 1):
        activation = "identity" if i == last else network.activation
        if network.tied:
            walk.dense(f"decoder.layers.{i}", activation, tied=tied[i], bias=f"decoder.biases.{i}")
        else:
            walk.dense(f"decoder.layers.{i}", activation)
    walk.reshape("decoder.shape", walk.model.shape)


def conv_encoder(walk: Walk, network: Any) -> None:
    """Halving convolutions, then one row of features, or a row for each place of a code that is a map."""
    walk.reshape("encoder.channels", as_channels(walk.shape))
    for i in range(len(network.channels)):
        walk.conv(f"encoder.layers.{i}", network.activation)
    if network.map:
        places_last(walk, "encoder.places")
    else:
        walk.reshape("encoder.flat", (prod(walk.shape),))


def conv_decoder(walk: Walk, network: Any) -> None:
    """The code spread over the smallest grid, then doubling convolutions."""
    # Each activation stands in front of a layer: it is told with the layer before, which gives the same values.
    walk.dense("decoder.first", network.activation)
    if network.map:
        channels_first(walk, "decoder.channels")
    else:
        walk.reshape("decoder.channels", walk.model.decoder.inner)  # type: ignore[arg-type]
    last = len(network.channels) - 1
    for i in range(last + 1):
        walk.conv(f"decoder.layers.{i}", "identity" if i == last else network.activation)
    walk.reshape("decoder.shape", walk.model.shape)


def lstm_encoder(walk: Walk, network: Any) -> None:
    """The object cut into steps, and what both ways remember at their ends."""
    steps: Any = walk.model.encoder.steps
    walk.add("steps", "encoder.steps", (steps.count, steps.values), chunk=steps.chunk)
    walk.lstm("encoder.lstm", "last")


def lstm_decoder(walk: Walk, network: Any) -> None:
    """The same input at each step with the step's own bias, both ways, and the steps joined."""
    steps: Any = walk.model.decoder.steps
    walk.dense("decoder.first")
    out = (steps.count, *walk.shape)
    walk.add("position", "decoder.position", out, label="step", tensors={"weight": "decoder.position"})
    walk.lstm("decoder.lstm", "sequence")
    walk.dense("decoder.last")
    walk.add("join", "decoder.join", walk.model.shape, chunk=steps.chunk)


def unet_encoder(walk: Walk, network: Any) -> None:
    """A block at each resolution, halved between."""
    walk.reshape("encoder.channels", as_channels(walk.shape))
    unet_block(walk, "encoder.first", network.activation)
    for i in range(len(network.channels) - 1):
        walk.conv(f"encoder.down.{i}")
        unet_block(walk, f"encoder.blocks.{i}", network.activation)
    places_last(walk, "encoder.places")


def unet_decoder(walk: Walk, network: Any) -> None:
    """Doubled and joined with the skip of each resolution, innermost first."""
    halvings = len(network.channels) - 1
    skips = ["encoder.first.2", *(f"encoder.blocks.{i}.2" for i in range(halvings - 1))]
    channels_first(walk, "decoder.channels")
    walk.conv("decoder.first")
    for i, skip in enumerate(reversed(skips)):
        walk.conv(f"decoder.up.{i}")
        channels, *sides = walk.shape
        walk.add("concat", f"decoder.skips.{i}", (2 * channels, *sides), label="skip", also=(skip,))
        unet_block(walk, f"decoder.blocks.{i}", network.activation)
    walk.conv("decoder.last")
    walk.reshape("decoder.shape", walk.model.shape)


def unet_block(walk: Walk, name: str, activation: str) -> None:
    """The two convolutions of a block."""
    walk.conv(f"{name}.0", activation)
    walk.conv(f"{name}.2", activation)


def places_last(walk: Walk, name: str) -> None:
    """(C, *grid) to (*grid, C): what the bottleneck reads at each place."""
    channels, *grid = walk.shape
    walk.add("movedim", name, (*grid, channels), to="last")


def channels_first(walk: Walk, name: str) -> None:
    """(*grid, C) back to (C, *grid)."""
    *grid, channels = walk.shape
    walk.add("movedim", name, (channels, *grid), to="first")


def code_layers(walk: Walk, bottleneck: Any) -> None:
    """The projection and what the bottleneck does to its numbers; the last layer gives the code."""
    features, shape = walk.last, walk.shape
    if bottleneck.kind == "variational":
        walk.dense("bottleneck.log_variance", limit=LOG_VARIANCE_LIMIT)
        walk.last, walk.shape = features, shape
    walk.dense("bottleneck.project")
    if bottleneck.kind in AFTER:
        AFTER[bottleneck.kind](walk, bottleneck)


def codebook(walk: Walk, bottleneck: Any) -> None:
    """Each group of numbers replaced by the nearest entry of its codebook."""
    groups, entries, width = walk.tensor("bottleneck.entries").shape
    walk.add(
        "vq",
        "bottleneck.vq",
        walk.shape,
        label=f"{entries} entries",
        tensors={"entries": "bottleneck.entries"},
        madds=prod(walk.shape[:-1]) * groups * entries * width,
        group=width,
        entries=entries,
    )


AFTER: dict[str, Callable[[Walk, Any], None]] = {
    "sparse-kl": lambda walk, b: walk.add("sigmoid", "bottleneck.sigmoid", walk.shape),
    "sparse-topk": lambda walk, b: walk.add("topk", "bottleneck.topk", walk.shape, label=f"top {b.k}", k=b.k),
    "vq": codebook,
    "fsq": lambda walk, b: walk.add("fsq", "bottleneck.fsq", walk.shape, label=f"{b.levels} levels", levels=b.levels),
}
"""What a bottleneck does after its projection, where it does anything."""

WAYS: dict[str, tuple[Callable[[Walk, Any], None], Callable[[Walk, Any], None]]] = {
    "dense": (dense_encoder, dense_decoder),
    "conv": (conv_encoder, conv_decoder),
    "lstm": (lstm_encoder, lstm_decoder),
    "unet": (unet_encoder, unet_decoder),
}
"""The way through the encoder and the decoder of each network."""


def graph_of(
    recipe: Recipe,
    layout: Layout,
    model: Model,
    *,
    span: tuple[float, float] = (0.0, 1.0),
    limit: int = REMOTE_FROM,
) -> Layer:
    """The layers of a model, as JSON-ready values.

    Args:
        recipe: The recipe of the model.
        layout: What one object is.
        model: The model, trained or not; only its shapes are read.
        span: Smallest and largest scaled value to draw, as `span_of` gives it.
        limit: Numbers above which the model is said to be too large for a page (`remote`).

    Example:
        >>> from narrows.data.scaling import plain
        >>> from narrows.recipe import build
        >>> recipe = Recipe(network={"kind": "dense", "widths": (16,)}, bottleneck={"kind": "plain", "size": 2})
        >>> layout = Layout("cells", "table", (29,))
        >>> graph = graph_of(recipe, layout, build(recipe, layout, Scaling("none", plain(0), plain(1))))
        >>> [(layer["label"], layer["out"]) for layer in graph["layers"]]
        [('dense 16', [16]), ('dense 2', [2]), ('dense 16', [16]), ('dense 29', [29])]
    """
    walk = Walk(model, layout.shape)
    encode, decode = WAYS[recipe.network.kind]
    encode(walk, recipe.network)
    code_layers(walk, recipe.bottleneck)
    code = {"kind": recipe.bottleneck.kind, "size": walk.shape[-1], "grid": list(walk.shape[:-1]), "layer": walk.last}
    decode(walk, recipe.network)
    return {
        "version": VERSION,
        "shape": list(layout.shape),
        "kind": layout.kind,
        "classes": list(layout.classes),
        "values": layout.values,
        "scale": {name: spelled(getattr(model, name), layout.shape) for name in ("offset", "spread")},
        "low": span[0],
        "high": span[1],
        "head": model.head,
        "code": code,
        "count": walk.count,
        "parameters": sum(layer["parameters"] for layer in walk.layers),
        "madds": sum(layer["madds"] for layer in walk.layers),
        "remote": walk.count > limit,
        "layers": walk.layers,
    }


def span_of(scaling: Scaling, raw: np.ndarray) -> tuple[float, float]:
    """Smallest and largest scaled value to draw: the bounds, or all but the outermost 1% of the values of raw objects.

    Example:
        >>> from narrows.data.scaling import plain
        >>> span_of(Scaling("none", plain(0), plain(1)), np.arange(1001.0))
        (5.0, 995.0)
    """
    if scaling.bounds:
        return scaling.bounds
    low, high = (float(value) for value in np.quantile(scaling.apply(raw), QUANTILES))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def spelled(values: Tensor, shape: tuple[int, ...]) -> float | list[float]:
    """One number if all are the same, else one a value of an object, with the digits that a float32 has."""
    flat = [float(f"{value:.9g}") for value in values.expand(shape).reshape(-1).tolist()]
    return flat[0] if len(set(flat)) == 1 else flat


def tensors_of(model: Model) -> dict[str, Tensor]:
    """Parameters and buffers by name."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def slots(graph: Layer) -> dict[str, tuple[int, list[int]]]:
    """Where each tensor of a graph begins in the flat array, and its shape."""
    weights = (weight for layer in graph["layers"] for weight in layer["weights"].values())
    return {weight["tensor"]: (weight["at"], weight["shape"]) for weight in weights}


@torch.no_grad()
def weights_of(model: Model, graph: Layer) -> np.ndarray:
    """The numbers of a model as the graph orders them, float16, shape (count,)."""
    flat, tensors = torch.empty(graph["count"], dtype=torch.float16), tensors_of(model)
    for name, (at, shape) in slots(graph).items():
        flat[at : at + prod(shape)].view(shape).copy_(tensors[name])
    return flat.numpy()


@torch.no_grad()
def put_weights(model: Model, graph: Layer, weights: np.ndarray) -> None:
    """Give a model the numbers of a flat array (count,), as `weights_of` made it.

    Raises:
        ModelError: Another count of numbers than the graph has.
    """
    if weights.shape != (graph["count"],):
        raise ModelError(f"weights of shape {weights.shape}", expected=f"{graph['count']:,} numbers, as the graph has")
    flat, tensors = torch.from_numpy(np.array(weights, np.float32)), tensors_of(model)
    for name, (at, shape) in slots(graph).items():
        tensors[name].copy_(flat[at : at + prod(shape)].view(shape))
