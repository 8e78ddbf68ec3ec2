"""A browser for the tests of the page: the system's Chromium, driven by Playwright."""

import os
import shutil

import pytest

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
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert not errors, errors
