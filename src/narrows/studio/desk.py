"""What the routes share: the folders, the list, the trainings, the viewers, and how a run is looked up.

Everything that reads a disk here is called in a thread, never in the server's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

from fastapi import Depends, Request

from narrows.data.sets import DATASETS
from narrows.errors import NarrowsError, UsageError, unknown
from narrows.files import JSON_LIMIT, write_json
from narrows.studio.bench import Bench
from narrows.studio.children import PROGRAM
from narrows.studio.folder import (
    FRESH_SECONDS,
    Facts,
    changed,
    is_own,
    loss,
    number,
    optional,
    read_folder,
    read_history,
)
from narrows.studio.hiding import hidden
from narrows.studio.home import ID, Home, new_id
from narrows.studio.hub import KINDS, Hub, Record
from narrows.studio.jobs import AT_ONCE, Jobs
from narrows.studio.pages import Pages
from narrows.studio.snapshots import frames_of, path_of, read_snapshot, said_in, steps_of
from narrows.studio.store import GOING, LIVE, Row, Store
from narrows.studio.uploads import Uploads

log = logging.getLogger("narrows.studio")

SCAN_SECONDS = 3.0
"""How often the folder of runs is looked through for what began or changed in a terminal."""

HARDLY_SECONDS = 10.0
"""A run that another took the place of before it had trained for so long goes to the bin, unless somebody kept it."""

UPLOAD = "upload:"
ABOUT, COURSE = "about.json", "course.json"
POINTS_LIMIT = 5000


class Desk:
    """Everything a request may need.

    Args:
        home: Where things lie.
        pages: The files of the page.
        at_once: Families that train at the same time.
        cores: Processor cores for training; all but one if 0.
        program: The module that children run.
    """

    def __init__(self, home: Home, pages: Pages, *, at_once: int = AT_ONCE, cores: int = 0, program: str = PROGRAM):
        self.home, self.pages = home, pages
        self.store = Store(home.database)
        self.hub, self.uploads = Hub(), Uploads(home)
        self.jobs = Jobs(
            home, self.store, self.hub, self.source, self.hidden, at_once=at_once, cores=cores, program=program
        )
        self.hub.looked_at = self.look
        self.jobs.ended = lambda run: self.background(asyncio.to_thread(self.remember, run))
        self.quick, self.slow = Bench(program=program), Bench(keep=False, program=program)
        self.kept: set[str] = set()
        self.replaced: set[str] = set()
        self.scanning: asyncio.Task[None] | None = None
        self.tasks: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Begin: the list brought up to date, a child made warm, the folder watched."""
        await asyncio.to_thread(self.uploads.sweep)
        await asyncio.to_thread(self.scan)
        await asyncio.to_thread(self.sweep)
        await self.jobs.open()
        self.background(self.quick.warm())
        self.scanning = asyncio.create_task(self.keep_scanning())

    def give_up(self) -> None:
        """The server is about to end: who waits for an answer that takes long gets another."""
        for bench in (self.quick, self.slow):
            bench.give_up()

    async def close(self) -> None:
        """End: trainings saved, children gone, the database closed."""
        if self.scanning:
            self.scanning.cancel()
        await self.jobs.close()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.store.close()

    def background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let something be worked out while its request is answered already."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.finished)

    def finished(self, task: asyncio.Task[Any]) -> None:
        """Something that was worked out in the background has ended."""
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() and not isinstance(task.exception(), NarrowsError):
            log.error("in the background", exc_info=task.exception())

    def look(self, run: str) -> None:
        """Somebody began or ceased to look at a run."""
        self.jobs.looked_at(run)
        self.let_go(run)

    # Data

    def source(self, name: str) -> str:
        """The data of a recipe as the loader takes it: a name of `DATASETS`, or where an upload lies.

        Raises:
            UsageError: Neither; clients never name a path.
        """
        if name in DATASETS:
            return name
        if name.startswith(UPLOAD):
            return str(self.uploads.path(name.removeprefix(UPLOAD)))
        raise unknown("data set", name, DATASETS)

    def settings(self, name: str) -> dict[str, Any]:
        """The settings with which data can be loaded, where they are not those by default."""
        return dict(self.uploads.one(name.removeprefix(UPLOAD))["settings"]) if name.startswith(UPLOAD) else {}

    def called(self, name: str) -> str:
        """What a person calls the data of a recipe: an upload by its label, as the file is called on their disk."""
        with contextlib.suppress(NarrowsError):
            return str(self.uploads.one(name.removeprefix(UPLOAD))["label"]) if name.startswith(UPLOAD) else name
        return name

    def hidden(self, text: str) -> str:
        """A sentence as clients may read it: without places of this machine."""
        return hidden(text, self.uploads)

    # Runs from elsewhere

    async def keep_scanning(self) -> None:
        """Look through the folder of runs again and again."""
        while True:
            await asyncio.sleep(SCAN_SECONDS)
            try:
                for row in await asyncio.to_thread(self.scan):
                    self.hub.know(row["id"], **shown_facts(row))
                await self.tidy()
            except Exception:
                # The disk may be gone for a moment: the next look finds it again.
                log.exception("the folder of the runs cannot be looked through")

    def scan(self) -> list[Row]:
        """Take runs that began, changed or went away elsewhere into the list; returns those that changed."""
        rows, now = {row["folder"]: row for row in self.store.runs()}, time.time()
        changed = []
        for folder in sorted(path for path in self.home.runs.iterdir() if is_named(path.name) and is_own(path)):
            row = rows.pop(folder.name, None)
            if row and row["origin"] == "studio":
                continue
            facts = read_folder(folder, now) if is_news(folder, row, now) else None
            if facts:
                changed.append(self.take(folder, row, facts))
        for row in rows.values():
            may_go = row["origin"] == "terminal" or row["state"] not in LIVE
            if may_go and not is_own(self.home.folder(row["folder"])):
                self.store.remove(row["id"])
        return changed

    def take(self, folder: Path, row: Row | None, facts: Facts) -> Row:
        """A run from elsewhere as a row of the list."""
        if row:
            self.store.change(row["id"], recipe=facts.recipe.model_dump(mode="json"), **facts.row())
        else:
            self.store.add(self.new_row(folder, facts))
        return self.store.select("WHERE folder = ?", folder.name)[0]

    def new_row(self, folder: Path, facts: Facts) -> Row:
        """The first row of a run that is not in the list: of a terminal, or one of ours if the list was lost."""
        ours = ID.fullmatch(folder.name) is not None and self.home.shown(folder.name).is_dir()
        run, origin = (folder.name, "studio") if ours else (new_id(), "terminal")
        first = {"id": run, "folder": folder.name, "name": folder.name, "created": facts.stamp, "family": run}
        row = {**first, "origin": origin, "recipe": facts.recipe.model_dump(mode="json"), **facts.row()}
        return {**row, "state": "stopped"} if ours and row["state"] in LIVE else row

    def sweep(self) -> None:
        """Remove the objects of runs that are gone for good: neither in the list nor in the bin."""
        binned = {path.name.partition("-")[0] for path in self.home.bin.iterdir()}
        known = binned | {row["id"] for row in self.store.runs()}
        for place in self.home.shown_root.iterdir():
            if place.name not in known:
                shutil.rmtree(place, ignore_errors=True)

    # Runs that give way

    def keep(self, run: str) -> None:
        """Somebody did something with a run: it is not tidied away."""
        self.kept.add(run)
        self.replaced.discard(run)

    def replace(self, run: str) -> None:
        """Stop a run that another takes the place of; it is to go if it has hardly trained and nobody kept it.

        Every turn of a knob begins a training, and the last one is the one that was meant.
        """
        row = next((row for row in self.store.select("WHERE id = ?", run) if row["state"] in GOING), None)
        if row and self.jobs.is_live(run):
            family = self.store.family(row["family"])
            self.jobs.do(row, "stop")
            if not any(other["id"] in self.kept or other["seconds"] >= HARDLY_SECONDS for other in family):
                self.replaced |= {other["id"] for other in family}

    async def tidy(self) -> None:
        """Put runs that are to go into the bin, once they have stopped and nobody needs them."""
        forked = {row["forked_from"] for row in self.store.runs() if row["state"] in ("waiting", "starting")}
        looked_at = {run for viewer in self.hub.viewers for run in viewer.watch}
        for run in self.replaced - forked - looked_at:
            if not self.jobs.is_live(run):
                self.replaced.discard(run)
                for row in self.store.select("WHERE id = ? AND state = 'stopped'", run):
                    await self.throw_away(row)

    async def throw_away(self, row: Row) -> None:
        """Put a run into the bin."""
        await asyncio.to_thread(self.home.throw_away, row["folder"])
        self.store.remove(row["id"])
        self.hub.drop(row["id"])

    # One run

    def folder(self, row: Row) -> Path:
        """The folder of a run."""
        return self.home.folder(row["folder"])

    async def about(self, row: Row) -> dict[str, Any]:
        """What is known of the objects and the layers of a run, worked out first if it must be.

        Raises:
            NarrowsError: They cannot be worked out, or not yet.
        """
        path = self.home.shown(row["id"]) / ABOUT
        if not path.is_file():
            if self.jobs.is_live(row["id"]):
                raise UsageError(f"{row['name']} is still getting ready", step="Wait a moment", code="usage.state")
            await self.slow.ask("prepare", **self.named(row))
        return await asyncio.to_thread(optional, path)

    def named(self, row: Row) -> dict[str, Any]:
        """How a question to the bench names a run."""
        name, outside = row["recipe"]["data"]["name"], self.outside(row)
        source = self.source(name) if row["origin"] == "studio" else name
        places = {"folder": str(self.folder(row)), "shown": str(self.home.shown(row["id"]))}
        return {"id": row["id"], **places, "source": source, "outside": outside is not None}

    def outside(self, row: Row) -> str | None:
        """Where the data of a run lie if that is outside the studio: a path that a terminal named, or anybody."""
        name = str(row["recipe"]["data"]["name"])
        return name if row["origin"] == "terminal" and name not in DATASETS else None

    def recall(self, row: Row) -> None:
        """Let the hub know of a run what its folder says, if nothing is known yet."""
        if row["id"] in self.hub.records:
            return
        record = Record()
        record.know(**shown_facts(row))
        record.judged = judged(read_history(self.folder(row)), row["steps"])
        record.snapshots = self.snapshots(row)
        course = optional(self.home.shown(row["id"]) / COURSE)
        record.add_curve(course.get("step", []), course.get("loss", []))
        record.notices = course.get("notices", [])
        if row["baseline"]:
            record.baseline, record.baselines = row["baseline"], 1
        self.hub.records.setdefault(row["id"], record)

    def recall_frames(self, row: Row) -> None:
        """Let the hub have the frames of the last snapshot of a run that makes no new ones."""
        self.recall(row)
        record = self.hub.record(row["id"])
        if record.snapshots and not record.frames and not self.jobs.is_live(row["id"]):
            with contextlib.suppress(NarrowsError):
                for frame in self.frames(row, record.snapshots[-1]["step"]).values():
                    record.add_frame(frame)

    def remember(self, run: str) -> None:
        """Keep what the folder of a run does not say of its course: the loss of its steps, and its notices."""
        record = self.hub.records.get(run)
        if record:
            with contextlib.suppress(NarrowsError, OSError):
                write_json(self.home.shown(run) / COURSE, {**thinned(record.curve), "notices": record.notices})

    def let_go(self, run: str) -> None:
        """Forget what can be recalled of a run that nobody looks at."""
        if not self.jobs.is_live(run) and not any(run in viewer.watch for viewer in self.hub.viewers):
            self.hub.drop(run)

    def snapshots(self, row: Row) -> list[dict[str, Any]]:
        """Step, epoch and validation loss of each snapshot of a run, the first one first."""
        paths = (path_of(self.folder(row), step) for step in steps_of(self.folder(row)))
        return [note for note in map(noted, paths) if note]

    def frames(self, row: Row, step: int) -> dict[str, bytes]:
        """Points, weights and tiles of a snapshot, as frames.

        Raises:
            NarrowsError: There is none of that step, or it is damaged.
        """
        kept = read_snapshot(self.folder(row), step)
        count = optional(self.home.shown(row["id"]) / ABOUT).get("objects", {}).get("count", 0)
        frames = frames_of(kept, count)
        return {name: frames[kind] for name, kind in KINDS.items()}

    def check_snapshot(self, row: Row, step: int) -> None:
        """Refuse a step of which there is no snapshot."""
        if not path_of(self.folder(row), step).is_file():
            raise UsageError(
                f"no snapshot of step {step}", step="Choose one of the time line", code="usage.no-snapshot"
            )


def get_desk(request: Request) -> Desk:
    """The desk of the app that a request came to."""
    return request.app.state.desk  # type: ignore[no-any-return]


Here = Annotated[Desk, Depends(get_desk)]
"""The desk, as an argument of a route."""


def is_named(name: str) -> bool:
    """Whether a folder may be a run: its name is not hidden, and is text that can be told.

    Example:
        >>> is_named("digits"), is_named(".studio"), is_named(chr(0xDCFF))
        (True, False, False)
    """
    try:
        return name.encode()[:1] != b"."
    except UnicodeEncodeError:
        return False


def is_news(folder: Path, row: Row | None, now: float) -> bool:
    """Whether a folder may say something that its row does not."""
    try:
        stamp = changed(folder)
    except OSError:
        return False
    return stamp > 0 and (
        row is None or stamp > row["stamp"] or (row["state"] == "running" and now - stamp > FRESH_SECONDS)
    )


def shown_facts(row: Row) -> dict[str, Any]:
    """What viewers are told of a run, from its row."""
    named = ("state", "why", "epoch", "epochs", "step", "steps", "seconds")
    return {name: row[name] for name in named}


def judged(epochs: list[dict[str, Any]], steps: int) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl as viewers get them."""
    return [
        {
            "epoch": number,
            "step": number * steps,
            "train": epoch.get("train"),
            "valid": epoch.get("valid"),
            "best": bool(epoch.get("best")),
        }
        for number, epoch in enumerate(epochs, 1)
    ]


def noted(path: Path) -> dict[str, Any] | None:
    """What a snapshot says of itself at its begin; None where it is not one."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
            said = said_in(head + file.read(min(int.from_bytes(head, "little"), JSON_LIMIT)))
        valid = number(float(said["valid"])) if said["valid"] else None
        return {"step": int(said["step"]), "epoch": int(said["epoch"]), "valid": valid}
    except (OSError, KeyError, TypeError, ValueError):
        return None


def history(record: Record) -> dict[str, Any]:
    """The course of a run as columns."""
    epochs = record.judged
    return {
        **thinned(record.curve),
        "epochs": {
            "epoch": [epoch["epoch"] for epoch in epochs],
            "step": [epoch["step"] for epoch in epochs],
            "train": [loss(epoch, "train") for epoch in epochs],
            "valid": [loss(epoch, "valid") for epoch in epochs],
        },
    }


def thinned(curve: dict[str, list[float]]) -> dict[str, list[float]]:
    """A curve of about `POINTS_LIMIT` points at most.

    Example:
        >>> len(thinned({"step": list(range(23_000))})["step"])
        5750
    """
    keep = max(1, len(curve["step"]) // POINTS_LIMIT)
    return {name: values[::keep] for name, values in curve.items()}


def gone(name: str) -> NoReturn:
    """Refuse what a run no longer has: it was deleted while it was asked for.

    Raises:
        UsageError: Always.
    """
    raise UsageError(f"{name}, whose objects are gone", step="Choose another run", code="usage.no-file")
