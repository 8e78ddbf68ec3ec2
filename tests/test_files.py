"""Atomic writing: the new file or the old one, never half, and a sentence when the machine refuses."""

import errno
import os

import pytest

from narrows.errors import EnvironmentProblem
from narrows.files import atomic, write_atomic


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x00\xffabc", b"\x00\xffabc"),
        ("naïve\r\ntext", "naïve\r\ntext".encode()),
        (lambda file: file.write(b"by hand"), b"by hand"),
    ],
)
def test_content_arrives_as_given(tmp_path, content, expected):
    assert write_atomic(tmp_path / "a.bin", content).read_bytes() == expected


def test_parent_folders_are_made_and_nothing_else_is_left(tmp_path):
    write_atomic(tmp_path / "a" / "b" / "c.txt", "x")
    assert [p.name for p in tmp_path.rglob("*")] == ["a", "b", "c.txt"]


def test_a_failing_writer_keeps_the_old_file(tmp_path):
    path = write_atomic(tmp_path / "a.txt", "old")

    def writer(file):
        file.write(b"half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_atomic(path, writer)
    assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["a.txt"])


def test_an_interrupt_leaves_no_temporary_file(tmp_path):
    def writer(file):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "a.txt", writer)
    assert os.listdir(tmp_path) == []


def test_the_temporary_file_stands_in_the_same_folder_with_the_same_suffix(tmp_path):
    with atomic(tmp_path / "a.png") as temporary:
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".png")


def test_a_block_that_opens_the_temporary_file_itself_is_fine(tmp_path):
    with atomic(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "permission"), (errno.EROFS, "read-only")]
)
def test_refusals_of_the_machine_are_sentences(tmp_path, number, words):
    def writer(file):
        raise OSError(number, os.strerror(number))

    with pytest.raises(EnvironmentProblem, match=words):
        write_atomic(tmp_path / "a.txt", writer)
    assert os.listdir(tmp_path) == []


def test_a_flush_that_fails_keeps_the_old_file(tmp_path, monkeypatch):
    path = write_atomic(tmp_path / "a.txt", "old")

    def full(number):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentProblem, match="disk is full"):
        write_atomic(path, "new")
    assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["a.txt"])


def test_a_folder_in_the_way_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(EnvironmentProblem, match="a folder of that name"):
        write_atomic(tmp_path / "a", "x")


def test_a_file_where_a_folder_should_be_is_named(tmp_path):
    write_atomic(tmp_path / "a", "x")
    with pytest.raises(EnvironmentProblem, match="is a file, not a folder"):
        write_atomic(tmp_path / "a" / "b" / "c.txt", "x")


def test_a_long_name_is_refused_in_words(tmp_path):
    with pytest.raises(EnvironmentProblem, match="too long"):
        write_atomic(tmp_path / ("n" * 300 + ".txt"), "x")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a file system where nothing can be made")
def test_a_folder_that_cannot_be_made_is_named():
    with pytest.raises(EnvironmentProblem, match="that folder is not there and cannot be made"):
        write_atomic("/proc/nothing/a.txt", "x")


def test_an_unreadable_other_file_is_not_blamed_on_the_target(tmp_path):
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "a.txt"):
        (tmp_path / "missing").read_text()


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_permissions_are_those_of_any_file_or_of_the_old_one(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("x")
    fresh = write_atomic(tmp_path / "fresh", "x")
    kept = write_atomic(tmp_path / "kept", "x")
    kept.chmod(0o640)
    write_atomic(kept, "y")
    assert (fresh.stat().st_mode, kept.stat().st_mode & 0o777) == (plain.stat().st_mode, 0o640)


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_a_link_stays_a_link(tmp_path):
    real = write_atomic(tmp_path / "real", "old")
    (tmp_path / "link").symlink_to(real)
    write_atomic(tmp_path / "link", "new")
    assert ((tmp_path / "link").is_symlink(), real.read_text()) == (True, "new")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs the proc file system of Linux")
def test_a_folder_that_cannot_be_made_is_a_sentence():
    with pytest.raises(EnvironmentProblem, match="cannot be made"):
        write_atomic("/proc/none/a.txt", "x")


def test_a_file_missing_to_the_writer_is_the_writers_own_matter(tmp_path):
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "a.txt"):
        (tmp_path / "none").read_text()
