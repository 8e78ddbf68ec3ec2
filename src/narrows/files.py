"""Writing files so that a reader finds the old one or the new one, never half."""

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from narrows.errors import EnvironmentProblem

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "there is no permission to write there",
    errno.EPERM: "there is no permission to write there",
    errno.EROFS: "the disk is read-only",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOENT: "there is no such folder, and none can be made",
    errno.EISDIR: "a folder of that name is in the way",
    errno.ENOTDIR: "part of the path is a file, not a folder",
    errno.EEXIST: "part of the path is a file, not a folder",
}


@contextlib.contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `path`, of the same suffix; what is written there takes its place when the block ends.

    The content is flushed to the disk before the rename; on any error the old file stays and nothing else is left.

    Raises:
        EnvironmentProblem: The folder cannot be written, or the disk is full.
    """
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.stem[:40]}-{secrets.token_hex(6)}{path.suffix}")
    try:
        make_room(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    try:
        yield temporary
        if temporary.exists():
            settle(temporary, path)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and error.filename != str(temporary):
            raise
        raise cannot_write(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def make_room(path: Path) -> None:
    """Make the folder of a file to write, and refuse a place where no file can be."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
    if len(os.fsencode(path.name)) > 255:
        raise OSError(errno.ENAMETOOLONG, "too long", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)


def settle(temporary: Path, path: Path) -> None:
    """Flush the temporary file to the disk and let it take the place of `path`, with the permissions that had."""
    handle = os.open(temporary, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    if path.exists():
        os.chmod(temporary, path.stat().st_mode & 0o7777)
    os.replace(temporary, path)


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
