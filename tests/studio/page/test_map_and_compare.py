"""The map and the comparison as a reader uses them, in a browser, on a model that really learned."""

import re
import struct

import numpy as np
import pytest
from browsing import until

pytestmark = pytest.mark.slow

RECIPE = {"data": {"name": "digits"}, "network": {"kind": "dense", "widths": [64, 32]}}
TRAINING = {"epochs": 30, "batch": 64}


def learned(studio, size=2):
    """The id of a run that has learned."""
    (run,) = studio.new(
        {**RECIPE, "bottleneck": {"kind": "plain", "size": size}, "training": TRAINING, "seed": size}, start=True
    )
    studio.wait(run, "done", seconds=90)
    return run


@pytest.fixture(scope="module")
def flat_run(whole_studio):
    return learned(whole_studio)


@pytest.fixture(scope="module")
def deep_run(whole_studio):
    return learned(whole_studio, size=16)


def open_map(page, studio, run, query=""):
    page.goto(f"{studio.address}/?token={studio.home.token}")
    page.goto(f"{studio.address}/#1/map?run={run}{query}")
    page.reload()
    page.wait_for_selector(".atlas .dots")
    until(page, "document.querySelectorAll('.held .dial').length > 0")
    return page.locator(".atlas .field")


DRAG = """
  ([x, y, dx, dy]) => {
    const field = document.querySelector(".atlas .field");
    const decoded = document.querySelectorAll(".held .three canvas")[1];
    const picture = () => decoded.toDataURL();
    const hand = { pointerId: 7, button: 0, buttons: 1, bubbles: true };
    const say = (type, x, y) => field.dispatchEvent(new PointerEvent(type, { ...hand, clientX: x, clientY: y }));
    field.setPointerCapture = () => {};
    say("pointerdown", x, y);
    const pictures = [];
    for (let step = 1; step <= 4; step += 1) {
      say("pointermove", x + step * dx, y + step * dy);
      pictures.push(picture());
    }
    say("pointerup", x + 4 * dx, y + 4 * dy);
    return pictures;
  }
"""


def middle(field):
    box = field.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("which", ["flat_run", "deep_run"])
def test_a_drag_is_decoded_within_its_own_event(page, whole_studio, request, which):
    field = open_map(page, whole_studio, request.getfixturevalue(which))
    x, y = middle(field)
    pictures = page.evaluate(DRAG, [x, y, 22, -16])
    assert len(set(pictures)) == 4
    assert page.evaluate("window.__probe.dragMsP95") is not None
    page.get_by_role("heading", name="A code of your own").wait_for()
    until(page, "location.hash.includes('code=0%3A')")


def test_the_pin_of_a_longer_code_is_where_the_pointer_let_go(page, whole_studio, deep_run):
    field = open_map(page, whole_studio, deep_run)
    x, y = middle(field)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y - 60, steps=6)
    page.mouse.up()
    lens = page.locator(".atlas .lens").bounding_box()
    assert lens["y"] + lens["height"] / 2 == pytest.approx(y - 60, abs=6)
    assert min(abs(lens["x"] - x - 90), abs(lens["x"] + lens["width"] - x - 90)) < 24


def test_hovering_names_the_object_and_shows_what_the_model_makes_of_it(page, whole_studio, flat_run):
    field = open_map(page, whole_studio, flat_run)
    x, y = middle(field)
    for step in range(40):
        page.mouse.move(x - 200 + 10 * step, y - 100 + 7 * step)
        if page.evaluate("window.__probe.hoveredId") is not None:
            break
    index = page.evaluate("window.__probe.hoveredId")
    card = page.locator(".hovercard")
    card.wait_for()
    until(page, f"document.querySelector('.hovercard').innerText.includes('object {index}')")
    until(page, "document.querySelectorAll('.hovercard canvas').length === 2")
    labels = np.frombuffer(whole_studio.http.get(f"/api/runs/{flat_run}/labels").content, "<i2")
    assert card.locator("b").inner_text().strip() == str(labels[index])


def test_wheel_keys_and_link_share_one_camera(page, whole_studio, flat_run):
    field = open_map(page, whole_studio, flat_run)
    page.mouse.move(*middle(field))
    page.mouse.wheel(0, -240)
    until(page, "location.hash.includes('camera=')")
    field.focus()
    page.keyboard.press("0")
    until(page, "!location.hash.includes('camera=')")
    page.keyboard.press("+")
    until(page, "location.hash.includes('camera=0%2C0%2C1.4')")
    page.get_by_role("button", name="Whole").click()
    until(page, "!location.hash.includes('camera=')")


def test_the_held_code_moves_by_the_arrow_keys(page, whole_studio, flat_run):
    field = open_map(page, whole_studio, flat_run)
    first = page.locator(".held .dial output").all_inner_texts()
    field.focus()
    page.keyboard.press("ArrowRight")
    until(page, f"document.querySelector('.held .dial output').textContent !== {first[0]!r}")
    second = page.locator(".held .dial output").all_inner_texts()
    assert second[1] == first[1]


def test_the_legend_hides_and_isolates(page, whole_studio, flat_run):
    open_map(page, whole_studio, flat_run)
    legend = page.locator(".atlas .legend")
    pressed = lambda: [name.get_attribute("aria-pressed") for name in legend.locator(".name").all()]  # noqa: E731
    legend.locator(".name").nth(3).click()
    until(page, "location.hash.includes('hide=3')")
    assert pressed() == ["false" if i == 3 else "true" for i in range(10)]
    legend.get_by_role("button", name="show all").click()
    only = legend.get_by_role("button", name="only 7")
    only.focus()
    page.keyboard.press("Enter")
    until(page, "location.hash.includes('hide=0%2C1%2C2')")
    assert pressed() == ["true" if i == 7 else "false" for i in range(10)]


def test_a_lasso_counts_the_classes_it_holds(page, whole_studio, flat_run):
    field = open_map(page, whole_studio, flat_run)
    box = field.bounding_box()
    page.get_by_role("radio", name="Lasso").click()
    corners = [(0.005, 0.005), (0.995, 0.005), (0.995, 0.995), (0.005, 0.995)]
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.down()
    for across, down in [*corners, corners[0]]:
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=4)
    page.mouse.up()
    heading = page.locator(".selection h2")
    heading.wait_for()
    held = int(re.match(r"([\d,]+) in the lasso", heading.inner_text())[1].replace(",", ""))
    tallies = [int(text) for text in page.locator(".selection .tally").all_inner_texts()]
    count = whole_studio.http.get(f"/api/runs/{flat_run}").json()["objects"]["count"]
    assert sum(tallies) == held
    assert 0.95 * count <= held <= count
    until(page, "document.querySelectorAll('.selection .thing').length === 24")


def test_a_way_between_two_objects_is_walked(page, whole_studio, flat_run):
    open_map(page, whole_studio, flat_run)
    page.get_by_role("button", name="A", exact=True).click()
    for tile in (0, 3):
        page.locator(".neighbours .thing").nth(tile).click()
    page.locator(".film .frames .thing").nth(8).wait_for()
    until(page, "document.querySelectorAll('.film .frames .thing').length === 9")
    page.get_by_role("slider", name="along the way from A to B").fill("0.5")
    page.get_by_role("heading", name="A code of your own").wait_for()
    before = page.locator(".held .dial output").all_inner_texts()
    page.get_by_role("button", name="Film").click()
    until(page, f"document.querySelector('.held .dial output').textContent !== {before[0]!r}")
    page.get_by_role("button", name="Stop").click()


def test_longer_codes_are_seen_three_ways(page, whole_studio, deep_run):
    open_map(page, whole_studio, deep_run)
    until(page, "document.querySelector('.atlas .about').textContent.includes('PCA')")
    page.get_by_role("radio", name="First two").click()
    until(page, "document.querySelector('.atlas .about').textContent.includes('The first two of 16')")
    page.goto(f"{whole_studio.address}/#1/compare?run={run}")
    page.reload()
    until(page, "document.querySelectorAll('.one-run').length === 3")
    held = []
    page.route("**/api/preview", lambda route: held.append(route))
    page.get_by_role("radio", name="Bottlenecks").click()
    while not held:
        page.wait_for_timeout(40)
    page.get_by_role("radio", name="Sizes").click()
    for route in held:
        route.fulfill(json={"recipe": {"network": {"kind": "conv"}, "bottleneck": {"kind": "plain", "size": 5}}})
    page.unroute("**/api/preview")
    sizes = "plan.previews.value.map((one) => one?.recipe?.bottleneck.size ?? 0)"
    told = until(page, f"import('narrows/compare/plan').then(({{ plan }}) => {sizes}.every(Boolean) && {sizes})")
    assert told == [2, 8, 32]


def test_configurations_learn_side_by_side(page, whole_studio):
    recipe = {**RECIPE, "bottleneck": {"kind": "plain", "size": 2}, "training": {"epochs": 12, "batch": 64}}
    (run,) = whole_studio.new(recipe, start=True)
    whole_studio.wait(run, "done", seconds=90)
    page.goto(f"{whole_studio.address}/?token={whole_studio.home.token}")
    page.goto(f"{whole_studio.address}/#1/compare?run={run}")
    page.reload()
    page.get_by_role("radio", name="Sizes").click()
    until(page, "document.querySelectorAll('.one-run').length === 3")
    page.get_by_role("button", name="Remove configuration C").click()
    page.locator("button.main", has_text="Train side by side").click()
    until(page, "document.querySelectorAll('.one-run .dots').length === 2")
    runs = until(page, "location.hash.match(/run=(\\w+)%2C(\\w+)/)")[1:]
    rows = [whole_studio.wait(one, "done", seconds=90) for one in runs]
    assert [row["size"] for row in rows] == [2, 8]
    assert rows[0]["group"] == rows[1]["group"]
    assert rows[0]["step"] == rows[1]["step"]
    details = [whole_studio.http.get(f"/api/runs/{one}").json()["recipe"] for one in runs]
    assert all(details[0][part] == details[1][part] for part in ("data", "seed", "training", "network"))
    # Linked: what is hovered in one map is shown by every column.
    tile = page.locator(".twelve-runs .row").nth(0).locator("[role=cell]").nth(5)
    tile.hover()
    until(page, "[...document.querySelectorAll('.duo')].every((duo) => duo.textContent.includes('object 5'))")
    page.get_by_role("button", name="Colour by who rebuilds it better").click()
    page.wait_for_selector(".verdict .share")
    shares = [int(text.split()[1]) for text in page.locator(".verdict .share").all_inner_texts()]
    assert sum(shares) > 100
    assert shares[1] > shares[0]
    assert page.locator(".charts canvas").count() == 2
    assert page.locator(".twelve-runs .row").count() == 3


def test_before_the_first_comparison_it_says_what_it_shows_and_offers_pairs(page, whole_studio, flat_run):
    page.goto(f"{whole_studio.address}/?token={whole_studio.home.token}")
    page.goto(f"{whole_studio.address}/#1/compare?run={flat_run}")
    page.reload()
    page.get_by_role("heading", name="Two to four networks learn the same thing").wait_for()
    assert page.get_by_role("button", name="conv against U-Net").is_enabled()
    assert page.get_by_role("radio", name="U-Net").first.is_enabled()
    page.get_by_role("button", name="code 2 against 32").click()
    until(page, "document.querySelectorAll('.one-run .dots').length === 2", seconds=60)
    runs = until(page, "location.hash.match(/run=(\\w+)%2C(\\w+)/)")[1:]
    assert [whole_studio.run(one)["size"] for one in runs] == [2, 32]
    assert page.locator(".offer").count() == 0
    whole_studio.rest()


@pytest.mark.parametrize(
    ("kind", "pairs", "off"), [("image", 5, []), ("series", 4, ["unet"]), ("table", 2, ["conv", "lstm", "unet"])]
)
def test_only_what_suits_the_data_is_offered_and_why_is_said(page, enter, kind, pairs, off):
    enter("compare")
    script = """async (kind) => {
      const { networksFor, pairsFor } = await import("narrows/compare/plan");
      return { pairs: pairsFor(kind).length, off: networksFor(kind).filter((one) => one.off) };
    }"""
    found = page.evaluate(script, kind)
    assert (found["pairs"], [one["value"] for one in found["off"]]) == (pairs, off)
    assert all(one["title"] for one in found["off"])
