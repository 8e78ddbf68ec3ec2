"""Uploads: streamed to the disk within limits, read by a child, kept in folders named by us.

UPLOADS/ID/raw        what was sent, gone as soon as it has been read
UPLOADS/ID/data...    what was made of it
UPLOADS/ID/about.json what is told of it
"""

import asyncio
import os
import re
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from narrows.errors import EnvironmentProblem, InputError, NarrowsError, UsageError
from narrows.files import cannot_write, read_json, write_json
from narrows.studio.guard import UPLOAD_BODY
from narrows.studio.home import ID, Home, new_id
from narrows.studio.intake.labels import label
from narrows.studio.intake.magic import HEAD, check_name, format_of
from narrows.studio.intake.worker import allowed_seconds, read_file

QUOTA, COUNT_LIMIT, WAITING_LIMIT = 8 << 30, 500, 4
PIECE = 1 << 20
ABOUT = "about.json"
PRIVATE = ("source", "used")


class Uploads:
    """The files that were given to a studio.

    Args:
        home: Where they lie.
    """

    def __init__(self, home: Home):
        self.home, self.folder = home, home.uploads
        self.reading, self.waiting = asyncio.Semaphore(1), 0

    async def take(self, pieces: AsyncIterator[bytes], name: str) -> dict[str, Any]:
        """Take in a file as it arrives.

        Args:
            pieces: Its bytes.
            name: What it is called, a label and no more.

        Raises:
            NarrowsError: What is wrong with it; nothing is kept then.
        """
        if self.waiting >= WAITING_LIMIT:
            raise UsageError("Several files are being read already", step="Try again in a moment", code="usage.busy")
        self.waiting += 1
        upload = new_id()
        place = self.folder / upload
        try:
            await asyncio.to_thread(self.prepare, place)
            size = await self.receive(pieces, place / "raw")
            async with self.reading:
                found = await asyncio.to_thread(read_raw, place, size, label(name))
            return await asyncio.to_thread(self.settle, upload, name, found)
        except OSError as error:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
            raise cannot_write(place, error) from None
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
            raise
        finally:
            self.waiting -= 1

    def prepare(self, place: Path) -> None:
        """Make the folder of a new upload, if there is room for one.

        Raises:
            EnvironmentProblem: The uploads fill their share of the disk.
        """
        self.home.check_space()
        known = self.listed()
        used = sum(upload["used"] for upload in known)
        if used > QUOTA - UPLOAD_BODY or len(known) >= COUNT_LIMIT:
            raise EnvironmentProblem(
                f"{len(known):,} uploads take {used >> 20:,} MB",
                expected=f"at most {COUNT_LIMIT} and {(QUOTA - UPLOAD_BODY) >> 20:,} MB before another one",
                step="Remove some of them",
                code="environment.disk",
            )
        place.mkdir(mode=0o700)

    async def receive(self, pieces: AsyncIterator[bytes], raw: Path) -> int:
        """Write what arrives to the disk; returns how many bytes it was."""
        held, size = bytearray(), 0
        file = await asyncio.to_thread(raw.open, "wb")
        try:
            async for piece in pieces:
                held += piece
                size += len(piece)
                if len(held) >= PIECE:
                    await asyncio.to_thread(file.write, bytes(held))
                    held.clear()
            await asyncio.to_thread(file.write, bytes(held))
        finally:
            # A disk may take its time for that too.
            await asyncio.to_thread(file.close)
        if not size:
            raise InputError("An empty file", step="Choose another one", code="input.empty")
        return size

    def settle(self, upload: str, name: str, found: dict[str, Any]) -> dict[str, Any]:
        """Keep what was found in a file; returns what is told of it."""
        place = self.folder / upload
        used = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
        about = {"id": upload, "label": label(name) or found["kind"], "created": time.time(), **found, "used": used}
        write_json(place / ABOUT, about)
        return self.told(about)

    def told(self, about: dict[str, Any]) -> dict[str, Any]:
        """What clients are told of an upload."""
        said = {name: value for name, value in about.items() if name not in PRIVATE}
        fit = said.get("fit") or {}
        return said | {"fit": fit | {"why": self.named(str(fit["why"]))}} if "why" in fit else said

    def listed(self) -> list[dict[str, Any]]:
        """All uploads with all that is known of them, the newest first."""
        found = (self.read(place) for place in self.folder.iterdir() if ID.fullmatch(place.name))
        return sorted((about for about in found if about), key=lambda about: -about["created"])

    def read(self, place: Path) -> dict[str, Any] | None:
        """What is known of an upload; None where it is not whole."""
        try:
            return dict(read_json(place / ABOUT))
        except (NarrowsError, TypeError, ValueError):
            return None

    def one(self, upload: str) -> dict[str, Any]:
        """What is known of one upload.

        Raises:
            UsageError: There is none of that id.
        """
        about = self.read(self.folder / upload) if ID.fullmatch(upload) else None
        if about is None:
            raise UsageError(f"no upload {upload[:20]!r}", step="Choose one of the list", code="usage.no-upload")
        return about

    def path(self, upload: str) -> Path:
        """Where the copy of an upload lies, as a loader takes it."""
        return self.folder / upload / self.one(upload)["source"]

    def named(self, text: str) -> str:
        """A sentence in which uploads go by their labels, and what is in them by its name there."""
        sep = re.escape(os.sep)
        copy, inside = rf"{sep}(?:raw|data)(?:\.\w+)?", rf"{sep}([^\s'\",:;]+)"
        lies = f"{re.escape(str(self.folder))}{sep}({ID.pattern})(?:{copy})?(?:{inside})?"
        return re.sub(lies, self.name_of, text)

    def name_of(self, found: re.Match[str]) -> str:
        """What a place among the uploads is called: by the label, and where it lies in there."""
        about = self.read(self.folder / found[1])
        called = str(about["label"]) if about else "the file"
        return f"{called}: {found[2]}" if found[2] else called

    def remove(self, upload: str) -> None:
        """Remove an upload."""
        self.one(upload)
        shutil.rmtree(self.folder / upload)

    def sweep(self) -> None:
        """Remove what a server that died left half taken in."""
        for place in self.folder.iterdir():
            if self.read(place) is None:
                shutil.rmtree(place, ignore_errors=True)


def read_raw(place: Path, size: int, name: str = "") -> dict[str, Any]:
    """Have a file read by a child, if what it holds is what its name says; the file itself is gone then."""
    raw = place / "raw"
    with raw.open("rb") as file:
        form = format_of(file.read(HEAD))
    check_name(name, form)
    named = raw.with_suffix(f".{form}")
    raw.rename(named)
    try:
        return read_file(named, place, form, allowed_seconds(size))
    finally:
        named.unlink(missing_ok=True)
