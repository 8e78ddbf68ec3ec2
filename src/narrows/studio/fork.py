"""The model of a run at one of its snapshots: to fork it, and to look at it again."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from narrows.data.scaling import Scaling, plain
from narrows.model import Model
from narrows.readout.graph import graph_of, put_weights
from narrows.recipe import Recipe, build
from narrows.studio.snapshots import read_snapshot
from narrows.train.checkpoint import learned, read_run, read_start
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
