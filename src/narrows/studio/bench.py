"""The bench: a child that answers questions which need torch, one after the other, each within its time."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from narrows.errors import EnvironmentProblem, UsageError
from narrows.studio.children import PROGRAM, Child
from narrows.studio.problems import revived
from narrows.studio.wire import Message

QUEUE_LIMIT = 16
IDLE_SECONDS = 120.0

SECONDS = {
    "preview": 120.0,
    "corrupt": 30.0,
    "prepare": 300.0,
    "points": 120.0,
    "weights": 60.0,
    "decode": 30.0,
    "use": 60.0,
    "project": 900.0,
    "foresee": 120.0,
    "export": 300.0,
}
"""How long each question may take; then the child is ended and begun anew."""

Answer = tuple[dict[str, Any], list[bytes]]


class Bench:
    """A child that answers; begun when it is first asked.

    Args:
        keep: Whether it stays warm; else it ends when nobody has asked for a while.
    """

    def __init__(self, *, keep: bool = True, program: str = PROGRAM):
        self.keep, self.program = keep, program
        self.child: Child | None = None
        self.closing = False
        self.turn, self.waiting = asyncio.Lock(), 0
        self.numbers, self.call = itertools.count(1), 0
        self.answer: asyncio.Future[tuple[Message, list[bytes]]] | None = None
        self.resting: asyncio.TimerHandle | None = None

    async def ask(self, do: str, *frames: bytes, **values: Any) -> Answer:
        """Ask, and wait for the result and its bytes.

        Args:
            do: What is asked, a name of `SECONDS`.
            frames: Bytes that belong to the question.
            values: The rest of the question.

        Raises:
            NarrowsError: What the child says went wrong; or it is busy, slow or gone.
        """
        if self.closing:
            raise closing()
        if self.waiting >= QUEUE_LIMIT:
            raise UsageError("Too much is being worked out already", step="Try again in a moment", code="usage.busy")
        self.waiting += 1
        try:
            async with self.turn:
                return await self.put(do, values, frames)
        finally:
            self.waiting -= 1
            self.rest()

    async def foresee(self) -> None:
        """Have the child ready for a map before it is asked for one, unless it lives already."""
        if not (self.closing or self.child or self.waiting):
            await self.ask("foresee")

    async def put(self, do: str, values: dict[str, Any], frames: tuple[bytes, ...]) -> Answer:
        """Put one question to the child, whose turn it is."""
        if self.closing:
            raise closing()
        child = await self.warm()
        self.call, self.answer = next(self.numbers), asyncio.get_running_loop().create_future()
        try:
            await asyncio.to_thread(child.say, {"do": do, "call": self.call, **values}, *frames)
            message, parts = await asyncio.wait_for(self.answer, SECONDS[do])
        except BaseException as error:
            # What it still works on must not answer the next question.
            self.end()
            if isinstance(error, TimeoutError):
                raise EnvironmentProblem(f"{do} took more than {SECONDS[do]:g} seconds", step="Try less") from None
            raise
        finally:
            self.answer = None
        if not message.get("ok"):
            raise revived(message.get("error", {}))
        return message.get("result", {}), parts

    async def warm(self) -> Child:
        """The child, begun if there is none."""
        self.child = self.child or await self.begin()
        return self.child

    async def begin(self) -> Child:
        """Begin a child."""
        loop = asyncio.get_running_loop()

        def heard(child: Child, message: Message, frames: list[bytes]) -> None:
            loop.call_soon_threadsafe(self.hear, child, message, frames)

        def ended(child: Child, cause: str) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self.lose, child, cause)

        return await asyncio.to_thread(Child, "bench", heard, ended, self.program)

    def hear(self, child: Child, message: Message, frames: list[bytes]) -> None:
        """The child says something."""
        expected = message.get("event") == "reply" and message.get("call") == self.call
        if child is self.child and expected and self.answer and not self.answer.done():
            self.answer.set_result((message, frames))

    def lose(self, child: Child, cause: str) -> None:
        """The child is gone: who waits for it is told, and the next question begins another."""
        if child is not self.child:
            return
        self.child = None
        if self.answer and not self.answer.done():
            self.answer.set_exception(EnvironmentProblem(f"The process that works this out {cause}", step="Try less"))

    def give_up(self) -> None:
        """The server ends: who waits is told so, and the child ends."""
        self.closing = True
        if self.answer and not self.answer.done():
            self.answer.set_exception(closing())
        self.end()

    def rest(self) -> None:
        """End a child that need not stay warm, a while after the last question."""
        if self.resting:
            self.resting.cancel()
        if not self.keep and not self.waiting:
            self.resting = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.end)

    def end(self) -> None:
        """End the child."""
        child, self.child = self.child, None
        if child:
            child.kill()


def closing() -> EnvironmentProblem:
    """The error for a question to a studio that ends."""
    return EnvironmentProblem("The studio is ending", step="Open it again")
