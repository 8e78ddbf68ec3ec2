"""Changes to a recipe as words: "bottleneck.size=64", with errors that list what is possible.

recipe as plain values -> path found, value read -> checked again as a whole -> recipe
"""

import json
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from narrows.errors import NarrowsError, UsageError, unknown
from narrows.recipe import Recipe


def assign(recipe: Recipe, changes: Iterable[str]) -> Recipe:
    """The recipe with changes of the form path=value made, in order.

    A part's kind may be set by its short name ("network=conv"); settings the old kind had and the new one lacks
    fall back to the new one's own.

    Args:
        recipe: What to change.
        changes: Such as "bottleneck.size=64", "network.widths=512,128", "objective.ssim=0.2".

    Raises:
        UsageError: A path or a value that does not exist; the message lists those that do.

    Example:
        >>> assign(Recipe(), ["bottleneck=variational", "bottleneck.size=8"]).bottleneck.beta
        0.1
        >>> assign(Recipe(), ["botleneck.size=8"])
        Traceback (most recent call last):
        narrows.errors.UsageError: unknown setting 'botleneck'; choose from bottleneck, corruption, data, head, \
network, objective, seed, training. Did you mean 'bottleneck'?
    """
    values = recipe.model_dump(mode="json")
    for change in changes:
        path, sign, text = change.partition("=")
        if not sign or not path.strip():
            raise UsageError(f"--set {change!r}", expected="PATH=VALUE, such as bottleneck.size=64", code="usage.set")
        place(values, Recipe, path.strip().split("."), text.strip())
    return parse(values)


def parse(values: dict[str, Any]) -> Recipe:
    """The recipe of plain values; what is wrong with them is said in one sentence.

    Raises:
        UsageError: The first thing that is wrong, with the choices there are.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise explain(error.errors()[0]) from None


def read_value(text: str) -> Any:
    """A value from the command line: JSON where it is JSON, a list where it has commas, else the words.

    Example:
        >>> read_value("64"), read_value("512,128"), read_value("conv"), read_value("none")
        (64, [512, 128], 'conv', None)
    """
    if text.lower() in {"none", "null"}:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [read_value(part.strip()) for part in text.split(",") if part.strip()] if "," in text else text


def read_for(annotation: Any, text: str) -> Any:
    """The value a text stands for in a field: the words themselves where the field takes words.

    Example:
        >>> read_for(Literal["auto", "none"], "none"), read_for(str | None, "none"), read_for(str, "1,2.csv")
        ('none', None, '1,2.csv')
    """
    value, kinds = read_value(text), members(annotation)
    takes_words = any(kind is str or get_origin(kind) is Literal for kind in kinds)
    return text if takes_words and not (isinstance(value, str) or (value is None and NoneType in kinds)) else value


def members(annotation: Any) -> tuple[Any, ...]:
    """What a field may be: the members of a union, or the one type it has."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return tuple(kind for member in get_args(annotation) for kind in members(member))
    return (annotation,)


def place(values: dict[str, Any], owner: type[BaseModel], path: list[str], text: str) -> None:
    """Put the value that a text stands for at a path of nested values that describe an `owner`."""
    name, *rest = path
    if name not in owner.model_fields:
        raise unknown("setting", name, owner.model_fields, code="usage.setting")
    annotation: Any = owner.model_fields[name].annotation
    kinds = kinds_of(annotation)
    if kinds and (not rest or rest == ["kind"]) and not text.startswith("{"):
        values[name] = switch(kinds, values[name], text, name)
    elif not rest:
        value = read_for(annotation, text)
        listed = isinstance(values.get(name, owner.model_fields[name].default), list | tuple)
        values[name] = [value] if listed and not isinstance(value, list) else value
    elif kinds or is_settings(annotation):
        inner: Any = kinds[values[name]["kind"]] if kinds else annotation
        place(values[name], inner, rest, text)
    elif isinstance(values[name], dict):
        values[name][".".join(rest)] = read_value(text)
    else:
        raise UsageError(f"setting {'.'.join(path)!r}", expected=f"{name!r} is a single value", code="usage.setting")


def switch(kinds: dict[str, type[BaseModel]], old: dict[str, Any], kind: str, what: str) -> dict[str, Any]:
    """The settings of another kind, keeping those that both have."""
    if kind not in kinds:
        raise unknown(what, kind, kinds)
    shared = {name: old[name] for name in kinds[kind].model_fields if name in old and name in {"size"}}
    return {**shared, "kind": kind}


def kinds_of(annotation: Any) -> dict[str, type[BaseModel]]:
    """The kinds of a discriminated union by name; empty for anything else."""
    found = members(annotation)
    choices = [kind for kind in found if len(found) > 1 and is_settings(kind) and "kind" in kind.model_fields]
    return {choice.model_fields["kind"].default: choice for choice in choices}


def is_settings(annotation: Any) -> bool:
    """Whether an annotation is a settings class."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def explain(error: ErrorDetails) -> NarrowsError:
    """One validation error of pydantic as one of ours."""
    context, (path, owner) = error.get("ctx", {}), walk(error["loc"])
    dotted = ".".join(path) or "recipe"
    if error["type"] == "extra_forbidden":
        return unknown("setting", path[-1], owner.model_fields, code="usage.setting")
    if error["type"] == "union_tag_invalid":
        expected = str(context["expected_tags"]).replace("'", "").split(", ")
        return unknown(dotted, context["tag"], expected)
    if error["type"] == "literal_error":
        return unknown(
            dotted, error["input"], str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        )
    given = json.dumps(error["input"], default=str)
    wanted = error["msg"].removeprefix("Input should be ").removeprefix("Value should be ")
    return UsageError(f"{dotted}={given[:80]}", expected=wanted, code="usage.value")


def walk(location: Iterable[int | str]) -> tuple[list[str], Any]:
    """The names a person writes for a place in a recipe, and the last settings class on the way.

    Pydantic's own places also name the kind chosen in a union and the number of an item: `--set` takes neither.

    Example:
        >>> walk(("bottleneck", "plain", "size"))[0], walk(("network", "dense", "widths", 0))[0]
        (['bottleneck', 'size'], ['network', 'widths'])
    """
    path: list[str] = []
    owner: Any = Recipe
    annotation: Any = Recipe
    for part in location:
        kinds = kinds_of(annotation)
        if part in kinds:
            annotation = owner = kinds[str(part)]
        elif isinstance(part, str):
            path.append(part)
            if is_settings(annotation):
                owner = annotation
                annotation = owner.model_fields[part].annotation if part in owner.model_fields else None
    return path, owner
