"""narrows itself reads and writes no pickle, and runs no text as code."""

import ast
from pathlib import Path

import pytest

import narrows

FILES = sorted(Path(narrows.__file__).parent.rglob("*.py"))
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"eval", "exec", "compile", "torch.load", "torch.save", "jit.load", "torch.jit.load", "torch.package"}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def unsafe_calls(tree):
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        allowed = {word.arg: ast.unparse(word.value) for word in node.keywords}.get("allow_pickle")
        if name in CALLS or allowed not in {None, "False"}:
            yield name
        if name in {"np.load", "numpy.load", "np.save", "np.savez"} and allowed is None and name != "np.savez":
            yield f"{name} without allow_pickle=False"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_pickle_and_no_code_from_text(file):
    tree = ast.parse(file.read_text("utf-8"))
    assert MODULES & set(imported(tree)) == set()
    assert list(unsafe_calls(tree)) == []


@pytest.mark.parametrize(
    "text",
    ["import pickle", "from joblib import load", "eval('1')", "torch.load(p)", "np.load(p)", "f(allow_pickle=True)"],
)
def test_the_rule_would_notice(text):
    tree = ast.parse(text)
    assert MODULES & set(imported(tree)) or list(unsafe_calls(tree))
