"""The state of a run on disk: saved between two steps, taken up again bit for bit."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from narrows.errors import DamagedError, ModelError
from narrows.files import write_atomic
from narrows.recipe import Recipe
from narrows.train.checkpoint import read_run, read_tensors, write_tensors
from narrows.train.device import Place
from narrows.train.events import Epoch, Result
from narrows.train.run import Progress, Run, snapshot

RESUME = "resume.safetensors"

EXAMPLES, EXAMPLE_VALUES = 8, 1_000_000
"""Objects a result keeps to draw itself, and values they may have in all."""


def save(run: Run) -> None:
    """Write the run's state into its folder, if it has one: weights, optimiser, best weights, progress."""
    if run.folder is None:
        return
    tensors = {f"model.{name}": tensor for name, tensor in snapshot(run.model).items()}
    tensors |= {f"best.{name}": tensor for name, tensor in run.best.items()}
    tensors |= {f"optimiser.{name}": tensor.clone() for name, tensor in run.engine.memory().items()}
    write_tensors(run.folder / RESUME, tensors, asdict(run.progress))
    write_history(run)


def write_history(run: Run) -> None:
    """Write metrics.jsonl: one line an epoch."""
    if run.folder is not None:
        lines = [json.dumps(epoch.as_dict()) for epoch in run.progress.history]
        write_atomic(run.folder / "metrics.jsonl", "".join(line + "\n" for line in lines))


def recall(folder: Path | None, recipe: Recipe) -> dict[str, Any]:
    """What a run folder says of the run to go on with.

    Raises:
        ModelError: There is no unfinished run, or it is one of another recipe.
    """
    if folder is None:
        raise ModelError("nothing to resume: no run folder was given", step="Name it with --resume")
    written, about, *_ = read_run(folder)
    if not (folder / RESUME).is_file():
        raise ModelError(f"no unfinished run in {folder}", expected=RESUME, step="A finished run needs no resuming")
    if written != recipe:
        raise ModelError(f"the run in {folder} has another recipe", step="Resume without changing the recipe")
    return about


def restore(run: Run) -> None:
    """Take up the state in the run's folder: weights, optimiser, best weights, progress.

    Raises:
        DamagedError: The file is cut short, altered, or of another run.
    """
    assert run.folder is not None
    path = run.folder / RESUME
    tensors, note = read_tensors(path)
    try:
        run.model.load_state_dict(strip(tensors, "model."))
        run.best = {name: tensor.to(run.place.device) for name, tensor in strip(tensors, "best.").items()}
        history = [Epoch(**epoch) for epoch in note["history"]]
        run.progress = Progress(**{**note, "history": history})
        run.engine.recall(strip(tensors, "optimiser."))
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        raise DamagedError(f"{path} does not belong to this run ({str(error)[:200]})", step="Train again") from None


def strip(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def difference(about: dict[str, Any], place: Place) -> str:
    """What differs between the place of a run and this one, in words; "" where the bits will be the same."""
    if place.device != "cpu":
        return f"{place.device} does not fix the order of its sums"
    before, now = about["place"], place.as_dict()
    changed = [f"{name} was {before.get(name)!r}, is {now[name]!r}" for name in now if before.get(name) != now[name]]
    return "; ".join(changed)


def finish(run: Run) -> Result:
    """Put the best weights in place, write them, and remove what only resuming needs."""
    run.engine.release()
    run.model.load_state_dict(run.best)
    run.model.eval().requires_grad_(False)
    if run.folder is not None:
        write_tensors(run.folder / "weights.safetensors", snapshot(run.model))
        write_history(run)
        (run.folder / RESUME).unlink(missing_ok=True)
    progress = run.progress
    return Result(
        run.model, run.recipe, run.layout, run.scaling, tuple(progress.history),
        progress.seconds, run.stopped, run.place, run.folder, examples=examples(run),
    )  # fmt: skip


def examples(run: Run) -> np.ndarray:
    """The first validation objects, raw: as many as a small picture shows, fewer where they are large."""
    most = min(EXAMPLES, EXAMPLE_VALUES // run.layout.values)
    return np.array(run.valid.x[:most])
