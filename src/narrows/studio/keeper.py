"""Keeps the snapshots of a run: a thread writes them, so that training never waits for the disk."""

from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from narrows.errors import EnvironmentProblem
from narrows.studio.outbox import Outbox
from narrows.studio.snapshots import Album, Snapshot, write_snapshot


class Keeper:
    """The snapshots of one run.

    Args:
        run: Its id.
        folder: Its folder.
        outbox: Where to tell of them.
    """

    def __init__(self, run: str, folder: Path, outbox: Outbox):
        self.run, self.folder, self.outbox = run, folder, outbox
        self.album, self.waiting = Album(folder), 0
        self.queue: SimpleQueue[tuple[Snapshot, list[int]] | None] = SimpleQueue()
        self.thread = Thread(target=self.work, daemon=True, name=f"snapshots-{run}")
        self.thread.start()

    def due(self, step: int) -> bool:
        """Whether a step is to be kept, and the one before is written."""
        return self.queue.empty() and self.album.due(step)

    def has(self, step: int) -> bool:
        """Whether a step is kept."""
        return step in self.album.steps

    def keep(self, snapshot: Snapshot) -> None:
        """Keep a snapshot."""
        self.album.fit(snapshot.weights.nbytes + snapshot.tiles.nbytes)
        self.queue.put((snapshot, self.album.added(snapshot.step)))

    def settle(self) -> None:
        """Wait until all is written; nothing more may be kept."""
        self.queue.put(None)
        self.thread.join()

    def work(self) -> None:
        """Write what is to be kept, and remove what goes."""
        while item := self.queue.get():
            snapshot, dropped = item
            try:
                write_snapshot(self.folder, snapshot)
            except EnvironmentProblem as problem:
                sentence = f"{problem} The snapshot of step {snapshot.step} is not kept; training goes on."
                self.outbox.say({"event": "notice", "id": self.run, "code": "unkept", "sentence": sentence})
                continue
            self.album.drop(dropped)
            self.outbox.say({"event": "snapshot", "id": self.run, **snapshot.facts(), "dropped": dropped})
