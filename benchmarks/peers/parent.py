"""The parent's side: starts peers, tells each in turn to go on, and hears how long it took."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peers import ENVIRONMENT, PEERS

BENCHMARKS = Path(__file__).parents[1]


class Child:
    """A peer in a process of its own, training one epoch whenever it is told to.

    Args:
        peer: Name in `PEERS`.
        work: Name in `WORKS`.
        rows: Objects an epoch.
        python: The interpreter that has the peer's packages.
    """

    def __init__(self, peer: str, work: str, rows: int, python: str):
        # Waiting threads that spin take the processor from those that work; spared to every peer.
        common = {"GOMP_SPINCOUNT": "1000", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": os.pathsep.join(search_path())}
        self.process = subprocess.Popen(
            [python, "-m", "peers", peer, work, str(rows)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **common, **ENVIRONMENT.get(peer, {})},
        )  # fmt: skip
        self.about = self.hear()

    def hear(self) -> dict[str, Any]:
        """The next report; an error of its own where the process ended without one."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": f"ended with status {self.process.wait()}"}

    @property
    def ready(self) -> bool:
        return "ready" in self.about

    def go(self) -> float:
        """Seconds of one more epoch."""
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.hear()["seconds"]

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def search_path() -> list[str]:
    """Where a child finds this folder, and narrows where it is not installed."""
    return [str(BENCHMARKS), str(BENCHMARKS.parent / "src")]


def python_of(peer: str, peers_python: str) -> str:
    """narrows runs in the interpreter that runs this, and the others in the one that has them."""
    own = PEERS[peer].startswith("ours:")
    return sys.executable if own else peers_python


def measure_in_turns(children: dict[str, Child], rounds: int, keep: Callable[[str, float], None]) -> None:
    """One epoch of each child after the other, `rounds` times over."""
    for _ in range(rounds):
        for peer, child in children.items():
            keep(peer, child.go())
