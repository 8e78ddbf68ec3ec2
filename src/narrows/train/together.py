"""Several small dense autoencoders trained at once, for the price of about one: a stack of them, in one loop.

They see the same batches in the same order, so each learns what it would have learned alone.
"""

from collections.abc import Iterator
from math import inf, isfinite

import torch
from torch import Tensor

from narrows.data.scaling import fit_scaling
from narrows.model import Model
from narrows.recipe import Recipe, build
from narrows.train.device import Place, keep_memory
from narrows.train.events import Finished, Notice, Result, Step
from narrows.train.feed import Feed, generator
from narrows.train.loop import EVALUATION_BATCH, JUDGE, NOISE, ORDER, feeds, learning_rate
from narrows.train.run import snapshot
from narrows.train.stack import DenseStack, can_stack
from narrows.train.trial import SMALL_WORK, choose_threads
from narrows.types import Splits


def can_train_together(recipes: list[Recipe], parameters: int) -> bool:
    """Whether recipes differ in the size of their code alone, and are small enough for it to be cheaper.

    Args:
        recipes: What is to be trained.
        parameters: Parameters of the largest of them.
    """
    same = {recipe.with_(bottleneck={"kind": "plain", "size": 1}).model_dump_json() for recipe in recipes}
    first = recipes[0]
    plain = all(recipe.bottleneck.kind == "plain" for recipe in recipes)
    simple = first.training.clip is None and first.training.patience is None
    exact = first.training.route in {"auto", "float32"}
    here = Place(first.training.device.replace("auto", "cpu"))
    small = parameters * first.training.batch < SMALL_WORK
    return len(same) == 1 and plain and simple and exact and small and can_stack(first, here)


def fit_together(recipes: list[Recipe], data: Splits) -> Iterator[Step | Notice | Finished]:
    """Train recipes that differ in the size of their code; yields steps, then one `Finished` a recipe, in order.

    A model whose loss or gradient is no longer finite is noticed and keeps its best weights; the others go on.

    Args:
        recipes: Dense and plain, equal but for `bottleneck.size`.
        data: The objects; only `train` and `valid` are looked at.
    """
    keep_memory()
    recipe, training = recipes[0], recipes[0].training
    assert recipe.network.kind == "dense"
    scaling = fit_scaling(data.train.x, data.layout, recipe.data.scaling)
    models = [build(each, data.layout, scaling) for each in recipes]
    stack = DenseStack(models, recipe.network.activation, decay=training.decay)
    train, valid = feeds(models[0], data, "cpu")
    best, lowest, lost = [snapshot(model) for model in models], [inf] * len(models), set[int]()
    place, done = Place("cpu", "float32", choose_threads(recipe, training.batch * stack.flat.numel())), 0
    steps = -(-len(train) // training.batch)

    with place.scope():
        for epoch in range(training.epochs):
            order = torch.randperm(len(train), generator=generator("cpu", recipe.seed, ORDER, epoch))
            for number, index in enumerate(order.split(training.batch), 1):
                x = train.gather(index)
                corrupted, _ = recipe.corruption(x, generator("cpu", recipe.seed, NOISE, done))
                losses = stack.compute(corrupted, x)
                yield from diverged(losses, recipes, lost, f"the loss of step {done + 1}")
                if not isfinite(torch.linalg.vector_norm(stack.gradient).item()):
                    yield from diverged(stack.slope_norms(), recipes, lost, f"the gradient of step {done + 1}")
                stack.improve(learning_rate(training, done / (training.epochs * steps)))
                done += 1
                yield Step(epoch + 1, number, steps, losses.mean().item())
            errors = judge(models, valid, recipe)
            yield from diverged(errors, recipes, lost, f"the validation loss of epoch {epoch + 1}")
            for k, loss in enumerate(errors.tolist()):
                if k not in lost and loss < lowest[k]:
                    lowest[k], best[k] = loss, snapshot(models[k])
            if len(lost) == len(models):
                break

    stack.release()
    for k, (model, each) in enumerate(zip(models, recipes, strict=True)):
        model.load_state_dict(best[k])
        model.eval().requires_grad_(False)
        ending = "diverged" if k in lost else "done"
        yield Finished(Result(model, each, data.layout, scaling, (), 0.0, ending, place))


def diverged(values: Tensor, recipes: list[Recipe], lost: set[int], what: str) -> Iterator[Notice]:
    """A notice for each model whose value (M,) is not finite for the first time; its number is added to `lost`."""
    for k, value in enumerate(values.tolist()):
        if k not in lost and not isfinite(value):
            lost.add(k)
            size = recipes[k].bottleneck.size
            yield Notice("diverged", f"With {size} numbers training diverged: {what} is {value:g}. Try a lower rate.")


@torch.no_grad()
def judge(models: list[Model], valid: Feed, recipe: Recipe) -> Tensor:
    """The mean loss of each model (M,) on the validation objects, corrupted as in every judgement of the recipe."""
    totals = torch.zeros(len(models))
    for index in torch.arange(len(valid)).split(EVALUATION_BATCH["dense"]):
        x = valid.gather(index)
        corrupted, _ = recipe.corruption(x, generator("cpu", recipe.seed, JUDGE, int(index[0])))
        totals += torch.stack([(model.eval()(corrupted).output - x).square().mean() for model in models]) * len(index)
    return totals / len(valid)
