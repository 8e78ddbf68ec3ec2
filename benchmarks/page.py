"""What the studio's page costs in a browser: how soon it is painted and something changes, its own JavaScript per frame
on a map of 100,000 dots, and the time from a pointer's event to the decoded picture.

    python benchmarks/page.py [--dots 100000] [--data glyphs]

It opens a studio of its own, trains the default dense and convolutional networks with two numbers for an epoch, and
then answers the page with as many dots as asked. Times are read from `window.__probe`, which counts handlers and
painters; what the browser itself does is not in them. Needs Chromium on the PATH and Playwright.
"""

import argparse
import contextlib
import json
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

import numpy as np
from playwright.sync_api import sync_playwright

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
BEGUN = "#1/build?data.name=digits&bottleneck.size=2&training.epochs=5000"
ASKED = {
    "change after play": ("Pause", "Play"),
    "change after begin again": (None, "Begin again"),
}
PROBE = "({ frames: __probe.frames, p50: __probe.jsMsP50, p95: __probe.jsMsP95, drag: __probe.dragMsP95 })"


class Studio:
    """A studio in a process of its own."""

    def __init__(self, runs):
        command = [sys.executable, "-m", "narrows", "studio", "--runs", runs, "--port", "0", "--no-browser"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.search(r"(http://\S+/)\?token=(\S+)", line):
                self.address, self.token = found.groups()
                return
        raise SystemExit("the studio did not open")

    def ask(self, path, body=None):
        """What the server answers."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}api/{path}", data, headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as answer:
            return json.load(answer)

    def learned(self, data, network):
        """The id of a run that has learned for an epoch."""
        recipe = self.ask("preview", {"data": data, "network": network})["recipe"]
        recipe["bottleneck"]["size"], recipe["training"]["epochs"] = 2, 1
        (run,) = self.ask("runs", {"recipes": [recipe]})["runs"]
        while (row := next(r for r in self.ask("runs") if r["id"] == run["id"]))["state"] not in ("done", "failed"):
            time.sleep(0.5)
        if row["state"] == "failed":
            raise SystemExit(row["why"])
        return run["id"]

    def rest(self):
        """Stop what trains."""
        for run in self.ask("runs"):
            if run["state"] in ("waiting", "starting", "running", "paused"):
                self.ask(f"runs/{run['id']}/do", {"do": "stop"})


def answer_with(page, run, dots):
    """Answer as a run of so many objects would."""
    rng = np.random.default_rng(0)
    labels = (np.arange(dots) % 10).astype("<i2")
    angle = labels * np.pi / 5
    xy = np.column_stack([np.cos(angle), np.sin(angle)]) * 3 + rng.normal(0, 1, (dots, 2))
    low, high = xy.min(0), xy.max(0)
    packed = np.round((xy - low) / (high - low) * 65535).astype("<u2")
    frame = (
        struct.pack("<4B3I", 0x4E, 1, 1, 0, 9, dots, 1) + np.array([*low, *high], "<f4").tobytes() + packed.tobytes()
    )

    def detail(route):
        told = route.fetch().json()
        told["objects"]["count"] = dots
        route.fulfill(json=told)

    def objects(route):
        first = re.sub(r"first=\d+", "first=0", route.request.url)
        route.fulfill(response=route.fetch(url=first))

    page.route(f"**/api/runs/{run}/points*", lambda route: route.fulfill(body=frame))
    page.route(f"**/api/runs/{run}/labels", lambda route: route.fulfill(body=labels.tobytes()))
    page.route(f"**/api/runs/{run}/objects*", objects)
    page.route(f"**/api/runs/{run}", detail)
    page.route_web_socket("**/api/live", lambda socket: None)


def opening(browser, studio, rounds):
    """Print how soon a page is painted, and how soon one sees the model change after each way to ask for it."""
    times = {name: [] for name in ("first paint", *ASKED)}
    for _ in range(rounds):
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(f"{studio.address}?token={studio.token}{BEGUN}")
        value(page, "__probe.firstVisibleMs")
        times["first paint"].append(value(page, FIRST_PAINT))
        for name, (before, button) in ASKED.items():
            if before:
                page.get_by_role("button", name=before, exact=True).click()
                page.locator(".status", has_text="paused").wait_for()
                page.wait_for_timeout(500)
            page.get_by_role("button", name=button, exact=True).click()
            times[name].append(value(page, "__probe.firstVisibleMs"))
        page.context.close()
        studio.rest()
    for name, each in times.items():
        print(f"{name:28} median {statistics.median(each):5.0f}, longest {max(each):5.0f}, of {rounds}")


def value(page, expression):
    """What an expression comes to as soon as it is a number above zero."""
    while not (found := page.evaluate(expression)):
        page.wait_for_timeout(10)
    return found


def hover(mouse):
    for i in range(150):
        mouse.move(300 + 4 * i, 350 + 100 * np.sin(i / 9))
        time.sleep(0.008)


def drag(mouse):
    mouse.move(400, 400)
    mouse.down()
    for i in range(150):
        mouse.move(400 + 3 * i, 400 + 100 * np.sin(i / 9))
        time.sleep(0.008)
    mouse.up()


def zoom(mouse):
    mouse.move(500, 450)
    for i in range(48):
        mouse.wheel(0, -90 if i < 24 else 90)
        time.sleep(0.016)


def pan(mouse):
    mouse.move(600, 450)
    mouse.down(button="middle")
    for i in range(120):
        mouse.move(600 + 2 * i, 450 + 60 * np.sin(i / 9))
        time.sleep(0.008)
    mouse.up(button="middle")


def measure(page, studio, run, dots, network):
    """A line for each thing one does with the pointer."""
    answer_with(page, run, dots)
    page.goto(f"{studio.address}?token={studio.token}")
    page.goto(f"{studio.address}#1/map?run={run}")
    page.reload()
    page.wait_for_function("() => document.querySelectorAll('.held .dial').length === 2", timeout=60_000)
    page.wait_for_timeout(2000)
    for act in (hover, drag, zoom, pan, drag):
        page.evaluate("__probe.forget()")
        act(page.mouse)
        probe = page.evaluate(PROBE)
        told = "" if probe["drag"] is None else f"{probe['drag']:8.1f}"
        print(f"{network:6} {act.__name__:6} {probe['frames']:7} {probe['p50']:8.1f} {probe['p95']:8.1f} {told}")
    errors = page.evaluate("__probe.errors")
    if errors:
        raise SystemExit(f"the page failed: {errors}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dots", type=int, default=100_000)
    parser.add_argument("--data", default="glyphs")
    parser.add_argument("--networks", nargs="*", default=["dense", "conv"])
    parser.add_argument("--rounds", type=int, default=10, help="how often the page is opened")
    given = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with contextlib.ExitStack() as stack:
        studio = Studio(stack.enter_context(tempfile.TemporaryDirectory()) + "/runs")
        stack.callback(studio.process.wait)
        stack.callback(studio.process.terminate)
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=chromium, args=QUIET)
        print(f"{given.dots:,} dots, {given.data}, 1440 x 900 pixels, Chromium {browser.version}; milliseconds")
        opening(browser, studio, given.rounds)
        print("net    act     frames   p50/fr   p95/fr  event to decoded p95")
        for network in given.networks:
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            measure(page, studio, studio.learned(given.data, network), given.dots, network)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
