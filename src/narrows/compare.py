"""Error against code size: networks side by side, with PCA's line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite, nan
from typing import Any

from narrows.changes import assign
from narrows.data.scaling import Scaling, fit_scaling
from narrows.errors import UsageError
from narrows.metrics.baseline import PCABaseline
from narrows.nn import NETWORKS as TABLE
from narrows.readout.apply import Reconstruction, reconstruct
from narrows.readout.report import flat, mean_square
from narrows.recipe import Data, Recipe, build, recipe_for
from narrows.train import Finished, Notice, Result, Step, fit
from narrows.train.together import can_train_together, fit_together
from narrows.types import Splits

SIZES = (2, 4, 8, 16, 32, 64)
NETWORKS = ("dense", "conv", "lstm")

POOR = 0.98
"""A model with more than this share of the mean object's error has learned next to nothing."""


@dataclass(frozen=True)
class Point:
    """One trained model of a comparison: its network, code size and mean squared error on the test objects.

    The error is not a number where the training diverged: such a model says nothing about its network.
    """

    network: str
    size: int
    mse: float


@dataclass(frozen=True)
class Working:
    """What is being trained now: models done, models in all, and the share of the present one."""

    network: str
    sizes: tuple[int, ...]
    done: int
    total: int
    share: float


@dataclass(frozen=True)
class Comparison:
    """All points, PCA's error at each size, and what a person should know about them."""

    points: tuple[Point, ...]
    sizes: tuple[int, ...]
    pca: tuple[float, ...]
    notices: tuple[Notice, ...] = ()

    def line(self, network: str) -> list[float]:
        """The errors of one network, by rising size."""
        return [point.mse for point in sorted(self.points, key=lambda p: p.size) if point.network == network]

    def as_dict(self) -> dict[str, Any]:
        """The comparison as one JSON-ready object; errors that are not numbers are None."""
        networks = sorted({point.network for point in self.points})
        lines = {name: [mse if isfinite(mse) else None for mse in self.line(name)] for name in networks}
        said = [vars(notice) for notice in self.notices]
        return {"sizes": list(self.sizes), "test": lines, "pca": list(self.pca), "notices": said}


def compare(
    data: Splits,
    *,
    sizes: Iterable[int] = SIZES,
    networks: Iterable[str] = NETWORKS,
    epochs: int | None = None,
    source: Data | None = None,
    seed: int = 0,
    changes: Sequence[str] = (),
) -> Iterator[Working | Notice | Comparison]:
    """Train every network with every code size; yields what it is doing and has noticed, then the `Comparison`.

    Small dense models that differ in the size of their code alone are trained together. Every recipe is checked
    before the first is trained. With a corruption, models and PCA are judged on the same corrupted objects.

    Args:
        data: The objects.
        sizes: Numbers in the code, 1 or more; those not narrower than an object are left out, with a notice.
        networks: Names of networks; one named twice is trained once.
        epochs: Epochs of each; None takes the default for the data.
        source: Where the data comes from, for the recipes.
        seed: Decides weights and order of all.
        changes: Settings of the form path=value, made in every recipe, such as "training.rate=5e-3".

    Raises:
        UsageError: No network, no size narrower than an object, or a recipe that does not fit; or every training
            diverged.
    """
    names = tuple(dict.fromkeys(networks))
    if not names:
        raise UsageError("no network to compare", expected=f"some of {', '.join(TABLE)}", code="usage.networks")
    kept, notices = narrow_sizes(sizes, data.layout.values)
    yield from notices
    recipes = [recipe_at(data, name, size, epochs, source, seed, changes) for name in names for size in kept]
    scaling = fit_scaling(data.train.x, data.layout, recipes[0].data.scaling)
    points, reconstruction = list[Point](), None
    for group in groups_of(recipes, data, scaling):
        for event in fit_together(group, data) if len(group) > 1 else fit(group[0], data):
            if isinstance(event, Step):
                yield working(event, group, len(points), len(recipes))
            if isinstance(event, Notice):
                notices.append(about_one(event, group))
                yield notices[-1]
            if isinstance(event, Finished):
                made = judge(event.result, data)
                points.append(point_of(event.result, made))
                reconstruction = reconstruction or made
    if reconstruction is None or not any(isfinite(point.mse) for point in points):
        raise UsageError("every training of the comparison diverged", step="Lower training.rate", code="usage.diverged")
    line, mean = baselines(data, kept, scaling, reconstruction)
    poor = [learned_nothing(point, mean) for point in points if point.mse > POOR * mean]
    yield from poor
    yield Comparison(tuple(points), kept, line, (*notices, *poor))


def narrow_sizes(sizes: Iterable[int], values: int) -> tuple[tuple[int, ...], list[Notice]]:
    """The code sizes that are narrower than an object of `values` numbers, rising, and a notice of those that are not.

    Example:
        >>> narrow_sizes([8, 64, 2], 64)[0]
        (2, 8)
    """
    asked = sorted(set(sizes))
    kept, wide = tuple(size for size in asked if size < values), [str(size) for size in asked if size >= values]
    if not kept or kept[0] < 1:
        raise UsageError(f"sizes {asked}", expected=f"from 1 to {values - 1}", code="usage.sizes")
    sentence = f"Left out: codes of {', '.join(wide)} numbers, not narrower than the {values} of an object."
    return kept, [Notice("sizes", sentence)] if wide else []


def working(step: Step, group: list[Recipe], done: int, total: int) -> Working:
    """How far a comparison is, within the training of a group."""
    share = (step.epoch - 1 + step.step / step.steps) / group[0].training.epochs
    return Working(group[0].network.kind, code_sizes(group), done, total, min(share, 1.0))


def about_one(notice: Notice, group: list[Recipe]) -> Notice:
    """A notice of a training, with the name of what was trained."""
    codes = ", ".join(map(str, code_sizes(group)))
    return Notice(notice.code, f"{group[0].network.kind}, code {codes}: {notice.sentence}")


def code_sizes(group: list[Recipe]) -> tuple[int, ...]:
    """The code size of each recipe of a group."""
    return tuple(recipe.bottleneck.size for recipe in group)


def judge(result: Result, data: Splits) -> Reconstruction:
    """The test objects through a trained model, corrupted as its recipe says."""
    return reconstruct(result.model, data.test.x, corruption=result.recipe.corruption, seed=result.recipe.seed)


def point_of(result: Result, made: Reconstruction) -> Point:
    """The error of a trained model, or not a number where its training diverged."""
    mse = nan if result.stopped == "diverged" else float(made.error.mean())
    return Point(result.recipe.network.kind, result.recipe.bottleneck.size, mse)


def recipe_at(
    data: Splits, network: str, size: int, epochs: int | None, source: Data | None, seed: int, changes: Sequence[str]
) -> Recipe:
    """The default recipe with another code size, and with the changes asked for."""
    length = [f"training.epochs={epochs}"] if epochs else []
    recipe = recipe_for(data, network=network, source=source).with_(seed=seed)
    return assign(recipe, [*changes, *length, f"bottleneck.size={size}"])


def groups_of(recipes: list[Recipe], data: Splits, scaling: Scaling) -> list[list[Recipe]]:
    """Recipes in groups to be trained together: a network at once where that is cheaper, else one by one.

    Building each refuses what cannot be trained before anything is.
    """
    counts = [build(recipe, data.layout, scaling).parameters_count for recipe in recipes]
    groups = []
    for _, members in groupby(range(len(recipes)), key=lambda i: recipes[i].network.kind):
        chosen = list(members)
        group, largest = [recipes[i] for i in chosen], max(counts[i] for i in chosen)
        groups += [group] if can_train_together(group, largest) else [[recipe] for recipe in group]
    return groups


def learned_nothing(point: Point, mean: float) -> Notice:
    """The notice of a model that is no better than the mean object, whose error is `mean`."""
    sentence = f"learned next to nothing: error {point.mse:.4g}, and the mean object alone has {mean:.4g}."
    return Notice("worse-than-mean", f"{point.network}, code {point.size}: {sentence}")


def baselines(
    data: Splits, sizes: tuple[int, ...], scaling: Scaling, made: Reconstruction
) -> tuple[tuple[float, ...], float]:
    """PCA's error at each size on the objects of a reconstruction, from what the models saw; and the mean object's."""
    pca = PCABaseline.fit(scaling.rows(data.train.x), max(sizes))
    target, seen = flat(made.input), flat(made.corrupted)
    outputs = (pca.reconstruct(seen, size, low=scaling.low, high=scaling.high) for size in sizes)
    return tuple(mean_square(output - target) for output in outputs), mean_square(pca.mean - target)
