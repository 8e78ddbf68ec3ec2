"""Two trainers never work in one run folder; a trainer that dies leaves it free."""

import signal
import subprocess
import sys
import threading

import pytest

from narrows.changes import assign
from narrows.cli.main import run
from narrows.data import load
from narrows.errors import EnvironmentProblem, ModelError
from narrows.recipe import recipe_for
from narrows.train import Place, fit
from narrows.train import lock as lock_file
from narrows.train.lock import LOCK, locked

PLACE = Place("cpu", "float32", 1)

HOLDER = """
import sys, time
from pathlib import Path
from narrows.train.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def digits():
    return load("digits", limit=100)


@pytest.fixture(scope="module")
def small(digits):
    return assign(recipe_for(digits), ["network.widths=8", "training.epochs=2"])


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of `tmp_path`."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_trainer_is_refused_and_the_first_goes_on_undisturbed(digits, small, tmp_path, resume):
    *_, alone = fit(small, digits, place=PLACE)
    first = fit(small, digits, folder=tmp_path, place=PLACE)
    next(first)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ModelError, match=r"a training is under way in .*, by process"):
        next(fit(small, digits, folder=tmp_path, resume=resume, place=PLACE))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    *_, last = first
    assert [e.valid for e in last.result.history] == [e.valid for e in alone.result.history]


def test_a_trainer_that_ends_or_is_left_frees_the_folder(digits, small, tmp_path):
    first = fit(small, digits, folder=tmp_path, place=PLACE)
    next(first), next(first)
    assert (tmp_path / LOCK).exists()
    first.close()
    assert not (tmp_path / LOCK).exists()
    list(fit(small, digits, folder=tmp_path, resume=True))
    assert not (tmp_path / LOCK).exists()
    with pytest.raises(ModelError, match="no unfinished run"):
        next(fit(small, digits, folder=tmp_path, resume=True))
    assert not (tmp_path / LOCK).exists()


def test_another_process_is_named_and_its_death_frees_the_folder(digits, small, tmp_path, holder):
    with pytest.raises(ModelError) as refused:
        next(fit(small, digits, folder=tmp_path, place=PLACE))
    assert str(holder.pid) in str(refused.value)
    assert refused.value.code == "model.busy"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / LOCK).exists()
    *_, last = fit(small, digits, folder=tmp_path, place=PLACE)
    assert last.result.stopped == "done"


def test_the_command_says_so_in_one_sentence(tmp_path, holder, capsys):
    status = run(["train", "digits", "--out", str(tmp_path), "--epochs", "1", "--force"])
    said = capsys.readouterr().err.splitlines()
    assert (status, len([line for line in said if "under way" in line])) == (6, 1)
    assert not (tmp_path / "recipe.json").exists()


def test_never_two_at_once_however_many_try(tmp_path):
    inside, most, entered = 0, 0, 0
    guard, start = threading.Lock(), threading.Barrier(8)

    def work():
        nonlocal inside, most, entered
        start.wait()
        for _ in range(200):
            try:
                with locked(tmp_path):
                    with guard:
                        inside, entered = inside + 1, entered + 1
                        most = max(most, inside)
                    with guard:
                        inside -= 1
            except ModelError:
                continue

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert most == 1
    assert entered >= 8


def test_a_disk_without_locks_is_trained_on_all_the_same(digits, small, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(95, "not supported")

    monkeypatch.setattr(lock_file.fcntl, "flock", refuse)
    *_, last = fit(small, digits, folder=tmp_path, place=PLACE)
    assert last.result.stopped == "done"


def test_a_place_where_no_folder_can_be_made_is_the_machines_fault(digits, small, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentProblem, match="part of the path is a file"):
        next(fit(small, digits, folder=tmp_path / "file" / "run", place=PLACE))
