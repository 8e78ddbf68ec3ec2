"""Error against code size: networks side by side, with PCA's line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from narrows.assign import assign
from narrows.data.scaling import fit_scaling
from narrows.errors import UsageError
from narrows.metrics.baseline import PCABaseline
from narrows.readout.apply import reconstruct
from narrows.recipe import Data, Recipe, build, recipe_for
from narrows.train import Finished, Step, fit
from narrows.train.together import can_train_together, fit_together
from narrows.types import Splits

SIZES = (2, 4, 8, 16, 32, 64)
NETWORKS = ("dense", "conv", "lstm")


@dataclass(frozen=True)
class Point:
    """One trained model of a comparison: its network, code size and mean squared error on the test objects."""

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
    """All points, and PCA's error at each size."""

    points: tuple[Point, ...]
    sizes: tuple[int, ...]
    pca: tuple[float, ...]

    def line(self, network: str) -> list[float]:
        """The errors of one network, by rising size."""
        return [point.mse for point in sorted(self.points, key=lambda p: p.size) if point.network == network]

    def as_dict(self) -> dict[str, Any]:
        """The comparison as one JSON-ready object."""
        networks = sorted({point.network for point in self.points})
        return {"sizes": list(self.sizes), "test": {n: self.line(n) for n in networks}, "pca": list(self.pca)}


def compare(
    data: Splits,
    *,
    sizes: Iterable[int] = SIZES,
    networks: Iterable[str] = NETWORKS,
    epochs: int | None = None,
    source: Data | None = None,
    seed: int = 0,
    changes: Sequence[str] = (),
) -> Iterator[Working | Comparison]:
    """Train every network with every code size; yields what it is doing, then the `Comparison`.

    Small dense models that differ in the size of their code alone are trained together.

    Args:
        data: The objects.
        sizes: Numbers in the code; those not narrower than an object are left out.
        networks: Names of networks.
        epochs: Epochs of each; None takes the default for the data.
        source: Where the data comes from, for the recipes.
        seed: Decides weights and order of all.
        changes: Settings of the form path=value, made in every recipe, such as "training.rate=5e-3".

    Raises:
        UsageError: No size is narrower than an object.
    """
    kept = tuple(sorted({size for size in sizes if 0 < size < data.layout.values}))
    if not kept:
        raise UsageError(
            f"sizes {list(sizes)}", expected=f"some from 1 to {data.layout.values - 1}", code="usage.sizes"
        )
    networks, points = tuple(networks), list[Point]()
    total = len(networks) * len(kept)
    for network in networks:
        recipes = [recipe_at(data, network, size, epochs, source, seed, changes) for size in kept]
        for group in groups_of(recipes, data):
            group_sizes = tuple(recipe.bottleneck.size for recipe in group)
            events = fit_together(group, data) if len(group) > 1 else fit(group[0], data)
            for event in events:
                if isinstance(event, Step):
                    share = (event.epoch - 1 + event.step / event.steps) / group[0].training.epochs
                    yield Working(network, group_sizes, len(points), total, min(share, 1.0))
                if isinstance(event, Finished):
                    made = reconstruct(event.result.model, data.test.x)
                    points.append(Point(network, event.result.recipe.bottleneck.size, float(made.error.mean())))
    yield Comparison(tuple(points), kept, pca_line(data, kept, recipes[0]))


def recipe_at(
    data: Splits, network: str, size: int, epochs: int | None, source: Data | None, seed: int, changes: Sequence[str]
) -> Recipe:
    """The default recipe with another code size, and with the changes asked for."""
    length = [f"training.epochs={epochs}"] if epochs else []
    recipe = recipe_for(data, network=network, source=source).with_(seed=seed)
    return assign(recipe, [*changes, *length, f"bottleneck.size={size}"])


def groups_of(recipes: list[Recipe], data: Splits) -> list[list[Recipe]]:
    """Recipes in groups to be trained together: all at once where that is cheaper, else one by one."""
    scaling = fit_scaling(data.train.x[:1], data.layout, "none")
    largest = build(recipes[-1], data.layout, scaling).parameters_count
    return [recipes] if can_train_together(recipes, largest) else [[recipe] for recipe in recipes]


def pca_line(data: Splits, sizes: tuple[int, ...], recipe: Recipe) -> tuple[float, ...]:
    """PCA's error on the test objects at each size, in the same units."""
    scaling = fit_scaling(data.train.x, data.layout, recipe.data.scaling)
    train, test = (scaling.rows(split.x) for split in (data.train, data.test))
    pca = PCABaseline.fit(train, max(sizes))
    return tuple(pca.mse_curve(test, list(sizes), low=scaling.low, high=scaling.high))
