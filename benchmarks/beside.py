"""What a studio costs the training beside it: steps a second and processor time a step, alone and in a studio's child.

    python benchmarks/beside.py [--seconds 10] [--turns 3] [--core 0]

Both trainings are the same `fit` with the same threads on the same core, in turns; whoever listens is on another core.
The time of the processor is the surer number where other programs work beside. Whole epochs are compared, for each ends
with a judgement that takes as long as many steps. What is worked out once, PCA beside the
network, is waited for: `narrows train` works it out too, at its end.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from narrows.changes import assign
from narrows.data import load
from narrows.recipe import Recipe, recipe_for
from narrows.studio import wire

WARM = 2.0
"""Seconds of a training that are not counted: its beginning is when a studio shows most."""

RECIPES = {
    "digits, dense, 2 numbers": ("digits", ["network.widths=128,64", "bottleneck.size=2"]),
    "MNIST, dense 1024-512": ("mnist", ["bottleneck.size=2"]),
    "MNIST, conv": ("mnist", ["network=conv", "bottleneck.size=2"]),
    "ECG5000, lstm": ("ecg5000", ["network=lstm"]),
}


@dataclass(frozen=True)
class Pace:
    """Steps of a training, the seconds they took, and those the processor worked."""

    steps: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Steps a second."""
        return self.steps / self.wall

    @property
    def work(self) -> float:
        """Seconds of the processor a step."""
        return self.cpu / self.steps


def cost(recipe: Recipe, *, seconds: float = 10.0, turns: int = 3, core: int = 0) -> dict[str, Any]:
    """How much slower a training is in a studio's child, with a viewer that takes every frame.

    Args:
        recipe: What to train; it should take longer than `seconds`.
        seconds: How long each training is watched.
        turns: How often each way is measured.
        core: The core that training is pinned to.

    Returns:
        "wall" and "cpu": extra time a step, as a share; "alone" and "beside": the medians of steps a second;
        "frames": frames a second.
    """
    alone, beside, frames = [], [], []
    for _ in range(turns):
        alone.append(in_process(train_alone, recipe, seconds, core)[0])
        pace, count = beside_studio(recipe, seconds, core)
        beside.append(pace)
        frames.append(count / pace.wall)
    rates = [median(pace.rate for pace in paces) for paces in (alone, beside)]
    works = [median(pace.work for pace in paces) for paces in (alone, beside)]
    return {
        "wall": rates[0] / rates[1] - 1, "cpu": works[1] / works[0] - 1,
        "alone": rates[0], "beside": rates[1], "frames": median(frames),
    }  # fmt: skip


def in_process(work: Callable[..., None], *arguments: Any) -> tuple[Any, ...]:
    """What a function sends, run in a process of its own."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there, *arguments))
    process.start()
    result = here.recv()
    process.join()
    return result


def is_mark(marks: list[tuple[int, float, float]], begin: float, now: float, seconds: float) -> bool:
    """Whether the end of an epoch is where counting begins, or ends."""
    return now - marks[0][1] >= seconds if marks else now - begin >= WARM


def train_alone(connection: Any, recipe: Recipe, seconds: float, core: int) -> None:
    """Train without a studio, and send the pace."""
    pin(core)
    from narrows.train import Epoch, Place, Step, fit

    data, marks = load(recipe.data.name), list[tuple[int, float, float]]()
    with tempfile.TemporaryDirectory() as folder:
        begin, steps = time.perf_counter(), 0
        for event in fit(recipe, data, folder=folder, place=Place("cpu", "float32", 1)):
            now = time.perf_counter()
            steps += isinstance(event, Step)
            if isinstance(event, Epoch) and is_mark(marks, begin, now, seconds):
                marks.append((steps, now, time.process_time()))
                if len(marks) == 2:
                    break
    (a, begin, before), (b, end, after) = marks
    connection.send((Pace(b - a, end - begin, after - before),))


def beside_studio(recipe: Recipe, seconds: float, core: int) -> tuple[Pace, int]:
    """Train in a studio's child and take all that it says; returns the pace and the frames that came."""
    context = get_context("spawn")
    connection, theirs = context.Pipe()
    process = context.Process(target=pinned_child, args=(theirs, core), daemon=True)
    process.start()
    theirs.close()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wire.receive(connection)
        order = {
            "id": "a", "folder": str(folder / "a"), "shown": str(folder / "shown"), "source": recipe.data.name,
            "recipe": recipe.model_dump(mode="json"), "resume": False, "start": None,
        }  # fmt: skip
        wire.send(connection, {"do": "start", "runs": [order], "cores": 1})
        wire.send(connection, {"do": "want", "frames": True, "rate": 10})
        pace, frames = watch(connection, process.pid or 0, seconds)
        process.kill()
        process.join()
    return pace, frames


def watch(connection: Any, pid: int, seconds: float) -> tuple[Pace, int]:
    """The pace of a child that trains, by what it tells, and how many frames it sent meanwhile."""
    begin, marks, frames, is_compared = time.perf_counter(), list[tuple[int, float, float]](), 0, False
    while True:
        message, _ = wire.receive(connection)
        now = time.perf_counter()
        frames += message["event"] == "frames" and len(marks) == 1
        if message.get("state") in {"failed", "done"}:
            raise SystemExit(f"the training ended before its time: {message}")
        is_compared = is_compared or message["event"] == "baseline"
        if message["event"] == "epoch" and is_compared and is_mark(marks, begin, now, seconds):
            marks.append((message["step"], now, cpu_of(pid)))
            if len(marks) == 2:
                break
    (a, start, before), (b, end, after) = marks
    return Pace(b - a, end - start, after - before), frames


def pinned_child(connection: Any, core: int) -> None:
    """A trainer on one core."""
    pin(core)
    wire.enter(connection, "trainer", "narrows.studio.child")


def pin(core: int) -> None:
    """Keep this process on a core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def cpu_of(pid: int) -> float:
    """Seconds the processor has worked for a process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure every recipe and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    print(f"{'':28} {'alone':>9} {'beside':>9} {'slower':>8} {'work':>8} {'frames/s':>9}")
    for name, (source, changes) in RECIPES.items():
        if asked.only not in name:
            continue
        recipe = assign(recipe_for(load(source)), [*changes, "training.epochs=100000"])
        found = cost(recipe, seconds=asked.seconds, turns=asked.turns, core=asked.core)
        print(
            f"{name:28} {found['alone']:9.1f} {found['beside']:9.1f} {found['wall']:8.1%} {found['cpu']:8.1%}"
            f" {found['frames']:9.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
