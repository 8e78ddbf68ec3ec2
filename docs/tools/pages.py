"""Pages written from the code: the command line from what --help says, the recipe from its JSON Schema."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

Schema = dict[str, Any]

COMMANDS = """# Command line

Every command, with what `narrows COMMAND --help` says. This page is made from the code when the site is built.

"""

RECIPE = """# Recipe

    data -> corruption -> encoder -> bottleneck -> decoder -> objective

Every setting there is. `--set PATH=VALUE` changes one ([how](../howto/recipe.md)), `recipe.json` in a run folder holds
them all, and a name or a value that does not exist is refused with those that do. This page is made from the JSON
Schema, which `narrows info --schema` prints.
"""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def commands_page() -> str:
    """Every command of `narrows` with its arguments and options."""
    import typer.main

    from narrows.cli.app import app

    return COMMANDS + "".join(describe_command(*named) for named in commands_of(typer.main.get_command(app)))


def commands_of(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command below a group by its words, those below a command right after it."""
    for name, command in getattr(group, "commands", {}).items():
        yield before + name, command
        yield from commands_of(command, f"{before}{name} ")


def describe_command(name: str, command: Any) -> str:
    """One command: its sentence, its usage, its table."""
    places = [p for p in command.params if not p.opts[0].startswith("-")]
    words = [p.opts[0].upper() if p.required else f"[{p.opts[0].upper()}]" for p in places]
    usage = " ".join(["narrows", name, *words, "[OPTIONS]"])
    rows = [describe_option(parameter) for parameter in command.params]
    return f"\n## {name}\n\n{command.help}\n\n```text\n{usage}\n```\n\n" + table(["", "default", "meaning"], rows)


def describe_option(parameter: Any) -> list[str]:
    """A row for an argument or an option: name, default, meaning and range."""
    name = " / ".join([parameter.opts[0], *parameter.secondary_opts])
    if not name.startswith("-"):
        name = name.upper()
    low, high = getattr(parameter, "min", None), getattr(parameter, "max", None)
    limits = {(True, True): f" From {low} to {high}.", (True, False): f" At least {low}."}
    default = parameter.default
    shown = default is not None and not getattr(parameter, "is_flag", False)
    limit = limits.get((low is not None, high is not None), "")
    return [f"`{name}`", f"`{default}`" if shown else "", parameter.help + limit]


def recipe_page() -> str:
    """Every setting of a recipe: path, type, range, default and meaning."""
    from narrows.recipe import Recipe

    schema = Recipe.model_json_schema()
    single = {name: field for name, field in schema["properties"].items() if not kinds_of(field, schema)}
    plain = {name: field for name, field in single.items() if "$ref" not in field}
    parts = [describe_part(name, field, schema) for name, field in schema["properties"].items() if name not in plain]
    rest = "\n## The rest\n\n" + fields_table("", plain)
    return RECIPE + "".join(parts) + rest


def describe_part(name: str, field: Schema, schema: Schema) -> str:
    """One part of the recipe: its only kind, or a section for each of its kinds."""
    head = f"\n## {name}\n\n{field.get('description', '')}\n\n"
    kinds = kinds_of(field, schema)
    if not kinds:
        return head + fields_table(f"{name}.", target(field, schema)["properties"])
    default = kind_of(field.get("default"))
    sections = []
    for kind, settings in kinds.items():
        fields = {key: value for key, value in settings["properties"].items() if key != "kind"}
        mark = " (the default)" if kind == default else ""
        written = f"\n### {kind}\n\n{settings['description']}{mark}\n\n`--set {name}={kind}`\n\n"
        sections.append(written + (fields_table(f"{name}.", fields) if fields else ""))
    return head + "".join(sections)


def kind_of(value: Any) -> Any:
    """The kind that a default of a part has."""
    return value.get("kind") if isinstance(value, dict) else None


def target(field: Schema, schema: Schema) -> Schema:
    """The definition a field points at."""
    return schema["$defs"][field["$ref"].rpartition("/")[2]]


def kinds_of(field: Schema, schema: Schema) -> dict[str, Schema]:
    """The definitions of the kinds of a part by name; none for anything else."""
    mapping = field.get("discriminator", {}).get("mapping", {})
    return {kind: schema["$defs"][ref.rpartition("/")[2]] for kind, ref in mapping.items()}


def fields_table(prefix: str, fields: dict[str, Schema]) -> str:
    """A table of settings."""
    rows = (
        [f"`{prefix}{name}`", type_of(field), f"`{json.dumps(field.get('default'))}`", field.get("description", "")]
        for name, field in fields.items()
    )
    return table(["setting", "type and range", "default", "meaning"], rows)


def type_of(field: Schema) -> str:
    """What a value may be, in words.

    Example:
        >>> type_of({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]})
        'whole number, at least 1; or none'
    """
    if "anyOf" in field:
        kinds = [type_of(kind) for kind in field["anyOf"] if kind.get("type") != "null"]
        return "; ".join([*kinds, "or none"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field["type"] == "array":
        return f"list of: {type_of(field['items'])}{length_of(field)}"
    if field["type"] == "object":
        return f"name to: {type_of(field['additionalProperties'])}"
    names = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}
    return ", ".join([names[field["type"]], *limits_of(field)])


def limits_of(field: Schema) -> list[str]:
    """The limits of a number."""
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    return [f"{word} {field[key]:,}" for key, word in words.items() if key in field]


def length_of(field: Schema) -> str:
    """The limits of the length of a list."""
    words = [
        f"{word} {field[key]}" for key, word in (("minItems", "at least"), ("maxItems", "at most")) if key in field
    ]
    return f" ({' and '.join(words)} of them)" if words else ""


GENERATED = {"reference/commands.md": commands_page, "reference/recipe.md": recipe_page}
"""Pages that no file holds: their place in the docs, and what writes them."""
