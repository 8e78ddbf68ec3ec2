"""The JSDoc types of the page's modules, read by TypeScript's compiler; nothing else here needs it, or Node."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest

import narrows

ROOT = Path(__file__).parents[2]
STATIC = Path(narrows.__file__).parent / "studio" / "static"
OLDEST = (5, 9)
"""The oldest compiler that reads all of `jsconfig.json` and of the types."""


def compiler() -> str:
    """The path of `tsc`; skips the test where there is none, or one too old."""
    found = shutil.which("tsc")
    if not found:
        pytest.skip("needs TypeScript's compiler: npm install --global typescript")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    if tuple(map(int, re.findall(r"\d+", said)[:2])) < OLDEST:
        pytest.skip(f"needs tsc {OLDEST[0]}.{OLDEST[1]} or newer, here is: {said.strip()}")
    return found


def findings(settings: Path) -> str:
    """What the compiler has to say, a line each."""
    command = [compiler(), "--pretty", "false", "-p", settings]
    return subprocess.run(command, check=False, stdout=PIPE, stderr=STDOUT, text=True, timeout=300).stdout


def test_the_modules_agree_with_their_types():
    assert findings(ROOT / "jsconfig.json") == ""


def test_a_mistake_would_be_found(tmp_path):
    """The settings look at the modules: words where a number belongs are refused."""
    settings = json.loads((ROOT / "jsconfig.json").read_text())
    settings["compilerOptions"]["paths"] = {"narrows/*": [str(STATIC / "js" / "*.js")]}
    settings["include"] = ["wrong.js", str(ROOT / "tests" / "studio" / "types")]
    del settings["exclude"]
    (tmp_path / "jsconfig.json").write_text(json.dumps(settings))
    (tmp_path / "wrong.js").write_text('import { tellDrag } from "narrows/page/probe";\ntellDrag("a while");\n')
    assert "wrong.js(2,10): error TS2345" in findings(tmp_path / "jsconfig.json")


def test_types_are_named_by_the_modules_of_the_import_map():
    """Comments are moved by no tool: a type that names a module which is gone would be `any` to an editor."""
    found = re.search(r'<script type="importmap">(.*?)</script>', (STATIC / "index.html").read_text(), re.DOTALL)
    known = json.loads(found[1])["imports"]
    named = [
        (path, name)
        for path in (STATIC / "js").rglob("*.js")
        for name in re.findall(r"""import\(["']([^"']+)["']\)\.""", path.read_text())
    ]
    assert len(named) > 100
    gone = [(path.name, name) for path, name in named if name not in known and not (path.parent / name).is_file()]
    assert gone == []
