"""The training loop: reads top to bottom, and says what it does by events.

The randomness of a step depends on the seed and the step's number alone, so a run that goes on after a stop makes
the same numbers as one that was never stopped.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from math import cos, isfinite, pi
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from narrows.data.scaling import fit_scaling
from narrows.errors import InputError, Interrupted, ModelError
from narrows.model import Model
from narrows.objective import Loss, objective
from narrows.recipe import Recipe, Training, build
from narrows.train.checkpoint import describe, read_start, start_from, write_run
from narrows.train.device import Place, keep_memory
from narrows.train.engine import choose_engine
from narrows.train.events import Epoch, Event, Finished, Judging, Notice, Started, Step
from narrows.train.feed import Feed, generator
from narrows.train.lock import locked
from narrows.train.run import Progress, Run, snapshot
from narrows.train.state import Saver, difference, finish, recall, save, take_up
from narrows.train.stopping import Stop, stop_on_signal
from narrows.train.trial import choose_place
from narrows.types import Splits

SAVE_EVERY = 20.0
"""Seconds between two saved states."""

ORDER, NOISE, JUDGE = 1, 2, 3
"""What a source of randomness is for: the order of an epoch, the noise of a step, the noise of a judgement."""

EVALUATION_BATCH = {"dense": 4096, "conv": 256, "lstm": 1024, "unet": 64}


Chooser = Callable[[Recipe, Model, Tensor], Place]
"""Decides the place of a run from its recipe, its model and a batch of scaled objects."""


class Diverged(Exception):
    """The loss or the gradient of a step is not finite; the weights are those before the step."""


def fit(
    recipe: Recipe,
    data: Splits,
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    start: Mapping[str, Tensor] | None = None,
    place: Place | Chooser = choose_place,
    save_every: float = SAVE_EVERY,
    save_steps: int | None = None,
) -> Iterator[Event]:
    """Train an autoencoder; a generator of events, the last one `Finished`.

    Args:
        recipe: What to train.
        data: The objects; only `train` and `valid` are looked at.
        folder: Run folder to write, or None to keep everything in memory.
        resume: Go on with the run in `folder`.
        start: Weights to begin with, by name, in place of those that the seed draws: a fork of another run. They are
            written into the folder. The scaling stays that of the data.
        place: Where and how to compute; or what decides it once, from the recipe, the model and a batch. It is written
            down, and a resumed run is computed as before.
        save_every: Seconds between two saved states; more where saving takes over a twentieth of them.
        save_steps: Steps after which a state is saved too, or None.

    Raises:
        InputError: Too few objects.
        ModelError: `resume` without an unfinished run of this recipe in `folder`, or with a `start`; a `start` that
            is of another model; a `folder` in which another training is under way.
        DamagedError: `resume` with a saved state that is cut short or altered.
        EnvironmentProblem: The disk refuses the first files or the last; while training that is a `Notice`.
        Interrupted: Somebody asked to stop; the run can be resumed.

    Example:
        >>> from narrows.data import load
        >>> from narrows.recipe import recipe_for
        >>> data = load("digits", limit=200)
        >>> recipe = recipe_for(data).with_(training={"epochs": 2, "route": "float32"})
        >>> *events, last = fit(recipe, data)
        >>> [event.epoch for event in last.result.history], last.result.stopped
        ([1, 2], 'done')
    """
    if len(data.train) < 2 or len(data.valid) < 1:
        raise InputError(
            f"{len(data.train)} training objects", expected="at least 2, and 1 to validate", code="input.few"
        )
    keep_memory()
    with ExitStack() as held:
        run, started = begin(recipe, data, Path(folder) if folder else None, resume, place, start, held)
        yield started
        if resume and not run.done:
            yield Notice("restarted", "No state had been saved: the run begins again from its first step.")
        with run.place.scope(), stop_on_signal() as stop:
            try:
                yield from timed(run, epochs(run, stop, Saver(run, save_every, save_steps)))
            except GeneratorExit:
                save(run)
                raise
        result = finish(run)
    yield Finished(result)


def timed(run: Run, events: Iterator[Event]) -> Iterator[Event]:
    """The same events; the time that whoever reads them takes, a pause as well, is none of the training's."""
    for event in events:
        run.tally()
        try:
            yield event
        finally:
            run.since = time.monotonic()


def epochs(run: Run, stop: Stop, saver: Saver) -> Iterator[Event]:
    """Train epoch by epoch, until done, diverged, out of patience or asked to stop."""
    progress, training = run.progress, run.recipe.training
    run.stopped, run.since = "done", time.monotonic()
    while progress.epoch < training.epochs and not out_of_patience(progress, training):
        run.model.train()
        for index in batches(run):
            try:
                loss = advance(run, index)
            except Diverged as problem:
                run.stopped = "diverged"
                yield Notice("diverged", f"Training diverged: {problem}. {rescue(run)}; try a lower training.rate.")
                return
            progress.step += 1
            yield Step(progress.epoch + 1, progress.step, run.steps, loss)
            if stop.asked:
                save(run)
                raise interrupted(run)
            if saver.due():
                yield from saver.save()
        valid = yield from judged(run)
        run.tally()
        epoch = end_epoch(run, valid)
        yield from saver.remember(epoch)
        yield epoch
    if out_of_patience(progress, training):
        run.stopped = "patience"


def rescue(run: Run) -> str:
    """Keep the best weights there are after a divergence, and say which."""
    if run.progress.best_epoch:
        return f"The weights of epoch {run.progress.best_epoch}, the best one, are kept"
    last = snapshot(run.model)
    # Finite slopes may still have carried a weight beyond the largest number.
    if not all(tensor.isfinite().all() for tensor in last.values()):
        return "The weights it began with are kept"
    run.best = last
    return f"The weights after step {run.done} are kept"


def interrupted(run: Run) -> Interrupted:
    """The error of a run that was asked to stop."""
    where = f"training stopped at step {run.done} of {run.recipe.training.epochs * run.steps}"
    return Interrupted(where, step=f"Go on with: narrows train --resume {run.folder}" if run.folder else "")


def begin(
    recipe: Recipe,
    data: Splits,
    folder: Path | None,
    resume: bool,
    place: Place | Chooser,
    start: Mapping[str, Tensor] | None,
    held: ExitStack,
) -> tuple[Run, Started]:
    """Build the parts of a run, new or as the folder remembers them; `held` keeps its folder from other trainers."""
    if resume and start is not None:
        raise ModelError("a resumed run with weights to begin with", step="Resume it as it began, or fork it anew")
    scaling = fit_scaling(data.train.x, data.layout, recipe.data.scaling)
    model = arrange(build(recipe, data.layout, scaling), recipe)
    if resume and folder and folder.is_dir():
        held.enter_context(locked(folder))
    remembered = recall(folder, recipe) if resume else None
    if resume and folder:
        start = read_start(folder, model)
    if start is not None:
        start_from(model, start)
    place = place if isinstance(place, Place) else decide(recipe, model, data, remembered, place)
    model = model.to(place.device)
    run = Run(
        recipe, data.layout, scaling, model, choose_engine(model, recipe, place), place,
        *feeds(model, data, place.device), folder, Progress(), {},
    )  # fmt: skip
    reason = ""
    if remembered:
        reason = difference(remembered, place)
        take_up(run, exact=not reason)
    elif folder:
        if not resume:
            held.enter_context(locked(folder))
        write_run(folder, recipe, describe(data.layout, scaling, model, place.as_dict()), start)
    run.best = run.best or snapshot(model)
    started = Started(
        model.parameters_count, place, recipe.training.epochs, run.steps, run.done, not reason, reason, model, scaling
    )
    return run, started


def feeds(model: Model, data: Splits, device: str) -> tuple[Feed, Feed]:
    """The objects to learn from, and those to judge an epoch by."""
    train, valid = (Feed(split.x, device, model.scaled, ahead=True) for split in (data.train, data.valid))
    return train, valid


def decide(recipe: Recipe, model: Model, data: Splits, remembered: dict[str, Any] | None, choose: Chooser) -> Place:
    """The place of a run: as remembered where this machine can, else chosen on the first batch."""
    if remembered:
        known = {name: remembered["place"][name] for name in ("device", "route", "threads")}
        if known["device"] != "cuda" or torch.cuda.is_available():
            return Place(**known)
    x = model.scaled(torch.from_numpy(np.array(data.train.x[: recipe.training.batch])))
    return choose(recipe, model, x)


def arrange(model: Model, recipe: Recipe) -> Model:
    """Put the weights of picture convolutions in the order the processor reads them: channels last."""
    if recipe.network.kind in {"conv", "unet"} and len(model.shape) == 3:
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def batches(run: Run) -> Iterator[Tensor]:
    """The numbers of the objects of each step of this epoch that is still to come."""
    order = torch.randperm(len(run.train), generator=generator("cpu", run.recipe.seed, ORDER, run.progress.epoch))
    yield from order.split(run.recipe.training.batch)[run.progress.step :]


def advance(run: Run, index: Tensor) -> float:
    """One step: corrupt, reconstruct, compare, improve.

    Raises:
        Diverged: The loss or the gradient is not finite; nothing was changed.
    """
    recipe, training = run.recipe, run.recipe.training
    share = run.done / (training.epochs * run.steps)
    rng = generator(run.place.device, recipe.seed, NOISE, run.done)
    x = run.train.gather(index)
    corrupted, _ = recipe.corruption(x, rng)

    loss = run.engine.compute(corrupted, x, rng, share)
    total, slope = loss.total.item(), run.engine.slope()
    if not (isfinite(total) and isfinite(slope)):
        raise Diverged(f"the loss of step {run.done + 1} is {total:g} and its gradient has norm {slope:g}")
    run.engine.improve(learning_rate(training, share), rng)
    add_up(run.progress.sums, loss, len(index))
    return total


def learning_rate(training: Training, share: float) -> float:
    """The learning rate after a share of the steps: a straight climb, then half a cosine down to zero.

    Example:
        >>> [round(learning_rate(Training(rate=1.0, warm_up=0.1), share), 3) for share in (0, 0.05, 0.1, 0.55, 1)]
        [0.01, 0.505, 1.0, 0.5, 0.0]
    """
    if share < training.warm_up:
        return training.rate * (0.01 + 0.99 * share / training.warm_up)
    return training.rate * 0.5 * (1 + cos(pi * (share - training.warm_up) / (1 - training.warm_up)))


def add_up(sums: dict[str, float], loss: Loss, count: int) -> None:
    """Add the terms of a batch of `count` objects to the sums of its epoch."""
    terms = {"loss": loss.total, **loss.values}
    for name, value in terms.items():
        sums[name] = sums.get(name, 0.0) + value.item() * count


def judged(run: Run) -> Generator[Judging, None, dict[str, float]]:
    """Mean of each term over the validation objects, with the code's noise off and the corruption always the same."""
    feed, sums = run.valid, dict[str, float]()
    for start in range(0, len(feed), size := EVALUATION_BATCH[run.recipe.network.kind]):
        if start:
            yield Judging(start, len(feed))
        evaluate(run, feed, start, min(start + size, len(feed)), sums)
    return {name: total / len(feed) for name, total in sums.items()}


@torch.no_grad()
def evaluate(run: Run, feed: Feed, start: int, end: int, sums: dict[str, float]) -> None:
    """Add the terms of the objects from `start` to `end` to the sums of their set."""
    model, recipe = run.model.eval(), run.recipe
    weights = model.bottleneck.weights(1.0)
    x = feed.gather(torch.arange(start, end))
    corrupted, _ = recipe.corruption(x, generator(run.place.device, recipe.seed, JUDGE, start))
    with run.place.autocast():
        made = model(corrupted)
    add_up(sums, objective(recipe.objective, made.output, x, made.code.penalties, weights), len(x))


def end_epoch(run: Run, valid: dict[str, float]) -> Epoch:
    """Remember the weights if they are the best by their terms on the validation objects, and begin the next epoch."""
    progress, training = run.progress, run.recipe.training
    train = {name: total / len(run.train) for name, total in progress.sums.items()}
    best = valid["loss"] < progress.best_loss
    if best:
        progress.best_loss, progress.best_epoch, run.best = valid["loss"], progress.epoch + 1, snapshot(run.model)
    progress.epoch, progress.step, progress.sums = progress.epoch + 1, 0, {}
    rate = learning_rate(training, progress.epoch / training.epochs)
    epoch = Epoch(progress.epoch, training.epochs, train, valid, rate, progress.seconds, best)
    progress.history.append(epoch)
    return epoch


def out_of_patience(progress: Progress, training: Training) -> bool:
    """Whether the validation loss has not improved for `patience` epochs."""
    return training.patience is not None and progress.epoch - progress.best_epoch >= training.patience
