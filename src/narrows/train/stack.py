"""Dense autoencoders of one shape, trained at once with a backward pass written by hand.

    x -> [affine -> activation] ... -> affine (the code) -> ... -> affine -> output -> mean squared error

All weights of all models lie in one flat tensor, and so do their gradients: a step is two matrix products a layer
into buffers that are kept, and one fused AdamW over everything. Small models spend most of a step on dispatch, so
several of them cost hardly more than one; a single large one is spared autograd's bookkeeping.

References:
    Learning representations by back-propagating errors (Rumelhart, Hinton and Williams, 1986),
    https://doi.org/10.1038/323533a0
    Decoupled Weight Decay Regularization (Loshchilov and Hutter, 2019), arXiv 1711.05101
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from narrows.model import Model
from narrows.nn.dense import DenseDecoder, DenseEncoder
from narrows.recipe import Recipe
from narrows.train.device import Place

aten = torch.ops.aten

BETAS, EPSILON = (0.9, 0.999), 1e-8
"""AdamW's memory of gradients and of their squares, and what keeps it from dividing by zero: torch's own defaults."""


class Activation(NamedTuple):
    """An activation that writes into a buffer, and its slope.

    Args:
        apply: (values before, buffer) -> the buffer holds the values after.
        slope: (gradient, values before, values after) -> the gradient is taken through it, in place.
    """

    apply: Callable[[Tensor, Tensor], Any]
    slope: Callable[[Tensor, Tensor, Tensor], Any]


ACTIVATIONS: dict[str, Activation] = {
    "silu": Activation(
        lambda a, h: aten.silu.out(a, out=h),
        lambda g, a, h: aten.silu_backward.grad_input(g, a, grad_input=g),
    ),
    "gelu": Activation(
        lambda a, h: aten.gelu.out(a, out=h),
        lambda g, a, h: aten.gelu_backward.grad_input(g, a, grad_input=g),
    ),
    "relu": Activation(
        lambda a, h: torch.clamp_min(a, 0, out=h),
        lambda g, a, h: aten.threshold_backward.grad_input(g, a, 0, grad_input=g),
    ),
    "tanh": Activation(
        lambda a, h: torch.tanh(a, out=h),
        lambda g, a, h: aten.tanh_backward.grad_input(g, h, grad_input=g),
    ),
    "identity": Activation(lambda a, h: h.copy_(a), lambda g, a, h: g),
}


def can_stack(recipe: Recipe, place: Place) -> bool:
    """Whether a recipe is of the kind this file trains: dense, plain, squared error alone, on a processor."""
    dense = recipe.network.kind == "dense" and not recipe.network.tied
    plain = recipe.bottleneck.kind == "plain" and set(recipe.objective) == {"mse"}
    return dense and plain and recipe.head not in {"sigmoid", "tanh"} and place.device == "cpu"


def chain(model: Model) -> list[nn.Linear]:
    """The affine layers of a dense model from input to output; all but the code's and the last are activated."""
    encoder, decoder = model.encoder, model.decoder
    assert isinstance(encoder, DenseEncoder)
    assert isinstance(decoder, DenseDecoder)
    return [*encoder.layers, model.bottleneck.project, *decoder.layers]  # type: ignore[list-item]


def largest_shapes(models: Sequence[Model]) -> list[tuple[int, int]]:
    """For each affine layer the smallest (out, in) that all the models fit into."""
    columns = zip(*(chain(model) for model in models), strict=True)
    return [(max(layer.out_features for layer in c), max(layer.in_features for layer in c)) for c in columns]


class Layer(NamedTuple):
    """One affine layer of all models: weight (K, out, in) and bias (K, 1, out), as views of a flat tensor."""

    weight: Tensor
    bias: Tensor


def carve(flat: Tensor, shapes: Sequence[tuple[int, int]], count: int) -> list[Layer]:
    """A flat tensor cut into the layers of `count` models, each of a shape (out, in).

    Example:
        >>> [layer.weight.shape for layer in carve(torch.zeros(2 * 31), [(3, 5), (2, 5), (1, 0)], 2)]
        [torch.Size([2, 3, 5]), torch.Size([2, 2, 5]), torch.Size([2, 1, 0])]
    """
    parts = flat.split([count * n for out, into in shapes for n in (out * into, out)])
    return [
        Layer(weight.view(count, out, into), bias.view(count, 1, out))
        for (out, into), weight, bias in zip(shapes, parts[::2], parts[1::2], strict=True)
    ]


class Buffers(NamedTuple):
    """Where a batch of one size leaves its values in each layer: before and after the activation, and its slopes."""

    before: list[Tensor]
    after: list[Tensor]
    slope: list[Tensor]


class DenseStack:
    """K dense autoencoders whose weights are views of one flat tensor, and the steps that train them.

    Models may differ in the size of their code alone: they get codes of the largest size, the surplus filled with
    zeros. A weight of zero on both sides of a unit has gradient zero, so the surplus stays zero to the last bit and
    each model learns what it would have learned alone.

    Args:
        models: What to train; their parameters are bound to the stack until `release`.
        activation: Name in `ACTIVATIONS` of what follows each hidden layer.
        decay: Weight decay of AdamW.
        half: Compute the products in bfloat16; weights, sums and the optimiser stay in float32.
    """

    def __init__(self, models: Sequence[Model], activation: str, *, decay: float = 0.0, half: bool = False):
        self.models, self.count, self.decay = list(models), len(models), decay
        self.activation = ACTIVATIONS[activation]
        self.shapes = largest_shapes(models)
        # The code and the output are not activated.
        self.quiet = {(len(self.shapes) - 1) // 2, len(self.shapes) - 1}
        total = self.count * sum(out * (into + 1) for out, into in self.shapes)
        self.flat, self.gradient, self.mean, self.square = (torch.zeros(total) for _ in range(4))
        self.steps, self.buffers = torch.zeros(()), dict[int, Buffers]()
        self.bind()
        # In bfloat16 the products read a copy of the weights, and their gradients are widened once a step.
        self.read = self.flat.bfloat16() if half else self.flat
        self.written = torch.zeros_like(self.read) if half else self.gradient
        self.layers, self.slopes = (
            self.flattened(carve(t, self.shapes, self.count)) for t in (self.read, self.written)
        )
        single = self.count == 1
        self.affine: Any = torch.addmm if single else torch.baddbmm
        self.product: Any = torch.mm if single else torch.bmm

    def flattened(self, layers: list[Layer]) -> list[Layer]:
        """The layers of a single model without the axis K, since plain products are faster than batched ones."""
        return [Layer(w[0], b[0, 0]) for w, b in layers] if self.count == 1 else layers

    @torch.no_grad()
    def bind(self) -> None:
        """Make every parameter of the models a view of the flat tensor, its values kept."""
        blocks = carve(self.flat, self.shapes, self.count)
        for k, model in enumerate(self.models):
            for layer, block in zip(chain(model), blocks, strict=True):
                out, into = layer.weight.shape
                for parameter, view in (
                    (layer.weight, block.weight[k, :out, :into]),
                    (layer.bias, block.bias[k, 0, :out]),
                ):
                    view.copy_(parameter)
                    parameter.data = view

    def release(self) -> None:
        """Give every parameter memory of its own again."""
        for model in self.models:
            for parameter in model.parameters():
                parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)

    def beside(self, flat: Tensor, parameter: Tensor) -> Tensor:
        """What a tensor that lies like the flat one holds for a parameter."""
        return flat.as_strided(parameter.size(), parameter.stride(), parameter.storage_offset())

    def room(self, batch: int) -> Buffers:
        """The buffers for a batch, made once for each size of it."""
        if batch not in self.buffers:
            lead = () if self.count == 1 else (self.count,)
            before, after, slope = (
                [self.read.new_empty(*lead, batch, out) for out, _ in self.shapes] for _ in range(3)
            )
            self.buffers[batch] = Buffers(before, after, slope)
        return self.buffers[batch]

    @torch.no_grad()
    def compute(self, x: Tensor, target: Tensor, weight: float = 1.0) -> Tensor:
        """The mean squared error of each model (K,) on a batch, its slope left in `gradient`.

        Args:
            x: What the encoders see, shape (B, *shape), float32.
            target: What should come back, shape (B, *shape), float32.
            weight: What a unit of the error costs: its slope is multiplied by it.
        """
        inputs, target, room = x.flatten(1).to(self.read.dtype), target.flatten(1), self.room(len(x))
        inputs = inputs if self.count == 1 else inputs.expand(self.count, *inputs.shape)
        output = self.forward(inputs, room)
        # The slope's own buffer holds the difference first, unless it is in bfloat16.
        wide = room.slope[-1] if output.dtype == target.dtype else torch.empty_like(output, dtype=target.dtype)
        torch.sub(output, target, out=wide)
        errors = torch.linalg.vector_norm(wide, dim=(-2, -1)).square_().div_(target.numel()).reshape(self.count)
        room.slope[-1].copy_(wide.mul_(2 * weight / target.numel()))
        self.backward(inputs, room)
        if self.written is not self.gradient:
            self.gradient.copy_(self.written)
        return errors

    def forward(self, h: Tensor, room: Buffers) -> Tensor:
        """The output of all models, every value on the way kept."""
        for i, (weight, bias) in enumerate(self.layers):
            before = self.affine(bias, h, weight.mT, out=room.before[i])
            h = before if i in self.quiet else self.activation.apply(before, room.after[i])
        return h

    def backward(self, inputs: Tensor, room: Buffers) -> None:
        """The slope of the error in every weight, from the slope in the output, outermost layer first."""
        for i in reversed(range(len(self.layers))):
            slope, (weight, bias) = room.slope[i], self.slopes[i]
            if i not in self.quiet:
                self.activation.slope(slope, room.before[i], room.after[i])
            below = inputs if i == 0 else (room.before if i - 1 in self.quiet else room.after)[i - 1]
            self.product(slope.mT, below, out=weight)
            torch.sum(slope, -2, keepdim=self.count > 1, out=bias)
            if i:
                self.product(slope, self.layers[i].weight, out=room.slope[i - 1])

    def slope_norms(self) -> Tensor:
        """The norm of each model's gradient (K,)."""
        parts = (part.flatten(1) for layer in carve(self.gradient, self.shapes, self.count) for part in layer)
        return torch.stack([torch.linalg.vector_norm(part, dim=1) for part in parts]).norm(dim=0)

    @torch.no_grad()
    def improve(self, rate: float) -> None:
        """One step of AdamW over every weight."""
        self.steps += 1
        # The function behind torch.optim.AdamW(fused=True), whose own bookkeeping would cost more than a small step.
        torch._fused_adamw_(
            [self.flat], [self.gradient], [self.mean], [self.square], [], [self.steps],
            lr=rate, beta1=BETAS[0], beta2=BETAS[1], weight_decay=self.decay, eps=EPSILON,
            amsgrad=False, maximize=False,
        )  # fmt: skip
        if self.read is not self.flat:
            self.read.copy_(self.flat)

    def memory(self) -> dict[str, Tensor]:
        """AdamW's memory of each weight of a single model, named as torch's own optimiser names it."""
        kept = {"exp_avg": self.mean, "exp_avg_sq": self.square}
        named = dict(self.models[0].named_parameters())
        views = {f"{name}.{key}": self.beside(flat, p) for name, p in named.items() for key, flat in kept.items()}
        return views | {f"{name}.step": self.steps for name in named}

    @torch.no_grad()
    def recall(self, memory: dict[str, Tensor]) -> None:
        """Take up a memory that `memory` gave, and read the weights anew."""
        for name, kept in self.memory().items():
            kept.copy_(memory[name])
        if self.read is not self.flat:
            self.read.copy_(self.flat)
