"""What a child says: facts in their order, frames only the newest; sent by a thread of its own."""

from collections import deque
from multiprocessing.connection import Connection
from threading import Condition, Thread
from typing import Any

from narrows.studio import wire


class Outbox:
    """A way to the server.

    Args:
        connection: The pipe.
    """

    def __init__(self, connection: Connection):
        self.connection = connection
        self.facts: deque[tuple[dict[str, Any], tuple[bytes, ...]]] = deque()
        self.newest: dict[str, tuple[int, dict[int, bytes]]] = {}
        self.change, self.closed = Condition(), False
        self.thread = Thread(target=self.work, daemon=True, name="outbox")
        self.thread.start()

    def say(self, message: dict[str, Any], *parts: bytes) -> None:
        """Say something; nothing of it is ever left out."""
        with self.change:
            self.facts.append((message, parts))
            self.change.notify()

    def show(self, run: str, step: int, frames: dict[int, bytes]) -> None:
        """Show frames of a run by their kind; those that were not sent yet give way to newer ones."""
        with self.change:
            kept = self.newest.get(run, (0, {}))[1]
            self.newest[run] = (step, kept | frames)
            self.change.notify()

    def close(self) -> None:
        """Send what is left, and end."""
        with self.change:
            self.closed = True
            self.change.notify()
        self.thread.join()

    def work(self) -> None:
        """Send what there is, until closed or the server is gone."""
        while True:
            with self.change:
                self.change.wait_for(lambda: self.facts or self.newest or self.closed)
                facts, newest = list(self.facts), self.newest
                self.facts.clear()
                self.newest = {}
            if not facts and not newest:
                return
            try:
                self.send(facts, newest)
            except OSError:
                return

    def send(
        self, facts: list[tuple[dict[str, Any], tuple[bytes, ...]]], newest: dict[str, tuple[int, dict[int, bytes]]]
    ) -> None:
        """Send facts, then frames.

        Raises:
            OSError: The server is gone.
        """
        for message, parts in facts:
            wire.send(self.connection, message, *parts)
        for run, (step, frames) in newest.items():
            wire.send(self.connection, {"event": "frames", "id": run, "step": step}, *frames.values())
