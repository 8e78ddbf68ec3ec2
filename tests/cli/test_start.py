"""Asking for help costs what typer costs: nothing that computes is imported."""

import subprocess
import sys

import pytest

import narrows

HEAVY = {"torch", "numpy", "scipy", "sklearn", "pydantic", "rich", "PIL"}

IMPORTED = """
import sys
from narrows.cli.main import run
status = run(sys.argv[1:])
print(*sys.modules, sep="\\n", file=sys.stderr)
sys.exit(status)
"""


def answered(*arguments):
    """What a command says, its exit status, and the packages it imported."""
    done = subprocess.run([sys.executable, "-c", IMPORTED, *arguments], check=False, capture_output=True, text=True)
    return done.stdout, done.returncode, {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize(
    ("option", "words"), [("--help", "Usage: narrows"), ("--version", f"narrows {narrows.__version__}\n")]
)
def test_help_and_version_import_nothing_that_computes(option, words):
    said, status, loaded = answered(option)
    assert words in said
    assert status == 0
    assert "typer" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("wrong", [["--set", "data.side=3"], ["--schema"]])
def test_what_is_wrong_with_info_is_said_before_torch_is_imported(tmp_path, wrong):
    (tmp_path / "recipe.json").write_text("{}")
    said, status, loaded = answered("info", str(tmp_path), "--json", *wrong)
    assert (status, '"error"' in said) == (2, True)
    assert "torch" not in loaded


def test_every_command_is_summed_up_in_one_line():
    done = subprocess.run([sys.executable, "-m", "narrows", "--help"], capture_output=True, text=True, check=True)
    commands = done.stdout.partition("Commands:")[2].strip().splitlines()
    assert len(commands) >= 10
    assert [line for line in commands if not line.endswith(".") or line.endswith("...")] == []
