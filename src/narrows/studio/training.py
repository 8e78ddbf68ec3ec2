"""One training of a session: the same `fit` as the command line's, its run folder, and what the page is told of it."""

import contextlib
from collections.abc import Callable, Generator
from functools import partial
from math import prod
from pathlib import Path
from time import perf_counter
from typing import Any

from torch import Tensor

from narrows.changes import parse
from narrows.readout import report
from narrows.readout.graph import REMOTE_FROM, graph_of, span_of
from narrows.recipe import Recipe
from narrows.studio.baseline import baseline_of
from narrows.studio.opened import first_weights
from narrows.studio.outbox import Outbox
from narrows.studio.scene import scene_of
from narrows.studio.screen import Screen
from narrows.studio.sets import is_loaded, read
from narrows.studio.shown import shown, write_about, write_shown
from narrows.studio.snapshots import clear
from narrows.studio.view import View
from narrows.train import Epoch, Event, Finished, Judging, Notice, Place, Result, Started, Step, fit
from narrows.train.checkpoint import RECIPE
from narrows.train.trial import choose_place
from narrows.types import Splits

SPAN_OBJECTS = 2_000
"""Training objects from which the range of values to draw is taken, where they have no bounds."""


class Training:
    """One training: begun, advanced a step at a time, rested, stopped.

    Args:
        order: What the server says of the run.
        outbox: Where to tell of it.
        cores: Threads that training may take.
        part: Share of the session's time that is this training's.
    """

    recipe: Recipe
    data: Splits
    screen: Screen
    events: Generator[Event, None, None]

    def __init__(self, order: dict[str, Any], outbox: Outbox, cores: int, part: float):
        self.order, self.outbox, self.cores, self.part = order, outbox, cores, part
        self.id, self.folder, self.shown = str(order["id"]), Path(order["folder"]), Path(order["shown"])
        self.said = ("", "")
        self.is_alive, self.is_begun = True, False
        self.step = self.epoch = self.rounds = self.best = self.last = 0
        self.seconds, self.wish = 0.0, (True, 0.0)
        self.valid: float | None = None
        self.place: Place | None = None
        self.result: Result | None = None

    def say(self, event: str, **values: Any) -> None:
        """Tell the server something of this run."""
        self.outbox.say({"event": event, "id": self.id, **values})

    def tell(self, state: str, why: str = "") -> None:
        """Tell the state of the run, if it is another."""
        if (state, why) != self.said:
            self.said = (state, why)
            self.say("state", state=state, why=why)

    def begin(self, leave: Callable[[], bool]) -> None:
        """Load the data, build the parts, write the shown set, and show the untrained model.

        Args:
            leave: Whether to leave it at that; asked while the data are read, and before each other part.

        Raises:
            NarrowsError: The recipe or the data cannot be.
        """
        self.recipe = parse(self.order["recipe"])
        data = self.load(leave)
        if data is None or leave():
            return
        self.data = data
        resume = bool(self.order.get("resume")) and (self.folder / RECIPE).is_file()
        start = None if resume else self.start()
        # Trying what computes fastest would keep whoever watches waiting, longest for the slowest models.
        place = partial(choose_place, routes=["float32"], most=self.cores)
        self.events = fit(  # type: ignore[assignment]
            self.recipe, self.data, folder=self.folder, resume=resume, start=start, place=place
        )
        self.tell("starting", "The network is being built.")
        started = next(self.events)
        assert isinstance(started, Started)
        if leave():
            self.events.close()
        else:
            self.introduce(started)

    def load(self, leave: Callable[[], bool]) -> Splits | None:
        """The data, with a word on what takes time; None if `leave` says so before they are there."""
        settings, source = self.recipe.data, str(self.order["source"])
        self.tell("starting", "" if is_loaded(settings, source) else f"The data are being read: {settings.name}.")

        def progress(done: int, total: int | None) -> None:
            whole = f" of {total / 1e6:.0f}" if total else ""
            self.tell("starting", f"{settings.name} is being downloaded: {done / 1e6:.0f}{whole} MB.")

        return read(settings, source, progress, leave)

    def start(self) -> dict[str, Tensor] | None:
        """The weights a fork begins with."""
        fork = self.order.get("start")
        if not fork:
            return None
        return first_weights(self.folder, self.recipe, self.data.layout, Path(fork["folder"]), int(fork["step"]))

    def introduce(self, started: Started) -> None:
        """Write the shown set, tell that the run has begun, and show it."""
        recipe, data, model, scaling = self.recipe, self.data, started.model, started.scaling
        assert model is not None
        assert scaling is not None
        self.scaling, self.size = scaling, prod(model.code_shape)
        self.place, self.steps = started.place, started.steps
        self.step, self.epoch = started.resumed_at, started.resumed_at // started.steps
        clear(self.folder, after=self.step if self.step else -1)
        limit = int(self.order.get("graph_limit") or REMOTE_FROM)
        graph = graph_of(recipe, data.layout, model, span=span_of(scaling, data.train.x[:SPAN_OBJECTS]), limit=limit)
        self.chosen = chosen = shown(data, scaling)
        with started.place.scope():
            view = View(model, recipe, graph, chosen)
        counts = {name: len(getattr(data, name)) for name in ("train", "valid", "test")}
        self.about = {"graph": graph, "counts": counts, "sample_count": view.count, "notes": data.notes}
        write_shown(self.shown, chosen, self.about, scene_of(data))
        self.say(
            "started", epochs=started.epochs, steps=started.steps, step=self.step, parameters=started.parameters,
            place=started.place.as_dict(), counts=counts, notes=data.notes,
        )  # fmt: skip
        if started.reason:
            self.say("notice", code="inexact", sentence=f"Resumed, but not to the last bit: {started.reason}.")
        total = started.steps * started.epochs
        self.screen = Screen(self.id, self.folder, view, self.outbox, total, recipe.training.batch, self.part)
        self.is_begun = True

    def want(self, wanted: bool, rate: float) -> None:
        """Whether somebody looks, and how often a second at most."""
        self.wish = (wanted, rate)
        if self.is_begun:
            self.screen.want(wanted, rate)

    def run(self) -> None:
        """Tell that training begins, and show the model as it is."""
        self.screen.want(*self.wish)
        self.screen.hurry()
        self.screen.look(self.step, self.epoch, self.valid, self.seconds)
        self.tell("running")

    def go(self, leave: Callable[[], bool], *, on: bool = False) -> None:
        """Make one step, or with `on` as many as come before something may be due; then tell and show what is."""
        self.advance(leave)
        while on and self.is_alive and perf_counter() < self.screen.next and not leave():
            self.advance(leave)
        if self.is_alive:
            self.screen.look(self.step, self.epoch, self.valid, self.seconds)

    def advance(self, leave: Callable[[], bool]) -> None:
        """Make one step and what comes before it; a long judgement of an epoch is left where `leave` says so."""
        begin = perf_counter()
        for event in self.events:
            self.hear(event)
            if isinstance(event, Step | Finished):
                self.rounds += 1
                break
            if isinstance(event, Judging) and leave():
                break
        self.seconds += perf_counter() - begin

    def hear(self, event: Event) -> None:
        """Tell what happened."""
        if isinstance(event, Step):
            self.step = (event.epoch - 1) * event.steps + event.step
            self.screen.curve.add(self.step, event.loss)
        elif isinstance(event, Epoch):
            self.judged(event)
        elif isinstance(event, Notice):
            self.say("notice", code=event.code, sentence=event.sentence)
        elif isinstance(event, Finished):
            self.finish(event.result)

    def judged(self, epoch: Epoch) -> None:
        """Tell how an epoch went; the last one is kept as it is, for the best one's weights come after it."""
        self.epoch, self.valid, self.seconds = epoch.epoch, epoch.valid["loss"], epoch.seconds
        self.best = epoch.epoch if epoch.best else self.best
        self.say(
            "epoch", epoch=epoch.epoch, step=self.step, train=epoch.train, valid=epoch.valid, best=epoch.best,
            seconds=epoch.seconds,
        )  # fmt: skip
        patience = self.recipe.training.patience
        if epoch.epoch == epoch.epochs or (patience is not None and epoch.epoch - self.best >= patience):
            self.screen.keep(self.step, self.epoch, self.valid)

    def rest(self, leave: Callable[[], bool]) -> None:
        """Tell that the training is paused, and show all of it unless `leave` says so before."""
        self.screen.progress(self.step, self.epoch, self.seconds)
        self.tell("paused")
        self.screen.keep(self.step, self.epoch, self.valid)
        self.screen.whole(self.step, leave)

    def wake(self) -> None:
        """Go on after a pause."""
        self.screen.wake()
        self.tell("running")

    def stop(self) -> None:
        """Stop, so that the training can be resumed."""
        if self.is_begun:
            self.screen.progress(self.step, self.epoch, self.seconds)
            self.screen.keep(self.step, self.epoch, self.valid)
            self.events.close()
        self.is_alive = False
        self.tell("stopped")

    def finish(self, result: Result) -> None:
        """Show the best weights, and tell how it ended."""
        self.result, self.is_alive = result, False
        self.screen.progress(self.step, self.epoch, self.seconds)
        self.screen.whole(self.best * self.steps if self.best else self.step, leave=lambda: False)
        self.tell("diverged" if result.stopped == "diverged" else "done")

    def fail(self, why: str) -> None:
        """Tell that the training cannot go on; what it had saved stays."""
        self.is_alive = False
        if self.is_begun:
            with contextlib.suppress(Exception):
                self.events.close()
        self.tell("failed", why)

    def compare(self) -> None:
        """Find out how well methods that need no training do, and tell it."""
        found = baseline_of(self.recipe, self.data, self.scaling, self.size)
        if self.shown.is_dir():
            write_about(self.shown, self.chosen, self.about | {"baseline": found})
        self.say("baseline", baseline=found)

    def settle(self) -> None:
        """Wait until its snapshots are written."""
        if self.is_begun:
            self.screen.keeper.settle()

    @property
    def owed(self) -> Callable[[], None] | None:
        """The report that is still to be written."""
        return None if self.result is None else partial(judge, self.id, self.result, self.data, self.outbox)


def judge(run: str, result: Result, data: Splits, outbox: Outbox) -> None:
    """Write the report of a run, and tell it."""
    outbox.say({"event": "report", "id": run, "report": report(result, data).as_dict()})
