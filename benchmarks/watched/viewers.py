"""Many viewers in one process: `python -m watched.viewers JSON` looks for some seconds and prints when frames came.

A WebSocket of the least kind, so that the load weighs less than what is loaded: whole messages are read, headers
looked at, and an acknowledgement of fixed bytes is sent back.
"""

import asyncio
import base64
import json
import os
import struct
import sys
import time

POINTS = 1
LONG, LONGER = 126, 127


def masked(text: str) -> bytes:
    """A text message as a client has to send it, its mask all zeros."""
    content = text.encode()
    length = bytes([0x80 | len(content)]) if len(content) < LONG else struct.pack(">BH", 0x80 | LONG, len(content))
    return b"\x81" + length + b"\0\0\0\0" + content


ACK = masked('{"type":"ack"}')


class Viewer(asyncio.Protocol):
    """One viewer: acknowledges each update once all of it is here; notes when the points of which step came.

    Args:
        task: Where to look, and at what.
        reads: Whether it reads at all; if not it acknowledges all the same, ten times a second.
    """

    def __init__(self, task: dict, reads: bool):
        self.task, self.reads = task, reads
        self.held, self.is_open, self.left = bytearray(), False, 0
        self.came: list[tuple[int, float]] = []
        self.bytes = self.updates = 0

    def connection_made(self, transport):
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /api/live HTTP/1.1", f"Host: 127.0.0.1:{self.task['port']}", "Upgrade: websocket",
            "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
            f"Authorization: Bearer {self.task['token']}",
        ]  # fmt: skip
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data):
        self.held += data
        self.bytes += len(data)
        if not self.is_open:
            end = self.held.find(b"\r\n\r\n")
            if end < 0:
                return
            assert b" 101 " in self.held[:20], bytes(self.held)
            self.is_open = True
            del self.held[: end + 4]
            watch = {"type": "watch", "runs": [self.task["run"]], "want": ["points"]}
            self.transport.write(masked(json.dumps(watch)))
            if not self.reads:
                self.transport.pause_reading()
        while self.message():
            pass

    def message(self) -> bool:
        """Take one whole message off what has come, if there is one."""
        held = self.held
        if len(held) < 2:
            return False
        size, at = held[1] & 127, 2
        if size >= LONG:
            at = 4 if size == LONG else 10
            if len(held) < at:
                return False
            size = int.from_bytes(held[2:at], "big")
        if len(held) < at + size:
            return False
        self.hear(held[0] & 15, bytes(held[at : at + size]))
        del held[: at + size]
        return True

    def hear(self, kind: int, content: bytes) -> None:
        if kind == 9:
            self.transport.write(b"\x8a\x80\0\0\0\0")
        elif kind == 2:
            self.left -= 1
            if content[2] == POINTS:
                self.came.append((int.from_bytes(content[4:8], "little"), time.monotonic()))
        elif kind == 1:
            self.updates += 1
            self.left = int(content[content.rindex(b":") + 1 : -1])
        if kind in (1, 2) and self.left == 0:
            self.transport.write(ACK)


async def look(task: dict) -> dict:
    loop = asyncio.get_running_loop()
    viewers = []
    for number in range(task["viewers"] + task["deaf"]):
        reads = number < task["viewers"]
        _, viewer = await loop.create_connection(lambda reads=reads: Viewer(task, reads), "127.0.0.1", task["port"])
        viewers.append(viewer)
    end = time.monotonic() + task["seconds"]
    while time.monotonic() < end:
        for viewer in viewers[task["viewers"] :]:
            if viewer.is_open and not viewer.transport.is_closing():
                viewer.transport.write(ACK)
        await asyncio.sleep(0.1)
    readers = viewers[: task["viewers"]]
    return {
        "came": [viewer.came for viewer in readers],
        "updates": [viewer.updates for viewer in readers],
        "bytes": sum(viewer.bytes for viewer in readers),
        "lost": sum(viewer.transport.is_closing() for viewer in readers),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(look(json.loads(sys.argv[1])))))
