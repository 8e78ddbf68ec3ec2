"""The parameters of an estimator and the recipe they describe, both ways.

Every constructor parameter is a setting of the one `Recipe`, under the name the field uses; "auto" is what
`recipe_for` chooses for the data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from narrows.changes import assign, parse
from narrows.errors import UsageError
from narrows.recipe import Data, Recipe, Training, recipe_for
from narrows.settings import Settings
from narrows.train import Result
from narrows.types import Splits

NAME = "array"
"""What data without a name is called in a recipe."""

SETTINGS = {
    "n_components": ("bottleneck", "size"),
    "head": ("head",),
    "scaling": ("data", "scaling"),
    "epochs": ("training", "epochs"),
    "batch_size": ("training", "batch"),
    "learning_rate": ("training", "rate"),
    "patience": ("training", "patience"),
    "device": ("training", "device"),
}
"""Where a parameter lies in a recipe: the single values."""

PARTS = ("network", "bottleneck", "corruption")
"""Parameters that are a part of a recipe of the same name: a name, or settings with their "kind"."""


def recipe_of(params: Mapping[str, Any], data: Splits, seed: int) -> Recipe:
    """The recipe that parameters describe, for this data.

    Args:
        params: What the constructor of an estimator was given, by name.
        data: What is to be learned.
        seed: Decides weights, order and corruption.

    Raises:
        UsageError: A name or a value that does not exist; says those that do.
    """
    parts = {name: part(params[name]) for name in PARTS}
    network, bottleneck = parts["network"]["kind"], parts["bottleneck"]["kind"]
    source = Data(name=NAME, seed=seed)
    values = recipe_for(data, network=network, bottleneck=bottleneck, source=source).model_dump(mode="json")
    values["corruption"] = parts["corruption"]
    for name in ("network", "bottleneck"):
        values[name] |= parts[name]
    for name, path in SETTINGS.items():
        put(values, path, plain(params[name]))
    objective = params["objective"]
    values["objective"] = {objective: 1.0} if isinstance(objective, str) else plain(objective)
    return assign(parse({**values, "seed": seed}), params["changes"])


def part(value: str | Mapping[str, Any] | Settings) -> dict[str, Any]:
    """A part of a recipe as plain values, given by its name, its settings, or a mapping that has its "kind".

    Example:
        >>> part("conv"), part({"kind": "gaussian", "std": 0.2})
        ({'kind': 'conv'}, {'kind': 'gaussian', 'std': 0.2})
    """
    values = {"kind": value} if isinstance(value, str) else plain(value)
    if not isinstance(values, dict) or "kind" not in values:
        raise UsageError(f"{value!r}", expected='a name, or settings with a "kind"', code="usage.kind")
    return values


def put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Put a value at a path of nested values; "auto" leaves what is there."""
    *way, last = path
    for name in way:
        values = values[name]
    if value != "auto":
        values[last] = value


def plain(value: Any) -> Any:
    """A parameter as JSON-ready values.

    Example:
        >>> plain({"widths": (np.int64(8), 4)})
        {'widths': [8, 4]}
    """
    if isinstance(value, Settings):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value.item() if isinstance(value, np.generic) else value


def params_of(result: Result) -> dict[str, Any]:
    """The parameters that make the recipe of a run, and ask for nothing that is left to the data."""
    recipe, layout = result.recipe.model_dump(mode="json"), result.layout
    single = {name: recipe[path[0]] if len(path) == 1 else recipe[path[0]][path[1]] for name, path in SETTINGS.items()}
    told = {path[-1] for path in SETTINGS.values() if path[0] == "training"}
    default = Training().model_dump(mode="json")
    other = [name for name, value in recipe["training"].items() if name not in told and value != default[name]]
    return {
        **single,
        **{name: recipe[name] for name in (*PARTS, "objective")},
        "shape": layout.shape if len(layout.shape) > 1 else None,
        "value_range": None if layout.low is None or layout.high is None else (layout.low, layout.high),
        "changes": tuple(f"training.{name}={json.dumps(recipe['training'][name])}" for name in other),
        "random_state": recipe["seed"],
    }


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """A seed for a recipe: the number itself, one drawn from a source, or a new one from the system."""
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if random_state is None:
        return int(np.random.default_rng().integers(2**31 - 1))
    return int(random_state)
