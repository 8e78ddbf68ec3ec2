"""How the server and its children talk: one JSON object, then as many pieces of bytes as it says; never a pickle.

send(connection, {"event": "frames", "id": ...}, points, tiles) -> receive(connection) == (that object, [points, tiles])
"""

import json
import os
import threading
from importlib import import_module
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from narrows.files import finite
from narrows.studio.rlimits import share_one_heap

Message = dict[str, Any]

PARTS = "parts"
"""The name that a message has for the number of pieces of bytes that follow it."""

PARTS_LIMIT = 64
"""Pieces of bytes that may follow a message."""


def send(connection: Connection, message: Message, *frames: bytes) -> None:
    """Send an object and the bytes that belong to it; numbers that are not finite become null.

    Raises:
        OSError: The other side is gone.

    Example:
        >>> from multiprocessing import Pipe
        >>> here, there = Pipe()
        >>> send(here, {"do": "decode", "call": 1}, b"12")
        >>> receive(there)
        ({'do': 'decode', 'call': 1}, [b'12'])
    """
    whole = {**finite(message), PARTS: len(frames)} if frames else finite(message)
    connection.send_bytes(json.dumps(whole, allow_nan=False).encode())
    for frame in frames:
        connection.send_bytes(frame)


def receive(connection: Connection) -> tuple[Message, list[bytes]]:
    """Wait for the next object and the bytes that belong to it.

    Raises:
        EOFError: The other side is gone, or does not speak this language.
    """
    try:
        message = json.loads(connection.recv_bytes())
        count = message.pop(PARTS, 0)
        if not isinstance(count, int) or not 0 <= count <= PARTS_LIMIT:
            raise ValueError(count)
        return message, [connection.recv_bytes() for _ in range(count)]
    except (OSError, ValueError, AttributeError) as error:
        raise EOFError(str(error)) from None


def listen(connection: Connection) -> SimpleQueue[tuple[Message, list[bytes]]]:
    """A queue of what the server says; when the server is gone, the process ends at once: no child is left behind."""
    queue: SimpleQueue[tuple[Message, list[bytes]]] = SimpleQueue()

    def read() -> None:
        while True:
            try:
                queue.put(receive(connection))
            except EOFError:
                os._exit(0)

    threading.Thread(target=read, daemon=True, name="commands").start()
    return queue


def enter(connection: Connection, role: str, program: str) -> None:
    """Where a spawned child begins: `role` is "trainer" or "bench", `program` the module whose `main` takes both.

    It gets a session of its own, so that Ctrl-C in the terminal reaches the server alone.
    """
    if os.name == "posix":
        os.setsid()
        os.nice(10 if role == "bench" else 0)
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    # What numpy computes beside training must not take training's cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    share_one_heap()
    import_module(program).main(connection, role)
