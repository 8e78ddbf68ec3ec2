"""Training: which runs are under way, which child works on them, and what may be done to them.

    POST -> family of 1 to 4 runs -> waiting -> a warm child -> starting -> running <-> paused -> stopped, done ...

The runs of a family train in lockstep in one child, and what is done to one is done to all. A child stays when its
family has ended, and takes the next one; there is one child more than may work, for one may still write its reports.
What a child says is written into the store before it is told to anybody.

Messages are those of `wire`: one JSON object and the bytes that belong to it.

To a trainer:
    {"do": "start", "runs": [{"id", "folder", "shown", "recipe", "source", "resume", "start", "graph_limit"}],
     "cores", "pace"}
        recipe: as the client sent it, its data "upload:ID" or a name; source: the same as the loader takes it
        resume: go on with what is saved in the folder; start: {"folder", "step"} of a snapshot to begin with, or null
    {"do": "pause"}, {"do": "resume"}, {"do": "step"}, {"do": "stop"}      obeyed between two batches
    {"do": "pace", "steps": a second or null}                              null: as fast as it goes
    {"do": "want", "frames": bool, "rate": a second}                       whether somebody looks
    {"do": "exit"}
From a trainer:
    {"event": "ready"}                                                     torch is imported
    {"event": "state", "id", "state", "why"}
    {"event": "started", "id", "epochs", "steps", "step", "parameters", "place", "counts", "notes"}
    {"event": "progress", "id", "epoch", "step", "seconds", "rate", "curve": {"step": [], "loss": []}}
    {"event": "epoch", "id", "epoch", "step", "train", "valid", "best", "seconds"}
    {"event": "snapshot", "id", "step", "epoch", "valid", "dropped"}
    {"event": "notice", "id", "code", "sentence"}, {"event": "baseline", "id", "baseline"}
    {"event": "frames", "id", "step"} and the frames, each with slot 0
    {"event": "report", "id", "report"}                                    when all is known, perhaps after "idle"
    {"event": "idle", "owed": reports}                                     every run of the family has ended
    {"event": "settled"}                                                   what it owed is written
To and from the bench (see `bench`): {"do", "call", ...}; {"event": "reply", "call", "ok", "result" or "error"}.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from narrows.errors import NarrowsError, UsageError
from narrows.studio.children import PROGRAM, Child
from narrows.studio.folder import START
from narrows.studio.home import Home
from narrows.studio.hub import KIND_AT, Hub
from narrows.studio.snapshots import path_of
from narrows.studio.store import LIVE, Row, Store
from narrows.studio.wire import Message

log = logging.getLogger("narrows.studio")

AT_ONCE = 1
"""Families that train at the same time."""

WAITING_LIMIT = 16
STOP_SECONDS = 10.0
"""A child that has not stopped within so many seconds is ended; its runs go on from what they saved last."""

FALSE_STARTS = 3
"""So many children that end before they are ready, and nothing waits for another."""

REST_SECONDS = 2.0
"""So long after a training one more child is made, unless another training has begun."""

FRAME_RATE = 10.0
GRAPH_LIMIT = 4_000_000
"""Numbers a model may have at most for the page to run it itself."""

ALLOWED: dict[str, tuple[str, ...]] = {
    "pause": ("starting", "running"),
    "resume": ("paused", "stopped", "failed"),
    "step": ("paused",),
    "stop": LIVE,
    "restart": ("waiting", "starting", "running", "paused", "stopped", "done", "diverged", "failed"),
}
"""The states in which something may be done to a run."""

SENTENCES = ("why", "sentence")
"""What of a message is shown to people as it is."""

LATE = ("report", "baseline", "snapshot", "notice", "frames")
"""What a child may still say of a run that has ended."""

COLD = "The training process is getting ready; that takes a few seconds."
STOPPING = "The training before this one is stopping and saves what it learned; this one begins right after it."
LEAVING = "The training before this one is being ended while it still gets ready; this one begins right after it."
BUSY = "Another training is under way; this one begins when it has ended or is paused."
LOST = "The studio ended while it trained; it goes on from its last saved state."
ENDED = "It did not stop in time and was ended; it goes on from its last saved state."


@dataclass(eq=False)
class Family:
    """Runs that train side by side in one child.

    Args:
        name: The id they share.
        runs: Their ids.
        resume: Whether they go on with what is saved.
        begins: For each forked run, where its weights come from.
        pace: Steps a second at most; as fast as it goes if None.
        child: What works on them, once it does.
        again: Whether they are to begin again when they have stopped.
        is_stopping: Whether the child was told to stop.
        states: What each run was last said to be, and `told` why.
    """

    name: str
    runs: list[str]
    resume: bool = False
    begins: dict[str, dict[str, Any]] = field(default_factory=dict)
    pace: float | None = None
    child: Child | None = None
    again: bool = False
    is_stopping: bool = False
    states: dict[str, str] = field(default_factory=dict)
    told: str = ""

    @property
    def is_paused(self) -> bool:
        """Whether all that still train are paused."""
        live = [state for state in self.states.values() if state in LIVE]
        return bool(live) and all(state == "paused" for state in live)

    @property
    def has_begun(self) -> bool:
        """Whether any of them trains, or has trained."""
        return any(state not in ("waiting", "starting") for state in self.states.values())


class Jobs:
    """The trainings of a studio. All but `record` runs in the server's event loop.

    Args:
        home: Where things lie.
        store: The list of runs.
        hub: Who is told.
        source: The data of a recipe as the loader takes it, by the name a client gave it.
        hidden: A sentence without places of this machine.
        at_once: Families that train at the same time.
        cores: Processor cores that training may take in all; those of this machine but one if 0.
    """

    def __init__(
        self,
        home: Home,
        store: Store,
        hub: Hub,
        source: Callable[[str], str],
        hidden: Callable[[str], str],
        *,
        at_once: int = AT_ONCE,
        cores: int = 0,
        program: str = PROGRAM,
    ):
        self.home, self.store, self.hub, self.program = home, store, hub, program
        self.source, self.hidden = source, hidden
        self.at_once, self.cores = at_once, cores or max(1, available_cores() - 1)
        self.families: dict[str, Family] = {}
        self.waiting: list[Family] = []
        self.spares: list[Child] = []
        self.making = 0
        self.loop: asyncio.AbstractEventLoop | None = None
        self.inbox = Inbox(self.hear)
        self.closing, self.false_starts = False, 0
        self.ended: Callable[[str], None] = lambda run: None

    async def open(self) -> None:
        """Take note of runs whose server died, and make a child warm."""
        self.loop = asyncio.get_running_loop()
        self.inbox.loop = self.loop
        await asyncio.to_thread(self.mark_lost)
        await self.warm()

    def mark_lost(self) -> None:
        """Runs that were under way when a server died are stopped, with the numbers last told."""
        for row in self.store.runs():
            if row["state"] in LIVE and row["origin"] == "studio":
                self.store.change(row["id"], sure=True, state="stopped", why=LOST)

    async def close(self) -> None:
        """Stop all trainings, so that they save, and end the children."""
        self.closing = True
        working = [family for family in self.families.values() if family.child]
        for family in working:
            self.say(family, "stop")
        for _ in range(int(STOP_SECONDS * 20)):
            if not any(family.child for family in working):
                break
            await asyncio.sleep(0.05)
        children = [*self.spares, *(family.child for family in working)]
        await asyncio.gather(*(asyncio.to_thread(child.close) for child in children if child))

    # What clients ask for

    def begin(
        self,
        rows: list[Row],
        *,
        resume: bool = False,
        begins: dict[str, dict[str, Any]] | None = None,
        pace: float | None = None,
    ) -> None:
        """Let the runs of a family train as soon as there is a child for them.

        Args:
            rows: The runs.
            resume: Whether they go on with what is saved.
            begins: For each forked run, the snapshot its weights come from.
            pace: Steps a second at most; as fast as it goes if None.

        Raises:
            UsageError: Too many wait already, or the data is not there.
        """
        self.check_room()
        for row in rows:
            self.source(row["recipe"]["data"]["name"])
        family = Family(rows[0]["family"], [row["id"] for row in rows], resume, begins or {}, pace)
        self.families[family.name] = family
        self.waiting.append(family)
        self.go_on()

    def check_room(self) -> None:
        """Refuse more work while a lot of it waits.

        Raises:
            UsageError: Too many families wait.
        """
        if len(self.waiting) >= WAITING_LIMIT:
            raise UsageError(f"{WAITING_LIMIT} trainings wait already", step="Stop some of them", code="usage.busy")

    def do(self, row: Row, what: str) -> dict[str, str]:
        """Do something to the family of a run; returns the states they have now.

        Raises:
            UsageError: Their state does not allow it.
        """
        rows = self.store.family(row["family"])
        able = [other for other in rows if other["state"] in ALLOWED[what]]
        if not able and what == "stop" and row["origin"] == "studio":
            # It may have come to its end while the wish was under way: what was wished for is so.
            return {other["id"]: other["state"] for other in rows}
        if not able or row["origin"] != "studio":
            raise refused(what, row)
        family = self.families.get(row["family"])
        if what == "restart":
            self.restart(rows, family)
        elif family is None:
            self.begin([other for other in rows if other["state"] in ALLOWED["resume"]], resume=True)
        elif what == "stop" and family in self.waiting:
            self.waiting.remove(family)
            self.set_state(family, "stopped", "It had not begun.")
            del self.families[family.name]
        else:
            self.say(family, what)
        return {other["id"]: other["state"] for other in self.store.family(row["family"])}

    def slow_down(self, row: Row, steps: float | None) -> dict[str, str]:
        """Let a family make at most so many steps a second, or as many as it can.

        Raises:
            UsageError: Nothing of it trains.
        """
        family = self.families.get(row["family"])
        if family is None:
            raise UsageError(f"{row['name']} does not train", step="Begin or resume it first", code="usage.state")
        family.pace = steps
        if family.child:
            family.child.say({"do": "pace", "steps": steps})
        return {other["id"]: other["state"] for other in self.store.family(row["family"])}

    def restart(self, rows: list[Row], family: Family | None) -> None:
        """Let a family begin again from its first step; what it had trained goes to the bin."""
        self.origins(rows)
        if family and family.child:
            family.again = True
            self.say(family, "stop")
        elif family is None:
            self.begin_again(rows)

    def begin_again(self, rows: list[Row], pace: float | None = None) -> None:
        """Begin again with runs that nobody works on, at the pace they had."""
        begins = self.origins(rows)
        self.check_room()
        for row in rows:
            old = self.home.throw_away(row["folder"])
            self.home.folder(row["folder"]).mkdir()
            keep_start(old, self.home.folder(row["folder"]))
            self.store.change(row["id"], epoch=0, step=0, seconds=0.0, loss=None, valid=None, best=None)
            self.hub.begin_again(row["id"])
        self.begin(rows, begins=begins, pace=pace)

    def origins(self, rows: list[Row]) -> dict[str, dict[str, Any]]:
        """Where the weights of forked runs come from.

        Raises:
            UsageError: The snapshot that one of them began with is gone.
        """
        return {row["id"]: self.origin(row) for row in rows if row["forked_from"]}

    def origin(self, row: Row) -> dict[str, Any]:
        """Where the weights of a forked run come from: itself, once it has begun."""
        own = self.home.folder(row["folder"])
        if (own / START).is_file():
            return {"folder": str(own), "step": row["forked_step"]}
        with contextlib.suppress(UsageError):
            folder = self.home.folder(self.store.run(row["forked_from"])["folder"])
            if path_of(folder, row["forked_step"]).is_file():
                return {"folder": str(folder), "step": row["forked_step"]}
        raise UsageError(f"the snapshot {row['name']} began with is gone", step="Fork another one", code="usage.state")

    def say(self, family: Family, what: str) -> None:
        """Tell the child of a family what to do; one that does not stop in time is ended."""
        child = family.child
        if child:
            child.say({"do": what})
            family.is_stopping |= what == "stop"
            if what == "stop" and self.loop:
                self.loop.call_later(STOP_SECONDS, self.end_slow, family, child)

    def end_slow(self, family: Family, child: Child) -> None:
        """End a child that still works on a family that was to stop."""
        if family.child is child and not self.closing:
            self.set_state(family, "stopped", ENDED)
            child.kill()

    def looked_at(self, run: str) -> None:
        """Somebody began or ceased to look at a run: its child makes frames only for those who look."""
        family = next((family for family in self.families.values() if run in family.runs), None)
        if family and family.child:
            self.want(family)

    def want(self, family: Family) -> None:
        """Tell a child whether somebody looks."""
        looked = any(self.hub.watched(run) for run in family.runs)
        if family.child:
            family.child.say({"do": "want", "frames": looked, "rate": FRAME_RATE})

    def is_live(self, run: str) -> bool:
        """Whether a run waits or is worked on."""
        return any(run in family.runs for family in self.families.values())

    # Which child works on what

    def working(self) -> list[Family]:
        """The families that a child works on."""
        return [family for family in self.families.values() if family.child]

    def room(self) -> bool:
        """Whether another family may begin."""
        return len(self.working()) < self.at_once

    def go_on(self) -> None:
        """Begin with those that wait, as far as there is room and a child; a paused family makes room."""
        while self.waiting and not self.closing and self.room() and (child := self.free()):
            self.spares.remove(child)
            self.hand(self.waiting.pop(0), child)
        if not self.waiting or self.closing:
            return
        if not self.room():
            self.make_room()
        elif self.loop and not self.false_starts and self.lacks():
            self.loop.create_task(self.warm())
        for family in self.waiting:
            self.tell_why(family)

    def free(self) -> Child | None:
        """A child that can begin at once: one that owes nothing if there is one, the one that worked last first."""
        ready = [child for child in reversed(self.spares) if child.is_ready]
        return min(ready, key=lambda child: child.is_settling, default=None)

    def lacks(self) -> bool:
        """Whether more wait that may begin than children get ready."""
        beginning = min(len(self.waiting), self.at_once - len(self.working()))
        return self.making + len(self.spares) < beginning

    def make_room(self) -> None:
        """Stop a paused family, unless one stops already."""
        paused = next((family for family in self.working() if family.is_paused and not family.again), None)
        if paused and not any(family.is_stopping for family in self.working()):
            self.say(paused, "stop")

    def tell_why(self, family: Family) -> None:
        """Tell what a family waits for, if that is something else than it was."""
        stopping = [other for other in self.working() if other.is_stopping]
        stops = STOPPING if any(other.has_begun for other in stopping) else LEAVING
        why = COLD if self.room() else stops if stopping else BUSY
        if family.told != why:
            family.told = why
            self.set_state(family, "waiting", why)

    def hand(self, family: Family, child: Child) -> None:
        """Let a child work on a family."""
        family.child = child
        self.set_state(family, "starting")
        cores = max(1, self.cores // max(1, len(self.working())))
        child.say(
            {
                "do": "start",
                "runs": [self.described(family, run) for run in family.runs],
                "cores": cores,
                "pace": family.pace,
            }
        )
        self.want(family)

    def described(self, family: Family, run: str) -> dict[str, Any]:
        """What a child has to know of a run."""
        row = self.store.run(run)
        folder = self.home.folder(row["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        parts = {"id": run, "folder": str(folder), "shown": str(self.home.shown(run)), "recipe": row["recipe"]}
        source, resume = (
            self.source(row["recipe"]["data"]["name"]),
            family.resume and (folder / "recipe.json").is_file(),
        )
        more = {"source": source, "resume": resume, "start": family.begins.get(run), "graph_limit": GRAPH_LIMIT}
        return {**parts, **more}

    async def warm(self) -> None:
        """Make a child, if there are fewer than may work and one more."""
        if self.closing or self.making + len(self.spares) + len(self.working()) > self.at_once:
            return
        self.making += 1
        try:
            child = await asyncio.to_thread(Child, "trainer", self.record, self.record_end, self.program)
        finally:
            self.making -= 1
        if self.closing:
            child.kill()
        else:
            self.spares.insert(0, child)

    # What children say

    def record(self, child: Child, message: Message, frames: list[bytes]) -> None:
        """In the thread that reads a child: write down what it says, then hand it on."""
        message |= {name: self.hidden(message[name]) for name in SENTENCES if name in message}
        if message.get("event") in COLUMNS:
            sure, values = message["event"] == "state", COLUMNS[message["event"]](message)
            self.store.change(message["id"], sure=sure, **values)
        self.inbox.put(child, message, frames)

    def record_end(self, child: Child, cause: str) -> None:
        """In the thread that reads a child: it is gone."""
        self.inbox.put(child, {"event": "gone", "cause": cause}, [])

    def hear(self, child: Child, message: Message, frames: list[bytes]) -> None:
        """What a child said arrives in the event loop."""
        event = message.get("event")
        family = next((family for family in self.families.values() if family.child is child), None)
        if event == "ready":
            child.is_ready, self.false_starts = True, 0
            self.go_on()
        elif event == "settled":
            child.is_settling = False
        elif event in ("idle", "gone"):
            self.release(child, family, message)
        elif family and message.get("id") in family.runs:
            if event == "state":
                family.states[message["id"]] = message["state"]
            self.hub.take(message, frames)
            if event == "state" and self.waiting:
                self.go_on()
        elif event in LATE and message.get("id") in self.hub.records:
            self.hub.take(message, frames)

    def release(self, child: Child, family: Family | None, message: Message) -> None:
        """A child has ended its family, or has ended itself."""
        gone = message["event"] == "gone"
        if family:
            if gone and not self.closing:
                self.set_state(family, "failed", f"The training process {message['cause']}.", only_live=True)
            del self.families[family.name]
            family.child = None
            for run in family.runs:
                self.ended(run)
        if gone:
            self.lose(child, str(message["cause"]))
        else:
            child.is_settling = bool(message.get("owed"))
            self.spares.append(child)
        if family and family.again and not self.closing:
            try:
                self.begin_again(self.store.family(family.name), family.pace)
            except NarrowsError as problem:
                self.set_state(family, "stopped", str(problem))
        if self.loop and not self.closing:
            self.loop.call_later(self.delay(), self.refill)
        self.go_on()

    def lose(self, child: Child, cause: str) -> None:
        """A child is gone; when several do not even get ready, those that wait are told why nothing begins."""
        self.spares = [spare for spare in self.spares if spare is not child]
        self.false_starts = 0 if child.is_ready else self.false_starts + 1
        if self.false_starts >= FALSE_STARTS:
            for family in self.waiting:
                self.set_state(family, "failed", f"The training process {cause} while it was getting ready.")
                del self.families[family.name]
            self.waiting = []

    def delay(self) -> float:
        """Seconds until another child is made: the longer, the more of them did not get ready."""
        return min(60.0, 2.0**self.false_starts - 1) if not self.spares else REST_SECONDS

    def refill(self) -> None:
        """Make another child, unless something trains that its imports would slow down."""
        if self.loop and not self.working():
            self.loop.create_task(self.warm())

    def set_state(self, family: Family, state: str, why: str = "", *, only_live: bool = False) -> None:
        """Set the state of the runs of a family, or of those that have not ended."""
        for run in family.runs:
            if not only_live or family.states.get(run, "starting") in LIVE:
                family.states[run] = state
                self.store.change(run, sure=True, state=state, why=why)
                self.hub.know(run, state=state, why=why)


class Inbox:
    """From the threads that read children to the event loop: events in order, of frames only the newest a run.

    Args:
        hear: Called in the loop with each.
    """

    def __init__(self, hear: Callable[[Child, Message, list[bytes]], None]):
        self.hear = hear
        self.loop: asyncio.AbstractEventLoop | None = None
        self.lock = threading.Lock()
        self.events: list[tuple[Child, Message, list[bytes]]] = []
        self.frames: dict[tuple[str, bytes], tuple[Child, Message, list[bytes]]] = {}

    def put(self, child: Child, message: Message, frames: list[bytes]) -> None:
        """Hand something on, from any thread."""
        with self.lock:
            is_idle = not self.events and not self.frames
            if message.get("event") == "frames":
                kinds = bytes(frame[KIND_AT] for frame in frames)
                self.frames[str(message.get("id")), kinds] = (child, message, frames)
            else:
                self.events.append((child, message, frames))
        if is_idle and self.loop and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.empty)

    def empty(self) -> None:
        """In the loop: hear all there is."""
        with self.lock:
            found = [*self.frames.values(), *self.events]
            self.events, self.frames = [], {}
        for child, message, frames in found:
            try:
                self.hear(child, message, frames)
            except Exception:
                # What goes wrong with one run must not cost what is said of the others.
                log.exception("%s said %s", child.role, str(message)[:200])


def keep_start(old: Path, new: Path) -> None:
    """Let a run that begins again have the weights it began with, if it is a fork."""
    if (old / START).is_file():
        try:
            os.link(old / START, new / START)
        except OSError:
            # Not every file system knows two names of one file.
            shutil.copyfile(old / START, new / START)


def refused(what: str, row: Row) -> UsageError:
    """The error for what cannot be done to a run in its state."""
    if row["origin"] != "studio" and row["state"] in LIVE:
        return UsageError(f"{row['name']} trains in a terminal", step="Stop it there", code="usage.state")
    where = "was trained in a terminal" if row["origin"] != "studio" else f"is {row['state']}"
    expected = f"a run that is {' or '.join(ALLOWED[what])}"
    return UsageError(f"{row['name']} {where}, so {what} is not possible", expected=expected, code="usage.state")


def available_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def last_loss(message: Message) -> dict[str, Any]:
    """The columns that a progress changes."""
    losses = message.get("curve", {}).get("loss", [])
    named = {name: message[name] for name in ("epoch", "step", "seconds")}
    return named | ({"loss": losses[-1]} if losses else {})


def judged(message: Message) -> dict[str, Any]:
    """The columns that an epoch changes."""
    valid = message["valid"].get("loss")
    return {name: message[name] for name in ("epoch", "step", "seconds")} | (
        {"valid": valid, "best": valid} if message["best"] else {"valid": valid}
    )


def compared(message: Message) -> dict[str, Any]:
    """The columns that the baseline changes."""
    return {"baseline": message["baseline"], "pca": ((message["baseline"] or {}).get("pca") or {}).get("mse")}


COLUMNS: dict[str, Callable[[Message], dict[str, Any]]] = {
    "state": lambda message: {"state": message["state"], "why": message.get("why", "")},
    "started": lambda message: {name: message[name] for name in ("epochs", "steps", "step")},
    "progress": last_loss,
    "epoch": judged,
    "baseline": compared,
}
"""What each event of a trainer changes in the row of its run."""
