"""Speed beside named peers: seconds an epoch, each peer in a process of its own, in turns; minimum, median and ratio.

    python -m venv peers && peers/bin/pip install torch==2.13.0 && peers/bin/pip install -r benchmarks/requirements.txt
    python benchmarks/speed.py --peers peers/bin/python

Every peer trains the same layers at the same batch with Adam, for one epoch at a time and in turns, so that what else
the machine does falls on all of them; the first epoch of each is not counted. Judge by the minimum, which is nearest
to a quiet machine; "x ours" is the peer's minimum over that of `narrows`, which is the real `narrows.fit` in float32
on the route its self-test picked. bfloat16 has rows of its own. A peer that is not installed is said to be missing.
Each measurement is kept in --out as soon as it is made: start again, and it goes on where it stopped.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from peers.parent import Child, measure_in_turns, python_of, search_path
from peers.work import PRODUCTS, SIDE, WORKS

WITHIN = 1.1
"""A floor is met within 10 %: the noise of a quiet machine."""


PRODUCT = "matrix products"
"""The peer that only multiplies: the rate that the dense work is compared with."""


@dataclass(frozen=True)
class Table:
    """Peers that are measured in turns.

    Args:
        title: What is computed.
        unit: The peer that all are compared with.
        peers: Peer -> the ratio of its time to the unit's that is promised, None where nothing is.
        at_most: Whether the promises are largest ratios: ours are compared with the unit, not the unit with others.
        elsewhere: What is promised instead where the self-test does not pick oneDNN's route for float32 products:
            it is twice as fast as torch's own on some processors and no faster on others.
    """

    title: str
    unit: str
    peers: dict[str, float | None]
    at_most: bool = False
    elsewhere: dict[str, float] | None = None

    def promise(self, peer: str, route: str) -> float | None:
        """What is promised of a peer where the self-test picked `route`."""
        if self.elsewhere is not None and route != "fast":
            return self.elsewhere.get(peer)
        return self.peers[peer]

    def met(self, promise: float | None, ratio: float) -> str:
        """The word "yes" or "NO" for a promise, and none without one."""
        if promise is None:
            return ""
        return "yes" if (ratio <= promise * WITHIN if self.at_most else ratio * WITHIN >= promise) else "NO"


TABLES = {
    "dense": Table(
        "dense 784-256-64-256-784, batch 256", "narrows",
        {
            "narrows": None, "narrows engine": None, "narrows bf16": None, "plain loop": None, "tutorial": 2,
            "pyod": 2, "pythae": 2, "lightning": 2, "skorch": 2, "sklearn": 2, "keras-torch": 3, "keras-jax": 1,
            PRODUCT: None,
        },
        elsewhere={"plain loop": 1},
    ),
    "conv": Table(
        "conv 1x28x28 (32, 64, code 64), batch 256", "narrows",
        {
            "narrows": None, "narrows engine": None, "narrows bf16": None, "plain loop": None, "tutorial": 1.1,
            "pythae": None, "lightning": 1.4, "skorch": None, "keras-torch": 1.4, "keras-jax": 4,
        },
    ),
    "lstm": Table(
        "LSTM 140 x 1 (64 both ways, code 16), batch 64", "narrows",
        {
            "narrows": None, "narrows engine": None, "narrows bf16": None, "narrows bf16, batch 256": None,
            "plain loop": 2, "tutorial": 2, "lightning": 2, "skorch": None, "keras-jax": 2.5,
        },
    ),
    "stack": Table(
        "8 stacked 29-16-8-16-29, batch 256: one step of all", "one autograd step",
        {"one autograd step": None, "narrows, 8 stacked": 2}, at_most=True,
    ),
    "fit dense": Table(
        "dense: all that `narrows train` does around the bare loop", "narrows engine",
        {"narrows engine": None, "narrows train": 1}, at_most=True,
    ),
    "fit conv": Table(
        "conv: all that `narrows train` does around the bare loop", "narrows engine",
        {"narrows engine": None, "narrows train": 1}, at_most=True,
    ),
    "help": Table(
        "`narrows --help` in a fresh process", "import typer",
        {"python alone": None, "import typer": None, "narrows --help": None},
    ),
}  # fmt: skip

GROUPS = {
    "dense": ["dense"],
    "conv": ["conv"],
    "lstm": ["lstm"],
    "stack": ["stack"],
    "fit": ["fit dense", "fit conv"],
    "help": ["help"],
}

COMMANDS = {
    "python alone": ["-c", "pass"],
    "import typer": ["-c", "import typer"],
    "narrows --help": ["-m", "narrows", "--help"],
}
HELP_LIMIT = 0.25
"""Seconds that `narrows --help` may take."""


@dataclass
class Results:
    """What was measured so far, kept in a JSON file.

    Args:
        path: The file.
        machine: What it was measured on.
        rows: Table -> objects an epoch.
        about: Table -> peer -> what it said of itself, or why it is missing.
        seconds: Table -> peer -> one number a round.
    """

    path: Path
    machine: dict[str, Any]
    rows: dict[str, int] = field(default_factory=dict)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def keep(self) -> None:
        """Write all of it: the old file or the new one."""
        beside = self.path.with_suffix(".new")
        kept = {name: value for name, value in vars(self).items() if name != "path"}
        beside.write_text(json.dumps(kept, indent=1))
        beside.replace(self.path)

    def add(self, name: str, peer: str, seconds: float) -> None:
        self.seconds.setdefault(name, {}).setdefault(peer, []).append(seconds)
        self.keep()


def machine() -> dict[str, Any]:
    """Processor, cores and Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"processor": model, "cores": cores, "python": platform.python_version(), "system": platform.platform()}


def results_at(path: Path, fresh: bool) -> Results:
    """What the file remembers of this machine, or nothing yet."""
    here = machine()
    if fresh or not path.exists():
        return Results(path, here)
    results = Results(path, **json.loads(path.read_text()))
    if results.machine != here:
        sys.exit(f"{path} was measured on {results.machine}, this is {here}: choose another --out, or --fresh")
    return results


def measure(results: Results, name: str, rounds: int, peers: list[str], python: str, quick: bool) -> None:
    """Bring every peer of a table to `rounds` measurements."""
    work = WORKS[name]
    rows = 2 * work.batch if quick else work.rows
    if results.rows.setdefault(name, rows) != rows:
        sys.exit(f"{results.path} has {results.rows[name]} objects an epoch of {name}, not {rows}: use --fresh")
    about, done = results.about.setdefault(name, {}), results.seconds.setdefault(name, {})
    short = [peer for peer in peers if len(done.get(peer, [])) < rounds]
    children: dict[str, Child] = {}
    try:
        for peer in short:
            tell(f"{name}: starting {peer}")
            child = Child(peer, name, rows, python_of(peer, python))
            about[peer] = child.about
            if child.ready:
                children[peer] = child
        tell(f"{name}: {len(children)} peers, in turns")
        missing = max((rounds - len(done.get(peer, [])) for peer in children), default=0)
        about["load"] = {"before": round(os.getloadavg()[0], 1)}
        measure_in_turns(children, missing, lambda peer, seconds: results.add(name, peer, seconds))
    finally:
        for child in children.values():
            child.close()
        results.keep()


def measure_help(results: Results, rounds: int) -> None:
    """Fresh processes in turns: Python alone, with typer, and `narrows --help`."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(search_path())}
    for _ in range(rounds - len(results.seconds.get("help", {}).get("narrows --help", []))):
        for peer, arguments in COMMANDS.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, *arguments], env=env, stdout=subprocess.DEVNULL, check=True)
            results.add("help", peer, time.perf_counter() - begin)


def tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def show(results: Results, name: str) -> None:
    """Print one table."""
    table, seconds, about = TABLES[name], results.seconds.get(name, {}), results.about.get(name, {})
    print(f"\n{table.title}")
    load = about.get("load", {}).get("before")
    if name in results.rows:
        print(f"{results.rows[name]:,} objects an epoch; load before {load}")
    print(f"  {'':<26}{'min s':>9}{'median s':>10}{'ratio':>8}{'promised':>10}  met  how")
    unit = min(seconds[table.unit]) if seconds.get(table.unit) else None
    route = about.get("narrows", {}).get("route", "")
    if table.elsewhere is not None and route != "fast":
        print("  oneDNN's route is not the faster one here: asked is only to be no slower than plain torch")
    for peer in table.peers:
        said, promise = about.get(peer, {}), table.promise(peer, route)
        if not seconds.get(peer):
            print(f"  {peer:<26}missing: {said.get('missing') or said.get('error') or 'not measured'}")
            continue
        shortest, middle = min(seconds[peer]), median(seconds[peer])
        ratio = shortest / unit if unit else float("nan")
        sign = "" if promise is None else ("<= " if table.at_most else ">= ") + f"{promise:g}"
        how = ", ".join(f"{key} {value}" for key, value in said.items() if key != "ready")
        met = table.met(promise, ratio)
        print(f"  {peer:<26}{shortest:>9.4f}{middle:>10.4f}{ratio:>8.2f}{sign:>10}  {met:<4} {how}")
    if name == "dense":
        show_rate(results)
    if name == "help" and seconds.get("narrows --help"):
        met = "yes" if min(seconds["narrows --help"]) < HELP_LIMIT else "NO"
        print(f"  promised: under {HELP_LIMIT} s: {met}")


def show_rate(results: Results) -> None:
    """Print how near the dense work comes to what large matrix products reach on this machine."""
    seconds = results.seconds.get("dense", {})
    if not (seconds.get("narrows") and seconds.get(PRODUCT)):
        return
    peak = 2 * PRODUCTS * SIDE**3 / min(seconds[PRODUCT])
    work = replace(WORKS["dense"], rows=results.rows["dense"])
    for peer in ("narrows", "narrows engine"):
        rate = 2 * work.multiplications / min(seconds[peer])
        print(
            f"  {peer}: {rate / 1e9:.0f} GFLOP/s, {rate / peak:.0%} of the {peak / 1e9:.0f} of a product of side {SIDE}"
        )


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", default=",".join(GROUPS), help="with commas: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each peer (default 5)")
    parser.add_argument("--quick", action="store_true", help="two steps an epoch: only to see that all of it runs")
    parser.add_argument("--only", help="measure these peers alone, with commas")
    parser.add_argument("--peers", default=sys.executable, help="the Python that has the peers installed")
    parser.add_argument("--out", type=Path, default=Path("speed.json"), help="what is measured so far (speed.json)")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured")
    chosen = parser.parse_args()
    for group in chosen.work.split(","):
        if group not in GROUPS:
            parser.error(f"unknown work {group!r}; choose from {', '.join(GROUPS)}")
    return chosen


def main() -> None:
    chosen = options()
    results = results_at(chosen.out, chosen.fresh)
    names = [name for group in chosen.work.split(",") for name in GROUPS[group]]
    for name in names:
        peers = [peer for peer in TABLES[name].peers if not chosen.only or peer in chosen.only.split(",")]
        if name == "help":
            measure_help(results, 2 * chosen.rounds)
        else:
            measure(results, name, chosen.rounds, peers, chosen.peers, chosen.quick)
    print(", ".join(f"{key} {value}" for key, value in results.machine.items()))
    print(f"ratios are of minima over {chosen.rounds} rounds in turns; a promise is met within {WITHIN - 1:.0%}")
    for name in names:
        show(results, name)


if __name__ == "__main__":
    main()
