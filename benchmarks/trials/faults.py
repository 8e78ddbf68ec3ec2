"""Faults: at every call a save makes to the system the disk is full, fails, or the process is killed.

Three saves are tried: the state of a run on its way, the end of a run, and the beginning of one. The calls are those
that files.py and state.py make, replaced in a child process one at a time; then the system itself refuses, by a limit
on the size of files, and by strace where it is installed.
"""

import errno
import io
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from narrows import files
from narrows.errors import EnvironmentProblem, NarrowsError
from narrows.train import Step, fit, open_run
from narrows.train.checkpoint import RECIPE, describe, is_finished, write_run
from narrows.train.run import Run
from narrows.train.state import save
from trials.small import EPOCHS, PLACE, QUICK, STEPS, Tally, data, in_child, outcome, recipe, wait_for, warm

CALLS = ("open", "fsync", "close", "replace", "chmod")
"""What files.py asks of `os`, beside writing."""

FAULTS = ("no space", "input/output error", "half a write", "kill before", "kill after")
"""What happens at a call; half a write is followed by a kill, and happens only where something is written."""

REFUSED = 3
"""Exit status of a child whose save was refused in words."""

SWEEP = """
import secrets, sys
from narrows.errors import EnvironmentProblem
from narrows.files import write_atomic
secrets.token_hex = lambda count: "0" * 12
try:
    write_atomic(sys.argv[1], b"new" * 9000)
except EnvironmentProblem:
    sys.exit(3)
"""
"""A save that strace watches; the name of the temporary file is known ahead, for strace to find."""


class Meddler:
    """Counts the calls of a save, and meddles with one of them.

    Args:
        at: Number of the call to meddle with, from 1; 0 only counts.
        fault: What to do, one of `FAULTS`.
    """

    def __init__(self, at: int = 0, fault: str = ""):
        self.at, self.fault, self.made = at, fault, list[str]()

    def call(self, do: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Make a call, or what the fault makes of it."""
        self.made.append("write" if given and isinstance(given[-1], memoryview) else "other")
        if len(self.made) != self.at:
            return do(*given, **named)
        if self.fault == "kill before":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "kill after":
            do(*given, **named)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "half a write":
            do(given[-1][: len(given[-1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        number = errno.ENOSPC if self.fault == "no space" else errno.EIO
        raise OSError(number, os.strerror(number))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Stand between files.py and the system."""
        calls = {name: self.wrapped(getattr(os, name)) for name in CALLS}
        system, opening = files.os, Path.open
        files.os = SimpleNamespace(**{**vars(os), **calls})  # type: ignore[assignment]

        def opened(path: Path, *given: Any, **named: Any) -> Any:
            return self.opened(path, *given, **named)

        Path.open = opened  # type: ignore[method-assign]
        try:
            yield
        finally:
            files.os, Path.open = system, opening  # type: ignore[method-assign]

    def wrapped(self, do: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **named: self.call(do, *given, **named)

    def opened(self, path: Path, mode: str = "r", *given: Any, **named: Any) -> Any:
        """A file whose opening, writes and closing are calls too; one to read is left alone."""
        if mode not in {"xb", "ab"}:
            return open(path, mode, *given, **named)
        meddler = self

        class Raw(io.FileIO):
            def write(self, content: Any) -> int:
                return meddler.call(super().write, memoryview(content).cast("B"))

            def close(self) -> None:
                if not self.closed:
                    meddler.call(super().close)

        return io.BufferedWriter(self.call(Raw, path, mode[0]))


def run(count: int, seed: int) -> Tally:
    """Every fault at every call of every save; `count` seeds."""
    tally = Tally("faults")
    warm("dense")
    with tempfile.TemporaryDirectory(dir=QUICK) as place:
        for offset in range(seed, seed + count):
            case = Case(Path(place) / str(offset), offset)
            for name, work in WORKS.items():
                made = calls_of(case, work)
                for fault, (at, kind) in product(FAULTS, enumerate(made, 1)):
                    if fault != "half a write" or kind == "write":
                        strike(case, work, at, fault, f"{name}: {fault} at call {at} of {len(made)}", tally)
                limited(case, work, name, tally)
        sweep_by_strace(Path(place), tally)
    return tally


class Case:
    """A run half-way through, in memory and saved in a folder, and what it comes to if nothing happens."""

    def __init__(self, place: Path, seed: int):
        self.recipe = recipe("dense", f"seed={seed}")
        self.folder, self.copy = place / "run", place / "copy"
        whole = place / "whole"
        for _ in fit(self.recipe, data(), folder=whole, place=PLACE):
            pass
        self.outcome = outcome(whole)
        self.events = fit(self.recipe, data(), folder=self.folder, place=PLACE)
        for event in self.events:
            made = (event.epoch - 1) * STEPS + event.step if isinstance(event, Step) else 0
            if made == 17:
                save(self.run)
            if made == EPOCHS * STEPS - 4:
                break

    @property
    def run(self) -> Run:
        return self.events.gi_frame.f_locals["run"]

    def fresh(self) -> Run:
        """The run, its folder copied anew."""
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.folder, self.copy)
        self.run.folder = self.copy
        return self.run


def save_end(run: Run) -> None:
    """Go to the end of the run, and finish it."""
    run.folder, folder = None, run.folder
    events = fit(run.recipe, data(), folder=folder, resume=True, place=PLACE)
    for _ in events:
        pass


def begin_anew(run: Run) -> None:
    """Begin the run once more in the same folder."""
    assert run.folder is not None
    write_run(run.folder, run.recipe, describe(run.layout, run.scaling, run.model, run.place.as_dict()))


WORKS: dict[str, Callable[[Run], object]] = {"state": save, "end": save_end, "beginning": begin_anew}


def calls_of(case: Case, work: Callable[[Run], object]) -> list[str]:
    """The calls of a save, "write" or "other", listed by a child that leaves them in a file."""
    told, run = case.folder.with_name("calls"), case.fresh()

    def counted() -> None:
        meddler = Meddler()
        with meddler.at_work():
            work(run)
        told.write_text(" ".join(meddler.made))

    assert wait_for(in_child(counted)) == 0
    return told.read_text().split()


def strike(case: Case, work: Callable[[Run], object], at: int, fault: str, name: str, tally: Tally) -> None:
    """Save with one fault, and see that the run lives on."""
    run = case.fresh()

    def struck() -> None:
        with Meddler(at, fault).at_work():
            attempt(work, run)

    judge(case, wait_for(in_child(struck)), name, tally)


def attempt(work: Callable[[Run], object], run: Run) -> None:
    """Save, and leave with `REFUSED` if it is refused in words with a next step."""
    try:
        work(run)
    except EnvironmentProblem as problem:
        os._exit(REFUSED if problem.step else 1)


def limited(case: Case, work: Callable[[Run], object], name: str, tally: Tally) -> None:
    """Save where the system allows no file larger than a limit: a real refusal in the middle of a write."""
    for limit in (0, 1, 100, 4096, 20_000):
        run = case.fresh()

        def work_within(limit: int = limit, run: Run = run) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            attempt(work, run)

        tally.count("by a real limit")
        judge(case, wait_for(in_child(work_within)), f"{name}: files of at most {limit} bytes", tally)


def judge(case: Case, status: int, name: str, tally: Tally) -> None:
    """Count a save that went through, was refused or killed, and go on with the run it left to the end."""
    tally.tried += 1
    words = {0: "went through", REFUSED: "refused in words", -signal.SIGKILL: "killed"}
    if status not in words:
        tally.wrong.append(f"{name}: exit status {status}")
        return
    tally.count(words[status])
    try:
        end(case)
    except NarrowsError as error:
        tally.wrong.append(f"{name}: {error}")
        return
    if outcome(case.copy) != case.outcome:
        tally.wrong.append(f"{name}: another outcome")
    if any(files.LEFT_OVER.fullmatch(path.name) for path in case.copy.iterdir()):
        tally.wrong.append(f"{name}: a temporary file is left")


def end(case: Case) -> None:
    """Go on with the run in the folder, from its saved state or from its recipe, unless it is finished."""
    if not is_finished(case.copy):
        for _ in fit(case.recipe, data(), folder=case.copy, resume=(case.copy / RECIPE).is_file(), place=PLACE):
            pass
    open_run(case.copy)


def sweep_by_strace(place: Path, tally: Tally) -> None:
    """Let the system itself refuse each call of a save, by strace: the old file or the new one has to be there."""
    strace = shutil.which("strace")
    if strace is None:
        return
    path, new = place / "swept" / "file", b"new" * 9000
    path.parent.mkdir()
    names = (path.parent, path, path.with_name(".file-000000000000"))
    watched = [strace, "-qq", "-o", os.devnull, *(word for name in names for word in ("-P", str(name)))]
    for call in ("openat", "write", "fsync", "rename", "close"):
        for how in ("error=ENOSPC", "error=EIO", "signal=KILL"):
            for n in (1, 2):
                path.write_bytes(b"old")
                traced = [*watched, "-e", f"inject={call}:{how}:when={n}", sys.executable, "-c", SWEEP, str(path)]
                status = subprocess.run(traced, check=False, capture_output=True).returncode
                tally.count("by strace", status != 0)
                if status not in {0, REFUSED, -signal.SIGKILL, 128 + signal.SIGKILL}:
                    tally.wrong.append(f"strace {call} {how} {n}: exit status {status}")
                if path.read_bytes() not in {b"old", new} or (status == 0 and path.read_bytes() != new):
                    tally.wrong.append(f"strace {call} {how} {n}: neither the old file nor the new")
