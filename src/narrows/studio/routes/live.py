"""The one WebSocket: what is new, as fast as a viewer acknowledges it."""

import asyncio
import contextlib
import time
from typing import Annotated, Literal

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import Field, TypeAdapter, ValidationError

from narrows.errors import UsageError
from narrows.settings import Settings
from narrows.studio.desk import Desk
from narrows.studio.hub import WATCH_LIMIT, Viewer

router = APIRouter()

PAUSE = 0.05
"""Least seconds between two updates of a viewer."""

SEND_SECONDS = 20.0
"""A viewer that takes nothing for so long is let go."""

MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 60.0, 120.0
TOO_MANY, UNREADABLE, TOO_SLOW = 1008, 1007, 1013

Id = Annotated[str, Field(max_length=12)]


class Watch(Settings):
    """Look at these runs from now on."""

    type: Literal["watch"]
    runs: Annotated[list[Id], Field(max_length=WATCH_LIMIT)]
    want: Annotated[tuple[Literal["points", "weights", "tiles"], ...], Field(max_length=3)] = ()


class Ack(Settings):
    """What came has been painted."""

    type: Literal["ack"]


Said: TypeAdapter[Watch | Ack] = TypeAdapter(Annotated[Watch | Ack, Field(discriminator="type")])


@router.websocket("/api/live")
async def live(socket: WebSocket) -> None:
    """Tell a viewer what is new until it leaves."""
    desk: Desk = socket.app.state.desk
    viewer = Viewer()
    await socket.accept()
    if not desk.hub.join(viewer):
        await socket.close(TOO_SLOW)
        return
    speaking = asyncio.create_task(speak(socket, desk, viewer))
    try:
        await listen(socket, desk, viewer)
    except WebSocketDisconnect:
        pass
    finally:
        desk.hub.leave(viewer)
        speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError, RuntimeError, WebSocketDisconnect, OSError):
            await speaking


async def listen(socket: WebSocket, desk: Desk, viewer: Viewer) -> None:
    """Hear a viewer; one that says what is not agreed, or too much, is let go."""
    allowed, before = MESSAGES_AT_ONCE, time.monotonic()
    while True:
        text = await heard(socket)
        now = time.monotonic()
        allowed, before = min(MESSAGES_AT_ONCE, allowed + (now - before) * MESSAGES_A_SECOND) - 1, now
        if allowed < 0:
            await socket.close(TOO_MANY)
            return
        try:
            said = Said.validate_json(text)
        except ValidationError:
            await socket.close(UNREADABLE)
            return
        if isinstance(said, Ack):
            viewer.acknowledge()
        else:
            await watch(desk, viewer, said)


async def heard(socket: WebSocket) -> str:
    """What a viewer says next; bytes are nothing that is agreed.

    Raises:
        WebSocketDisconnect: It has left.
    """
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    return message.get("text") or ""


async def watch(desk: Desk, viewer: Viewer, said: Watch) -> None:
    """Let a viewer look at the runs that exist."""
    known, recalled = dict.fromkeys(said.runs), set[str]()
    # Another viewer that leaves meanwhile may let a run be forgotten again.
    while new := next((run for run in known if run not in recalled or run not in desk.hub.records), None):
        recalled.add(new)
        try:
            await asyncio.to_thread(desk.recall_frames, desk.store.run(new))
        except UsageError:
            del known[new]
    desk.hub.watch(viewer, list(known), said.want)


async def speak(socket: WebSocket, desk: Desk, viewer: Viewer) -> None:
    """Send a viewer the newest of everything each time it is free."""
    while True:
        await viewer.stirred.wait()
        viewer.stirred.clear()
        while viewer.news:
            await timely(socket, socket.send_text(viewer.news.popleft()))
        update = desk.hub.update(viewer) if viewer.is_free else None
        if update:
            viewer.is_free = False
            text, frames = update
            await timely(socket, socket.send_text(text))
            for frame in frames:
                await timely(socket, socket.send_bytes(frame))
            await asyncio.sleep(PAUSE)


async def timely(socket: WebSocket, sending) -> None:  # type: ignore[no-untyped-def]
    """Wait until something is sent, but not for ever."""
    try:
        await asyncio.wait_for(sending, SEND_SECONDS)
    except TimeoutError:
        # To say so is a word that it does not take either.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(socket.close(TOO_SLOW), SEND_SECONDS)
        raise
