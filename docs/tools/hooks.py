"""What mkdocs calls while it builds: adds the pages made from the code, and puts all pages in order."""

from itertools import pairwise
from typing import Any

from pages import GENERATED

ORDER = ("index.md", "gallery.md", "story.md", "guide.md", "howto", "figures.md", "speed.md")
"""What the reader meets first; pages that are not named here follow, and the reference comes last."""

TITLES = {"howto": "How to", "reference": "Reference"}


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages."""
    from mkdocs.structure.files import File

    for place, write in GENERATED.items():
        files.append(File.generated(config, place, content=write()))
    return files


def on_nav(nav: Any, config: Any, files: Any) -> Any:
    """Order the pages and name the sections."""
    for item in nav.items:
        if item.is_section:
            item.title = TITLES.get(item.title.lower(), item.title)
    nav.items.sort(key=rank)
    nav.pages.sort(key=lambda page: nav.items.index(top(page)))
    link(nav.pages)
    return nav


def top(page: Any) -> Any:
    """The item of the top level that holds a page."""
    return page.ancestors[-1] if page.ancestors else page


def rank(item: Any) -> tuple[int, str]:
    """Where an item of the top level stands."""
    name = item.children[0].file.src_uri.split("/")[0] if item.is_section else item.file.src_uri
    if name == "reference":
        return len(ORDER) + 1, name
    return (ORDER.index(name) if name in ORDER else len(ORDER)), name


def link(pages: list[Any]) -> None:
    """Tell each page which one comes before and after it."""
    for before, after in pairwise(pages):
        before.next_page, after.previous_page = after, before
    if pages:
        pages[0].previous_page, pages[-1].next_page = None, None
