"""Files: written so that a reader finds the old one or the new one, never half; JSON read so that it means one thing.

temporary file beside it -> write -> flush to the disk -> rename -> flush the folder
"""

import contextlib
import errno
import json
import math
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from narrows.errors import DamagedError, EnvironmentProblem, LimitError, ModelError

JSON_LIMIT = 1 << 20
"""Bytes of JSON that are read or written in one piece: parsed, they take less than 32 MB."""

DEPTH_LIMIT = 16
"""Lists and objects inside each other that JSON may have."""

LEFT_OVER = re.compile(r"\..{1,40}-[0-9a-f]{12}(\.\w+)?")
"""What a temporary file is called."""

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "it would be larger than a file may be there",
    errno.EIO: "the disk reports an error",
    errno.EACCES: "there is no permission to write there",
    errno.EPERM: "there is no permission to write there",
    errno.EROFS: "the disk is read-only",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOENT: "that folder is not there and cannot be made",
    errno.EISDIR: "a folder of that name is in the way",
    errno.ENOTDIR: "part of the path is a file, not a folder",
    errno.EEXIST: "part of the path is a file, not a folder",
}


@contextlib.contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `path`, of the same suffix; what is written there takes its place when the block ends.

    The content is flushed to the disk before the rename and the folder after it; on any error before the rename the
    old file stays and nothing else is left.

    Raises:
        EnvironmentProblem: The folder cannot be written, or the disk is full or fails.
    """
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.stem[:40]}-{secrets.token_hex(6)}{path.suffix}")
    try:
        prepare(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    try:
        yield temporary
        if temporary.exists():
            settle(temporary, path)
    except OSError as error:
        # A file that the block wanted to read is none of ours.
        if isinstance(error, FileNotFoundError) and error.filename != str(temporary):
            raise
        raise cannot_write(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def prepare(path: Path) -> None:
    """Make the folder that a file is to stand in, and see that its name can be."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
    if len(os.fsencode(path.name)) > 255:
        raise OSError(errno.ENAMETOOLONG, "too long", str(path))
    make_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each known to the disk before the next."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    flush(folder.parent)


def settle(temporary: Path, path: Path) -> None:
    """Flush the temporary file to the disk and let it take the place of `path`, with the permissions that had."""
    flush(temporary)
    if path.exists():
        os.chmod(temporary, path.stat().st_mode & 0o7777)
    os.replace(temporary, path)
    flush(path.parent)


def flush(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder where the system can say so."""
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove the temporary files that a killed process left in a folder of ours."""
    for path in folder.iterdir():
        if LEFT_OVER.fullmatch(path.name):
            path.unlink(missing_ok=True)


def write_atomic(path: str | os.PathLike[str], content: bytes | str | Callable[[BinaryIO], object]) -> Path:
    """Write a whole file in one piece: bytes, text (UTF-8), or what a function writes into the open file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomic(Path(folder) / "new" / "a.txt", "words").read_text()
        'words'
    """
    with atomic(path) as temporary, temporary.open("xb") as file:
        if callable(content):
            content(file)
        else:
            file.write(content.encode() if isinstance(content, str) else content)
    return Path(path)


def cannot_write(path: Path, error: OSError) -> EnvironmentProblem:
    """The error for a file that cannot be written."""
    reason = REASONS.get(error.errno or 0, error.strerror or str(error))
    return EnvironmentProblem(
        f"{path} cannot be written: {reason}",
        step="Free some space there or choose another place",
        code="environment.disk",
    )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file of a run, open for reading.

    Raises:
        ModelError: There is no such file.
        EnvironmentProblem: It cannot be read.
    """
    if not path.is_file():
        raise ModelError(
            f"no {path.name} in {path.parent}",
            expected="the folder of a run",
            step="Give the folder `narrows train --out` wrote",
        )
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        reason = error.strerror or str(error)
        step = "Check the permissions and the disk"
        raise EnvironmentProblem(f"{path} cannot be read: {reason}", step=step, code="environment.disk") from None


def write_json(path: Path, values: Any) -> None:
    """Write JSON-ready values, indented, in one piece; numbers that are not finite become null.

    Raises:
        LimitError: So many values that `read_json` would refuse them.
    """
    text = json.dumps(finite(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if len(text.encode()) > JSON_LIMIT:
        raise LimitError(f"{path.name} of {len(text.encode()):,} bytes", expected=f"at most {JSON_LIMIT:,}")
    write_atomic(path, text)


def read_json(path: Path) -> Any:
    """Read a JSON file of ours.

    Raises:
        ModelError: There is no such file.
        DamagedError: It is not strict JSON, or too large or too deep to be ours.
    """
    with opened(path) as file:
        content = file.read(JSON_LIMIT + 1)
    try:
        return parse_json(content)
    except ValueError as error:
        raise DamagedError(f"{path} is not readable JSON ({error})", step="Train again, or restore the file") from None


def parse_json(content: bytes, limit: int = JSON_LIMIT) -> Any:
    """The values of strict JSON in UTF-8: names once, numbers finite, letters whole, of limited size and depth.

    Raises:
        ValueError: Anything else.

    Example:
        >>> parse_json(b'{"a": 1, "a": 2}')
        Traceback (most recent call last):
        ValueError: 'a' twice
        >>> parse_json(b"[1e999]")
        Traceback (most recent call last):
        ValueError: 1e999 is not a finite number
    """
    if len(content) > limit:
        raise ValueError(f"more than {limit:,} bytes")
    try:
        values = json.loads(content.decode(), object_pairs_hook=once, parse_float=number, parse_constant=number)
    except RecursionError:
        values = None
    if values is None or too_deep(values, DEPTH_LIMIT):
        raise ValueError(f"null, or nested more than {DEPTH_LIMIT} deep")
    if b"\\ud" in content.lower():
        # Halves of a letter: they can be read, but nothing that holds them can be written.
        json.dumps(values, ensure_ascii=False).encode()
    return values


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, which must not name anything twice."""
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"{twice[:80]!r} twice")
    return values


def number(text: str) -> float:
    """A number of JSON with a point or an exponent, or one of the words it does not have."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:80]} is not a finite number")
    return value


def too_deep(values: Any, left: int) -> bool:
    """Whether lists and objects are nested more than `left` deep."""
    if not isinstance(values, dict | list):
        return False
    inner = values.values() if isinstance(values, dict) else values
    return left == 0 or any(too_deep(value, left - 1) for value in inner)


def finite(value: Any) -> Any:
    """A value fit for JSON: numbers that are not finite become null, tuples lists, arrays lists.

    Example:
        >>> finite({"a": (1, float("nan"))})
        {'a': [1, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    if hasattr(value, "tolist"):
        return finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
