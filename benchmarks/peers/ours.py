"""narrows itself: the real `fit`, the bare engine under it, several models in one stack, and the command `train`."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from narrows import __version__
from narrows.data.scaling import fit_scaling
from narrows.model import Model
from narrows.nn import NETWORKS
from narrows.recipe import Recipe, build
from narrows.train import Epoch, Place, fit
from narrows.train import loop as training
from narrows.train.device import available_threads, keep_memory
from narrows.train.engine import Engine, choose_engine
from narrows.train.stack import DenseStack
from narrows.train.trial import choose_place
from narrows.types import Layout, Split, Splits
from peers.pace import Pace
from peers.work import PRODUCTS, SIDE, Work

FLOAT32 = ("float32", "fast")
"""The routes that compute in float32; the self-test picks one of them."""

VALID = 40
"""One object in so many is there to validate each epoch on: the peers validate none."""

EPOCHS = 100_000


def recipe_of(work: Work, epochs: int = EPOCHS, route: str = "auto") -> Recipe:
    settings = {
        "dense": {"widths": work.widths, "activation": "relu"},
        "conv": {"channels": work.widths, "activation": "relu"},
        "lstm": {"hidden": work.widths[0]},
    }
    return Recipe(
        network=NETWORKS[work.network](**settings[work.network]),
        bottleneck={"kind": "plain", "size": work.code},
        training={"epochs": epochs, "batch": work.batch, "rate": 1e-3, "warm_up": 0.0, "route": route},
    )


def data_of(work: Work) -> Splits:
    kinds = {"dense": "spectrum", "conv": "image", "lstm": "series"}
    layout = Layout("noise", kinds[work.network], work.shape, low=0.0, high=1.0)
    x = work.objects()
    few = Split(x[: -(-len(x) // VALID)])
    return Splits(layout, Split(x), few, few)


def model_of(recipe: Recipe, data: Splits) -> Model:
    model = build(recipe, data.layout, fit_scaling(data.train.x, data.layout))
    return training.arrange(model, recipe).train()


def place_of(recipe: Recipe, data: Splits, routes: tuple[str, ...] = FLOAT32) -> Place:
    """The place that the self-test of `fit` picks from some routes."""
    keep_memory()
    return choose_place(recipe, model_of(recipe, data), torch.from_numpy(data.train.x[: recipe.training.batch]), routes)


def about(place: Place) -> dict[str, object]:
    return {"narrows": __version__, "torch": torch.__version__, "threads": place.threads, "route": place.route}


def fit_float32(work: Work, pace: Pace) -> None:
    """`narrows.fit` in float32."""
    recipe, data = recipe_of(work), data_of(work)
    fit_in(place_of(recipe, data), recipe, data, pace)


def fit_bf16(work: Work, pace: Pace) -> None:
    """`narrows.fit` in bfloat16, on request."""
    recipe, data = recipe_of(work, route="bf16"), data_of(work)
    fit_in(place_of(recipe, data), recipe, data, pace)


def fit_bf16_256(work: Work, pace: Pace) -> None:
    """The same with batches of 256."""
    fit_bf16(replace(work, batch=256), pace)


def fit_in(place: Place, recipe: Recipe, data: Splits, pace: Pace) -> None:
    pace.about = about(place)
    pace.begin()
    for event in fit(recipe, data, place=place):
        if isinstance(event, Epoch):
            pace.end()
            pace.begin()


def engine_float32(work: Work, pace: Pace) -> None:
    """The bare loop: batches, `compute` and `improve`, and nothing around them."""
    recipe, data = recipe_of(work), data_of(work)
    place = place_of(recipe, data)
    pace.about = about(place)
    with place.scope():
        engine, x = choose_engine(model_of(recipe, data), recipe, place), torch.from_numpy(data.train.x)
        while True:
            pace.begin()
            for _ in range(work.epochs):
                epoch(engine, x, work.batch)
            pace.end()


def epoch(engine: Engine, x: torch.Tensor, batch: int) -> None:
    rng = torch.Generator()
    for index in torch.randperm(len(x)).split(batch):
        objects = x.index_select(0, index)
        engine.compute(objects, objects, rng, 0.5)
        engine.improve(1e-3, rng)


def stacked(work: Work, pace: Pace, count: int = 8) -> None:
    """One step of all of several models of one shape, each with weights of its own."""
    recipe, data = recipe_of(work), data_of(work)
    place = Place("cpu", "float32", 1)
    pace.about, x = about(place), torch.from_numpy(data.train.x)
    with place.scope():
        stack = DenseStack([model_of(recipe.with_(seed=seed), data) for seed in range(count)], "relu")
        while True:
            pace.begin()
            for index in torch.randperm(len(x)).split(work.batch):
                objects = x.index_select(0, index)
                stack.compute(objects, objects)
                stack.improve(1e-3)
            pace.end()


def products(work: Work, pace: Pace) -> None:
    """Large square matrix products in float32, on the route oneDNN takes."""
    place = Place("cpu", "fast", available_threads())
    pace.about, (a, b, c) = about(place), torch.ones(3, SIDE, SIDE)
    with place.scope():
        while True:
            pace.begin()
            for _ in range(PRODUCTS):
                torch.mm(a, b, out=c)
            pace.end()


def command(work: Work, pace: Pace) -> None:
    """What `narrows train` does around the bare loop: events, history, progress bar, run folder, checkpoints.

    One checkpoint every 2 seconds rather than every 20, so that a run as short as this one has some. The route is
    given, so that the self-test, once a run, is not counted against a few seconds.
    """
    from narrows.cli.talk import Talk
    from narrows.cli.train import watched

    data = data_of(work)
    place = place_of(recipe_of(work), data)
    recipe, pace.about = recipe_of(work, work.epochs, place.route), about(place)
    training.SAVE_EVERY = 2.0
    while True:
        with TemporaryDirectory() as folder:
            pace.begin()
            watched(Talk(as_json=True), recipe, data, Path(folder) / "run", resume=False)
            pace.end()
