"""Where a child of the studio works: it imports torch at once, says so, and then does what it is told.

The main thread keeps the process's signals; another one works, so that training never turns Ctrl-C into a stop.
"""

import signal
from importlib import import_module
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from types import FrameType

import torch

from narrows.studio import wire
from narrows.studio.outbox import Outbox
from narrows.studio.requests import Bench
from narrows.studio.rlimits import restrict, share_of_memory
from narrows.studio.trainer import Trainer

WORKERS: dict[str, type[Trainer] | type[Bench]] = {"trainer": Trainer, "bench": Bench}
"""What a child does, by its role."""


FIRST_DATA = "sklearn.datasets"
"""What the data of the first screen come from: imported while nothing is asked yet, for it takes as long as a look."""


def main(connection: Connection, role: str) -> None:
    """Work until told to end.

    Args:
        connection: The pipe to the server; when that is gone, the process ends at once.
        role: Name in `WORKERS`.
    """
    if role == "bench":
        # It reads what others made, and one question must not take the memory of all. What is only reserved, as torch
        # and the drivers of graphics cards do, does not count.
        restrict(DATA=share_of_memory(), CORE=0)
    inbox, outbox = wire.listen(connection), Outbox(connection)
    ignore_signals(inbox)
    outbox.say({"event": "ready", "torch": torch.__version__})
    Thread(target=import_module, args=(FIRST_DATA,), daemon=True, name="imports").start()
    worker = Thread(target=WORKERS[role](inbox, outbox).work, name=role)
    worker.start()
    worker.join()
    outbox.close()


def ignore_signals(inbox: "SimpleQueue[tuple[dict, list[bytes]]]") -> None:
    """Ctrl-C is the server's; being told to end by a signal is being told to end."""

    def leave(number: int, frame: FrameType | None) -> None:
        inbox.put(({"do": "exit"}, []))

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, leave)
