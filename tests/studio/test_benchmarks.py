"""The benchmarks of the page and of a training beside a studio run, and print a figure for each thing they measure."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def printed(*words):
    """What a benchmark prints."""
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers(told, name):
    """The numbers behind the first words of a line."""
    (line,) = (line.removeprefix(name) for line in told.splitlines() if line.startswith(name))
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", line)]


def test_the_arithmetic_of_the_page_is_timed(browser):
    times = numbers(printed("benchmarks/decode.py", "--only", "dense"), "dense 1024, 512")
    assert len(times) == 7
    assert min(times) > 0


def test_the_page_is_opened_and_used(browser):
    told = printed("benchmarks/page.py", "--dots", "2000", "--rounds", "1", "--networks", "dense")
    assert min(numbers(told, "first paint") + numbers(told, "change after play")) > 0
    for act in ("hover", "zoom", "pan"):
        assert numbers(told, f"dense  {act}")[0] > 0
    assert told.count("dense  drag") == 2


def test_a_training_is_timed_alone_and_beside_a_studio():
    told = printed("benchmarks/beside.py", "--seconds", "0.3", "--turns", "1", "--only", "digits")
    assert min(numbers(told, "digits, dense, 2 numbers")[:2]) > 0
