"""The list of runs: a small database that survives the end of the server, however it comes.

A row holds what the list shows and the numbers last told to anybody: they are written before they are told. What a run
is stands in its folder; a lost or damaged database is made again from the folders.
"""

import json
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from narrows.errors import EnvironmentProblem, UsageError

Row = dict[str, Any]

COLUMNS = {
    "id": "TEXT PRIMARY KEY",
    "folder": "TEXT NOT NULL UNIQUE",
    "name": "TEXT NOT NULL",
    "created": "REAL NOT NULL",
    "family": "TEXT NOT NULL",
    "origin": "TEXT NOT NULL",
    "state": "TEXT NOT NULL",
    "why": "TEXT NOT NULL DEFAULT ''",
    "recipe": "TEXT NOT NULL",
    "epoch": "INTEGER NOT NULL DEFAULT 0",
    "epochs": "INTEGER NOT NULL DEFAULT 0",
    "step": "INTEGER NOT NULL DEFAULT 0",
    "steps": "INTEGER NOT NULL DEFAULT 0",
    "seconds": "REAL NOT NULL DEFAULT 0",
    "loss": "REAL",
    "valid": "REAL",
    "best": "REAL",
    "pca": "REAL",
    "forked_from": "TEXT",
    "forked_step": "INTEGER",
    "baseline": "TEXT",
    "stamp": "REAL NOT NULL DEFAULT 0",
}
"""What a run has in the database.

family: the runs that train side by side share one; origin: "studio" or "terminal"; stamp: when its files changed.
"""

VERSION = 1
"""Of the database: it grows with each change of its columns."""

DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
"""What SQLite says of a file that is no database; all else, such as a lock or a disk that fails, may pass."""

GOING = ("waiting", "starting", "running")
"""States of a run that goes on by itself."""

LIVE = (*GOING, "paused")
"""States of a run that a child works on, or is to work on."""

STATES = (*LIVE, "stopped", "done", "diverged", "failed")
JSON_COLUMNS = ("recipe", "baseline")

WAIT_SECONDS = 10.0
"""How long another program that writes the database is waited for."""


class Store:
    """The database of a studio; may be used by any thread.

    Args:
        path: The file; made where it is not there, set aside and made anew where it is damaged.

    Raises:
        EnvironmentProblem: It cannot be opened just now, or a newer narrows made it; it is left as it is.

    Example:
        >>> import tempfile
        >>> store = Store(Path(tempfile.mkdtemp()) / "studio.db")
        >>> store.add({"id": "a", "folder": "a", "name": "first", "created": 0.0, "family": "a", "origin": "studio",
        ...            "state": "done", "recipe": {"seed": 0}})
        >>> store.change("a", loss=0.5)
        >>> store.run("a")["loss"], store.run("a")["recipe"], len(store.runs())
        (0.5, {'seed': 0}, 1)
    """

    def __init__(self, path: Path):
        self.lock = threading.RLock()
        try:
            self.sure = connect(path, "FULL")
        except sqlite3.DatabaseError as error:
            if code_of(error) not in DAMAGED:
                raise not_now(error) from None
            os.replace(path, path.with_suffix(".damaged"))
            self.sure = connect(path, "FULL")
        self.quick = connect(path, "NORMAL")

    def add(self, row: Row) -> None:
        """Add a run; it is on the disk when this returns."""
        names, values = list(row), [written(name, value) for name, value in row.items()]
        marks = ", ".join("?" * len(names))
        with self.lock:
            self.sure.execute(f"INSERT INTO runs ({', '.join(map(known, names))}) VALUES ({marks})", values)

    def change(self, run: str, *, sure: bool = False, **values: Any) -> None:
        """Change columns of a run: it survives the end of this process, and with `sure` that of the machine's power."""
        if values:
            parts = ", ".join(f"{known(name)} = ?" for name in values)
            with self.lock:
                self.by(sure).execute(
                    f"UPDATE runs SET {parts} WHERE id = ?", [*(written(n, v) for n, v in values.items()), run]
                )

    def run(self, run: str) -> Row:
        """One run.

        Raises:
            UsageError: There is none of that id.
        """
        rows = self.select("WHERE id = ?", run)
        if not rows:
            raise UsageError(f"no run {run[:20]!r}", step="Choose one of the list", code="usage.no-run")
        return rows[0]

    def runs(self) -> list[Row]:
        """All runs, the newest first."""
        return self.select("ORDER BY created DESC, id")

    def family(self, family: str) -> list[Row]:
        """The runs that train side by side, in the order in which they were made."""
        return self.select("WHERE family = ? ORDER BY rowid", family)

    def remove(self, run: str) -> None:
        """Forget a run; its folder is another matter."""
        with self.lock:
            self.sure.execute("DELETE FROM runs WHERE id = ?", [run])

    def select(self, rest: str, *values: Any) -> list[Row]:
        """Rows as plain values."""
        with self.lock:
            rows = self.quick.execute(f"SELECT {', '.join(COLUMNS)} FROM runs {rest}", values).fetchall()
        return [read(dict(zip(COLUMNS, row, strict=True))) for row in rows]

    def by(self, sure: bool) -> sqlite3.Connection:
        """The connection that waits for the disk, or the one that does not."""
        return self.sure if sure else self.quick

    def close(self) -> None:
        """Close the database."""
        with self.lock:
            self.sure.close()
            self.quick.close()


def connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """Open the database in WAL mode, its table made.

    Raises:
        EnvironmentProblem: A newer narrows made it.
    """
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        check_version(connection)
        table = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.execute(f"CREATE TABLE IF NOT EXISTS runs ({table})")
    except BaseException:
        connection.close()
        raise
    return connection


def check_version(connection: sqlite3.Connection) -> None:
    """Refuse a database of a newer narrows, and say in any other which version it is."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise EnvironmentProblem(
            f"the list of runs is of version {version}",
            expected=f"at most {VERSION}, as this narrows reads it",
            step="Use the narrows that made it, or give another folder with --runs",
        )
    if version < VERSION:
        connection.execute(f"PRAGMA user_version = {VERSION}")


def code_of(error: sqlite3.DatabaseError) -> int:
    """What SQLite calls an error, without the details of it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def not_now(error: sqlite3.DatabaseError) -> EnvironmentProblem:
    """The error for a database that cannot be opened and is not damaged."""
    return EnvironmentProblem(
        f"the list of runs cannot be opened ({error})",
        step="See whether another program uses .studio/studio.db, and whether the disk is well; then try again",
    )


def known(name: str) -> str:
    """The name of a column; a name from anywhere else never becomes part of a statement."""
    if name not in COLUMNS:
        raise KeyError(name)
    return name


def written(name: str, value: Any) -> Any:
    """A value as the database keeps it."""
    return json.dumps(value) if name in JSON_COLUMNS and value is not None else value


def read(row: Row) -> Row:
    """A row with its JSON read."""
    return {**row, **{name: json.loads(row[name]) for name in JSON_COLUMNS if row[name] is not None}}
