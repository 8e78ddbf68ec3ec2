"""Fixtures that every test may use: real data where it is, and one seed for all."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

# Before torch is imported: waiting threads that spin take the processor from those that work.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def data_folders() -> list[Path]:
    return [Path(part) for part in os.environ.get("NARROWS_DATA", "").split(os.pathsep) if part]


@pytest.fixture(scope="session")
def real():
    """A function from a path inside NARROWS_DATA to the real path; skips, or fails where the folder is set."""

    def find(relative: str) -> Path:
        folders = data_folders()
        found = [folder / relative for folder in folders if (folder / relative).exists()]
        if not found and folders:
            pytest.fail(f"{relative} is missing from NARROWS_DATA={os.environ['NARROWS_DATA']}")
        if not found:
            pytest.skip(f"needs {relative}: set NARROWS_DATA to a folder that has it")
        return found[0]

    return find


@pytest.fixture
def answer(capsys):
    """A function that runs a command with --json and gives its exit status and its object."""
    from narrows.cli.main import run

    def ask(*arguments):
        status = run([*map(str, arguments), "--json"])
        return status, json.loads(capsys.readouterr().out)

    return ask


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
"""Without these a browser without network tries to reach its maker's hosts, again and again."""


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium; skips where there is none, or fails where NARROWS_BROWSER says that there is one."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        (pytest.fail if os.environ.get("NARROWS_BROWSER") else pytest.skip)("needs Chromium on the PATH")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, headless=True, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A page of 1440 x 900 that fails the test if an error was written to its console."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(120_000)
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert not errors, errors
