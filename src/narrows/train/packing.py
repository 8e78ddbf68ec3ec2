"""A result as plain bytes and words, and back: what a run folder holds, and what travels inside another's pickle."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as format_safetensors

from narrows.changes import parse
from narrows.errors import DamagedError
from narrows.files import finite, parse_json, write_atomic
from narrows.train.checkpoint import (
    MANIFEST,
    METRICS,
    MODEL,
    RECIPE,
    WEIGHTS,
    describe,
    described,
    empty_model,
    open_run,
    revive,
    write_manifest,
)
from narrows.train.device import Place
from narrows.train.events import Result
from narrows.train.loop import arrange
from narrows.train.run import snapshot
from narrows.train.state import epoch_of, line_of, read_history


def pack(result: Result) -> dict[str, bytes]:
    """The files of a run folder by name: JSON in UTF-8, and the weights as safetensors."""
    about = describe(result.layout, result.scaling, result.model, result.place.as_dict())
    about |= {"seconds": result.seconds, "stopped": result.stopped}
    weights = {name: tensor.cpu() for name, tensor in snapshot(result.model).items()}
    return {
        RECIPE: as_json(result.recipe.model_dump(mode="json")),
        MODEL: as_json(about),
        METRICS: "".join(map(line_of, result.history)).encode(),
        WEIGHTS: format_safetensors(weights),
    }


def as_json(values: Any) -> bytes:
    """JSON-ready values as indented bytes."""
    return (json.dumps(finite(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def unpack(files: dict[str, bytes]) -> Result:
    """The result that `pack` turned into bytes; its folder and its examples are not among them."""
    recipe, about = parse(parse_json(files[RECIPE])), parse_json(files[MODEL])
    layout, scaling = described(about)
    # Copies lie where torch puts them: the alignment of the bytes could change the last bit of a product.
    tensors = {name: tensor.clone() for name, tensor in parse_safetensors(files[WEIGHTS]).items()}
    place = place_here(about["place"])
    model, scaling = revive(empty_model(recipe, layout, scaling), tensors, scaling, place.device)
    history = tuple(map(epoch_of, files[METRICS].splitlines()))
    return Result(arrange(model, recipe), recipe, layout, scaling, history, about["seconds"], about["stopped"], place)


def settled(result: Result) -> Result:
    """The result with its model as `unpack` would build it, so that both compute the same bits."""
    return replace(unpack(pack(result)), folder=result.folder, examples=result.examples)


def write_result(folder: Path, result: Result, more: dict[str, bytes]) -> None:
    """Write a run folder, and last the manifest that vouches for it."""
    files = pack(result)
    (folder / MANIFEST).unlink(missing_ok=True)
    for name, content in {**more, **files}.items():
        write_atomic(folder / name, content)
    write_manifest(folder, {name: sha256(files[name]).hexdigest() for name in (RECIPE, MODEL, WEIGHTS)})


def read_result(folder: Path) -> Result:
    """The result in a run folder, whoever wrote it.

    Raises:
        ModelError: Not a finished run.
        DamagedError: A file that is cut short or altered.
    """
    saved = open_run(folder)
    about, history = saved.about, read_history(folder / METRICS)
    try:
        place = place_here(about["place"])
        seconds = float(about.get("seconds", history[-1].seconds if history else 0))
    except (KeyError, TypeError, ValueError):
        raise DamagedError(f"{folder / MODEL} does not say where its model was trained", step="Train again") from None
    model, stopped = arrange(saved.model.to(place.device), saved.recipe), str(about.get("stopped", "done"))
    return Result(model, saved.recipe, saved.layout, saved.scaling, history, seconds, stopped, place, folder)


def place_here(written: dict[str, Any]) -> Place:
    """The place a model was trained in, as far as this machine has it."""
    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    device = written["device"] if has.get(written["device"], False) else "cpu"
    return Place(device, str(written["route"]), int(written["threads"]))
