"""The docs against the code: commands, choices, statuses and code blocks."""

import re
from pathlib import Path

import pytest

from narrows import errors
from narrows.bottleneck import BOTTLENECKS
from narrows.corrupt import CORRUPTIONS
from narrows.nn import NETWORKS
from narrows.objective import TERMS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GUIDE = (ROOT / "docs" / "guide.md").read_text("utf-8")


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_console_blocks_are_understood(page):
    import typer.main

    from narrows.cli.app import app

    commands = typer.main.get_command(app).commands
    lines = [line[2:].split() for block in blocks(page, "console") for line in block.splitlines() if line[:2] == "$ "]
    for _, name, *words in (line for line in lines if line[0] == "narrows"):
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_readme_lists_every_command():
    from narrows.cli.app import app

    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    text = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in names if f"narrows {name}" not in text] == []


@pytest.mark.parametrize("table", [NETWORKS, BOTTLENECKS, CORRUPTIONS, TERMS])
def test_the_guide_names_every_choice(table):
    assert [name for name in table if f"`{name}`" not in GUIDE] == []


def test_the_guide_lists_every_exit_status():
    used = {kind.exit for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit")}
    assert {int(status) for status in re.findall(r"^\| (\d) \|", GUIDE, re.M)} == used | {0}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
