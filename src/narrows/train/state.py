"""The state of a run on disk: saved between two steps, taken up again bit for bit."""

import json
import time
from collections.abc import Iterator
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from narrows.errors import DamagedError, EnvironmentProblem, ModelError
from narrows.files import finite, parse_json, sweep, write_atomic
from narrows.recipe import Recipe
from narrows.train.checkpoint import METRICS, MODEL, RESUME, is_finished, read_recipe, read_run, write_weights
from narrows.train.device import Place
from narrows.train.events import Epoch, Notice, Result
from narrows.train.run import Progress, Run, snapshot
from narrows.train.tensors import Kind, kinds, read_tensors, write_tensors

PATIENCE = 20
"""A state is saved again no sooner than after this many times what saving took: it costs a twentieth at most."""

OPTIMISER = ("exp_avg", "exp_avg_sq")
"""What AdamW remembers of each number of a weight."""


class Saver:
    """Decides when the state of a run is written down, and goes on without where the disk refuses.

    Args:
        run: The run.
        every: Seconds between two saved states; more where saving itself is slow.
        steps: Steps after which a state is saved too, or None.
    """

    def __init__(self, run: Run, every: float, steps: int | None = None):
        self.run, self.every, self.pause, self.steps = run, every, every, steps
        self.last, self.mark = time.monotonic(), run.done

    def due(self) -> bool:
        """Whether it is time to save."""
        if self.run.folder is None:
            return False
        by_steps = self.steps is not None and self.run.done - self.mark >= self.steps
        return by_steps or time.monotonic() - self.last >= self.pause

    def save(self) -> Iterator[Notice]:
        """Save the state now; what goes wrong becomes a notice."""
        begin = time.monotonic()
        try:
            save(self.run)
        except EnvironmentProblem as problem:
            yield Notice("unsaved", f"{problem} Training goes on; the state saved before is kept.")
        self.last, self.mark = time.monotonic(), self.run.done
        self.pause = max(self.every, PATIENCE * (self.last - begin))

    def remember(self, epoch: Epoch) -> Iterator[Notice]:
        """Add the line of an epoch to metrics.jsonl; what goes wrong becomes a notice, and is made up for later."""
        try:
            add_line(self.run, epoch)
        except EnvironmentProblem as problem:
            self.run.lines = 0
            yield Notice("unsaved", f"{problem} Training goes on.")


EXAMPLES, EXAMPLE_VALUES = 8, 1_000_000
"""Objects a result keeps to draw itself, and values they may have in all."""


def save(run: Run) -> None:
    """Write the run's state into its folder, if it has one: weights, optimiser, best weights, history, progress.

    Raises:
        EnvironmentProblem: The disk refuses; the state saved before is kept.
    """
    if run.folder is None:
        return
    run.tally()
    tensors = {f"model.{name}": tensor for name, tensor in snapshot(run.model).items()}
    tensors |= {f"best.{name}": tensor for name, tensor in run.best.items()}
    tensors |= {f"optimiser.{name}": tensor.clone() for name, tensor in run.engine.memory().items()}
    # The history may be longer than a header: it goes among the tensors, as bytes.
    text = "".join(map(line_of, run.progress.history)).encode()
    tensors["history"] = torch.from_numpy(np.frombuffer(text, np.uint8).copy())
    write_tensors(run.folder / RESUME, tensors, note_of(run))


def note_of(run: Run) -> dict[str, Any]:
    """What the state says beside its tensors; a loss that is not finite yet is null."""
    said = {name: value for name, value in vars(run.progress).items() if name != "history"}
    return finite({**said, "objects": [len(run.train), len(run.valid)]})


def line_of(epoch: Epoch) -> str:
    """The line of metrics.jsonl for an epoch."""
    return json.dumps(finite(epoch.as_dict()), allow_nan=False) + "\n"


def epoch_of(line: bytes) -> Epoch:
    """The epoch of a line.

    Raises:
        ValueError, TypeError: It is no such line.
    """
    values = parse_json(line)
    if not isinstance(values, dict) or values.pop("event", None) != "epoch":
        raise ValueError("a line that is no epoch")
    return Epoch(**{**values, "train": known(values["train"]), "valid": known(values["valid"])})


def known(terms: dict[str, float | None]) -> dict[str, float]:
    """Terms with what was written as null taken for not a number."""
    return {name: nan if value is None else value for name, value in terms.items()}


def add_line(run: Run, epoch: Epoch) -> None:
    """Add the line of an epoch to metrics.jsonl, unless a run that was killed had written it already."""
    if run.folder is None or epoch.epoch <= run.lines:
        return
    if epoch.epoch > run.lines + 1:
        write_history(run)
        return
    try:
        with (run.folder / METRICS).open("ab") as file:
            file.write(line_of(epoch).encode())
    except OSError as error:
        raise EnvironmentProblem(
            f"{run.folder / METRICS} cannot be written: {error.strerror}", step="Free some space there"
        ) from None
    run.lines += 1


def write_history(run: Run, later: tuple[Epoch, ...] = ()) -> None:
    """Write metrics.jsonl anew: a line an epoch, and those of later epochs that are known already."""
    if run.folder is not None:
        epochs = (*run.progress.history, *later)
        write_atomic(run.folder / METRICS, "".join(map(line_of, epochs)))
        run.lines = len(epochs)


def read_history(path: Path) -> tuple[Epoch, ...]:
    """The epochs of metrics.jsonl, up to the first line that a kill cut short."""
    epochs: list[Epoch] = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            epoch = epoch_of(line)
        except (ValueError, TypeError, KeyError, AttributeError):
            break
        if epoch.epoch != len(epochs) + 1:
            break
        epochs.append(epoch)
    return tuple(epochs)


def recall(folder: Path | None, recipe: Recipe) -> dict[str, Any]:
    """What a run folder says of the run to go on with; empty where it was killed before it said anything.

    Raises:
        ModelError: There is no unfinished run, or it is one of another recipe.
    """
    if folder is None:
        raise ModelError("nothing to resume: no run folder was given", step="Name it with --resume")
    written = read_recipe(folder)
    sweep(folder)
    if is_finished(folder):
        # A kill may have come between the manifest and the end.
        (folder / RESUME).unlink(missing_ok=True)
        raise ModelError(f"no unfinished run in {folder}", step="A finished run needs no resuming")
    if written != recipe:
        raise ModelError(f"the run in {folder} has another recipe", step="Resume without changing the recipe")
    return read_run(folder)[1] if (folder / MODEL).is_file() else {}


def take_up(run: Run, *, exact: bool) -> None:
    """Go on with the run in the run's folder: from the state saved last, or from the first step if there is none.

    Args:
        run: The run, as new.
        exact: Whether the epochs that were done but not saved will come out the same, so that their lines may stay.

    Raises:
        DamagedError: The saved state is cut short, altered, or of another run.
        ModelError: The data are not those of the run.
    """
    assert run.folder is not None
    if (run.folder / RESUME).is_file():
        restore(run, run.folder / RESUME)
    later = read_history(run.folder / METRICS)[run.progress.epoch :] if exact else ()
    write_history(run, later)


def restore(run: Run, path: Path) -> None:
    """Take up a saved state: weights, optimiser, best weights, history, progress."""
    expected = kinds(run.model.state_dict(), "model.") | kinds(run.model.state_dict(), "best.") | memory_kinds(run)
    expected["history"] = Kind(torch.uint8, None)
    try:
        tensors, note = read_tensors(path, expected)
        objects = note.pop("objects")
        del note["sha256"]
        history = [epoch_of(line) for line in tensors["history"].numpy().tobytes().splitlines()]
        best = note.pop("best_loss")
        progress = Progress(**note, history=history, best_loss=inf if best is None else best)
        check_progress(run, progress)
    except (DamagedError, KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, ModelError):
            raise
        raise DamagedError(
            f"{path} cannot be taken up ({str(error)[:200]})",
            step="Remove it and resume again: the run then begins from its first step",
        ) from None
    if objects != [len(run.train), len(run.valid)]:
        raise ModelError(
            f"{len(run.train):,} objects to train on and {len(run.valid):,} to validate",
            expected=f"{objects}, as when the run was saved",
            step="Give the run the data it began with",
        )
    run.model.load_state_dict(strip(tensors, "model."))
    run.best = {name: tensor.to(run.place.device) for name, tensor in strip(tensors, "best.").items()}
    run.progress = progress
    run.engine.recall(strip(tensors, "optimiser."))


def memory_kinds(run: Run) -> dict[str, Kind]:
    """What is expected of the optimiser's memory: two numbers a weight, and the steps made."""
    expected = dict[str, Kind]()
    for name, parameter in run.model.named_parameters():
        shape = tuple(parameter.shape)
        expected |= {f"optimiser.{name}.{key}": Kind(torch.float32, shape) for key in OPTIMISER}
        expected[f"optimiser.{name}.step"] = Kind(torch.float32, ())
    return expected


def check_progress(run: Run, progress: Progress) -> None:
    """Refuse a progress that this run cannot have made.

    Raises:
        ValueError: It is one.
    """
    epoch, step, best = (int(n) for n in (progress.epoch, progress.step, progress.best_epoch))
    within = 0 <= epoch <= run.recipe.training.epochs and 0 <= step <= run.steps and 0 <= best <= epoch
    if not within or len(progress.history) != epoch or not isfinite(progress.seconds):
        raise ValueError(f"step {step} of epoch {epoch + 1} with {len(progress.history)} epochs in the history")


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
        write_history(run)
        write_weights(run.folder, snapshot(run.model))
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
