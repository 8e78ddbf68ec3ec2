"""Errors say everything once: what was given, what was expected and the next step are joined into one text."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import narrows
from narrows import errors
from narrows.errors import NarrowsError, UsageError, missing_extra, unknown

ROOT = Path(narrows.__file__).parent
KINDS = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, NarrowsError)}
FILLERS = {"", "a", "all", "an", "as", "at", "in", "of", "or", "the", "and", "for", "to", "be", "least", "most", "use"}


def parts(call):
    """What an error is made of, as it is written; "<...>" for what is not known before it runs."""
    named = {word.arg: word.value for word in call.keywords}
    given = call.args[0] if call.args else None
    return {name: spelled(node) for name, node in [("given", given), *named.items()] if node and name != "code"}


def spelled(node):
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(spelled, node.values))
    if isinstance(node, ast.BinOp):
        return spelled(node.left) + spelled(node.right)
    if isinstance(node, ast.IfExp):
        return f"{spelled(node.body)} {spelled(node.orelse)}"
    return f"<{ast.unparse(node.value if isinstance(node, ast.FormattedValue) else node)}>"


def constructed():
    """Every error that the package makes where it is written down."""
    for file in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                yield f"{file.relative_to(ROOT)}:{node.lineno}", parts(node)


def words(text):
    return {word for word in re.findall(r"<[^>]*>|[a-z]+", text.lower()) if word not in FILLERS}


def said_twice(given="", expected="", step=""):
    """What an error says twice: an expectation that another part repeats, or that only turns round what is missing."""
    again = [other for other in (given, step) if words(expected) and words(expected) <= words(other)]
    numbers = set(re.findall("<[^>]*>", expected)) & set(re.findall("<[^>]*>", step))
    lacks = set(re.findall(r"\b(?:not|no|without)(?: all| an?| one)? (\w+)", given.lower()))
    turned = lacks & words(expected) if len(words(expected) - lacks) < 2 else set()
    return again, sorted(numbers), sorted(turned)


def test_the_rules_find_what_is_said_twice():
    assert said_twice("70 rows, at most 5", "at most 5 rows")[0]
    assert said_twice("3 halvings", "at most <allowed>", "Use <allowed> or fewer")[1] == ["<allowed>"]
    assert said_twice("codes that are not finite", "finite numbers")[2] == ["finite"]
    assert said_twice("<size> bytes", "at most <limit>", "Give a part of it") == ([], [], [])


def test_no_error_of_the_package_says_the_same_twice():
    found = {place: said_twice(**said) for place, said in constructed()}
    assert len(found) > 250
    assert {place: twice for place, twice in found.items() if any(twice)} == {}


@pytest.mark.parametrize(
    "error",
    [
        UsageError("k=9", expected="at most 5", step="Lower it"),
        unknown("network", "danse", ["dense", "conv"]),
        missing_extra("polars", "table", "Reading Parquet"),
    ],
)
def test_the_parts_of_an_error_stand_in_its_text_once(error):
    for part in filter(None, (error.given, error.expected, error.step)):
        assert str(error).count(part) == 1
    assert not re.search(r"\.\.|\?\.|;\.", str(error))
