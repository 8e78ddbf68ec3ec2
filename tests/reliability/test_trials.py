"""The trials of benchmarks/reliability.py, at the size of a test run: nothing may go wrong in any of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="forks, and reads /proc"),
]

SCRIPT = Path(__file__).parents[2] / "benchmarks/reliability.py"


def tally(trial: str, count: int) -> dict:
    command = [sys.executable, "-W", "error", str(SCRIPT), trial, "--count", str(count), "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode in {0, 1}, done.stderr
    return json.loads(done.stdout)[0]


def test_a_run_killed_a_hundred_times_ends_with_the_bits_of_an_undisturbed_one():
    kills = tally("kills", 100)
    assert (kills["wrong"], kills["tried"]) == ([], 100)
    assert kills["counts"]["after the first step"] > 30
    assert kills["counts"]["steps repeated, most"] <= 7


def test_a_run_resumes_to_the_same_bits_after_every_step():
    resumes = tally("resumes", 1)
    assert (resumes["wrong"], resumes["tried"]) == ([], 60 + 7 * 5)
    assert resumes["counts"]["saved twice"] == 8


def test_a_fault_at_every_call_of_a_save_leaves_the_old_file_or_the_new_one():
    faults = tally("faults", 1)
    assert faults["wrong"] == []
    assert faults["counts"]["refused in words"] > 100
    assert faults["counts"]["killed"] > 100
    assert faults["counts"]["by a real limit"] == 15


def test_five_hundred_altered_models_are_refused_in_words_or_load_to_the_same_bits():
    mutants = tally("mutants", 500)
    assert (mutants["wrong"], mutants["tried"]) == ([], 503)
    assert mutants["counts"]["refused"] > 450
    assert mutants["counts"]["harmless"] >= 25
    assert mutants["counts"]["MB beyond the files, most"] <= 32


def test_a_number_that_is_not_finite_is_noticed_before_it_reaches_the_weights():
    divergence = tally("divergence", 1)
    assert (divergence["wrong"], divergence["tried"]) == ([], 8 * 5 * 2)
