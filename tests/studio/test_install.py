"""The page as a stranger gets it: from an archive of the repository, installed into an empty place, without Node."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="needs a git checkout"),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds the package alone, installed from `git archive`; its dependencies are this Python's."""
    archive, source, target = (tmp_path_factory.mktemp(name) for name in ("archive", "source", "target"))
    subprocess.run(["git", "archive", "-o", archive / "it.tar", "HEAD"], cwd=ROOT, check=True)
    shutil.unpack_archive(archive / "it.tar", source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", target]
    subprocess.run([*pip, source], check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    return target


@pytest.fixture
def address(installed, tmp_path):
    """Where the installed studio says it is open, with no other program on its PATH."""
    empty = tmp_path / "bin"
    empty.mkdir()
    surroundings = {"PATH": str(empty), "PYTHONPATH": str(installed), "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [
        sys.executable,
        "-m",
        "narrows",
        "studio",
        "--no-browser",
        "--port",
        "0",
        "--runs",
        str(tmp_path / "runs"),
    ]
    with subprocess.Popen(command, cwd=tmp_path, env=surroundings, stdout=subprocess.PIPE, text=True) as studio:
        try:
            yield re.search(r"http://\S+", studio.stdout.readline())[0]
        finally:
            studio.terminate()
            studio.communicate(timeout=20)


def test_the_installed_page_learns_before_ones_eyes(address, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.get_by_text(re.compile(r"epoch \d+")).first.wait_for(timeout=60_000)
    assert {url.split("/")[2] for url in asked if not url.startswith(("data:", "blob:"))} == {address.split("/")[2]}


def test_every_module_of_the_import_map_is_installed(installed):
    static = installed / "narrows" / "studio" / "static"
    found = re.search(r'<script type="importmap">(.*?)</script>', (static / "index.html").read_text("utf-8"), re.DOTALL)
    paths = json.loads(found[1])["imports"].values()
    assert paths
    assert all((static / path.removeprefix("/static/")).is_file() for path in paths)


def test_nobody_gets_in_without_the_address(address):
    bare = address.split("?")[0] + "api/runs"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(bare)
