"""What the page is made of: vendored files unchanged, every module in the import map, no address of another host."""

import hashlib
import json
import re
from pathlib import Path

import narrows

STATIC = Path(narrows.__file__).parent / "studio" / "static"
MANIFEST = json.loads((STATIC / "vendor.json").read_text())
HTML = (STATIC / "index.html").read_text()
OWN = sorted((STATIC / "js").rglob("*.js"))
STARTED_OTHERWISE = ("main", "worker")
"""The page's one script, and workers, which know no import map."""


def import_map() -> dict[str, str]:
    found = re.search(r'<script type="importmap">(.*?)</script>', HTML, re.DOTALL)
    assert found
    return json.loads(found[1])["imports"]


def test_vendored_files_are_those_of_the_manifest():
    listed = {name: sha for library in MANIFEST for name, sha in library["files"].items()}
    present = {path.relative_to(STATIC).as_posix(): path for path in (STATIC / "vendor").rglob("*") if path.is_file()}
    assert listed == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in present.items()}


def test_every_library_says_where_it_is_from_and_carries_its_licence():
    for library in MANIFEST:
        assert re.fullmatch(r"\d+\.\d+\.\d+", library["version"]), library["name"]
        assert library["licence"] in {"MIT", "Apache-2.0", "OFL-1.1"}
        assert any(name.endswith("LICENSE") for name in library["files"]), library["name"]


def test_the_import_map_lists_every_module_and_only_those():
    named = {target for name, target in import_map().items() if name.startswith("narrows/")}
    files = {"/static/" + path.relative_to(STATIC).as_posix() for path in OWN}
    assert {file for file in files if not Path(file).stem.endswith(STARTED_OTHERWISE)} <= named
    assert {name for name, target in import_map().items() if name.removeprefix("narrows/") not in target} <= {
        "preact", "preact/hooks", "htm", "@preact/signals-core", "uplot",
    }  # fmt: skip


def code(path: Path) -> str:
    """A file without what is said about it."""
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)


def imports(path: Path) -> set[str]:
    pattern = r"""(?:^import .*?|^export .*?|\}\s*)from\s+["']([^"']+)["']|import\(["']([^"']+)["']\)"""
    return {first or second for first, second in re.findall(pattern, code(path), re.M)}


def in_workers() -> set[Path]:
    """The modules that workers load: they know no import map, so they name each other by relative paths."""
    found, new = set(), {path for path in OWN if path.stem.endswith("worker")}
    while new:
        found |= new
        new = {path.parent / name for path in new for name in imports(path) if name.startswith(".")} - found
    return found


def test_modules_are_imported_by_bare_names_of_the_import_map():
    for path in OWN:
        for name in imports(path):
            relative = name.startswith("./") and path in in_workers() and (path.parent / name).is_file()
            assert relative or name in import_map(), f"{path.name} imports {name}"


def test_the_page_names_no_other_host():
    pattern = re.compile(r"https?://(?!www\.w3\.org/)[\w.-]+")
    for path in [*OWN, STATIC / "index.html", STATIC / "app.css"]:
        assert not pattern.findall(code(path)), path.name


def test_no_text_becomes_markup():
    for path in OWN:
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySet|document\.write", path.read_text()
        ), path.name


def test_dark_by_the_system_and_dark_by_hand_are_the_same():
    css = (STATIC / "app.css").read_text()
    system, hand = (
        re.search(pattern, css, re.DOTALL)
        for pattern in (r'not\(\[data-theme="light"\]\) \{(.*?)\}', r'\[data-theme="dark"\] \{(.*?)\}')
    )
    assert system
    assert hand
    assert system[1].split() == hand[1].split()


def test_class_colours_are_those_of_the_figures_on_paper():
    from narrows.cli.draw.style import PALETTE

    css = (STATIC / "app.css").read_text()
    for number, (light, dark) in enumerate(PALETTE):
        assert re.findall(rf"--class-{number}: (#\w+);", css) == [light, dark, dark]


def test_the_page_for_contributors_tells_of_every_family():
    page = Path(__file__).parents[2] / "docs" / "howto" / "page.md"
    told = re.findall(r"^\| `(\w+)` \|", page.read_text("utf-8").split("## A component")[0], re.MULTILINE)
    assert set(told) == {path.parent.name for path in OWN} - {"js"}
