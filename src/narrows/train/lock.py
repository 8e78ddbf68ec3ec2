"""One trainer at a time in a run folder: a lock that the system itself lets go when its holder dies."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from narrows.errors import ModelError
from narrows.files import cannot_write, make_folder

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows, where nothing is locked
    fcntl = None

LOCK = "training.lock"
"""The file a trainer holds; it has the number of its process, for people to read."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other trainer out of a run folder, which is made if need be.

    The lock is the open file's, not the number's in it: no crash leaves a folder locked, whatever processes come after.

    Raises:
        ModelError: Another training is under way there.
        EnvironmentProblem: The folder cannot be written.
    """
    handle = take(folder / LOCK)
    try:
        yield
    finally:
        # Removed while it is still held: whoever opened the same file finds out that it is no longer the folder's.
        with contextlib.suppress(OSError):
            os.unlink(folder / LOCK)
        os.close(handle)


def take(path: Path) -> int:
    """The open file of a lock that is held now."""
    while True:
        try:
            make_folder(path.parent)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise cannot_write(path, error) from None
        if not hold(handle):
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise busy(path.parent, holder)
        if is_in_place(handle, path):
            # The number only tells others who it is: a full disk does not undo the lock.
            with contextlib.suppress(OSError):
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
            return handle
        os.close(handle)


def hold(handle: int) -> bool:
    """Lock an open file; False where somebody else has. A disk that has no locks counts as locked."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def is_in_place(handle: int, path: Path) -> bool:
    """Whether an open file is still the one of that name: its holder before may have removed it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def busy(folder: Path, holder: str) -> ModelError:
    """The error for a folder in which a training is under way."""
    return ModelError(
        f"a training is under way in {folder}" + (f", by process {holder}" if holder.isdigit() else ""),
        expected="one at a time",
        step="Wait for its end, stop it with Ctrl-C, or choose another folder",
        code="model.busy",
    )
