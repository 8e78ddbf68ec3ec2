"""Choosing the threads of a run by the size of its model, and its arithmetic by trying.

Nothing is assumed of the processor: a route is taken if a step of this very model is clearly faster on it, and its
output as exact as the route promises.
"""

import copy
import time
from collections.abc import Callable, Sequence
from math import inf, prod
from typing import Any

import torch
from torch import Tensor, nn

from narrows.model import Model
from narrows.recipe import Recipe
from narrows.train.device import Place, available_threads, choose_device
from narrows.train.engine import choose_engine
from narrows.train.feed import generator

ROUTES = ("float32", "fast", "bf16")

ALLOWED_ERROR = {"fast": 1e-5, "bf16": 0.03}
"""Relative error of the output against float32 that a route may have: "fast" must be float32 in all but name."""

WORTHWHILE = 1.15
"""A route must be this many times as fast as float32 to be chosen."""

SMALL_WORK = 12_000_000
"""Multiplications of a forward pass below which a second thread costs more than it brings."""

TRIED_WORK = 4 * SMALL_WORK
"""Multiplications from which on a trial is worth its time."""


def choose_place(
    recipe: Recipe, model: Model, x: Tensor, routes: Sequence[str] = ROUTES, most: int | None = None
) -> Place:
    """The place for a recipe, its open choices made by size and by trying; remembered while the process lives.

    Args:
        recipe: Says what is asked for, and what is left open ("auto").
        model: The model to train; it is not changed.
        x: A batch of scaled objects (B, *shape), on the processor.
        routes: What a trial may choose from, "float32" first; a single one is taken untried.
        most: Threads to take at most; None takes all there are.

    Raises:
        EnvironmentProblem: The device asked for is not there.
    """
    device, asked = choose_device(recipe.training.device), recipe.training.route
    if device != "cpu":
        return Place(device, "float32" if asked == "auto" else asked, 1)
    work = len(x) * multiplications(model, x[:1])
    threads = choose_threads(recipe, work, most)
    if asked != "auto":
        return Place(device, asked, threads)
    if work < TRIED_WORK or len(routes) == 1:
        return Place(device, routes[0], threads)
    return Place(device, choose_route(recipe, model, x, threads, routes), threads)


def choose_threads(recipe: Recipe, work: int, most: int | None = None) -> int:
    """Threads for a model whose forward pass over a batch takes `work` multiplications, `most` at most."""
    if recipe.training.threads:
        threads = min(recipe.training.threads, 4 * available_threads())
    else:
        threads = 1 if work < SMALL_WORK else available_threads()
    return threads if most is None else min(threads, most)


@torch.no_grad()
def multiplications(model: Model, x: Tensor) -> int:
    """Multiplications of a forward pass over one object x (1, *shape): each weight, times the places it works at.

    Example:
        >>> from narrows.recipe import Recipe, build
        >>> from narrows.data.scaling import Scaling, plain
        >>> from narrows.types import Layout
        >>> recipe = Recipe(network={"kind": "dense", "widths": (16,)}, bottleneck={"kind": "plain", "size": 8})
        >>> model = build(recipe, Layout("cells", "table", (29,)), Scaling("none", plain(0), plain(1)))
        >>> multiplications(model, torch.zeros(1, 29)) == 2 * (29 * 16 + 16 * 8)
        True
    """
    counts: list[int] = []

    def count(layer: nn.Module, inputs: Any, output: Any) -> None:
        counts.append(places(layer, inputs[0], output) * sum(w.numel() for w in layer.parameters() if w.ndim > 1))

    layers = [layer for layer in model.modules() if isinstance(layer, LAYERS)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts)


TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d)

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, *TRANSPOSED, nn.LSTM)
"""The layers that do nearly all the work."""


def places(layer: nn.Module, x: Tensor, output: Any) -> int:
    """How often a layer uses each of its weights for one object x (1, ...)."""
    if isinstance(layer, nn.LSTM):
        return x.shape[1]
    if isinstance(layer, nn.Linear):
        return prod(x.shape[:-1])
    return prod((x if isinstance(layer, TRANSPOSED) else output).shape[2:])


TRIAL_SECONDS, TRIAL_STEPS = 0.1, 3
"""How long each route is tried at least: a neighbour on the processor must not decide."""

TRIAL_ENOUGH = 0.3
"""Seconds after which a single step beside the first is enough: a slow model is not to wait long for its beginning."""

CHOSEN: dict[tuple[Any, ...], str] = {}
"""The routes chosen so far, by all that the choice depends on."""


def choose_route(recipe: Recipe, model: Model, x: Tensor, threads: int, routes: Sequence[str]) -> str:
    """The route for a model and a batch, tried once in the life of the process."""
    parts = recipe.model_dump_json(include={"network", "bottleneck", "objective", "head"})
    key = (parts, recipe.training.clip is None, x.shape, threads, *routes)
    if key not in CHOSEN:
        CHOSEN[key] = fastest(lambda route: tried(recipe, model, x, Place("cpu", route, threads)), routes)
    return CHOSEN[key]


def fastest(measure: Callable[[str], tuple[Tensor, float]], routes: Sequence[str]) -> str:
    """The first route, or another that is clearly faster and as exact as it must be.

    Args:
        measure: The output of a model on a route, and the seconds of a step.
        routes: What to choose from.

    Example:
        >>> made = {"float32": (1.0, 3.0), "fast": (1.0, 2.0), "bf16": (1.1, 1.0)}  # output, seconds
        >>> fastest(lambda route: (torch.tensor(made[route][0]), made[route][1]), ROUTES)
        'fast'
    """
    reference, base = measure(routes[0])
    best, shortest = routes[0], base / WORTHWHILE
    for route in routes[1:]:
        output, seconds = measure(route)
        error = ((output - reference).norm() / reference.norm().clamp_min(1e-12)).item()
        if error <= ALLOWED_ERROR[route] and seconds < shortest:
            best, shortest = route, seconds
    return best


def tried(recipe: Recipe, model: Model, x: Tensor, place: Place) -> tuple[Tensor, float]:
    """The output of a copy of the model in a place, and the shortest time of a step there in seconds."""
    model, rng, shortest = copy.deepcopy(model), generator("cpu", 0), inf
    with place.scope():
        with torch.no_grad(), place.autocast():
            output = model.eval()(x).output
        engine = choose_engine(model.train(), recipe, place)
        first, steps = time.perf_counter(), 0
        while not tried_enough(steps, time.perf_counter() - first):
            begin = time.perf_counter()
            engine.compute(x, x, rng, 0.0)
            engine.slope()
            engine.improve(0.0, rng)
            shortest, steps = min(shortest, time.perf_counter() - begin), steps + 1
    return output, shortest


def tried_enough(steps: int, seconds: float) -> bool:
    """Whether a route was tried with enough steps, which took so many seconds in all.

    Example:
        >>> [tried_enough(*tried) for tried in ((4, 0.05), (9, 0.12), (2, 0.5), (1, 0.9))]
        [False, True, True, False]
    """
    enough = 1 + TRIAL_STEPS if seconds < TRIAL_ENOUGH else 2
    return steps >= enough and seconds >= TRIAL_SECONDS
