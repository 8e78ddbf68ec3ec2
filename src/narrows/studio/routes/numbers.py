"""The numbers of a run: its objects, their classes and origins, points, weights and snapshots, as bytes."""

import asyncio
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import FileResponse, JSONResponse, Response

from narrows.errors import LimitError, UsageError
from narrows.studio.desk import Desk, Here, gone
from narrows.studio.frames import unpack
from narrows.studio.hub import KINDS
from narrows.studio.shown import SCENE
from narrows.studio.store import Row

router = APIRouter(prefix="/api/runs", tags=["numbers"])

BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "little endian, as the docs say"}
}
PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {}, "application/json": {}}, "description": "the page, to be saved; or its size"}
}
PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "a picture"}}
OBJECTS_LIMIT, COMPLETE = 100_000, 1
OBJECTS_BYTES = 16 << 20
"""Bytes of objects of one answer; a single object may have more."""

Step = Annotated[int | None, Query(ge=0, lt=2**53)]


def binary(content: bytes, **headers: str) -> Response:
    """Bytes as an answer."""
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.get("/{run}/objects", response_class=Response, responses=BYTES)
async def objects(
    run: str,
    desk: Here,
    first: Annotated[int, Query(ge=0, le=OBJECTS_LIMIT)] = 0,
    count: Annotated[int, Query(ge=1, le=OBJECTS_LIMIT)] = 1000,
) -> Response:
    """Objects in their fixed order, as they are scaled for the network, 16 MB at most; X-Dtype: uint8 or float16."""
    row = desk.store.run(run)
    said = (await desk.about(row) or gone(row["name"]))["objects"]
    width = int(np.prod(said["shape"])) * np.dtype(said["dtype"]).itemsize
    count = min(count, max(0, said["count"] - first))
    if count > 1 and count * width > OBJECTS_BYTES:
        raise LimitError(
            f"{count:,} objects have {count * width:,} bytes",
            expected=f"at most {OBJECTS_BYTES:,} at once, {max(1, OBJECTS_BYTES // width):,} of these objects",
            step="Ask for them in pieces",
        )
    content = await shown(desk, run, "objects.bin", piece, first * width, count * width)
    return binary(content, **{"X-Dtype": said["dtype"], "X-Count": str(len(content) // max(1, width))})


@router.get("/{run}/labels", response_class=Response, responses=BYTES)
async def labels(run: str, desk: Here) -> Response:
    """The class number of each object, int16; -1 where it has none."""
    await desk.about(desk.store.run(run))
    return binary(await shown(desk, run, "labels.bin", Path.read_bytes))


@router.get("/{run}/where")
async def where(run: str, desk: Here) -> list[str] | None:
    """Where each object comes from, or null."""
    await desk.about(desk.store.run(run))
    return json.loads(await shown(desk, run, "where.json", Path.read_bytes))  # type: ignore[no-any-return]


@router.get("/{run}/scene", response_class=Response, responses=PICTURE)
async def scene(run: str, desk: Here) -> Response:
    """The scene that the objects are pixels of, in false colours; where no object is, it is transparent."""
    await desk.about(desk.store.run(run))
    path = desk.home.shown(run) / SCENE
    if not path.is_file():
        raise UsageError("objects that are no pixels", step="Choose a hyperspectral scene", code="usage.no-file")
    return FileResponse(path, media_type="image/png")


@router.get("/{run}/points", response_class=Response, responses={**BYTES, 204: {"description": "Not worked out yet."}})
async def points(
    run: str, desk: Here, step: Step = None, projection: Literal["code", "pca", "tsne"] | None = None
) -> Response:
    """The places of all objects on the map, a points frame."""
    row = desk.store.run(run)
    if projection in ("pca", "tsne") and step is None:
        path = desk.home.shown(run) / f"projection-{projection}.bin"
        if not path.is_file():
            # Who asks whether it is there may want it next, and a child takes longer to begin than most maps do.
            desk.background(desk.slow.foresee())
            return Response(status_code=204)
        return binary(await asyncio.to_thread(path.read_bytes))
    held = desk.hub.held(run, KINDS["points"])
    if step is None and held and unpack(held).b & COMPLETE:
        return binary(held)
    await desk.about(row)
    _, frames = await desk.slow.ask("points", **desk.named(row), step=step, projection=projection)
    return binary(frames[0])


@router.get("/{run}/weights", response_class=Response, responses=BYTES)
async def weights(run: str, desk: Here, step: Step = None) -> Response:
    """The weights of a snapshot, or the newest, a weights frame."""
    row = desk.store.run(run)
    held = desk.hub.held(run, KINDS["weights"])
    if step is None and held and desk.jobs.is_live(run):
        return binary(held)
    if step is None:
        _, frames = await desk.quick.ask("weights", **desk.named(row), step=None)
        return binary(frames[0])
    return binary((await asyncio.to_thread(desk.frames, row, step))["weights"])


@router.get("/{run}/snapshots/{step}", response_class=Response, responses=BYTES)
async def snapshot(run: str, step: Annotated[int, InPath(ge=0, lt=2**53)], desk: Here) -> Response:
    """Points, weights and tiles of a snapshot: three frames, each after its length (u32)."""
    return binary(await asyncio.to_thread(whole, desk, desk.store.run(run), step))


@router.get("/{run}/export", response_class=Response, responses=PAGE)
async def export(run: str, desk: Here, dry: Annotated[bool, Query()] = False) -> Response:
    """The run as one page that needs no server; with dry=1 only how many bytes it would have."""
    row = desk.store.run(run)
    await desk.about(row)
    desk.keep(run)
    out = desk.home.shown(run) / "export.html"
    result, _ = await desk.slow.ask("export", **desk.named(row), name=row["name"], out=str(out), dry=dry)
    if dry:
        return JSONResponse({"bytes": result["bytes"]})
    if not out.is_file():
        gone(row["name"])
    headers = {"X-Size": str(result["bytes"])}
    return FileResponse(out, media_type="text/html", filename=f"narrows-{run}.html", headers=headers)


async def shown(desk: Desk, run: str, name: str, read: Callable[..., bytes], *given: int) -> bytes:
    """What is read of a file that shows a run; refused where it was deleted after it was asked for."""
    try:
        return await asyncio.to_thread(read, desk.home.shown(run) / name, *given)
    except FileNotFoundError:
        gone(run)


def whole(desk: Desk, row: Row, step: int) -> bytes:
    """The frames of a snapshot, each after its length."""
    return b"".join(struct.pack("<I", len(frame)) + frame for frame in desk.frames(row, step).values())


def piece(path: Path, first: int, count: int) -> bytes:
    """Some bytes of a file."""
    with path.open("rb") as file:
        file.seek(first)
        return file.read(count)
