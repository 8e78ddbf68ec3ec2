"""The Build view on the real studio: it learns when it opens, answers a drag, explains itself, is rebuilt by clicks.

One page for the whole file: the tests go on from each other, those that change the recipe last.
"""

import pytest
from browsing import PATIENCE, until

pytestmark = pytest.mark.slow

HASH = """
  (selector) => {
    const canvas = document.querySelector(selector);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((hash, byte) => (hash * 31 + byte) >>> 0, 7);
  }
"""
OUTPUT, LOST, FIRST = "canvas[aria-label='What comes out']", "canvas[aria-label='What was lost']", ".seen-tile canvas"
ALIVE = """
  document.querySelector(".code-bar")?.textContent.includes("Take hold")
    && document.querySelectorAll(".seen-tile").length === 12
"""
RECIPE = {"network.kind": "dense", "network.widths": "[32]", "bottleneck.kind": "plain", "bottleneck.size": 2}
QUERY = "&".join(
    f"{name}={value}" for name, value in {**RECIPE, "training.epochs": 8_000, "training.batch": 64}.items()
)


def alive(page):
    until(page, ALIVE, seconds=60)


def painted(page, selector):
    return page.evaluate(HASH, selector)


def titles(page):
    return page.locator(".column-label b").all_inner_texts()


def columns(page, count):
    until(page, f"document.querySelectorAll('.column-label').length === {count}", seconds=40)


def said(page, words):
    until(page, f"document.querySelector('.said')?.textContent.includes('{words}')", seconds=40)


def stop_all(studio):
    for run in studio.http.get("/api/runs").json():
        if run["state"] in ("running", "starting", "waiting", "paused"):
            studio.do(run["id"], "stop")


@pytest.fixture(scope="module")
def build(browser, whole_studio):
    """The view on a run that has just begun; nothing trains when the file is through."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 30_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
    page.goto(f"{whole_studio.address}/?token={whole_studio.home.token}", wait_until="commit")
    page.goto(f"{whole_studio.address}/#1/build?data.name=digits&{QUERY}")
    page.reload()
    alive(page)
    yield page
    context.close()
    stop_all(whole_studio)
    assert not errors, errors


def test_the_first_screen_tells_the_whole_story(build):
    assert titles(build) == ["input", "dense", "code", "dense", "output"]
    assert build.locator(".seen-tile").count() == 12
    rows = build.locator(".measures th").all_inner_texts()
    assert [row.split(",")[0] for row in rows] == ["this autoencoder", "PCA", "always the mean picture"]
    until(build, "document.querySelector('.measures td').textContent !== '–'")
    until(build, "document.querySelector('.sentence')?.textContent.includes('keep')")
    assert build.inner_text(".sentence").startswith("Two numbers stand for 64.")


def test_a_number_of_the_code_is_dragged_and_the_output_follows_within_the_event(build):
    first = painted(build, OUTPUT)
    changed = build.evaluate(
        f"""(selector) => {{
          const input = document.querySelector(".waist input");
          input.value = String(Number(input.max) - 0.01);
          input.dispatchEvent(new Event("input", {{ bubbles: true }}));
          return ({HASH})(selector);
        }}""",
        OUTPUT,
    )
    assert changed != first
    until(build, "document.querySelectorAll('.waist .held').length === 1")
    build.get_by_role("button", name="Set free").click()
    until(build, "document.querySelectorAll('.waist .held').length === 0")


def test_a_number_is_turned_off_and_set_free_by_key(build):
    build.locator(".waist input").first.focus()
    build.keyboard.press("Delete")
    until(build, "document.querySelector('.waist .held output')?.textContent.replace('-', '') === '0.0'")
    build.keyboard.press("Escape")
    until(build, "document.querySelectorAll('.waist .held').length === 0")
    build.get_by_role("button", name="Let go").click()


def test_another_object_is_chosen_and_what_was_lost_follows(build):
    before = painted(build, LOST)
    build.locator(".seen-tile").nth(4).click()
    until(build, "window.__probe.decodedId === 4")
    until(build, "document.querySelectorAll('.seen-tile')[4].ariaPressed === 'true'")
    assert painted(build, LOST) != before


def test_a_unit_says_what_it_responds_to(build):
    build.locator("canvas.plate.encoder").first.hover(position={"x": 20, "y": 30})
    build.wait_for_selector(".unit-lens .thumbs canvas")
    until(build, "document.querySelectorAll('.unit-lens .thumbs canvas').length === 6")
    build.mouse.move(2, 400)


def test_a_layer_opens_and_a_value_is_traced_back_to_its_terms(build):
    build.locator(".column-label").nth(1).click()
    build.wait_for_selector(".drawer .filter")
    until(build, "document.querySelector('.drawer .units')?.textContent.includes('32 units')")
    build.locator(".drawer canvas.plate").click(position={"x": 120, "y": 20})
    build.wait_for_selector(".terms")
    rows = build.evaluate(
        "[...document.querySelectorAll('.terms tbody tr')].map((row) => row.lastElementChild.textContent)"
    )
    *terms, total, _ = map(float, rows)
    assert sum(terms) == pytest.approx(total, abs=0.01)
    build.get_by_role("button", name="Close").click()
    until(build, "document.querySelectorAll('.seen-tile').length === 12")


def test_the_page_draws_within_its_budget_while_it_learns(build):
    build.evaluate("window.__probe.forget()")
    until(build, "window.__probe.frames > 60", seconds=40)
    # A bound that a crowded machine keeps too; the figures of a quiet one are in the benchmarks.
    assert build.evaluate("window.__probe.jsMsP50") < 16
    assert build.evaluate("window.__probe.errors") == []


def test_a_gentle_change_keeps_the_weights(build):
    build.get_by_role("button", name="Training Adam").click()
    build.get_by_label("learning rate").press("ArrowLeft")
    said(build, "goes on from the weights")
    alive(build)


def test_turns_of_a_knob_leave_no_runs_in_the_list(build, whole_studio, monkeypatch):
    monkeypatch.setattr("narrows.studio.desk.HARDLY_SECONDS", 1e9)
    before = len(whole_studio.http.get("/api/runs").json())
    for _ in range(4):
        build.get_by_label("learning rate").press("ArrowLeft")
        build.wait_for_timeout(400)
    alive(build)
    assert len(whole_studio.http.get("/api/runs").json()) == before


def test_noise_is_previewed_and_the_twelve_are_shown_as_the_encoder_sees_them(build):
    build.wait_for_selector(FIRST)
    clean = painted(build, FIRST)
    build.get_by_role("radio", name="noise").click()
    build.wait_for_selector('canvas[aria-label="object 1, corrupted"]')
    until(build, f'document.querySelector("{FIRST}") && ({HASH})("{FIRST}") !== {clean}', seconds=40)
    build.get_by_role("radio", name="none").click()
    said(build, "goes on from the weights")


def test_layers_are_added_and_removed_on_the_drawing(build):
    build.locator(".edit.add").last.click()
    columns(build, 7)
    until(build, "document.querySelectorAll('.station.encoder .chip:not(.add)').length === 2")
    said(build, "began anew")
    build.locator(".edit.remove").first.click(force=True)
    columns(build, 5)


def test_a_network_that_does_not_train_yet_is_shown_with_its_first_weights(build):
    alive(build)
    build.get_by_role("button", name="Pause").click()
    until(build, "document.querySelector('.status').textContent.includes('paused')")
    build.locator(".edit.add").last.click()
    columns(build, 7)
    until(build, "document.querySelector('.code-bar').textContent.includes('Untrained')")
    plate = "canvas.plate.encoder"
    until(build, f"document.querySelectorAll('{plate}').length === 2 && ({HASH})('{plate}') !== 7")
    build.locator(".edit.remove").first.click(force=True)
    columns(build, 5)
    build.get_by_role("button", name="Play").click()
    alive(build)


def test_one_click_makes_it_convolutional_on_the_same_data(build):
    build.get_by_role("radio", name="conv").click()
    until(
        build,
        "[...document.querySelectorAll('.column-label b')].some((one) => one.textContent.startsWith('conv'))",
        seconds=40,
    )
    said(build, "began anew")
    alive(build)
    assert build.locator(".station.code .slider .now").inner_text() == "2 numbers"


def test_the_drawer_of_a_layer_that_is_gone_closes(build):
    build.locator(".column-label").nth(1).click()
    build.wait_for_selector(".drawer")
    build.get_by_role("radio", name="LSTM").click()
    until(build, "document.querySelectorAll('.drawer').length === 0", seconds=40)
    build.get_by_role("radio", name="conv").click()
    alive(build)


def test_what_the_data_refuses_is_said_in_a_sentence(build):
    for _ in range(3):
        build.locator(".station.encoder .chip.add").click()
    build.wait_for_selector(".banner.error")
    assert "halve" in build.inner_text(".banner")


def test_on_a_phone_the_stations_are_a_strip_and_the_hourglass_runs_down(build):
    build.set_viewport_size({"width": 390, "height": 844})
    build.reload()
    build.wait_for_selector(".column-label")
    tops = "[...document.querySelectorAll('.column-label')].map((one) => one.getBoundingClientRect().top)"
    until(build, f"document.querySelector('.hourglass.down') && {tops}.every((top, i, all) => !i || top >= all[i - 1])")
    until(build, "[...document.querySelectorAll('.station-body')].every((one) => one.offsetHeight === 0)")
    build.get_by_role("button", name="Bottleneck").click()
    until(build, "[...document.querySelectorAll('.station-body')].filter((one) => one.offsetHeight > 0).length === 1")
    assert build.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_training_that_came_to_its_end_goes_on_with_a_change(build, whole_studio):
    stop_all(whole_studio)
    build.set_viewport_size({"width": 1440, "height": 900})
    build.goto(
        f"{whole_studio.address}/#1/build?data.name=digits&network.widths=[8]&network.kind=dense&training.epochs=2"
    )
    build.reload()
    until(build, "document.querySelector('.status')?.textContent.includes('trained for 2 epochs')", seconds=60)
    before = len(whole_studio.http.get("/api/runs").json())
    build.get_by_label("Numbers in the code").press("ArrowLeft")
    until(build, "document.querySelector('.said')?.textContent.includes('began anew')", seconds=40)
    assert len(whole_studio.http.get("/api/runs").json()) == before + 1
