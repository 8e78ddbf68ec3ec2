"""A studio in a process of its own: `python -m watched.serve RUNS` says its port, until it is ended."""

import socket
import sys
import tempfile
from pathlib import Path

from narrows.studio.app import create_app
from narrows.studio.guard import hosts_for
from narrows.studio.home import Home
from narrows.studio.serve import Server


def main(runs: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as page:
        app = create_app(
            Home(Path(runs)), hosts_for(["127.0.0.1"], port), static=Path(page), cores=1, program="watched.stamped"
        )
        print(port, flush=True)
        Server(app).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
