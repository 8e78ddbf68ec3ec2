"""The list of runs: set aside only where it is damaged, and never mistaken for another version."""

import sqlite3

import pytest

from narrows.errors import EnvironmentProblem
from narrows.studio import store
from narrows.studio.store import VERSION, Store

ROW = {
    "id": "a", "folder": "a", "name": "first", "created": 0.0, "family": "a", "origin": "studio", "state": "done",
    "recipe": {},
}  # fmt: skip


@pytest.fixture
def path(tmp_path):
    """A database of one run."""
    made = Store(tmp_path / "studio.db")
    made.add(ROW)
    made.close()
    return tmp_path / "studio.db"


def names(path):
    """The names of the runs in a database, opened anew."""
    again = Store(path)
    try:
        return [row["name"] for row in again.runs()]
    finally:
        again.close()


def test_a_lock_is_no_damage(path, monkeypatch):
    monkeypatch.setattr(store, "WAIT_SECONDS", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(EnvironmentProblem, match="locked"):
        Store(path)
    other.close()
    assert not path.with_suffix(".damaged").exists()
    assert names(path) == ["first"]


def test_a_disk_that_fails_is_no_damage(path, monkeypatch):
    def failing(*_):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR | (1 << 8)
        raise error

    monkeypatch.setattr(store, "connect", failing)
    with pytest.raises(EnvironmentProblem, match="disk I/O error"):
        Store(path)
    monkeypatch.undo()
    assert names(path) == ["first"]


def test_what_is_no_database_is_set_aside(path):
    path.write_bytes(b"no database at all" * 100)
    path.with_name(f"{path.name}-wal").write_bytes(b"of the old one")
    assert names(path) == []
    assert path.with_suffix(".damaged").read_bytes().startswith(b"no database")


def test_a_database_says_its_version_and_a_newer_one_is_left_alone(path):
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (VERSION,)
        other.execute("PRAGMA user_version = 0")
    other.close()
    assert names(path) == ["first"]
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (VERSION,)
        other.execute(f"PRAGMA user_version = {VERSION + 1}")
    other.close()
    with pytest.raises(EnvironmentProblem, match=f"version {VERSION + 1}"):
        Store(path)
    assert not path.with_suffix(".damaged").exists()
