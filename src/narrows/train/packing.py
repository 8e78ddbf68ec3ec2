"""A result as plain bytes and words, and back: what a run folder holds, and what travels inside another's pickle."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as format_safetensors

from narrows.assign import parse
from narrows.errors import DamagedError
from narrows.files import write_atomic
from narrows.recipe import build
from narrows.train.checkpoint import JSON_LIMIT, describe, described, open_run, revive
from narrows.train.device import Place
from narrows.train.events import Epoch, Result
from narrows.train.loop import arrange
from narrows.train.run import snapshot

RECIPE, MODEL, WEIGHTS, HISTORY = "recipe.json", "model.json", "weights.safetensors", "metrics.jsonl"


def pack(result: Result) -> dict[str, bytes]:
    """The files of a run folder by name: JSON in UTF-8, and the weights as safetensors."""
    about = describe(result.layout, result.scaling, result.model, result.place.as_dict())
    about |= {"seconds": result.seconds, "stopped": result.stopped}
    weights = {name: tensor.cpu() for name, tensor in snapshot(result.model).items()}
    return {
        RECIPE: as_json(result.recipe.model_dump(mode="json")),
        MODEL: as_json(about),
        HISTORY: "".join(json.dumps(epoch.as_dict()) + "\n" for epoch in result.history).encode(),
        WEIGHTS: format_safetensors(weights),
    }


def as_json(values: Any) -> bytes:
    """JSON-ready values as indented bytes."""
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


def unpack(files: dict[str, bytes]) -> Result:
    """The result that `pack` turned into bytes; its folder and its examples are not among them."""
    recipe, about = parse(json.loads(files[RECIPE])), json.loads(files[MODEL])
    layout, scaling = described(about)
    tensors = parse_safetensors(files[WEIGHTS])
    with torch.device("meta"):
        empty = build(recipe, layout, scaling)
    for name in ("offset", "spread"):
        empty.register_buffer(name, torch.empty(tensors[name].shape, device="meta"))
    place = place_here(about["place"])
    model, scaling = revive(empty, tensors, scaling, place.device)
    history = parse_history(files[HISTORY])
    return Result(arrange(model, recipe), recipe, layout, scaling, history, about["seconds"], about["stopped"], place)


def settled(result: Result) -> Result:
    """The result with its model as `unpack` would build it, so that both compute the same bits."""
    return replace(unpack(pack(result)), folder=result.folder, examples=result.examples)


def write_result(folder: Path, result: Result, more: dict[str, bytes]) -> None:
    """Write a run folder, the weights last: a folder that has them is whole."""
    for name, content in {**more, **pack(result)}.items():
        write_atomic(folder / name, content)


def read_result(folder: Path) -> Result:
    """The result in a run folder, whoever wrote it.

    Raises:
        ModelError: Not a finished run.
        DamagedError: A file that is cut short or altered.
    """
    saved = open_run(folder)
    about, history = saved.about, read_history(folder)
    try:
        place = place_here(about["place"])
        seconds = float(about.get("seconds", history[-1].seconds if history else 0))
    except (KeyError, TypeError, ValueError):
        raise DamagedError(f"{folder / MODEL} does not say where its model was trained", step="Train again") from None
    model, stopped = arrange(saved.model.to(place.device), saved.recipe), str(about.get("stopped", "done"))
    return Result(model, saved.recipe, saved.layout, saved.scaling, history, seconds, stopped, place, folder)


def read_history(folder: Path) -> tuple[Epoch, ...]:
    """The epochs of a run folder; none where it has no metrics.jsonl.

    Raises:
        DamagedError: The file is altered, or too large to be ours.
    """
    path = folder / HISTORY
    if not path.is_file():
        return ()
    try:
        if path.stat().st_size > JSON_LIMIT:
            raise ValueError("too large")
        return parse_history(path.read_bytes())
    except (KeyError, TypeError, ValueError, RecursionError):
        raise DamagedError(f"{path} is not a list of epochs", step="Train again, or remove the file") from None


def parse_history(lines: bytes) -> tuple[Epoch, ...]:
    """The epochs of a metrics.jsonl file."""
    names = [field.name for field in fields(Epoch)]
    written = (json.loads(line) for line in lines.splitlines() if line.strip())
    return tuple(Epoch(**{name: values[name] for name in names}) for values in written)


def place_here(written: dict[str, Any]) -> Place:
    """The place a model was trained in, as far as this machine has it."""
    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    device = written["device"] if has.get(written["device"], False) else "cpu"
    return Place(device, str(written["route"]), int(written["threads"]))
