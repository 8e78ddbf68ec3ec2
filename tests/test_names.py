"""The public names, and what importing them costs."""

import pkgutil
import subprocess
import sys

import narrows


def test_every_public_name_is_there():
    assert all(getattr(narrows, name) is not None for name in narrows.__all__)


def test_no_module_hides_a_public_name():
    modules = {module.name for module in pkgutil.iter_modules(narrows.__path__)}
    assert modules & set(narrows.__all__) == set()


def test_importing_narrows_or_its_commands_does_not_import_torch():
    code = "import sys, narrows, narrows.cli.app, narrows.recipe, narrows.changes; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
