"""What is told of a training while it goes on: progress, frames and snapshots, each in its own rhythm.

All of it together is a few hundredths of the work, whatever the size of the model: what costs more comes less often.
"""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter, thread_time

from narrows.studio.beat import Beat
from narrows.studio.curve import Thinned
from narrows.studio.frames import POINTS, TILES, WEIGHTS
from narrows.studio.keeper import Keeper
from narrows.studio.outbox import Outbox
from narrows.studio.view import View

GAP, LOOK = 0.1, 0.01
"""Seconds between two frames, or two reports of progress, at least; between two looks at whether some are due."""

SHARES = {POINTS: 0.011, TILES: 0.006}
"""Share of the work that the frames of each kind may be, for all trainings of a session together; the weights count
with the tiles and come with them, so that the network and its outputs are of one step."""

SNAPSHOT_SHARE, SNAPSHOT_GAP = 0.003, 0.25

EAGER = (0.5, 0.3, 0.03)
"""For so many seconds frames may take a larger share and come faster: the beginning is when most changes."""


class Screen:
    """What is told of one training.

    Args:
        run: Its id.
        folder: Its folder.
        view: What a page sees of its model.
        outbox: Where to tell.
        total: Steps of the whole training.
        batch: Objects a step.
        part: Its share of the session's time.
    """

    def __init__(self, run: str, folder: Path, view: View, outbox: Outbox, total: int, batch: int, part: float):
        self.run, self.view, self.outbox, self.batch = run, view, outbox, batch
        self.keeper, self.curve = Keeper(run, folder, outbox), Thinned(total)
        self.beats = {kind: Beat(share * part, GAP) for kind, share in SHARES.items()}
        self.album, self.pulse = Beat(SNAPSHOT_SHARE * part, SNAPSHOT_GAP), Beat(1.0, GAP)
        self.wanted, self.next, self.seen = True, 0.0, (0, perf_counter())
        # Seconds in which training waited because it was asked to: they count as work, for nothing was held up.
        self.idle = 0.0

    def hurry(self) -> None:
        """Show more for a while: training begins."""
        for beat in self.beats.values():
            beat.hurry(*EAGER)

    def want(self, wanted: bool, rate: float) -> None:
        """Whether somebody looks, and how often a second at most."""
        self.wanted, self.next = wanted, 0.0
        for beat in self.beats.values():
            beat.gap = max(GAP, 1 / rate) if rate else GAP

    def look(self, step: int, epoch: int, valid: float | None, seconds: float) -> None:
        """Do what is due after a step."""
        now = perf_counter()
        if now < self.next:
            return
        worked = thread_time() + self.idle
        if self.pulse.due(now, worked):
            with self.pulse.work(now, worked):
                self.progress(step, epoch, seconds)
        if self.wanted:
            self.frames(step, now, worked)
        if self.album.due(now, worked) and self.keeper.due(step):
            with self.album.work(now, worked):
                self.keep(step, epoch, valid)
        beats = [self.pulse, self.album, *(self.beats.values() if self.wanted else ())]
        self.next = max(now + LOOK, min(beat.next for beat in beats))

    def progress(self, step: int, epoch: int, seconds: float) -> None:
        """Tell how far the training has come."""
        now, (before, then) = perf_counter(), self.seen
        rate = (step - before) * self.batch / max(now - then, 1e-6)
        self.seen = (step, now)
        self.outbox.say(
            {
                "event": "progress", "id": self.run, "step": step, "epoch": epoch + 1, "seconds": round(seconds, 3),
                "rate": round(rate, 1), "curve": self.curve.take(),
            }
        )  # fmt: skip

    def frames(self, step: int, now: float, worked: float) -> None:
        """Show the kinds of frames that are due."""
        made = dict[int, bytes]()
        for kind, beat in self.beats.items():
            if beat.due(now, worked):
                # All count from the same moment, so that kinds which are cheap come together.
                with beat.work(now, worked):
                    made |= {POINTS: self.view.points(step)} if kind == POINTS else self.outputs(step)
        if made:
            self.outbox.show(self.run, step, made)

    def outputs(self, step: int) -> dict[int, bytes]:
        """The tiles, and the weights that made them where a page runs the model itself."""
        made = {TILES: self.view.tiles(step)}
        return made if self.view.graph["remote"] else made | {WEIGHTS: self.view.weights(step)}

    def whole(self, step: int, leave: Callable[[], bool]) -> None:
        """Show all kinds of frames, the points of all objects among them unless `leave` says so before."""
        made, points = self.outputs(step), self.view.all_points(step, leave)
        self.outbox.show(self.run, step, made | ({} if points is None else {POINTS: points}))

    def keep(self, step: int, epoch: int, valid: float | None) -> None:
        """Keep a snapshot of the step, if there is none."""
        if not self.keeper.has(step):
            self.keeper.keep(self.view.snapshot(step, epoch, valid))

    def wake(self) -> None:
        """Count the rate anew after a pause."""
        self.seen = (self.seen[0], perf_counter())
