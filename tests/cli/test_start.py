"""Asking for help costs what typer costs: nothing that computes is imported."""

import subprocess
import sys

HEAVY = {"torch", "numpy", "scipy", "sklearn", "pydantic", "rich", "PIL"}

IMPORTED = """
import sys
from narrows.cli.main import run
status = run(["--help"])
print(*sys.modules, sep="\\n", file=sys.stderr)
sys.exit(status)
"""


def test_help_imports_nothing_that_computes():
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    assert "Usage: narrows" in done.stdout
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_every_command_is_summed_up_in_one_line():
    done = subprocess.run([sys.executable, "-m", "narrows", "--help"], capture_output=True, text=True, check=True)
    commands = done.stdout.partition("Commands:")[2].strip().splitlines()
    assert len(commands) >= 10
    assert [line for line in commands if not line.endswith(".") or line.endswith("...")] == []
