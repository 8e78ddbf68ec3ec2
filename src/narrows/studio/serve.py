"""How the app is served: uvicorn with narrow limits, and an end that keeps nobody waiting."""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from narrows.studio.app import desk_of
from narrows.studio.limits import RATE

MESSAGE_BYTES, HEADER_BYTES = 64 << 10, 16 << 10
CONNECTIONS, PEER_CONNECTIONS, LOCAL_CONNECTIONS = 4096, 64, 2048
"""Connections in all, of one other machine, and of this machine."""

HEAD_SECONDS = 20.0
"""So long may a peer take from the first byte of a request, or from connecting, to the end of its headers."""


TAKE_SECONDS = 60.0
"""So often it is seen whether a peer takes the answer it asked for: `RATE` bytes a second of it at least."""


class Door(H11Protocol):
    """A connection: one too many of its peer is cut at once.

    Cut are also one whose peer does not finish its headers in time, and one whose peer does not take its answer.
    """

    waiting: asyncio.TimerHandle | None = None
    giving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = peer_of(self)
        if sum(peer_of(other) == peer for other in self.connections) > connections_of(peer):
            transport.abort()
        else:
            self.watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self.rest()
        self.give_no_more()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.give()

    def resume_writing(self) -> None:
        self.give_no_more()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        # What is closed stays until the last answer is taken.
        self.give()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self.rest()
        super().handle_websocket_upgrade(event)

    def watch(self) -> None:
        """Let the time of a peer run while it sends and no request of it is being answered."""
        is_answered = self.cycle is not None and not self.cycle.response_complete
        if is_answered or self.transport.get_protocol() is not self:
            self.rest()
        elif self.waiting is None:
            self.waiting = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def rest(self) -> None:
        """The time of a peer runs no more."""
        if self.waiting:
            self.waiting.cancel()
            self.waiting = None

    def give(self) -> None:
        """Let the time of a peer run that has not taken what was written."""
        if self.giving is None:
            left = self.transport.get_write_buffer_size()
            self.giving = self.loop.call_later(TAKE_SECONDS, self.check_taken, left)

    def check_taken(self, before: int) -> None:
        """Cut the connection if too little was taken of so many bytes."""
        self.giving = None
        if before - self.transport.get_write_buffer_size() < TAKE_SECONDS * RATE:
            self.transport.abort()
        else:
            self.give()

    def give_no_more(self) -> None:
        """All was taken, or nobody is there to take it."""
        if self.giving:
            self.giving.cancel()
            self.giving = None


def peer_of(connection: Any) -> str:
    """The machine at the other end of a connection, http or WebSocket; empty where it is not known."""
    return connection.client[0] if connection.client else ""


def connections_of(peer: str) -> int:
    """How many connections a machine may have at once.

    Example:
        >>> [connections_of(peer) for peer in ("127.0.0.1", "::1", "192.168.1.2", "fe80::1%eth0")]
        [2048, 2048, 64, 64]
    """
    return LOCAL_CONNECTIONS if not peer or ip_address(peer).is_loopback else PEER_CONNECTIONS


class Line(WebSocketsSansIOProtocol):
    """The line to a viewer; one that does not even answer a ping is cut, and what it has not taken is dropped."""

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


def settings(app: ASGIApp) -> uvicorn.Config:
    """Small limits, and no header that tells what it is."""
    return uvicorn.Config(
        app,
        http=Door,
        ws=Line,
        ws_max_size=MESSAGE_BYTES,
        # Frames are numbers that hardly pack, and packing them would cost more than sending them on this machine.
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=HEADER_BYTES,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        server_header=False,
        access_log=False,
        log_level="warning",
    )


class Server(uvicorn.Server):
    """A server of the studio.

    Args:
        app: What `create_app` made.
        opened: Called once it listens.
    """

    def __init__(self, app: ASGIApp, opened: Callable[[], Any] = lambda: None):
        super().__init__(settings(app))
        self.desk, self.opened = desk_of(app), opened

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self.opened()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.desk.give_up()
        await super().shutdown(sockets)
