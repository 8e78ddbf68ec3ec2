"""The run folder: everything a run is, as readable JSON and plain arrays; never a pickle.

    recipe.json          the recipe
    model.json           format, layout, scaling, head, place: what else the weights need
    weights.safetensors  the weights of the best epoch
    resume.safetensors   weights, optimiser and counters after the last step written down
    metrics.jsonl        one line an epoch
    report.json          how well it did, beside PCA

Every file is written beside its place, flushed to the disk and renamed: it is the old one or the new one.
"""

import json
import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as format_safetensors
from torch import Tensor

from narrows.assign import parse
from narrows.data.scaling import Scaling, plain
from narrows.errors import DamagedError, ModelError
from narrows.files import write_atomic
from narrows.model import Model
from narrows.recipe import Recipe, build
from narrows.types import Layout

FORMAT = 1
JSON_LIMIT = 16 << 20
HEADER_LIMIT = 16 << 20


@dataclass(frozen=True, eq=False)
class Saved:
    """A trained model read from its run folder."""

    model: Model
    recipe: Recipe
    layout: Layout
    scaling: Scaling
    folder: Path
    about: dict[str, Any]

    def _repr_html_(self) -> str:
        from narrows.train.show import saved_card

        return saved_card(self)


def write_json(path: Path, values: Any) -> None:
    """Write JSON-ready values, indented, in one piece."""
    write_atomic(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of ours.

    Raises:
        ModelError: There is no such file.
        DamagedError: It is not JSON, or too large to be ours.
    """
    if not path.is_file():
        raise ModelError(
            f"no {path.name} in {path.parent}",
            expected="the folder of a run",
            step="Give the folder `narrows train --out` wrote",
        )
    if path.stat().st_size > JSON_LIMIT:
        raise DamagedError(f"{path} of {path.stat().st_size:,} bytes", expected=f"at most {JSON_LIMIT:,}")
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is not readable JSON ({error})", step="Train again, or restore the file") from None


def write_tensors(path: Path, tensors: dict[str, Tensor], note: dict[str, Any] | None = None) -> None:
    """Write named tensors, and JSON-ready values beside them, as one safetensors file."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomic(path, format_safetensors(plain, {"note": json.dumps(note)} if note else None))


def read_header(path: Path) -> dict[str, Any]:
    """The header of a safetensors file, checked against the size of the file before anything is allocated."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(HEADER_LIMIT, size - 8):
                raise DamagedError(f"{path} says its header has {length:,} bytes, of {size:,} in all")
            header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    except FileNotFoundError:
        raise ModelError(f"no {path.name} in {path.parent}", expected="the folder of a finished run") from None
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, DamagedError):
            raise
        raise DamagedError(f"{path} has no readable header", step="Train again, or restore the file") from None
    if 8 + length + max(ends, default=0) != size:
        raise DamagedError(f"{path} has {size:,} bytes", expected=f"{8 + length + max(ends, default=0):,}")
    return header


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Named tensors of a safetensors file, and the values beside them."""
    note = read_header(path).get("__metadata__", {}).get("note", "{}")
    try:
        return parse_safetensors(path.read_bytes()), json.loads(note)
    except (SafetensorError, ValueError) as error:
        raise DamagedError(f"{path} cannot be read ({error})", step="Train again, or restore the file") from None


def check_shapes(model: Model, path: Path) -> None:
    """Compare the shapes in a file with those the recipe asks for, before anything is read."""
    header = {name: entry for name, entry in read_header(path).items() if name != "__metadata__"}
    expected = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: entry.get("shape") for name, entry in header.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ModelError(
                f"{path.name} has {name} of shape {found.get(name)}",
                expected=f"{expected.get(name)}, as the recipe beside it says",
                step="The files of this folder do not belong together",
                code="model.shape",
            )


def describe(layout: Layout, scaling: Scaling, model: Model, place: dict[str, Any]) -> dict[str, Any]:
    """What model.json holds."""
    from narrows import __version__

    return {
        "format": FORMAT,
        "narrows": __version__,
        "parameters": model.parameters_count,
        "head": model.head,
        "layout": layout.as_dict(),
        "scaling": {"kind": scaling.kind, "low": scaling.low, "high": scaling.high},
        "place": place,
    }


def write_run(folder: Path, recipe: Recipe, about: dict[str, Any]) -> None:
    """Begin a run folder: the recipe and what else its weights need."""
    write_json(folder / "recipe.json", recipe.model_dump(mode="json"))
    write_json(folder / "model.json", about)


def read_run(folder: Path) -> tuple[Recipe, dict[str, Any], Layout, Scaling]:
    """The recipe, description, layout and (for now neutral) scaling of a run folder."""
    if not folder.is_dir():
        raise ModelError(f"no folder {folder}", expected="the folder of a run", step="Train one with `narrows train`")
    recipe, about = parse(read_json(folder / "recipe.json")), read_json(folder / "model.json")
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ModelError(f"{folder / 'model.json'} is not of format {FORMAT}", step="Update narrows, or train again")
    try:
        layout, scaling = described(about)
    except (KeyError, TypeError, ValueError):
        raise DamagedError(f"{folder / 'model.json'} does not describe a model", step="Train again") from None
    return recipe, about, layout, scaling


def described(about: dict[str, Any]) -> tuple[Layout, Scaling]:
    """The layout and the (for now neutral) scaling that `describe` wrote."""
    kind, low, high = (about["scaling"][name] for name in ("kind", "low", "high"))
    return Layout.from_dict(about["layout"]), Scaling(offset=plain(0), scale=plain(1), low=low, high=high, kind=kind)


def open_run(folder: str | os.PathLike[str], device: str = "cpu") -> Saved:
    """Read a trained model: JSON first, then shapes, and the weights last.

    Args:
        folder: The folder of a run.
        device: Where to put the model.

    Raises:
        ModelError: Not a run folder, or files that do not belong together.
        DamagedError: A file that is cut short or altered.
    """
    folder = Path(folder)
    recipe, about, layout, scaling = read_run(folder)
    weights = folder / "weights.safetensors"
    with torch.device("meta"):
        empty = build(recipe, layout, scaling)
    header = read_header(weights)
    for name in ("offset", "spread"):
        shape = header.get(name, {}).get("shape")
        empty.register_buffer(name, torch.empty(shape or [], device="meta"))
    check_shapes(empty, weights)
    tensors, _ = read_tensors(weights)
    if not all(tensor.isfinite().all() for tensor in tensors.values() if tensor.is_floating_point()):
        raise DamagedError(f"{weights} holds numbers that are not finite", step="Train again")
    model, scaling = revive(empty, tensors, scaling, device)
    return Saved(model, recipe, layout, scaling, folder, about)


def revive(empty: Model, tensors: dict[str, Tensor], scaling: Scaling, device: str) -> tuple[Model, Scaling]:
    """A model without memory given its weights, ready for use, and the scaling that is among them.

    Args:
        empty: The model of the recipe, on the meta device.
        tensors: Its weights by name.
        scaling: The kind and the bounds; offset and scale are in `tensors`.
        device: Where to put the model.
    """
    # Copies lie where torch puts them: the alignment of a file's bytes could change the last bit of a product.
    empty.load_state_dict({name: tensor.clone() for name, tensor in tensors.items()}, assign=True)
    model = empty.float().to(device).eval().requires_grad_(False)
    model.tie()
    return model, replace(scaling, offset=tensors["offset"].numpy(), scale=tensors["spread"].numpy())
