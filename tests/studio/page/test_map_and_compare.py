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
    held = []
    page.route(f"**/api/runs/{deep_run}/project", lambda route: held.extend([route]))
    page.get_by_role("radio", name="t-SNE").click()
    page.get_by_text("t-SNE is being worked out; meanwhile:").wait_for()
    assert "(PCA)" in page.locator(".atlas .about").inner_text()
    until(page, "document.querySelector('.projections [role=status]').textContent.includes('being worked out')")
    for route in held:
        route.continue_()
    until(page, "document.querySelector('.atlas .about').textContent.includes('t-SNE: neighbours')", seconds=60)
    until(page, "document.querySelector('.projections [role=status]').textContent.startsWith('of step')")


def test_the_ground_is_decoded_and_veiled(page, whole_studio, flat_run):
    open_map(page, whole_studio, flat_run)
    page.get_by_role("button", name="Ground").click()
    inked = """() => {
      const canvas = document.querySelector(".atlas canvas.ground");
      if (!canvas.width) return 0;
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let dark = 0;
      for (let i = 0; i < data.length; i += 4) dark += data[i + 3] > 40 && data[i] < 200;
      return dark / (data.length / 4);
    }"""
    until(page, f"({inked})() > 0.02")
    assert page.evaluate(inked) < 0.6


N = 100_000


def many(route_of, run, dimensions=64):
    """Answers as of a run of 100,000 objects."""
    rng = np.random.default_rng(0)
    labels = (np.arange(N) % 10).astype("<i2")
    xy = np.column_stack([np.cos(labels), np.sin(labels)]) * 3 + rng.normal(0, 0.7, (N, 2))
    low, high = xy.min(0), xy.max(0)
    packed = np.round((xy - low) / (high - low) * 65535).astype("<u2")
    head = struct.pack("<4B3I", 0x4E, 1, 1, 0, 9, N, 1) + np.array([*low, *high], "<f4").tobytes()
    route_of(f"**/api/runs/{run}/points*", lambda route: route.fulfill(body=head + packed.tobytes()))
    route_of(f"**/api/runs/{run}/labels", lambda route: route.fulfill(body=labels.tobytes()))
    objects = rng.integers(0, 17, (1000, dimensions), "u1").tobytes()
    route_of(f"**/api/runs/{run}/objects*", lambda route: route.fulfill(body=objects, headers={"X-Dtype": "uint8"}))

    def detail(route):
        told = route.fetch().json()
        told["objects"]["count"] = N
        route.fulfill(json=told)

    route_of(f"**/api/runs/{run}", detail)


def test_a_hundred_thousand_dots_hover_and_drag(page, whole_studio, flat_run):
    many(page.route, flat_run)
    page.route_web_socket("**/api/live", lambda socket: None)
    field = open_map(page, whole_studio, flat_run)
    page.get_by_text("all 100,000").wait_for()
    x, y = middle(field)
    page.mouse.move(x + 200, y)
    page.mouse.move(x + 180, y + 10, steps=20)
    index = page.evaluate("window.__probe.hoveredId")
    assert index is not None
    assert index < N
    page.evaluate("window.__probe.forget()")
    page.mouse.down()
    page.mouse.move(x, y, steps=30)
    page.mouse.up()
    probe = page.evaluate(
        "({ p50: window.__probe.jsMsP50, drag: window.__probe.dragMsP95, errors: window.__probe.errors })"
    )
    assert probe["errors"] == []
    # Bounds that a crowded machine keeps too; the figures of a quiet one are in the benchmarks.
    assert probe["p50"] < 16
    assert probe["drag"] < 50
    assert page.evaluate("document.querySelector('.atlas .dots').getBoundingClientRect().width") > 600


def test_an_answer_to_columns_that_are_gone_is_passed_over(page, whole_studio):
    """It came for another network, and would be trained in its place."""
    (run,) = whole_studio.new({**RECIPE, "training": {"epochs": 1, "batch": 64}}, start=True)
    whole_studio.wait(run, "done", seconds=90)
    page.goto(f"{whole_studio.address}/?token={whole_studio.home.token}")
    page.goto(f"{whole_studio.address}/#1/compare?run={run}")
    page.reload()
    until(page, "document.querySelectorAll('.one-run').length === 3")
    held = []

    def hold(route):
        held.append(route)

    page.route("**/api/preview", hold)
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
