"""How the app is served: uvicorn with narrow limits, and an end that keeps nobody waiting."""

import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from narrows.studio.app import desk_of

MESSAGE_BYTES, HEADER_BYTES = 64 << 10, 16 << 10
CONNECTIONS = 4096


class Line(WebSocketsSansIOProtocol):
    """The line to a viewer; one that does not even answer a ping is cut, and what it has not taken is dropped."""

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


def settings(app: ASGIApp) -> uvicorn.Config:
    """Small limits, and no header that tells what it is."""
    return uvicorn.Config(
        app,
        http="h11",
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
