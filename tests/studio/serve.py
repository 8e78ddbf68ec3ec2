"""A studio in a process of its own, to be killed: `python serve.py RUNS STATIC PROGRAM AT_ONCE` says its port."""

import socket
import sys
from pathlib import Path

from narrows.studio.app import create_app
from narrows.studio.guard import hosts_for
from narrows.studio.home import Home
from narrows.studio.serve import Server


def main(runs, static, program, at_once):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    home = Home(Path(runs))
    lock = home.lock()
    app = create_app(home, hosts_for(["127.0.0.1"], port), static=Path(static), program=program, at_once=int(at_once))
    print(port, flush=True)
    Server(app).run(sockets=[listener])
    lock.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
