"""What all trials share: tiny runs of every family and every bottleneck, a child process, and a tally."""

import json
import os
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

from narrows.changes import assign
from narrows.data import load
from narrows.recipe import Recipe, recipe_for
from narrows.train import Event, Finished, Place, Result, fit
from narrows.types import Splits

PLACE = Place("cpu", "float32", 1)

STEPS, EPOCHS = 10, 6

QUICK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""A folder in memory, where flushing costs nothing; None is the usual one."""

CASES = {
    "dense": ("dense", "plain", ["network.widths=16"]),
    "dense contractive": ("dense", "contractive", ["network.widths=16", "training.clip=1"]),
    "dense sparse-l1": ("dense", "sparse-l1", ["network.widths=16", "network.tied=true"]),
    "dense sparse-kl": ("dense", "sparse-kl", ["network.widths=16", "corruption=gaussian"]),
    "conv": ("conv", "variational", ["network.channels=4,8", "corruption=mask-patches"]),
    "conv map": ("conv", "vq", ["network.channels=4,8", "network.map=true", "bottleneck.entries=8"]),
    "lstm": ("lstm", "sparse-topk", ["network.hidden=8", "bottleneck.k=3"]),
    "unet": ("unet", "fsq", ["network.channels=4,6", "bottleneck.size=2"]),
}
"""Every family, and every bottleneck at least once: network, bottleneck, and what makes it tiny."""


@dataclass
class Tally:
    """How often a thing was tried, what else was counted, and every case that went wrong, in words."""

    name: str
    tried: int = 0
    counts: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def count(self, what: str, number: float = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def most(self, what: str, number: float) -> None:
        self.counts[what] = max(self.counts.get(what, 0), number)


@cache
def data() -> Splits:
    """Ten steps an epoch of real digits, 8 x 8."""
    return load("digits", limit=16 * STEPS)


def recipe(case: str, *changes: str) -> Recipe:
    """The recipe of a case: sixty steps."""
    network, bottleneck, own = CASES[case]
    base = recipe_for(data(), network=network, bottleneck=bottleneck)
    return assign(base, [*own, f"training.epochs={EPOCHS}", "training.batch=16", *changes])


def warm(case: str) -> None:
    """Train in this process, so that its children find everything imported."""
    for _ in fit(recipe(case, "training.epochs=1"), data(), place=PLACE):
        pass


def result_of(events: Iterable[Event]) -> Result:
    """The result a training ends with."""
    return next(event for event in events if isinstance(event, Finished)).result


def outcome(folder: Path) -> tuple[str, list[dict[str, object]]]:
    """What a finished run folder comes to: the hash of its weights, and its metrics but for the time they took."""
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    metrics = [{name: value for name, value in line.items() if name != "seconds"} for line in lines]
    return sha256((folder / "weights.safetensors").read_bytes()).hexdigest(), metrics


def in_child(work: Callable[[], object]) -> int:
    """Begin to do some work in a child of this process; returns its number. Its status is 0, or 1 after an error."""
    if child := os.fork():
        return child
    status = 1
    try:
        work()
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        # Neither the parent's buffers nor its exit handlers are the child's business.
        os._exit(status)


def wait_for(child: int) -> int:
    """The exit status of a child; below zero, the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
