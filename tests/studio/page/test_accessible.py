"""What axe-core finds in the views, light and dark: nothing serious."""

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["build", "map", "compare", "learn", "use"])
def test_nothing_serious(page, enter, view, scheme):
    page.emulate_media(color_scheme=scheme)
    enter(view)
    page.wait_for_timeout(300)
    found = axe.Axe().run(page).response["violations"]
    serious = [
        f"{one['id']}: {[node['html'][:120] for node in one['nodes']][:3]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("view", ["build", "map", "compare", "learn", "use"])
def test_nothing_is_wider_than_a_phone(page, enter, view):
    page.set_viewport_size({"width": 390, "height": 844})
    enter(view)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
