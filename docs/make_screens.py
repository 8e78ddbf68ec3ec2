"""Photographs every view of the studio, light and dark, on a laptop and on a phone.

    python docs/make_screens.py                all of them, into docs/pictures/studio, in a few minutes
    python docs/make_screens.py map compare    some of the views

Needs Chromium on the PATH and the `dev` extra. The pictures show real trainings, so two runs differ in small ways.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent / "pictures" / "studio"
SIZES = {"laptop": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
COLOURS = 192
"""Colours kept of a photograph: no eye tells the difference, and the file is a third as large."""

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """A view and what is waited for before its photograph is taken.

    Args:
        hash: What the link says after the view.
        ready: Waits on the page.
        settle: Seconds more, for what still moves.
    """

    ready: Callable[[Page], None]
    hash: str = ""
    settle: float = 2.0


def trained(page: Page) -> None:
    """Some epochs were made."""
    page.get_by_text(re.compile(r"epoch \d{2,}|trained")).first.wait_for(timeout=60_000)


SHOTS = {
    "build": Shot(trained, settle=4),
    "map": Shot(trained, settle=4),
    "compare": Shot(lambda page: page.locator("main").wait_for(), settle=12),
    "use": Shot(lambda page: page.locator("main").wait_for(), settle=3),
    "learn": Shot(lambda page: page.locator("main").wait_for(), settle=4),
}


@contextmanager
def studio(folder: str) -> Iterator[str]:
    """The address of a studio that is open while inside."""
    command = [sys.executable, "-m", "narrows", "studio", "--no-browser", "--port", "0", "--runs", folder]
    surroundings = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found, "the studio did not say where it is open"
            yield found[0]
        finally:
            process.terminate()
            process.communicate()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


def photograph(browser: Browser, address: str, view: str, theme: str, size: str) -> Path:
    """One photograph, in few colours."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        device_scale_factor=1,
    )
    page, shot = context.new_page(), SHOTS[view]
    page.goto(f"{address}#1/{view}{shot.hash}")
    shot.ready(page)
    time.sleep(shot.settle)
    path = HERE / f"{view}-{theme}-{size}.png"
    page.screenshot(path=path)
    context.close()
    with Image.open(path) as whole:
        few = whole.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    return path


def main() -> None:
    views = sys.argv[1:] or list(SHOTS)
    HERE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, studio(folder) as address, chromium() as browser:
        for view in views:
            for size in SIZES:
                for theme in THEMES:
                    print(photograph(browser, address, view, theme, size), flush=True)


if __name__ == "__main__":
    main()
