"""Runs: listed, begun, paused, stopped, forked, named, thrown away."""

import asyncio
import re
import time
from itertools import count
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from narrows.changes import parse
from narrows.errors import LimitError, UsageError
from narrows.recipe import Recipe
from narrows.settings import Settings
from narrows.studio.desk import Desk, Here, history
from narrows.studio.folder import REPORT, optional
from narrows.studio.home import new_id
from narrows.studio.routes.listed import Listed, listed
from narrows.studio.sayings import command, python
from narrows.studio.store import Row

router = APIRouter(prefix="/api/runs", tags=["runs"])

Name = Annotated[str, Field(min_length=1, max_length=120)]
Pace = Annotated[float, Field(ge=0.1, le=1e6)] | None
"""Steps a second at most; as fast as it goes if none."""

EPOCHS_LIMIT, RUNS_LIMIT = 10_000, 1000


class New(Settings):
    """Runs to begin, which train side by side on the same batches."""

    recipes: Annotated[list[Recipe], Field(min_length=1, max_length=4)]
    names: Annotated[list[Name], Field(max_length=4)] | None = None
    start: bool = True
    pace: Pace = None
    instead: Annotated[str, Field(max_length=40)] | None = None
    """A run they take the place of: it is stopped, and goes to the bin if it has hardly trained and nobody kept it."""


class Begun(Settings):
    """Runs that have begun: the id they share, and each of them."""

    group: str
    runs: list[Listed]


class Deed(Settings):
    """What to do to a run and those beside it; "pace" slows it down to so many steps a second, or to none at all."""

    do: Literal["pause", "resume", "step", "stop", "restart", "pace"]
    steps: Pace = None


class Fork(Settings):
    """A new run whose weights begin at a snapshot of another."""

    step: Annotated[int, Field(ge=0, lt=2**53)]
    recipe: Recipe | None = None
    instead: bool = False
    """Whether it takes the place of the other, which is stopped then."""


class Change(Settings):
    """What may be changed of a run: its name."""

    name: Name


@router.get("")
def list_runs(desk: Here, limit: Annotated[int, Query(ge=1, le=RUNS_LIMIT)] = 200) -> list[Listed]:
    """All runs but those that are about to be tidied away, the newest first."""
    return [listed(row) for row in desk.store.runs() if row["id"] not in desk.replaced][:limit]


@router.post("", status_code=201)
async def begin(new: New, desk: Here) -> Begun:
    """Begin one run, or up to four side by side."""
    family = new_id()
    names = new.names or []
    rows = [
        fresh(recipe, family if number == 0 else new_id(), family, name)
        for number, recipe in enumerate(new.recipes)
        for name in [names[number] if number < len(names) else ""]
    ]
    for recipe in new.recipes:
        check(desk, recipe)
    await asyncio.to_thread(settle, desk, rows)
    stored = desk.store.family(family)
    if new.instead:
        desk.replace(new.instead)
    if new.start:
        desk.jobs.begin(stored, pace=new.pace)
    return Begun(group=family, runs=[listed(row) for row in desk.store.family(family)])


@router.get("/{run}")
async def one_run(run: str, desk: Here) -> dict[str, Any]:
    """All that is known of one run but its objects and weights."""
    row = desk.store.run(run)
    await asyncio.to_thread(desk.recall, row)
    about = await desk.about(row) if not desk.jobs.is_live(run) or await has_about(desk, run) else {}
    recipe = parse(row["recipe"])
    record = desk.hub.record(run)
    source = await asyncio.to_thread(desk.called, recipe.data.name)
    words = {"command": command(recipe, source), "python": python(recipe, source)}
    said = {"recipe": row["recipe"], "outside": desk.outside(row), **words}
    report = await asyncio.to_thread(optional, desk.folder(row) / REPORT)
    course = {"report": report, "history": history(record), "snapshots": record.snapshots, "notices": record.notices}
    baseline = record.baseline or about.get("baseline")
    return {**listed(desk.store.run(run)).model_dump(), **said, **about, **course, "baseline": baseline}


@router.post("/{run}/do")
async def do(run: str, deed: Deed, desk: Here) -> dict[str, str]:
    """Pause, resume, make one step, stop, begin again or slow down: a run and those that train beside it."""
    row = desk.store.run(run)
    desk.keep(run)
    for other in desk.store.family(row["family"]):
        await asyncio.to_thread(desk.recall, other)
    return desk.jobs.slow_down(row, deed.steps) if deed.do == "pace" else desk.jobs.do(row, deed.do)


@router.post("/{run}/fork", status_code=201)
async def fork(run: str, wanted: Fork, desk: Here) -> Listed:
    """Begin a new run with the weights of a snapshot."""
    row = desk.store.run(run)
    await asyncio.to_thread(desk.check_snapshot, row, wanted.step)
    recipe = wanted.recipe or parse(row["recipe"])
    check(desk, recipe)
    new = fresh(recipe, family := new_id(), family, row["name"])
    forked = {**new, "forked_from": run, "forked_step": wanted.step}
    begins = desk.jobs.origins([forked])
    if wanted.instead:
        desk.replace(run)
    else:
        desk.keep(run)
    if run not in desk.replaced:
        forked["name"] = numbered(row["name"], {other["name"] for other in desk.store.runs()})
    await asyncio.to_thread(settle, desk, [forked])
    desk.jobs.begin(desk.store.family(family), begins=begins)
    return listed(desk.store.run(family))


@router.patch("/{run}")
def rename(run: str, change: Change, desk: Here) -> Listed:
    """Give a run another name."""
    desk.store.run(run)
    desk.keep(run)
    desk.store.change(run, sure=True, name=change.name)
    return listed(desk.store.run(run))


@router.delete("/{run}")
async def throw_away(run: str, desk: Here) -> dict[str, str]:
    """Put a run into the bin, where it is kept for seven days."""
    row = desk.store.run(run)
    if desk.jobs.is_live(run) or row["state"] == "running":
        raise UsageError(f"{row['name']} trains", step="Stop it first", code="usage.state")
    await desk.throw_away(row)
    return {"id": run}


def check(desk: Desk, recipe: Recipe) -> None:
    """Refuse a recipe whose data clients may not name, or that trains for ever, or one too many."""
    desk.jobs.check_room()
    desk.source(recipe.data.name)
    if recipe.training.epochs > EPOCHS_LIMIT:
        raise LimitError(f"{recipe.training.epochs:,} epochs", expected=f"at most {EPOCHS_LIMIT:,} in the studio")


def settle(desk: Desk, rows: list[Row]) -> None:
    """Make the folders of new runs and put them into the list."""
    desk.home.check_space()
    for row in rows:
        desk.home.folder(row["folder"]).mkdir()
        desk.home.shown(row["id"]).mkdir(mode=0o700)
        desk.store.add(row)


def fresh(recipe: Recipe, run: str, family: str, name: str) -> Row:
    """The row of a new run."""
    named = name or f"{recipe.data.name.removeprefix('upload:')} {recipe.network.kind} {recipe.bottleneck.size}"
    first = {"id": run, "folder": run, "name": named, "created": time.time(), "family": family, "origin": "studio"}
    return {**first, "state": "stopped", "recipe": recipe.model_dump(mode="json"), "epochs": recipe.training.epochs}


def numbered(name: str, taken: set[str]) -> str:
    """The name of one more run of that name: it says where it comes from once, however long the line is.

    Example:
        >>> numbered("digits", {"digits"}), numbered("digits (2)", {"digits", "digits (2)"})
        ('digits (2)', 'digits (3)')
    """
    stem = re.sub(r" \(\d+\)$", "", name)[:110]
    return next(found for number in count(2) if (found := f"{stem} ({number})") not in taken)


async def has_about(desk: Desk, run: str) -> bool:
    """Whether the objects of a run are there already."""
    return await asyncio.to_thread((desk.home.shown(run) / "about.json").is_file)
