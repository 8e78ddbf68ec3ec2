"""A recipe said in other words: as a command, and as Python."""

import json
import shlex
from pprint import pformat
from typing import Any

from narrows.recipe import Recipe

ALWAYS = {
    "network": ("widths", "channels", "hidden", "chunk"),
    "bottleneck": ("size",),
    "training": ("epochs", "batch"),
}
"""Settings whose default depends on the data: they are always said."""


def command(recipe: Recipe, source: str = "") -> str:
    """The command that trains it.

    Args:
        recipe: What is trained.
        source: What to call its data by, where that is not its name.

    Example:
        >>> command(Recipe(network={"kind": "conv", "channels": [8]}, bottleneck={"kind": "plain", "size": 2}, seed=3))
        "narrows train digits --network conv --bottleneck plain --set 'network.channels=[8]' --set bottleneck.size=2 \
--set training.epochs=20 --set training.batch=256 --set seed=3"
    """
    parts = ["narrows", "train", source or recipe.data.name, "--network", recipe.network.kind]
    parts += ["--bottleneck", recipe.bottleneck.kind]
    for path, value in differences(recipe).items():
        parts += ["--set", f"{path}={value if isinstance(value, str) else json.dumps(value, separators=(',', ':'))}"]
    return shlex.join(parts)


def python(recipe: Recipe, source: str = "") -> str:
    """A program that trains it."""
    values = recipe.model_dump(mode="json")
    values["data"]["name"] = name = source or recipe.data.name
    options = recipe.data.model_dump(exclude_defaults=True, exclude={"name", "scaling"})
    said = "".join(f", {key}={value!r}" for key, value in options.items())
    return "\n".join(
        (
            "from narrows import Recipe, fit, load",
            "",
            f"recipe = Recipe.model_validate({pformat(values, sort_dicts=False, width=100)})",
            f"data = load({name!r}{said})",
            "for event in fit(recipe, data):",
            "    print(event)",
            "",
        )
    )


def differences(recipe: Recipe) -> dict[str, Any]:
    """The settings that a command has to name, by their path: what is not as by default, or has no one default."""
    found: dict[str, Any] = {}
    for part in ("data", "corruption", "network", "bottleneck", "training"):
        settings = getattr(recipe, part)
        if part == "corruption" and settings.kind != "none":
            found["corruption"] = settings.kind
        fresh = {name: field.get_default() for name, field in type(settings).model_fields.items()}
        for name, value in settings.model_dump(mode="json").items():
            said = name in ALWAYS.get(part, ()) or plain(fresh[name]) != value
            if said and name not in ("kind", "name"):
                found[f"{part}.{name}"] = value
    for name in ("head", "objective", "seed"):
        value = getattr(recipe, name)
        if value != getattr(Recipe(), name):
            found[name] = value
    return found


def plain(value: Any) -> Any:
    """A default as JSON has it."""
    return list(value) if isinstance(value, tuple) else value
