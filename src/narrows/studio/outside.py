"""Data outside the studio: what the recipe of a run from elsewhere names, weighed before it is read.

Such a recipe may be anybody's, and may name any path. Its data are read by the child that answers questions, which has
its memory and its time; the page says from where.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from narrows.errors import InputError, LimitError

BYTES_LIMIT, FILES_LIMIT = 4 << 30, 200_000


def check_outside(source: str) -> None:
    """Refuse what is not made of plain files, or of too much; what is not there at all is for the loader to say.

    Raises:
        InputError: A device, a pipe or the like, which may have no end or never begin.
        LimitError: Too many bytes or files.

    Example:
        >>> check_outside("/dev/zero")
        Traceback (most recent call last):
        narrows.errors.InputError: /dev/zero is neither a file nor a folder; only plain files are read.
    """
    size = 0
    for number, path in enumerate(files_of(Path(source)), 1):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is neither a file nor a folder", expected="only plain files are read")
        size += status.st_size
        if size > BYTES_LIMIT or number > FILES_LIMIT:
            raise LimitError(
                f"The data of that run, {source}, have more than {BYTES_LIMIT >> 30} GB or {FILES_LIMIT:,} files",
                step="Look at it with narrows in a terminal",
                code="limit.outside",
            )


def files_of(path: Path) -> Iterator[Path]:
    """A file itself, or all that a folder holds."""
    if not path.is_dir():
        yield from [path] if path.exists() else []
        return
    for folder, _, names in os.walk(path):
        yield from (Path(folder, name) for name in names if Path(folder, name).exists())
