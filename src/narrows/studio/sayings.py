"""A recipe said in other words: as a command, and as Python."""

import json
import shlex
from pprint import pformat
from typing import Any

from narrows.recipe import Recipe

ALWAYS = ("bottleneck.size", "training.epochs", "training.batch")
"""Settings whose default depends on the data: they are always said."""


def command(recipe: Recipe) -> str:
    """The command that trains it.

    Example:
        >>> command(Recipe(seed=3))
        'narrows train digits --network dense --bottleneck plain --set network.widths=256,128 \
--set bottleneck.size=32 --set training.epochs=20 --set training.batch=256 --set seed=3'
    """
    parts = ["narrows", "train", recipe.data.name, "--network", recipe.network.kind]
    parts += ["--bottleneck", recipe.bottleneck.kind]
    for path, value in differences(recipe).items():
        parts += ["--set", f"{path}={worded(value)}"]
    return shlex.join(parts)


def python(recipe: Recipe) -> str:
    """A program that trains it."""
    literal = pformat(recipe.model_dump(mode="json"), sort_dicts=False, width=100)
    data = recipe.data.model_dump(exclude_defaults=True) | {"name": recipe.data.name}
    name, options = data.pop("name"), ", ".join(f"{key}={value!r}" for key, value in data.items())
    return "\n".join(
        (
            "from narrows import Recipe, fit, load",
            "",
            f"recipe = Recipe.model_validate({literal})",
            f"data = load({name!r}{', ' + options if options else ''})",
            "for event in fit(recipe, data):",
            "    print(event)",
            "",
        )
    )


def differences(recipe: Recipe) -> dict[str, Any]:
    """The settings that a command has to name, by their path: all of the network, and what is not as by default."""
    found: dict[str, Any] = {}
    for part in ("data", "corruption", "network", "bottleneck", "training"):
        settings = getattr(recipe, part)
        kind = getattr(settings, "kind", None)
        if part == "corruption" and kind != "none":
            found["corruption"] = kind
        defaults = {
            name: field.get_default(call_default_factory=True) for name, field in type(settings).model_fields.items()
        }
        for name, value in settings.model_dump(mode="json").items():
            path = f"{part}.{name}"
            if name not in ("kind", "name") and (part == "network" or path in ALWAYS or plain(defaults[name]) != value):
                found[path] = value
    whole = Recipe()
    if recipe.objective != whole.objective:
        found["objective"] = recipe.objective
    return found | {
        name: getattr(recipe, name) for name in ("head", "seed") if getattr(recipe, name) != getattr(whole, name)
    }


def plain(value: Any) -> Any:
    """A default as JSON has it."""
    return list(value) if isinstance(value, tuple) else value


def worded(value: Any) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, list) and value and not any(isinstance(item, list | str) for item in value):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)
