"""What axe-core finds in the views, light and dark: nothing serious."""

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

pytestmark = pytest.mark.slow

DRAWN = {
    "build": ".seen-tile canvas",
    "map": ".held .dial",
    "compare": ".offer .card",
    "learn": ".figure canvas",
    "use": ".trio canvas",
}
"""What each view has once it is drawn."""


@pytest.fixture
def look(page, enter, whole_studio):
    """A function that opens a view on a run that has been trained, and waits until it is drawn."""
    (run,) = whole_studio.new({"data": {"name": "digits"}, "training": {"epochs": 3}}, start=True)
    whole_studio.wait(run, "done", seconds=90)

    def looking(view):
        enter(view, f"?run={run}")
        page.locator(DRAWN[view]).first.wait_for()

    return looking


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", DRAWN)
def test_nothing_serious(page, look, view, scheme):
    page.emulate_media(color_scheme=scheme)
    look(view)
    found = axe.Axe().run(page).response["violations"]
    serious = [
        f"{one['id']}: {[node['html'][:120] for node in one['nodes']][:3]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("view", DRAWN)
def test_nothing_is_wider_than_a_phone(page, look, view):
    page.set_viewport_size({"width": 390, "height": 844})
    look(view)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
