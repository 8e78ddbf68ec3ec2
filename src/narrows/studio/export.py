"""A trained run as one HTML file that hovers, drags, decodes and explains from where it lies, with no server.

It carries the page's own modules, the weights as float16, and objects of the shown set with their places: as they are
stored where they are bytes, else as float16.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np
import torch

from narrows.data.scaling import Scaling, fit_scaling
from narrows.errors import LimitError, ModelError
from narrows.files import finite, write_atomic
from narrows.model import Model
from narrows.readout.apply import encode
from narrows.readout.graph import REMOTE_FROM, graph_of, span_of, weights_of
from narrows.readout.latent import project
from narrows.recipe import Recipe
from narrows.studio.baseline import baseline_of
from narrows.studio.frames import places, points_frame, tiles, tiles_frame, weights_frame
from narrows.studio.onefile import Part, one_file
from narrows.studio.opened import latest
from narrows.studio.sayings import command, python
from narrows.studio.shown import EXAMPLES, Shown, facts, half, shown
from narrows.studio.training import SPAN_OBJECTS
from narrows.studio.view import corrupted
from narrows.train.checkpoint import METRICS, is_finished, open_run, read_run
from narrows.train.events import Epoch
from narrows.train.state import read_history
from narrows.types import Splits

MOST, MOST_BYTES = 10_000, 8_000_000
"""Objects of a file, and bytes they may have before they are packed."""

RUN = "exported"
"""The id by which the page of a file knows its run."""


@dataclass(frozen=True)
class OneFile:
    """What a file holds.

    Args:
        bytes: Its size.
        objects: Objects in it.
        of: Objects there would be to show.
        numbers: Numbers of the model.
    """

    bytes: int
    objects: int
    of: int
    numbers: int

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON-ready values."""
        return asdict(self)


def export(
    folder: Path,
    load: Callable[[Recipe], Splits],
    out: Path | None,
    *,
    name: str = "",
    tsne: bool = False,
    tell: Callable[[OneFile], None] = lambda made: None,
) -> OneFile:
    """Write a run as one HTML file.

    Args:
        folder: The folder of the run.
        load: Gives the data of its recipe.
        out: Where to write it; None writes nothing.
        name: What the page calls the run; the name of its folder if left out.
        tsne: Whether the places by t-SNE are in it too, beside those in the code's own plane: it takes a while.
        tell: Called with what the file holds before it is written.

    Raises:
        ModelError: Not the folder of a run, or data of another shape.
        LimitError: A model too large to run in a page.
        NarrowsError: The data cannot be loaded.
    """
    recipe, _, layout, _ = read_run(folder)
    data = load(recipe)
    if data.layout.shape != layout.shape:
        raise ModelError(f"data of shape {data.layout.shape}", expected=f"{layout.shape}, as the run was trained on")
    model, scaling, step = trained(folder, recipe, data)
    every = shown(data, scaling)
    chosen = Shown(data.layout, every.split.take(slice(affordable(every))), scaling)
    span = span_of(scaling, data.train.x[:SPAN_OBJECTS])
    graph = graph_of(recipe, data.layout, model, span=span, limit=REMOTE_FROM)
    if graph["remote"]:
        raise LimitError(
            f"a model of {graph['count']:,} numbers",
            expected=f"at most {REMOTE_FROM:,} for a file that runs in a page",
            step="Hand it on with: narrows export",
            code="limit.parameters",
        )
    name = name or folder.resolve().name
    run = told(folder, recipe, data, name, step) | {"graph": graph, "sample_count": len(chosen), **facts(chosen)}
    run["baseline"] = baseline_of(recipe, data, scaling, prod(model.code_shape))
    about = finite({"run": run, "where": chosen.where(), "of": len(every)})
    content = one_file(f"{name} · narrows", about, parts_of(model, recipe, graph, chosen, step, tsne))
    made = OneFile(len(content), len(chosen), len(every), graph["count"])
    tell(made)
    if out is not None:
        write_atomic(out, content)
    return made


def trained(folder: Path, recipe: Recipe, data: Splits) -> tuple[Model, Scaling, int]:
    """The model of a run as it is best known, its scaling set, and its step."""
    model, step = latest(folder)
    if is_finished(folder):
        return model, open_run(folder).scaling, step or best(folder) * steps_of(recipe, data)
    scaling = fit_scaling(data.train.x, data.layout, recipe.data.scaling)
    model.offset, model.spread = torch.as_tensor(scaling.offset), torch.as_tensor(scaling.scale)
    return model, scaling, step


def best(folder: Path) -> int:
    """The epoch with the lowest validation error, whose weights a finished run has; 0 where its history is gone."""
    epochs = sorted(read_history(folder / METRICS), key=lambda epoch: epoch.valid["loss"])
    return epochs[0].epoch if epochs else 0


def steps_of(recipe: Recipe, data: Splits) -> int:
    """Steps of an epoch."""
    return ceil(len(data.train) / recipe.training.batch)


def affordable(chosen: Shown) -> int:
    """How many of the first objects have room in a file."""
    size = prod(chosen.layout.shape) * (1 if chosen.stored else 2)
    return min(len(chosen), MOST, max(1, MOST_BYTES // size))


def parts_of(
    model: Model, recipe: Recipe, graph: dict[str, Any], chosen: Shown, step: int, tsne: bool
) -> dict[str, Part]:
    """The bytes of a file: objects, classes, places, weights, the first objects as they go in, and what comes out."""
    raw = np.asarray(chosen.split.x)
    codes = encode(model, raw).reshape(len(chosen), -1)
    with torch.no_grad():
        seen = corrupted(recipe, model.scaled(torch.from_numpy(raw[:EXAMPLES])))
        output = model(seen).output.numpy()
    inputs = {} if recipe.corruption.kind == "none" else {"inputs": Part(half(seen.numpy()).tobytes(), 2)}
    planes = {"points": "auto", "tsne": "tsne"} if tsne else {"points": "auto"}
    return {
        "objects": Part(chosen.objects().tobytes(), 1 if chosen.stored else 2),
        "labels": Part(chosen.labels().tobytes(), 2),
        "weights": Part(weights_frame(step, weights_of(model, graph)), 2),
        "tiles": Part(tiles_frame(step, tiles(output, graph["low"], graph["high"]))),
        **inputs,
        **{part: Part(placed(codes, plane, step), 2) for part, plane in planes.items()},
    }


def placed(codes: np.ndarray, plane: str, step: int) -> bytes:
    """The frame of codes (N, K) on a plane."""
    projection, found = project(codes, plane, seed=0)
    return points_frame(step, places(found), projection, complete=True)


def told(folder: Path, recipe: Recipe, data: Splits, name: str, step: int) -> dict[str, Any]:
    """What the page is told of the run, as the studio's own page is; no path of this machine is in it."""
    public = recipe.with_(data=recipe.data.with_(name=Path(recipe.data.name).name))
    epochs = read_history(folder / METRICS)
    return {
        "id": RUN,
        "name": name,
        "state": "done",
        "recipe": public.model_dump(mode="json"),
        "command": command(public),
        "python": python(public),
        "counts": {part: len(getattr(data, part)) for part in ("train", "valid", "test")},
        "epoch": len(epochs),
        "epochs": len(epochs),
        "step": step,
        "snapshots": [],
        "history": course(epochs, steps_of(recipe, data)),
    }


def course(epochs: Sequence[Epoch], steps: int) -> dict[str, Any]:
    """The errors of each epoch of so many steps, as the studio tells the course of a run."""
    step, train = [epoch.epoch * steps for epoch in epochs], [epoch.train["loss"] for epoch in epochs]
    valid, number = [epoch.valid["loss"] for epoch in epochs], [epoch.epoch for epoch in epochs]
    return {"step": step, "loss": train, "epochs": {"epoch": number, "step": step, "train": train, "valid": valid}}
