"""The commands that open the page, or write it as one file: studio, studio export."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import webbrowser
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narrows.cli.talk import Talk
from narrows.errors import EnvironmentProblem, missing_extra

if TYPE_CHECKING:
    from narrows.recipe import Recipe
    from narrows.types import Splits

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
FIRST_PORT = 8484


NEEDED = ("fastapi", "uvicorn", "websockets")


def studio(talk: Talk, runs: Path, host: str, port: int, browser: bool, at_once: int) -> dict[str, Any]:
    """Serve the page until it is interrupted: `narrows studio`."""
    missing = next((name for name in NEEDED if find_spec(name) is None), None)
    if missing:
        raise missing_extra(missing, "studio", "The studio")
    from narrows.studio.app import create_app
    from narrows.studio.guard import hosts_for
    from narrows.studio.home import Home
    from narrows.studio.serve import Server

    home = Home(runs)
    with contextlib.closing(home.lock()), contextlib.closing(listening(host, port)) as listener:
        number = listener.getsockname()[1]
        app = create_app(home, hosts_for(names_of(host), number), at_once=at_once)
        address = f"http://{shown(host)}:{number}/"
        browse = f"{address}?token={app.key()}" if browser else ""
        opened = partial(tell, talk, f"{address}?token={home.token}", host, browse)
        # Ctrl-C is how it ends.
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(Server(app, opened).serve(sockets=[listener]))
    return {"address": address, "runs": str(home.runs)}


def tell(talk: Talk, address: str, host: str, browse: str) -> None:
    """Say where the page is and who can reach it, and open it by an address that works once, if there is one."""
    talk.say(f"The studio is open at {address}")
    talk.say("Keep that address to yourself: who has it can use the studio. Ctrl-C ends it.")
    if host not in LOOPBACK:
        talk.say(f"! Listening on {host}: other machines can reach it, and nothing is encrypted on the way.")
    if browse:
        asyncio.get_running_loop().run_in_executor(None, webbrowser.open, browse)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens: on the port asked for, or on the first free one from `FIRST_PORT` on.

    Raises:
        EnvironmentProblem: It cannot listen there.
    """
    wanted = [port] if port else [*range(FIRST_PORT, FIRST_PORT + 20), 0]
    problem: OSError | None = None
    for number in wanted:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), number))
        except OSError as error:
            listener.close()
            problem = error
            continue
        listener.listen(128)
        return listener
    raise EnvironmentProblem(f"cannot listen on {host} port {port or 'any'}: {problem}", step="Choose another --port")


def names_of(host: str) -> list[str]:
    """The names by which the server may be called."""
    if host in LOOPBACK:
        return list(LOOPBACK)
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host.strip("[]")).is_unspecified:
            return [*LOOPBACK, socket.gethostname(), *own_addresses()]
    return [shown(host), *LOOPBACK]


def own_addresses() -> list[str]:
    """The addresses of this machine that its name stands for."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:
        return []
    return sorted({str(entry[4][0]) for entry in found})


def shown(host: str) -> str:
    """A host as an address has it.

    Example:
        >>> shown("::1"), shown("0.0.0.0")
        ('[::1]', '127.0.0.1')
    """
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def one_file(talk: Talk, run: Path, out: Path | None, tsne: bool) -> dict[str, Any]:
    """A run as one HTML file: `narrows studio export`."""
    from narrows.cli.train import check_suffix, load_again
    from narrows.studio.export import OneFile, export

    out = out or Path(f"{run.resolve().name}.html")
    check_suffix(out, (".html",))

    def tell(made: OneFile) -> None:
        some = "all" if made.objects == made.of else f"{made.objects:,} of {made.of:,}"
        talk.say(f"{made.bytes / 1e6:.1f} MB: a model of {made.numbers:,} numbers and {some} objects; into {out}")

    def load(recipe: Recipe) -> Splits:
        return load_again(talk, recipe.data, "Bring the data back first")

    made = export(run, load, out, tsne=tsne, tell=tell)
    talk.say("It opens in a browser as it is, without a server.")
    return {"out": str(out), **made.as_dict()}
