"""Imports point downward, never up and never in a circle."""

import ast
from pathlib import Path

import pytest

import narrows

ROOT = Path(narrows.__file__).parent
FLOORS = {
    "errors": 0,
    "types": 0,
    "settings": 0,
    "files": 0,
    "storage": 0,
    "notebook": 0,
    "data": 1,
    "corrupt": 1,
    "metrics": 1,
    "nn": 2,
    "bottleneck": 2,
    "objective": 2,
    "model": 2,
    "recipe": 3,
    "changes": 3,
    "train": 3,
    "readout": 4,
    "compare": 4,
    "detect": 4,
    "estimators": 4,
    "studio": 5,
    "cli": 5,
}


def imported(file):
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("narrows."):
            yield node.module.split(".")[1]
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("narrows."))


def modules():
    return [file for file in sorted(ROOT.rglob("*.py")) if file.name not in {"__main__.py"} and file.parent != ROOT] + [
        ROOT / f"{name}.py" for name in FLOORS if (ROOT / f"{name}.py").exists()
    ]


def unit(file):
    return file.relative_to(ROOT).parts[0].removesuffix(".py")


def test_every_part_has_a_floor():
    assert {unit(file) for file in modules()} <= FLOORS.keys()


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_point_down(file):
    up = {name for name in imported(file) if FLOORS[name] > FLOORS[unit(file)]}
    assert up == set()


def test_basics_do_not_know_each_other():
    known = {(unit(f), name) for f in modules() for name in imported(f) if FLOORS[unit(f)] == FLOORS[name] == 1}
    assert {pair for pair in known if pair[0] != pair[1]} == set()
