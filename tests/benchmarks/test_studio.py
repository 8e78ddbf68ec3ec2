"""The load benchmark's own pieces run: a few viewers for a second."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STUDIO = Path(__file__).parents[2] / "benchmarks" / "studio.py"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processes cannot be kept on a core here")
def test_a_few_viewers_are_measured():
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two processor cores")
    words = ["--viewers", "4", "--deaf", "1", "--seconds", "1", "--rounds", "1", "--json"]
    done = subprocess.run(
        [sys.executable, str(STUDIO), *words], capture_output=True, text=True, check=False, timeout=120
    )
    figures = json.loads(done.stdout.splitlines()[0])
    assert figures["frames"] > 4
    assert figures["lost"] == 0
    assert 16 < figures["frame_bytes"] <= 8192
    assert 0 < figures["lag_p50_ms"] <= figures["lag_p99_ms"]
    assert set(figures["rounds"]) == {"wall", "cpu"}
