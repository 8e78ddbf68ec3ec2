"""Where the studio keeps what is its own: a folder .studio beside the runs, for its user's eyes alone.

RUNS/.studio/studio.db   the list of runs
RUNS/.studio/token       the secret that opens the page
RUNS/.studio/uploads/    files that were given, each in a folder named by us
RUNS/.studio/shown/      the objects each run is looked at with
RUNS/.studio/bin/        runs that were deleted, kept for seven days
"""

import hmac
import os
import re
import secrets
import shutil
import time
from hashlib import sha256
from pathlib import Path
from typing import IO

from narrows.errors import EnvironmentProblem, UsageError
from narrows.files import cannot_write, write_atomic

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
ID = re.compile(r"[0-9a-z]{12}")
BIN_DAYS = 7
DISK_FLOOR = 1 << 30
"""Bytes that have to be free for a training to begin or a file to be taken in."""


def new_id() -> str:
    """A name that nobody can guess: 12 of 36 letters, 62 bits.

    Example:
        >>> bool(ID.fullmatch(new_id())), new_id() == new_id()
        (True, False)
    """
    return "".join(secrets.choice(ALPHABET) for _ in range(12))


class Home:
    """The folders of a studio, and its secret.

    Args:
        runs: The folder that holds the runs; made where it is not there.

    Raises:
        EnvironmentProblem: The folder cannot be written.
    """

    def __init__(self, runs: Path):
        self.runs = Path(os.path.realpath(runs))
        self.own = self.runs / ".studio"
        self.database, self.lock_file = self.own / "studio.db", self.own / "lock"
        self.uploads, self.shown_root, self.bin = self.own / "uploads", self.own / "shown", self.own / "bin"
        try:
            for folder in (self.own, self.uploads, self.shown_root, self.bin):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o700)
        except OSError as error:
            raise cannot_write(self.own, error) from None
        self.token = read_token(self.own / "token")

    @property
    def cookie(self) -> str:
        """What the browser keeps: made from the token, and not the token."""
        return hmac.new(self.token.encode(), b"narrows studio cookie", sha256).hexdigest()

    def folder(self, name: str) -> Path:
        """The folder of a run, by the name the store has for it."""
        return self.runs / name

    def shown(self, run: str) -> Path:
        """The folder of the objects that a run is looked at with."""
        return self.shown_root / run

    def check_space(self) -> None:
        """Refuse new work on a disk that is nearly full.

        Raises:
            EnvironmentProblem: Less than `DISK_FLOOR` bytes are free.
        """
        free = shutil.disk_usage(self.runs).free
        if free < DISK_FLOOR:
            raise EnvironmentProblem(
                f"{free >> 20:,} MB are free on the disk",
                expected=f"at least {DISK_FLOOR >> 20:,} MB",
                step="Free some space, or empty the bin in .studio/bin",
                code="environment.disk",
            )

    def throw_away(self, name: str) -> Path:
        """Move the folder of a run into the bin, and say where it lies there."""
        folder, place = self.folder(name), self.bin / f"{name}-{new_id()}"
        if folder.is_dir():
            os.replace(folder, place)
        return place

    def empty_bin(self, now: float) -> None:
        """Remove what has been in the bin for more than `BIN_DAYS` days."""
        for folder in self.bin.iterdir():
            if now - folder.lstat().st_ctime > BIN_DAYS * 86_400:
                if folder.is_symlink():
                    folder.unlink()
                else:
                    shutil.rmtree(folder, ignore_errors=True)

    def lock(self) -> IO[str]:
        """Make sure that no other studio works on these runs; keep the file that is returned open.

        Raises:
            UsageError: Another one does.
        """
        file = self.lock_file.open("a+")
        if not take(file):
            file.seek(0)
            other = file.read(20).strip() or "unknown"
            file.close()
            raise UsageError(
                f"another studio (process {other}) works on these runs",
                step="Open its page, end it, or give another folder with --runs",
                code="usage.locked",
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self.empty_bin(time.time())
        return file


def take(file: IO[str]) -> bool:
    """Lock an open file for this process, where the system can; False where another has it."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def read_token(path: Path) -> str:
    """The secret of this folder, 256 bits, made at its first use and readable by its user alone."""
    if not path.is_file():
        write_atomic(path, secrets.token_urlsafe(32))
        path.chmod(0o600)
    token = path.read_text().strip()
    if len(token) < 40:
        raise EnvironmentProblem(f"{path} holds no token", step="Remove the file: a new one is made")
    return token
