"""The studio's own child, which also writes down when it sent the frames of a step: a line a step, in STAMPS."""

import os
import time

from narrows.studio import child, wire


def main(connection, role):
    send = wire.send
    with open(os.environ["STAMPS"], "a", buffering=1) as stamps:

        def stamped(connection, message, *frames):
            if message.get("event") == "frames":
                stamps.write(f"{message['step']} {time.monotonic()}\n")
            send(connection, message, *frames)

        wire.send = stamped
        child.main(connection, role)
