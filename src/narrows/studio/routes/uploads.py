"""Files of one's own: given, listed, looked at, removed."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from narrows.errors import UsageError
from narrows.studio.desk import UPLOAD, Here
from narrows.studio.limits import pieces
from narrows.studio.store import LIVE

router = APIRouter(prefix="/api/uploads", tags=["uploads"])

BODY = {"requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("")
def list_uploads(desk: Here) -> list[dict[str, Any]]:
    """All uploads, the newest first, without their previews."""
    return [{**desk.uploads.told(about), "preview": None} for about in desk.uploads.listed()]


@router.post("", status_code=201, openapi_extra=BODY)
async def upload(request: Request, desk: Here, name: Annotated[str, Query(max_length=256)] = "") -> dict[str, Any]:
    """Take in one file, its bytes as they are; many pictures or sounds come as a zip. The name is only a label."""
    return await desk.uploads.take(pieces(request.receive), name)


@router.get("/{upload}")
def one_upload(upload: str, desk: Here) -> dict[str, Any]:
    """What is known of an upload."""
    return desk.uploads.told(desk.uploads.one(upload))


@router.delete("/{upload}")
async def remove(upload: str, desk: Here) -> dict[str, str]:
    """Remove an upload for good."""
    name = f"{UPLOAD}{upload}"
    users = [row["name"] for row in desk.store.runs() if row["recipe"]["data"]["name"] == name and row["state"] in LIVE]
    if users:
        raise UsageError(f"{users[0]} trains on it", step="Stop that first", code="usage.state")
    await asyncio.to_thread(desk.uploads.remove, upload)
    return {"id": upload}
