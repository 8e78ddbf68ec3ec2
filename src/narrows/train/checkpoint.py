"""The run folder: everything a run is, as readable JSON and plain arrays; never a pickle.

    recipe.json          the recipe
    model.json           format, layout, scaling, head, place: what else the weights need
    metrics.jsonl        one line an epoch
    resume.safetensors   weights, optimiser and counters after the last step written down, with its own SHA-256
    weights.safetensors  the weights of the best epoch
    manifest.json        the SHA-256 of recipe, model and weights; written last: it makes the run a finished one
    report.json          how well it did, beside PCA
    start.safetensors    the weights it began with, where it is a fork of another run

Every file is written beside its place, flushed to the disk and renamed: it is the old one or the new one. Only
metrics.jsonl grows by a line an epoch, and a line that a kill cut short is written anew.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, ValidationError
from torch import Tensor

from narrows.changes import parse
from narrows.data.scaling import Scaling, plain, scaling_shape
from narrows.errors import DamagedError, ModelError, NarrowsError
from narrows.files import read_json, sweep, write_json
from narrows.model import Model
from narrows.recipe import Recipe, build
from narrows.settings import Settings
from narrows.train.tensors import kinds, read_tensors, write_tensors
from narrows.types import Layout

FORMAT = 1
VALUES_LIMIT = 1 << 31
"""Values of one object."""

RECIPE, MODEL, WEIGHTS, MANIFEST = "recipe.json", "model.json", "weights.safetensors", "manifest.json"
METRICS, RESUME, REPORT, START = "metrics.jsonl", "resume.safetensors", "report.json", "start.safetensors"


class ScalingSaid(Settings):
    """What model.json says of the scaling; offset and scale stand with the weights."""

    kind: Literal["unit", "minmax", "standard", "none"]
    low: float | None
    high: float | None


class PlaceSaid(Settings):
    """What model.json says of where and how the weights were computed."""

    device: Literal["cpu", "cuda", "mps"]
    route: Literal["float32", "fast", "bf16"]
    threads: int = Field(ge=1, le=65_536)
    torch: str
    processor: str


class About(Settings):
    """What model.json has to hold."""

    format: Literal[1]
    narrows: str
    parameters: int
    head: str
    layout: Layout
    scaling: ScalingSaid
    place: PlaceSaid
    seconds: float | None = None
    stopped: str | None = None


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


def write_run(folder: Path, recipe: Recipe, about: dict[str, Any], start: Mapping[str, Tensor] | None = None) -> None:
    """Begin a run folder: the recipe and what else its weights need; what an earlier run left there goes first.

    Args:
        folder: Where.
        recipe: What is to be trained.
        about: What `describe` gives.
        start: The weights a fork begins with. They come before the recipe, so that no kill makes another run of it.
    """
    if folder.is_dir():
        sweep(folder)
    for name in (MANIFEST, WEIGHTS, RESUME, METRICS, REPORT, MODEL, START):
        (folder / name).unlink(missing_ok=True)
    if start is not None:
        (folder / RECIPE).unlink(missing_ok=True)
        write_tensors(folder / START, start, {"start": True})
    write_json(folder / RECIPE, recipe.model_dump(mode="json"))
    write_json(folder / MODEL, about)


def read_start(folder: Path, model: Model) -> dict[str, Tensor] | None:
    """The weights that the run in a folder began with, or None where it is no fork.

    Raises:
        ModelError: They are not of this model.
        DamagedError: The file is cut short or altered.
    """
    if not (folder / START).is_file():
        return None
    return read_tensors(folder / START, kinds(learned(model)))[0]


def learned(model: Model) -> dict[str, Tensor]:
    """The tensors of a model that training changes: all but its scaling."""
    return {name: tensor for name, tensor in model.state_dict().items() if name not in {"offset", "spread"}}


@torch.no_grad()
def start_from(model: Model, weights: Mapping[str, Tensor]) -> None:
    """Give a model other first weights.

    Raises:
        ModelError: A name or a shape that is not the model's.
    """
    own = learned(model)
    for name in sorted(own.keys() | weights.keys()):
        shapes = [tuple(tensors[name].shape) if name in tensors else "nothing" for tensors in (weights, own)]
        if shapes[0] != shapes[1]:
            raise ModelError(
                f"weights to begin with that have {name[:80]!r} as {shapes[0]}",
                expected=f"{shapes[1]}, as the recipe says",
                step="Fork with the same network, bottleneck and data",
                code="model.shape",
            )
    for name, tensor in own.items():
        tensor.copy_(weights[name])


def write_weights(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    """Finish a run folder that `write_run` began: the weights, and last the manifest that vouches for all."""
    sums = {name: sha256((folder / name).read_bytes()).hexdigest() for name in (RECIPE, MODEL)}
    sums[WEIGHTS] = write_tensors(folder / WEIGHTS, tensors)
    write_manifest(folder, sums)


def write_manifest(folder: Path, sums: dict[str, str]) -> None:
    """Vouch for the recipe, the description and the weights of a folder by the SHA-256 of each."""
    write_json(folder / MANIFEST, {"format": FORMAT, "sha256": sums})


def is_finished(folder: Path) -> bool:
    """Whether a run folder holds a trained model."""
    return (folder / MANIFEST).is_file()


def read_recipe(folder: Path) -> Recipe:
    """The recipe of a run folder, finished or not.

    Raises:
        ModelError: Not a run folder.
        DamagedError: The recipe is cut short or altered.
    """
    if not folder.is_dir():
        raise ModelError(f"no folder {folder}", expected="one that holds a run", step="Train one with `narrows train`")
    values = read_json(folder / RECIPE)
    if not isinstance(values, dict):
        raise DamagedError(f"{folder / RECIPE} is no recipe", step="Restore the file, or train again")
    return parse(values)


def read_run(folder: Path) -> tuple[Recipe, dict[str, Any], Layout, Scaling]:
    """The recipe, description, layout and (for now neutral) scaling of a run folder."""
    recipe, values = read_recipe(folder), read_json(folder / MODEL)
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise ModelError(f"{folder / MODEL} is not of format {FORMAT}", step="Update narrows, or train again")
    try:
        layout, scaling = described(values)
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"{folder / MODEL} does not describe a model ({error})", step="Train again") from None
    return recipe, values, layout, scaling


def described(about: dict[str, Any]) -> tuple[Layout, Scaling]:
    """The layout and the (for now neutral) scaling that `describe` wrote.

    Raises:
        ValueError: It is not what `describe` writes, or objects that cannot be.
    """
    try:
        read = About.model_validate(about)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))[:80]}: {first['msg'][:200]}") from None
    shape, said = read.layout.shape, read.scaling
    if not 1 <= len(shape) <= 3 or min(shape) < 1 or prod(shape) > VALUES_LIMIT:
        raise ValueError(f"objects of shape {str(shape)[:80]}")
    return read.layout, Scaling(said.kind, plain(0), plain(1), said.low, said.high)


def read_manifest(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a finished run whose recipe and description are readable; those two are checked.

    Raises:
        ModelError: The run is not finished.
        DamagedError: A file that is not the one the run was finished with.
    """
    if not is_finished(folder):
        step = f"Go on with: narrows train --resume {folder}"
        raise ModelError(f"the run in {folder} is not finished", step=step, code="model.unfinished")
    values = read_json(folder / MANIFEST)
    sums = values.get("sha256") if isinstance(values, dict) else None
    if not isinstance(sums, dict) or sorted(sums) != [MODEL, RECIPE, WEIGHTS] or values.get("format") != FORMAT:
        raise DamagedError(f"{folder / MANIFEST} is no manifest", step="Restore the file, or train again")
    for name in (RECIPE, MODEL):
        if sha256((folder / name).read_bytes()).hexdigest() != sums[name]:
            raise DamagedError(
                f"{folder / name} is not the file this run was finished with",
                step="Restore the file, or train again",
                code="damaged.swapped",
            )
    return {name: str(digest) for name, digest in sums.items()}


def open_run(folder: str | os.PathLike[str], device: str = "cpu") -> Saved:
    """Read a trained model: JSON first, then the names, types and shapes of the weights, and the weights last.

    Args:
        folder: The folder of a run.
        device: Where to put the model.

    Raises:
        ModelError: Not a finished run, or files that do not belong together.
        DamagedError: A file that is cut short or altered.
        EnvironmentProblem: A file that cannot be read.
    """
    folder = Path(folder)
    recipe, about, layout, scaling = read_run(folder)
    sums = read_manifest(folder)
    empty = empty_model(recipe, layout, scaling)
    if (about["head"], about["parameters"]) != (empty.head, empty.parameters_count):
        raise ModelError(f"{folder / MODEL} describes another model than {RECIPE}", step="Restore the files")
    tensors, _ = read_tensors(folder / WEIGHTS, kinds(empty.state_dict()), sums[WEIGHTS])
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
    empty.load_state_dict(tensors, assign=True)
    model = empty.to(device).eval().requires_grad_(False)
    model.tie()
    return model, replace(scaling, offset=tensors["offset"].numpy(), scale=tensors["spread"].numpy())


def empty_model(recipe: Recipe, layout: Layout, scaling: Scaling) -> Model:
    """The model of a recipe on the meta device: every name, type and shape, and no memory.

    Raises:
        NarrowsError: The recipe does not fit the objects.
    """
    try:
        with torch.device("meta"):
            model = build(recipe, layout, scaling)
    except NarrowsError:
        raise
    except (RuntimeError, ArithmeticError, TypeError, ValueError) as error:
        raise ModelError(
            f"no model can be built from the recipe ({str(error)[:200]})", step="Restore the file"
        ) from None
    for name in ("offset", "spread"):
        model.register_buffer(name, torch.empty(scaling_shape(scaling.kind, layout.shape), device="meta"))
    return model
