"""Downloads: with progress, taken up again where they broke off, and believed only when their digest fits."""

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path

from narrows.errors import DamagedError, EnvironmentProblem, LimitError

Progress = Callable[[int, int | None], None]

CHUNK = 1 << 16
TRIES = 4
TIMEOUT = 30.0
SIZE_LIMIT = 1 << 30


class Refused(Exception):
    """A server's answer that is of no use; the next one may be."""


def fetch(
    urls: tuple[str, ...],
    target: Path,
    sha256: str,
    *,
    progress: Progress | None = None,
    size_limit: int = SIZE_LIMIT,
    pause: float = 1.0,
) -> Path:
    """Download a file from the first address that has it, and check its unpacked content.

    An interrupted download goes on where it broke off, if the server allows; the target appears only when
    everything is right.

    Args:
        urls: Addresses that hold the same file, http or https.
        target: Where to put it; a name ending in .gz is unpacked for checking, and kept packed.
        sha256: Digest of the decompressed content, in hexadecimal.
        progress: Called with the bytes there are and the bytes expected, or None where the server does not say.
        size_limit: Most bytes to accept, packed or unpacked.
        pause: Seconds to wait before trying again.

    Raises:
        EnvironmentProblem: No address answered usefully.
        DamagedError: The content is not the one expected.
        LimitError: More bytes than `size_limit`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part, reasons = target.with_name(f"{target.name}.{os.getpid()}.part"), []
    adopt(part, target)
    for attempt in range(TRIES):
        for url in urls:
            try:
                receive(url, part, progress, size_limit)
                if digest(part, packed=target.suffix == ".gz", limit=size_limit) == sha256:
                    os.replace(part, target)
                    return target
                part.unlink()
                reasons.append(f"{url}: its content is not the one expected")
            except Refused as reason:
                reasons.append(f"{url}: {reason}")
        time.sleep(pause * attempt)
    if all("not the one expected" in reason for reason in reasons[-len(urls) :]):
        raise DamagedError(f"{target.name}: {reasons[-1]}", step="Try again later, or get the file by hand")
    raise EnvironmentProblem(
        f"{target.name} could not be downloaded ({reasons[-1]})",
        step=f"Check the network, or put the file into {target.parent}",
        code="environment.network",
    )


def adopt(part: Path, target: Path) -> None:
    """Take up what an earlier process left of the same download, unless that process is still at work."""
    for left in target.parent.glob(f"{target.name}.*.part"):
        owner = left.name.removesuffix(".part").rpartition(".")[2]
        if left != part and not (owner.isdigit() and Path(f"/proc/{owner}").exists()):
            os.replace(left, part)
            return


def receive(url: str, part: Path, progress: Progress | None, size_limit: int) -> None:
    """Append to `part` what it still lacks of an address.

    Raises:
        Refused: The server did not answer, not usefully, or not to the end.
    """
    if not url.startswith(("http://", "https://")):
        raise Refused("not an http or https address")
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(
        url, headers={"User-Agent": "narrows"} | ({"Range": f"bytes={have}-"} if have else {})
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            have, total = where_it_starts(answer, have)
            copy(answer, part, have, total, progress, size_limit)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            # Asked for bytes beyond the end: what we have is whole, or wrong; its digest will tell.
            return
        raise Refused(f"the server says {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise Refused(str(getattr(error, "reason", None) or error) or type(error).__name__) from None


def where_it_starts(answer: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """From which byte on an answer goes, and how many there are in all."""
    length = answer.headers.get("Content-Length", "")
    if answer.status != 206:
        return 0, int(length) if length.isdigit() else None
    stated = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if not stated or int(stated[1]) != have:
        raise Refused("the server sends another part than the one asked for")
    return have, int(stated[2]) if stated[2].isdigit() else None


def copy(
    answer: http.client.HTTPResponse,
    part: Path,
    have: int,
    total: int | None,
    progress: Progress | None,
    size_limit: int,
) -> None:
    """Write an answer behind the first `have` bytes of `part`."""
    with part.open("r+b" if have else "wb") as file:
        file.seek(have)
        while chunk := answer.read(CHUNK):
            have += len(chunk)
            if have > size_limit:
                raise LimitError(f"{answer.url} sends more than {size_limit:,} bytes", code="limit.download")
            file.write(chunk)
            if progress:
                progress(have, total)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    if total is not None and have < total:
        raise Refused(f"the connection broke off after {have:,} of {total:,} bytes")


def digest(path: Path, *, packed: bool, limit: int = SIZE_LIMIT) -> str:
    """The SHA-256 of a file's content, unpacked where it is gzip; "" where it cannot be unpacked."""
    sha, size = hashlib.sha256(), 0
    unpack = zlib.decompressobj(31) if packed else None
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            while chunk:
                try:
                    content = unpack.decompress(chunk, CHUNK * 16) if unpack else chunk
                except zlib.error:
                    return ""
                size += len(content)
                if size > limit:
                    raise LimitError(f"{path.name} unpacks to more than {limit:,} bytes", code="limit.download")
                sha.update(content)
                chunk = unpack.unconsumed_tail if unpack else b""
    return sha.hexdigest() if unpack is None or unpack.eof else ""
