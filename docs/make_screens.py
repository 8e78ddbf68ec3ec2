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
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent / "pictures" / "studio"
SIZES = {"laptop": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """A view and what is waited for before its photograph is taken.

    Args:
        ready: Waits on the page, and does what a reader would.
        settle: Seconds more, for what still moves.
    """

    ready: Callable[[Page], None]
    settle: float = 4.0


def trained(page: Page) -> None:
    """Ten epochs were made, or all."""
    page.get_by_text(re.compile(r"epoch \d{2,}|trained for")).first.wait_for(timeout=120_000)


def compared(page: Page) -> None:
    """Three networks were set side by side and trained for some epochs."""
    page.get_by_role("button", name="Train side by side").click(timeout=60_000)
    trained(page)


def drawn(page: Page) -> None:
    """A seven was drawn on the pad."""
    trained(page)
    box = page.locator("canvas.pad, .pad canvas").first.bounding_box()
    assert box is not None
    strokes = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in strokes]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=12)
    page.mouse.up()


SHOTS = {
    "build": Shot(trained),
    "map": Shot(trained),
    "compare": Shot(compared, settle=8),
    "use": Shot(drawn),
    "learn": Shot(trained),
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
    """One photograph, without loss."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        device_scale_factor=1,
    )
    page, shot = context.new_page(), SHOTS[view]
    page.goto(f"{address}#1/{view}")
    shot.ready(page)
    time.sleep(shot.settle)
    path = HERE / f"{view}-{theme}-{size}.webp"
    with Image.open(BytesIO(page.screenshot())) as whole:
        whole.convert("RGB").save(path, lossless=True, method=6)
    context.close()
    return path


def main() -> None:
    """Photograph the views named, or all of them."""
    views = sys.argv[1:] or list(SHOTS)
    HERE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, studio(folder) as address, chromium() as browser:
        for view in views:
            for size in SIZES:
                for theme in THEMES:
                    print(photograph(browser, address, view, theme, size), flush=True)


if __name__ == "__main__":
    main()
