"""A child: a process of ours that computes, spoken to through a pipe; when it ends, however that is, it is told.

Children end with the server: one that finds the pipe closed leaves at once (see `wire.listen`).
"""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import get_context

from narrows.studio.wire import Message, enter, receive, send

PROGRAM = "narrows.studio.child"
"""What a child runs."""

log = logging.getLogger("narrows.studio")

Heard = Callable[["Child", Message, list[bytes]], None]
Ended = Callable[["Child", str], None]

SIGNALS = {
    signal.SIGKILL if os.name == "posix" else 9: "was killed, perhaps because the memory was used up",
    signal.SIGSEGV: "crashed (segmentation fault)",
    signal.SIGABRT: "crashed (aborted)",
    signal.SIGTERM: "was told to end",
}


class Child:
    """A spawned process.

    Args:
        role: "trainer" or "bench".
        heard: Called in a thread of its own with each message and its bytes.
        ended: Called in that thread once, with the cause in words, when the process is gone.
        program: The module whose `main` it runs.
    """

    def __init__(self, role: str, heard: Heard, ended: Ended, program: str = PROGRAM):
        self.role, self.heard, self.ended = role, heard, ended
        self.is_ready = self.is_settling = False
        self.lock = threading.Lock()
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=enter, args=(theirs, role, program), daemon=True, name=f"narrows-{role}")
        self.process.start()
        theirs.close()
        threading.Thread(target=self.read, daemon=True, name=f"{role}-reader").start()

    def say(self, message: Message, *frames: bytes) -> None:
        """Send a message; one to a child that is gone is lost, and `ended` tells of that."""
        with self.lock, contextlib.suppress(OSError):
            send(self.connection, message, *frames)

    def read(self) -> None:
        """Hand on what the child says until it is gone."""
        with contextlib.suppress(EOFError):
            while True:
                message, frames = receive(self.connection)
                self.hand_on(message, frames)
        self.process.join(5)
        self.kill()
        self.ended(self, cause(self.process.exitcode))

    def hand_on(self, message: Message, frames: list[bytes]) -> None:
        """Hand on one message; one that is not as agreed is a bug, told in the log, and the child is read on."""
        try:
            self.heard(self, message, frames)
        except Exception:
            log.exception("%s said %s", self.role, str(message)[:200])

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ValueError, OSError):
            self.process.kill()

    def close(self) -> None:
        """Ask the process to end, and end it if it does not."""
        self.say({"do": "exit"})
        self.process.join(2)
        self.kill()


def cause(status: int | None) -> str:
    """Why a process ended, in words.

    Example:
        >>> cause(-11), cause(1)
        ('crashed (segmentation fault)', 'ended with status 1')
    """
    if status is None:
        return "does not answer"
    return SIGNALS.get(-status, f"was ended by signal {-status}") if status < 0 else f"ended with status {status}"
