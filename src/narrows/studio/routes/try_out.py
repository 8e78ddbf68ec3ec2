"""What is worked out on demand: previews, corruptions, projections, decoded codes, uploads through a model."""

import asyncio
import json
import struct
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from narrows.errors import InputError, UsageError
from narrows.files import write_atomic
from narrows.recipe import Recipe
from narrows.settings import Settings
from narrows.studio.desk import Desk, Here
from narrows.studio.limits import pieces
from narrows.studio.routes.numbers import BYTES, Step, binary
from narrows.studio.store import Row

router = APIRouter(prefix="/api", tags=["try"])


class Preview(Settings):
    """A recipe, of which what is not said becomes what suits the data; or the data and what else is chosen already."""

    recipe: dict[str, Any] | None = None
    data: Annotated[str, Field(max_length=120)] | None = None
    network: Annotated[str, Field(max_length=40)] | None = None
    bottleneck: Annotated[str, Field(max_length=40)] | None = None


class Corrupt(Settings):
    """Which objects of the preview to corrupt, and how."""

    recipe: Recipe
    objects: Annotated[list[Annotated[int, Field(ge=0, le=100_000)]], Field(min_length=1, max_length=64)]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class Project(Settings):
    """The kind of map."""

    kind: Literal["pca", "tsne"]


class Use(Settings):
    """An upload, and what to do with it."""

    upload: Annotated[str, Field(max_length=40)]
    task: Literal["reconstruct"] = "reconstruct"


@router.post("/preview")
async def preview(wanted: Preview, desk: Here, frames: Annotated[bool, Query()] = False) -> Any:
    """The complete recipe, its layers, and some objects; with frames=1 the untrained weights and the objects too."""
    data = (wanted.recipe or {}).get("data", wanted.data)
    name = data.get("name") if isinstance(data, dict) else data
    if not isinstance(name, str):
        raise UsageError("a preview of nothing", expected="a recipe with data, or the name of data")
    said = wanted.model_dump(mode="json", exclude_none=True)
    if wanted.recipe is None:
        said = {"recipe": await asyncio.to_thread(begun, desk, wanted, name)}
    result, parts = await desk.quick.ask("preview", **said, source=desk.source(name))
    if not frames:
        return result
    whole = [json.dumps(result).encode(), *parts]
    return binary(b"".join(struct.pack("<I", len(part)) + part for part in whole))


def begun(desk: Desk, wanted: Preview, name: str) -> dict[str, Any]:
    """The part of a recipe that is chosen already: the data, with what an upload needs, and the kinds of its parts."""
    kinds = {part: {"kind": kind} for part in ("network", "bottleneck") if (kind := getattr(wanted, part))}
    return {"data": {"name": name, **desk.settings(name)}, **kinds}


@router.post("/corrupt", response_class=Response, responses=BYTES)
async def corrupt(wanted: Corrupt, desk: Here) -> Response:
    """Objects of the preview, corrupted: float16 (n, *shape)."""
    source = desk.source(wanted.recipe.data.name)
    _, frames = await desk.quick.ask("corrupt", **wanted.model_dump(mode="json"), source=source)
    return binary(frames[0])


@router.post("/runs/{run}/project", status_code=202)
async def project(run: str, wanted: Project, desk: Here) -> dict[str, str]:
    """Work out a map; the socket says "projected" when it is there."""
    row = desk.store.run(run)
    await desk.about(row)
    desk.background(projected(desk, row, wanted.kind))
    return {"id": run, "kind": wanted.kind}


async def projected(desk: Desk, row: Row, kind: str) -> None:
    """Work out a map, keep it, and tell the viewers."""
    news = {"type": "projected", "id": row["id"], "kind": kind}
    try:
        _, frames = await desk.slow.ask("project", **desk.named(row), kind=kind, step=None)
        path = desk.home.shown(row["id"]) / f"projection-{kind}.bin"
        await asyncio.to_thread(write_atomic, path, frames[0])
        desk.hub.tell({**news, "ok": True})
    except Exception as error:
        desk.hub.tell({**news, "ok": False, "sentence": desk.hidden(str(error))})
        raise


@router.post("/runs/{run}/decode", response_class=Response, responses=BYTES)
async def decode(run: str, request: Request, desk: Here, step: Step = None) -> Response:
    """Codes, float16 (n, K), to objects, float16 (n, *shape), where the model is too large for the page."""
    row = desk.store.run(run)
    codes = b"".join([part async for part in pieces(request.receive)])
    if not codes or len(codes) % 2:
        raise InputError(f"{len(codes)} bytes of codes", expected="float16 numbers")
    _, frames = await desk.quick.ask("decode", codes, **desk.named(row), step=step)
    return binary(frames[0])


@router.post("/runs/{run}/use", response_model=None)
async def use(run: str, wanted: Use, desk: Here) -> Response:
    """An upload brought to the shape of the model: u32 length, JSON, then the objects as float16."""
    row = desk.store.run(run)
    upload = desk.source(f"upload:{wanted.upload}")
    desk.keep(run)
    result, frames = await desk.quick.ask("use", **desk.named(row), upload=upload, task=wanted.task)
    said = json.dumps(result).encode()
    return binary(struct.pack("<I", len(said)) + said + frames[0])
