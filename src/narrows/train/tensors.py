"""Named tensors as one safetensors file, read only if it is exactly what is expected.

    header -> names, types and shapes compared -> a chunk at a time: read, added to the SHA-256, checked to be finite

Nothing is allocated before the header fits both the file's size and what is expected, so a file that lies is refused
at the price of its header. The file is read once, never mapped: what was checked is what is used.
"""

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import torch
from safetensors.torch import save as format_safetensors
from torch import Tensor

from narrows.errors import DamagedError, ModelError
from narrows.files import JSON_LIMIT, opened, parse_json, write_atomic

DTYPES = {"F32": torch.float32, "I64": torch.int64, "U8": torch.uint8}

CHUNK = 4 << 20
"""Bytes read at a time."""

BLANK = "0" * 64
"""Stands in the place of a file's own SHA-256 while that is computed."""


class Kind(NamedTuple):
    """What a tensor is expected to be; a shape of None is a vector of any length."""

    dtype: torch.dtype
    shape: tuple[int, ...] | None


class Entry(NamedTuple):
    """What a header says of a tensor: its type, its shape, and where its bytes begin and end behind the header."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    begin: int
    end: int


class Header(NamedTuple):
    """The header of a file: its bytes, what it says of each tensor in the order of the file, and the note beside."""

    content: bytes
    entries: dict[str, Entry]
    note: dict[str, Any]


def kinds(tensors: Mapping[str, Tensor], prefix: str = "") -> dict[str, Kind]:
    """What is expected of a file of tensors like these.

    Example:
        >>> kinds({"weight": torch.empty(2, 3, device="meta")}, "best.")
        {'best.weight': Kind(dtype=torch.float32, shape=(2, 3))}
    """
    return {prefix + name: Kind(tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], note: dict[str, Any] | None = None) -> str:
    """Write named tensors, and JSON-ready values beside them; returns the SHA-256 of the file.

    With a note the file also holds its own SHA-256, taken with zeros in the place of that.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    said = {"note": json.dumps({"sha256": BLANK, **note}, allow_nan=False)} if note else None
    content = memoryview(format_safetensors(plain, said))
    digest = sha256(content).hexdigest()
    if note is None:
        write_atomic(path, lambda file: file.write(content))
        return digest
    at = bytes(content[:JSON_LIMIT]).index(BLANK.encode())
    write_atomic(path, lambda file: file.writelines([content[:at], digest.encode(), content[at + 64 :]]))
    return digest


def read_tensors(
    path: Path, expected: Mapping[str, Kind], digest: str | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Named tensors of a file, and the values beside them.

    Args:
        path: The file.
        expected: What each tensor has to be; no other may be there.
        digest: The SHA-256 the file has to have; None takes the one it holds itself.

    Raises:
        ModelError: No such file, or tensors that are not the expected ones.
        DamagedError: The file is cut short or altered, or a number in it is not finite.
        EnvironmentProblem: The file cannot be read.
    """
    with opened(path) as file:
        header = read_header(file, path)
        compare(header.entries, expected, path)
        own = str(header.note.get("sha256"))
        total = sha256(header.content if digest else header.content.replace(own.encode(), BLANK.encode(), 1))
        tensors = {name: read_one(file, entry, total, path) for name, entry in header.entries.items()}
    if total.hexdigest() != (digest or own):
        raise damaged(path, "is not the file that was written: its SHA-256 is another")
    return tensors, header.note


def read_one(file: BinaryIO, entry: Entry, total: Any, path: Path) -> Tensor:
    """The next tensor of a file, every number of it finite."""
    tensor = torch.empty(entry.shape, dtype=entry.dtype)
    for part in tensor.view(-1).split(CHUNK // entry.dtype.itemsize):
        content = part.view(torch.uint8).numpy()
        if file.readinto(memoryview(content)) != len(content):  # type: ignore[attr-defined]
            raise damaged(path, "is cut short")
        total.update(content)
        if part.is_floating_point() and not part.isfinite().all():
            raise damaged(path, "holds numbers that are not finite")
    return tensor


def read_header(file: BinaryIO, path: Path) -> Header:
    """The header of an open file, checked against the size of the file."""
    size, first = os.fstat(file.fileno()).st_size, file.read(8)
    length = int.from_bytes(first, "little")
    if len(first) < 8 or length > min(JSON_LIMIT, size - 8):
        raise damaged(path, f"says its header has {length:,} bytes, of {size:,} in all")
    content = file.read(length)
    try:
        values = parse_json(content)
        note = parse_json(values.pop("__metadata__", {}).get("note", "{}").encode())
        entries = {name: read_entry(**value) for name, value in values.items()}
        if not isinstance(note, dict):
            raise ValueError("a note that is no object")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, f"has no readable header ({str(error)[:200]})") from None
    entries = dict(sorted(entries.items(), key=lambda item: item[1].begin))
    at = 0
    for name, entry in entries.items():
        if entry.begin != at or entry.end - entry.begin != prod(entry.shape) * entry.dtype.itemsize:
            raise damaged(path, f"has no room of the right size for {name[:80]}")
        at = entry.end
    if 8 + length + at != size:
        raise damaged(path, f"has {size:,} bytes where {8 + length + at:,} are due")
    return Header(first + content, entries, note)


def read_entry(*, dtype: str, shape: list[int], data_offsets: list[int]) -> Entry:
    """What a header says of one tensor.

    Raises:
        KeyError, TypeError, ValueError: It is not what a header says.
    """
    begin, end = data_offsets
    if not all(type(n) is int and 0 <= n < 1 << 48 for n in (*shape, begin, end)) or len(shape) > 6:
        raise ValueError("sizes that cannot be")
    return Entry(DTYPES[dtype], tuple(shape), begin, end)


def compare(entries: Mapping[str, Entry], expected: Mapping[str, Kind], path: Path) -> None:
    """Refuse names, types and shapes that are not the expected ones, before anything of them is read."""
    for name in sorted(expected.keys() | entries.keys()):
        found, wanted = entries.get(name), expected.get(name)
        if found and wanted and wanted.shape is None and len(found.shape) == 1:
            wanted = Kind(wanted.dtype, found.shape)
        if not found or not wanted or (found.dtype, found.shape) != (wanted.dtype, wanted.shape):
            raise ModelError(
                f"{path.name} has {name[:80]!r} as {tell(found)}",
                expected=f"{tell(wanted)}, as the recipe beside it says",
                step="The files of this folder do not belong together",
                code="model.shape",
            )


def tell(kind: Entry | Kind | None) -> str:
    """A type and a shape in words."""
    return "nothing" if kind is None else f"{str(kind.dtype).removeprefix('torch.')} of shape {kind.shape}"


def damaged(path: Path, what: str) -> DamagedError:
    """The error for a file of tensors that is cut short or altered."""
    return DamagedError(f"{path} {what}", step="Train again, or restore the file")
