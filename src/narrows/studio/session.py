"""A session: one to four trainings in lockstep, on the same batches and seed, until all have ended.

    start -> data -> fit begun, shown set written -> a step of each, again and again -> ended
                                                     |
                        commands are obeyed between any two steps; frames, progress and snapshots are made beside

A pause is not calling `next`. All trainings make as many steps before a pause, so they stay together.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from time import perf_counter, sleep
from typing import Any

from narrows.errors import NarrowsError
from narrows.studio.baseline import beside
from narrows.studio.failure import problem_of
from narrows.studio.outbox import Outbox
from narrows.studio.training import Training
from narrows.train import Place

FIRST_FRAMES = 0.5
"""Seconds in which nothing else is worked out, so that the first frames come at once."""

Item = tuple[dict[str, Any], list[bytes]]


class Session:
    """Trainings side by side.

    Args:
        order: The server's "start".
        inbox: What the server says next.
        outbox: Where to answer.
    """

    def __init__(self, order: dict[str, Any], inbox: "SimpleQueue[Item]", outbox: Outbox):
        self.inbox, runs = inbox, order["runs"]
        self.runs = [Training(run, outbox, max(1, int(order["cores"])), 1 / len(runs)) for run in runs]
        self.paused, self.singles, self.stopped = bool(order.get("paused")), 0, False
        self.pace, self.tick = float(order.get("pace") or 0), 0.0
        self.later: list[Item] = []
        self.scope = ExitStack()
        self.place: Place | None = None

    @property
    def live(self) -> list[Training]:
        """The trainings that have not ended."""
        return [run for run in self.runs if run.is_alive]

    def run(self) -> None:
        """Train until all have ended."""
        for run in self.runs:
            self.obey()
            if not self.stopped:
                self.attempt(run, run.begin, self.is_left)
        self.comparing = beside(self.compare)
        try:
            if not self.stopped:
                self.each(lambda run: run.run())
            while self.live and not self.stopped:
                self.turn()
        finally:
            self.scope.close()
        self.each(lambda run: run.stop())
        for run in self.runs:
            run.settle()

    @property
    def owed(self) -> list[Callable[[], None]]:
        """The reports that are still to be written."""
        return [run.owed for run in self.runs if run.owed]

    def await_comparison(self) -> None:
        """Wait until the other methods are compared."""
        self.comparing.join()

    def turn(self) -> None:
        """Obey, then make one step of each training, or wait while they are paused."""
        self.obey()
        if self.stopped:
            return
        if self.paused and not self.singles:
            self.rest()
            return
        live = self.live
        rounds = min(run.rounds for run in live)
        for run in live:
            # One that was left in the middle of a judgement catches up alone.
            if run.rounds == rounds and not self.stopped:
                self.attempt(run, self.go, run)
                self.obey()
        if self.singles:
            self.singles -= len({run.rounds for run in self.live}) <= 1
        elif self.pace:
            self.wait(1 / self.pace)

    def go(self, run: Training) -> None:
        """Make a step of a training, or several where none must wait for another and none was asked for alone."""
        if self.singles:
            run.advance(self.called)
        else:
            run.go(self.called, on=len(self.runs) == 1 and not self.pace)

    def wait(self, gap: float) -> None:
        """Keep to the pace, a step in `gap` seconds; a command ends the wait."""
        begin = perf_counter()
        self.tick = max(self.tick + gap, begin - gap)
        with suppress(Empty):
            self.take(self.inbox.get(timeout=max(0.0, self.tick - begin)))
        for run in self.live:
            run.screen.idle += perf_counter() - begin

    def compare(self) -> None:
        """Find out how well methods that need no training do, once the first frames are out."""
        sleep(FIRST_FRAMES)
        for run in self.runs:
            if run.is_begun:
                with suppress(NarrowsError):
                    run.compare()

    def rest(self) -> None:
        """Show all trainings whole, and wait for a command."""
        self.each(lambda run: run.rest(self.called))
        self.take(self.inbox.get())
        if not self.paused and not self.stopped:
            self.each(lambda run: run.wake())

    def called(self) -> bool:
        """Whether there is a command."""
        return not self.inbox.empty()

    def is_left(self) -> bool:
        """Whether the trainings are to stop, after all that the server has said."""
        self.obey()
        return self.stopped

    def obey(self) -> None:
        """Do what the server has said since the last time."""
        while self.called():
            self.take(self.inbox.get())

    def take(self, item: Item) -> None:
        """Take one command."""
        message = item[0]
        do = message.get("do")
        if do == "want":
            for run in self.live:
                run.want(bool(message.get("frames")), float(message.get("rate") or 0))
        elif do == "pace":
            self.pace = float(message.get("steps") or 0)
        elif do in {"pause", "resume"}:
            self.paused, self.singles = do == "pause", 0
        elif do == "step":
            self.paused, self.singles = True, self.singles + 1
        else:
            self.stopped = True
            if do != "stop":
                self.later.append(item)

    def each(self, act: Callable[[Training], object]) -> None:
        """Do something for each training that lives."""
        for run in self.live:
            self.attempt(run, act, run)

    def attempt(self, run: Training, act: Callable[..., object], *given: Any) -> None:
        """Do something for one training, in its place; what goes wrong ends that one alone."""
        self.enter(run.place)
        try:
            act(*given)
        except Exception as error:
            run.fail(str(problem_of(error)))
        if not run.is_alive:
            # Its own end has put torch's settings back: the next one must set them again.
            self.place = None

    def enter(self, place: Place | None) -> None:
        """Compute as a training does: the settings are torch's own, and each training has its own."""
        if place is None or place is self.place or place == self.place:
            return
        self.scope.close()
        self.scope.enter_context(place.scope())
        self.place = place
