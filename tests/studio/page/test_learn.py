"""Learn: steps set knobs, run, and wait for the reader; claims break when they are broken."""

import pytest
from browsing import until

pytestmark = pytest.mark.slow


def chapter(page, title):
    page.get_by_role("navigation", name="Chapters").get_by_role("button", name=title).click()
    page.get_by_role("heading", name=title, level=1).wait_for()


def tasks(page):
    return page.locator(".tasks .check").evaluate_all("all => all.map((one) => one.ariaLabel)")


def set_up(page):
    """Train what the chapter is about, if that is not what is looked at already."""
    button = page.get_by_role("button", name="Set it up and train")
    page.locator(".tasks").wait_for()
    if button.count():
        button.click()
    until(page, "document.querySelector('.tasks .check').ariaLabel === 'done'")


def test_every_chapter_has_its_words_a_figure_something_to_do_and_a_way_to_break_it(page, enter):
    enter("learn")
    buttons = page.locator(".contents button")
    buttons.nth(8).wait_for()
    assert buttons.count() == 9
    for number in range(9):
        buttons.nth(number).click()
        assert len(page.locator(".telling").inner_text()) > 300
        assert page.locator(".figure").inner_html()
        assert page.locator(".tasks li").count() >= 1
        assert page.get_by_role("button", name="Break it").count() == 1


def test_the_code_is_moved_by_hand_and_the_output_answers(page, enter):
    enter("learn", "?chapter=parts")
    set_up(page)
    until(page, "document.querySelectorAll('.through canvas').length === 2", seconds=30)
    output = "document.querySelectorAll('.through canvas')[1].toDataURL()"
    given = "document.querySelectorAll('.through canvas')[0].toDataURL()"
    before = page.evaluate(f"[{output}, {given}]")
    for _ in range(12):
        page.get_by_role("slider", name="Number 1 of the code").press("ArrowRight")
    until(page, f"{output} !== {before[0]!r}")
    assert page.evaluate(given) == before[1]
    until(page, "location.hash.includes('code=')")
    assert tasks(page)[1] == "done"


def test_a_claim_is_broken_and_mended(page, enter, whole_studio):
    enter("learn", "?chapter=parts")
    page.get_by_role("button", name="Break it: a bottleneck of 1").click()
    page.get_by_text("One number is a line").wait_for(timeout=30_000)
    until(page, "document.querySelectorAll('.waist input').length === 1", seconds=30)
    page.get_by_role("button", name="Mend it").click()
    until(page, "document.querySelectorAll('.waist input').length === 2", seconds=30)
    newest = whole_studio.http.get("/api/runs").json()[0]
    assert (newest["size"], newest["name"]) == (2, "Learn: three parts")


def error_of(size):
    """The expression for what the table says of a size of the code."""
    row = f"[...document.querySelectorAll('.sizes tbody tr')].find((row) => row.cells[0].innerText === '{size}')"
    return f"+{row}.cells[1].innerText"


def test_sizes_that_were_tried_stay_in_the_table(page, enter):
    enter("learn", "?chapter=narrow")
    for size in ("1", "8", "32"):
        page.get_by_role("radiogroup", name="Numbers in the code").get_by_role("radio", name=size, exact=True).click()
        page.locator(".scores tbody tr.now th").get_by_text(size, exact=True).wait_for(timeout=30_000)
    wide, narrow = (error_of(size) for size in ("32", "1"))
    until(page, f"{wide} < {narrow}", seconds=60)
    assert tasks(page) == ["done"]
    assert page.get_by_role("button", name="Next: Kinds of bottleneck").count() == 1


def test_the_decoder_answers_a_drag_over_the_plane(page, enter):
    enter("learn", "?chapter=space")
    set_up(page)
    plane = page.locator(".plane > canvas")
    plane.wait_for(timeout=30_000)
    box = plane.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.wait_for_selector(".plane figure canvas")
    first = page.evaluate("document.querySelector('.plane figure canvas').toDataURL()")
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 200, steps=4)
    until(page, f"document.querySelector('.plane figure canvas').toDataURL() !== {first!r}")
    page.mouse.up()
    plane.press("ArrowLeft")
    assert tasks(page)[1] == "done"


def test_noise_and_odd_ones_are_worked_out_in_the_page(page, enter):
    enter("learn", "?chapter=noise")
    set_up(page)
    page.get_by_role("slider", name="Amount of noise").press("End")
    page.get_by_text("Error against the clean original").wait_for()
    chapter(page, "Odd ones out")
    set_up(page)
    page.get_by_role("button", name="inverted").click()
    until(page, "+document.querySelector('.odd .caption').innerText.match(/larger than (\\d+)%/)[1] > 90")
