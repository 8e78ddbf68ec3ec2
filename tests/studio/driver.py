"""A child of the studio driven over a real pipe, as the server drives it."""

import time
from multiprocessing import get_context

from narrows.studio import wire


class Child:
    """A spawned child and what it has said."""

    def __init__(self, role="trainer"):
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=wire.enter, args=(theirs, role, "narrows.studio.child"), daemon=True)
        self.process.start()
        theirs.close()
        self.heard, self.begun = [], 0

    def say(self, do, *frames, **values):
        wire.send(self.connection, {"do": do, **values}, *frames)

    def next(self, timeout=30.0):
        """The next message and its frames, kept with the time it came."""
        if not self.connection.poll(timeout):
            raise TimeoutError(f"nothing in {timeout} s; heard last: {[m for _, m, _ in self.heard[-3:]]}")
        message, frames = wire.receive(self.connection)
        self.begun -= message["event"] == "idle"
        self.heard.append((time.perf_counter(), message, frames))
        return message, frames

    def until(self, event, timeout=20.0, **values):
        """The next message of an event with these values."""
        end = time.perf_counter() + timeout
        while True:
            message, frames = self.next(max(0.0, end - time.perf_counter()))
            if message["event"] == event and all(message.get(name) == value for name, value in values.items()):
                return message, frames

    def all(self, event, **values):
        """All messages of an event so far."""
        return [
            message
            for _, message, _ in self.heard
            if message["event"] == event and all(message.get(name) == value for name, value in values.items())
        ]

    def close(self):
        self.process.kill()
        self.process.join()
        self.connection.close()


def order(root, name, recipe, **more):
    """What the server says of a run to be started."""
    folder, shown = root / name, root / "shown" / name
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "id": name, "folder": str(folder), "shown": str(shown), "recipe": recipe.model_dump(mode="json"),
        "source": recipe.data.name, "resume": False, "start": None, "graph_limit": 4_000_000, **more,
    }  # fmt: skip
