"""Several small dense autoencoders trained at once, for the price of about one.

Models that differ in the size of their code alone get codes of the largest size, the surplus filled with zeros:
a weight of zero on both sides of a unit has gradient zero, so the surplus stays zero to the last bit and each
model learns what it would have learned alone.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import inf

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn import functional as F

from narrows.data.scaling import fit_scaling
from narrows.model import Model
from narrows.objective import objective
from narrows.recipe import Recipe, build
from narrows.train.device import SMALL_WORK, Place, available_threads, keep_memory
from narrows.train.events import Finished, Result, Step
from narrows.train.feed import Feed, generator
from narrows.train.loop import EVALUATION_BATCH, NOISE, ORDER, learning_rate
from narrows.types import Splits

Stack = dict[str, Tensor]


def can_train_together(recipes: list[Recipe], parameters: int) -> bool:
    """Whether recipes differ in the size of their code alone, and are small enough for it to be cheaper.

    Args:
        recipes: What is to be trained.
        parameters: Parameters of the largest of them.
    """
    same = {recipe.with_(bottleneck={"kind": "plain", "size": 1}).model_dump_json() for recipe in recipes}
    first = recipes[0]
    dense = first.network.kind == "dense" and not first.network.tied
    plain = all(recipe.bottleneck.kind == "plain" for recipe in recipes)
    simple = (
        first.training.clip is None and first.training.patience is None and first.training.device in {"auto", "cpu"}
    )
    return len(same) == 1 and dense and plain and simple and parameters * first.training.batch < SMALL_WORK


def fit_together(recipes: list[Recipe], data: Splits) -> Iterator[Step | Finished]:
    """Train recipes that differ in the size of their code; yields steps, then one `Finished` a recipe, in order.

    Args:
        recipes: Dense and plain, equal but for `bottleneck.size`.
        data: The objects; only `train` and `valid` are looked at.
    """
    keep_memory()
    recipe = max(recipes, key=lambda r: r.bottleneck.size)
    training = recipe.training
    scaling = fit_scaling(data.train.x, data.layout, recipe.data.scaling)
    models = [build(each, data.layout, scaling) for each in recipes]
    skeleton = max(models, key=lambda model: model.bottleneck.size)
    weights = stack(models, skeleton)
    optimiser = torch.optim.AdamW(list(weights.values()), lr=training.rate, weight_decay=training.decay, fused=True)
    train, valid = Feed(data.train.x, "cpu"), Feed(data.valid.x, "cpu")
    best, best_loss = {name: w.detach().clone() for name, w in weights.items()}, torch.full((len(models),), inf)
    place, done = Place("cpu", "float32", available_threads()), 0
    steps = -(-len(train) // training.batch)

    with place.scope():
        for epoch in range(training.epochs):
            order = torch.randperm(len(train), generator=generator("cpu", recipe.seed, ORDER, epoch))
            for number, index in enumerate(order.split(training.batch), 1):
                optimiser.param_groups[0]["lr"] = learning_rate(training, done / (training.epochs * steps))
                x = skeleton.scaled(train.gather(index))
                corrupted, _ = recipe.corruption(x, generator("cpu", recipe.seed, NOISE, done))
                losses = errors(skeleton.train(), weights, corrupted, x, recipe)
                losses.sum().backward()
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
                done += 1
                yield Step(epoch + 1, number, steps, losses.mean().item())
            losses = judge(skeleton.eval(), weights, valid, recipe)
            better = losses < best_loss
            best_loss = torch.where(better, losses, best_loss)
            for name, weight in weights.items():
                best[name][better] = weight.detach()[better]

    for model, each, row in zip(models, recipes, range(len(models)), strict=True):
        unstack(best, row, model)
        result = Result(model.eval().requires_grad_(False), each, data.layout, scaling, (), 0.0, "done", place)
        yield Finished(replace(result))


def errors(skeleton: Model, weights: Stack, corrupted: Tensor, x: Tensor, recipe: Recipe) -> Tensor:
    """The loss of each model (M,) on a batch."""

    def outputs(each: Stack) -> Tensor:
        return functional_call(skeleton, each, (corrupted,)).output

    made = vmap(outputs)(weights)
    return torch.stack([objective(recipe.objective, output, x, {}, {}).total for output in made])


@torch.no_grad()
def judge(skeleton: Model, weights: Stack, valid: Feed, recipe: Recipe) -> Tensor:
    """The mean loss of each model (M,) on the validation objects, without corruption."""
    totals = torch.zeros(len(next(iter(weights.values()))))
    for index in torch.arange(len(valid)).split(EVALUATION_BATCH["dense"]):
        x = skeleton.scaled(valid.gather(index))
        totals += errors(skeleton, weights, x, x, recipe) * len(index)
    return totals / len(valid)


def stack(models: list[Model], skeleton: Model) -> Stack:
    """The weights of all models, each filled up with zeros to the skeleton's shapes: (M, *shape)."""
    shapes = {name: weight.shape for name, weight in skeleton.named_parameters()}
    rows = [dict(model.named_parameters()) for model in models]
    return {
        name: torch.stack([fill(row[name].detach(), shape) for row in rows]).requires_grad_()
        for name, shape in shapes.items()
    }


def fill(weight: Tensor, shape: torch.Size) -> Tensor:
    """A weight filled up with zeros at the end of each axis."""
    padding = [amount for have, want in zip(weight.shape, shape, strict=True) for amount in (want - have, 0)]
    return F.pad(weight, padding[::-1])


@torch.no_grad()
def unstack(weights: Stack, row: int, model: Model) -> None:
    """Give a model its own weights back, the zeros cut off."""
    for name, weight in model.named_parameters():
        weight.copy_(weights[name][row][tuple(slice(n) for n in weight.shape)])
