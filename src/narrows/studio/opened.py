"""A run looked at again: its model at a step, and the objects it shows in the units of its network."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from narrows.data.scaling import Scaling, plain
from narrows.errors import DamagedError
from narrows.files import read_json
from narrows.model import Model
from narrows.readout.graph import graph_of, put_weights
from narrows.recipe import Recipe, build
from narrows.studio.shown import ABOUT, OBJECTS
from narrows.studio.snapshots import read_snapshot, steps_of
from narrows.train.checkpoint import METRICS, is_finished, learned, open_run, read_run, read_start
from narrows.train.state import read_history
from narrows.types import Layout


@torch.no_grad()
def model_at(folder: Path, step: int) -> Model:
    """The model of a run as it was at a snapshot, to be given scaled objects: its own scaling is not set.

    Raises:
        ModelError: No such snapshot, or one of another model.
        DamagedError: A file that is cut short or altered.
    """
    recipe, _, layout, scaling = read_run(folder)
    neutral = Scaling("none", plain(0), plain(1), scaling.low, scaling.high)
    model, kept = build(recipe, layout, neutral), read_snapshot(folder, step)
    put_weights(model, graph_of(recipe, layout, model), kept.weights)
    state = model.state_dict()
    for name, value in kept.rest.items():
        state[name].copy_(torch.from_numpy(np.array(value)))
    return model.eval().requires_grad_(False)


def latest(folder: Path) -> tuple[Model, int]:
    """The model of a run as it is best known, and its step: trained, else at its last snapshot, else as it began.

    It is to be given scaled objects: its own scaling may not be set.

    Raises:
        ModelError: Not the folder of a run.
        DamagedError: A file that is cut short or altered.
    """
    if is_finished(folder):
        return open_run(folder).model, best_step(folder)
    if steps := steps_of(folder):
        return model_at(folder, steps[-1]), steps[-1]
    recipe, _, layout, scaling = read_run(folder)
    return build(recipe, layout, scaling).eval().requires_grad_(False), 0


def best_step(folder: Path) -> int:
    """The step after which a trained run had its best weights; 0 where its history is gone."""
    history = read_history(folder / METRICS)
    best = min(history, key=lambda epoch: epoch.valid["loss"], default=None)
    steps = steps_of(folder)
    if best is None or not steps:
        return 0
    # The last snapshot is that of the last epoch.
    return best.epoch * steps[-1] // len(history)


def model_of(folder: Path, step: int | None) -> tuple[Model, int]:
    """The model of a run at a snapshot, or as it is best known, and its step."""
    return latest(folder) if step is None else (model_at(folder, step), step)


def scaled_objects(folder: Path) -> tuple[dict[str, Any], np.ndarray]:
    """What about.json of a shown set says, and its objects (N, *shape) in the network's units.

    Raises:
        ModelError: No shown set there.
        DamagedError: One that is cut short or altered.
    """
    about = read_json(folder / ABOUT)
    try:
        said, scale = about["objects"], about["graph"]["scale"]
        stored = np.fromfile(folder / OBJECTS, "<f2" if said["dtype"] == "float16" else np.uint8)
        x: np.ndarray = stored.reshape(said["count"], *said["shape"]).astype(np.float32)
        if said["dtype"] == "uint8":
            offset, spread = (np.asarray(scale[name], np.float32) for name in ("offset", "spread"))
            shape = said["shape"]
            x = (x - offset.reshape(shape if offset.ndim else ())) / spread.reshape(shape if spread.ndim else ())
        return about, x
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"{folder} holds no shown objects ({str(error)[:200]})", step="Open the run again") from None


def first_weights(folder: Path, recipe: Recipe, layout: Layout, fork: Path, step: int) -> dict[str, Tensor]:
    """The weights of a fork by name, for `fit(..., start=...)`: those it began with before, else those of a snapshot.

    Args:
        folder: The folder of the fork.
        recipe: Its recipe.
        layout: What one object is.
        fork: The folder of the run it comes from.
        step: The snapshot there.

    Raises:
        ModelError: No such snapshot.
        DamagedError: A file that is cut short or altered.
    """
    own = read_start(folder, build(recipe, layout, Scaling("none", plain(0), plain(1), layout.low, layout.high)))
    if own is not None:
        return own
    return {name: tensor.clone() for name, tensor in learned(model_at(fork, step)).items()}
