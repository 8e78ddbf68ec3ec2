"""The docs against the code: commands, settings, choices, statuses, links, pictures and code blocks."""

import os
import re
import runpy
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import narrows
from narrows import errors
from narrows.bottleneck import BOTTLENECKS
from narrows.changes import assign
from narrows.corrupt import CORRUPTIONS
from narrows.nn import NETWORKS
from narrows.objective import TERMS
from narrows.readout.health import CHECKS
from narrows.recipe import Recipe

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
GUIDE = (DOCS / "guide.md").read_text("utf-8")
MADE = runpy.run_path(str(DOCS / "tools" / "pages.py"))
GENERATED = {DOCS / place: write() for place, write in MADE["GENERATED"].items()}
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.S)


def typed(page, first):
    """The words of every command line of a page that begins with `first`, after it."""
    lines = [
        shlex.split(line[2:]) for block in blocks(page, "console") for line in block.splitlines() if line[:2] == "$ "
    ]
    return [line[1:] for line in lines if line[0] == first]


def commands():
    import typer.main

    from narrows.cli.app import app

    return dict(MADE["commands_of"](typer.main.get_command(app)))


@each_page
def test_python_blocks_run(page, tmp_path, monkeypatch):
    """As a reader would type them: one after the other."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), names)


@each_page
def test_commands_in_console_blocks_are_understood(page):
    for first, *words in typed(page, "narrows"):
        longer = f"{first} {words[0]}" if words else first
        command = commands().get(longer) or commands()[first]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


KINDS = {"--network", "--bottleneck", "--corruption"}
"""Options that name a kind, after which its settings may be named."""


@each_page
def test_settings_in_console_blocks_are_accepted(page):
    for _, *words in typed(page, "narrows"):
        pairs = list(pairwise(words))
        kinds = [f"{option[2:]}={value}" for option, value in pairs if option in KINDS]
        assign(Recipe(), [*kinds, *(value for option, value in pairs if option == "--set")])


@each_page
def test_scripts_and_targets_in_console_blocks_exist(page):
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert {target for line in typed(page, "make") for target in line} <= set(targets)
    for script, *words in typed(page, "python"):
        text = (ROOT / script).read_text("utf-8")
        assert [word for word in words if word.startswith("--") and f'"{word}"' not in text] == []


def test_readme_lists_every_command():
    text = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in commands() if f"narrows {name}" not in text] == []


@pytest.mark.parametrize("table", [NETWORKS, BOTTLENECKS, CORRUPTIONS, TERMS])
def test_the_guide_names_every_choice(table):
    assert [name for name in table if f"`{name}`" not in GUIDE] == []


def test_the_story_names_every_bottleneck():
    assert [name for name in BOTTLENECKS if f"| `{name}` |" not in (DOCS / "story.md").read_text("utf-8")] == []


def test_every_exit_status_is_listed():
    used = {kind.exit for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit")}
    page = (DOCS / "howto" / "exit-statuses.md").read_text("utf-8")
    assert {int(status) for status in re.findall(r"^\| (\d) \|", page, re.M)} == used | {0}


def test_every_finding_is_listed():
    page = (DOCS / "howto" / "report.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.M)) == set(CHECKS)


def test_the_index_leads_to_every_kind_of_data():
    page = (DOCS / "index.md").read_text("utf-8")
    assert [
        kind for kind in ("pictures", "table", "series", "scene", "sounds") if f"(howto/{kind}.md)" not in page
    ] == []


@each_page
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8"))
    found = [(page.parent / target).resolve() for target in targets]
    assert [target for target in found if target not in GENERATED and not target.exists()] == []


def test_the_page_of_commands_says_what_help_says(monkeypatch):
    """`--help` as it is printed, against the generated page."""
    from typer.testing import CliRunner

    from narrows.cli.app import app

    page = " ".join(GENERATED[DOCS / "reference/commands.md"].split())
    for name, command in commands().items():
        printed = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "400", "TERM": "dumb"}).output
        said = " ".join(re.sub(r"[─│╭╮╰╯]", " ", printed).split())
        assert f"## {name} " in page
        words = " ".join(command.help.split())
        assert words in said
        assert words in page
        own = page.split(f"## {name} ", 1)[1].split(" ## ")[0]
        for parameter in command.params:
            assert parameter.help in said
            assert parameter.help in own
        assert set(re.findall(r"(?<![\w-])--[a-z]+", said)) - {"--help"} <= set(re.findall(r"--[a-z]+", own))


def test_the_page_of_the_recipe_has_every_setting():
    """Every field of every settings class with its meaning, found by walking the types, not the schema."""
    page = GENERATED[DOCS / "reference/recipe.md"]
    tables = {"network": NETWORKS, "bottleneck": BOTTLENECKS, "corruption": CORRUPTIONS}
    for part, field in Recipe.model_fields.items():
        kinds = tables.get(part, {"": field.annotation} if hasattr(field.annotation, "model_fields") else {})
        for kind, settings in kinds.items():
            assert not kind or f"`--set {part}={kind}`" in page
            for name, inner in settings.model_fields.items():
                assert name == "kind" or f"| `{part}.{name}` |" in page
                assert name == "kind" or inner.description.split("\n")[0] in page
        assert kinds or f"| `{part}` |" in page


def test_a_setting_is_written_with_its_type_range_and_default():
    page = GENERATED[DOCS / "reference/recipe.md"]
    assert "| `training.batch` | whole number, at least 1, at most 65,536 | `256` | Objects a step. |" in page
    assert "| `training.clip` | number, above 0; or none | `null` |" in page


def test_the_python_reference_has_every_public_name():
    page = (DOCS / "reference" / "python.md").read_text("utf-8")
    named = {line.rpartition(".")[2] for line in re.findall(r"^::: (\S+)", page, re.M)}
    assert set(narrows.__all__) <= named
    from narrows import readout, train

    events = {"Epoch", "Event", "Finished", "Judging", "Notice", "Result", "Started", "Step"}
    assert (set(readout.__all__) | set(train.__all__)) - events <= named
    assert {"narrows.train.events"} <= set(re.findall(r"^::: (\S+)", page, re.M))


def test_pictures_are_known_to_the_script_and_small():
    pictures = runpy.run_path(str(DOCS / "make_pictures.py"))["PICTURES"]
    shown = {
        name for page in PAGES for name in re.findall(r"\]\((?:\S*/)?pictures/([\w-]+)\.png\)", page.read_text("utf-8"))
    }
    sizes = {file.stem: file.stat().st_size for file in (DOCS / "pictures").glob("*.png")}
    # The sheet of the README is drawn by the demonstration.
    assert shown == set(sizes) == {*pictures, "reconstructions"}
    assert max(sizes.values()) < 100_000
    assert sum(sizes.values()) < 600_000


def test_photographs_of_the_studio_are_all_there_shown_and_small():
    pytest.importorskip("playwright")
    script = runpy.run_path(str(DOCS / "make_screens.py"))
    wanted = {f"{v}-{t}-{s}" for v in script["SHOTS"] for t in script["THEMES"] for s in script["SIZES"]}
    sizes = {file.stem: file.stat().st_size for file in (DOCS / "pictures" / "studio").iterdir()}
    shown = set(re.findall(r"\]\(pictures/studio/([\w-]+)\.webp\)", (DOCS / "gallery.md").read_text("utf-8")))
    assert shown == set(sizes) == wanted
    assert max(sizes.values()) < 200_000
    assert sum(sizes.values()) < 2_000_000


def test_a_picture_of_the_docs_is_what_the_script_draws(tmp_path):
    import numpy as np
    from PIL import Image

    script = runpy.run_path(str(DOCS / "make_pictures.py"))
    for name in ("object", "corruptions"):
        script["PICTURES"][name](tmp_path / "new.png")
        script["shrink"](tmp_path / "new.png")
        with Image.open(tmp_path / "new.png") as new, Image.open(DOCS / "pictures" / f"{name}.png") as kept:
            assert new.size == kept.size
            difference = np.asarray(new.convert("L"), int) - np.asarray(kept.convert("L"), int)
            # Another version of the font or the renderer moves a few edges.
            assert np.abs(difference).mean() < 2


@pytest.mark.slow
def test_the_story_is_true_of_its_pictures():
    """What the text claims of a figure, measured again."""
    script = runpy.run_path(str(DOCS / "make_pictures.py"))
    x = script["data"]("bow").test.x
    bent = script["trained"]("bow", "dense", "plain", "bottleneck.size=1", "network.widths=64,32", "training.epochs=60")
    scaled = bent.scaling.apply(x)
    straight = ((script["pca"](bent, scaled, 1) - scaled) ** 2).mean()
    assert script["reconstruct"](bent.model, x).error.mean() < 0.05 * straight
    errors = {relu: [script["rectified"](size, relu) for size in (2, 4, 16)] for relu in (False, True)}
    assert all(linear < relu for linear, relu in zip(errors[False], errors[True], strict=True))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert (built.returncode, built.stderr) == (0, "")
    return folder


@pytest.mark.slow
def test_the_site_has_every_page_in_its_navigation(site):
    front = (site / "index.html").read_text("utf-8")
    pages = [page.relative_to(DOCS).with_suffix(".html").as_posix() for page in [*PAGES[1:], *GENERATED]]
    assert [page for page in pages if not (site / page).exists()] == []
    assert [page for page in pages if page != "index.html" and f'href="{page}"' not in front] == []


@pytest.mark.slow
def test_the_site_fetches_nothing_from_outside(site):
    elsewhere = r"[^>]*=\"(?:https?:)?//"
    loads = rf"<(?:script|img|iframe|source){elsewhere}|<link(?![^>]*canonical){elsewhere}"
    pages = sorted(site.rglob("*.html"))
    assert [page.name for page in pages if re.search(loads, page.read_text("utf-8"))] == []
    styles = "".join(file.read_text("utf-8") for file in site.rglob("*.css"))
    assert re.findall(r"@import[^;]*//|url\(['\"]?(?:https?:)?//[^)]*", styles) == []
