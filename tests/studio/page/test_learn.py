"""Learn: steps set knobs, run, and wait for the reader; claims break when they are broken."""

import re

import pytest
from browsing import until

pytestmark = pytest.mark.slow


def chapter(page, title):
    page.get_by_role("navigation", name="Chapters").get_by_role("button", name=title).click()
    page.get_by_role("heading", name=title, level=1).wait_for()


def done(page, task):
    """Wait until the reader has done a task."""
    until(page, f"document.querySelectorAll('.tasks .check')[{task}].ariaLabel === 'done'")


def set_up(page):
    """Train what the chapter is about, if that is not what is looked at already."""
    page.locator(".tasks").wait_for()
    # Looked for and clicked at once: it goes when what it asks for has come about.
    page.evaluate("""() => [...document.querySelectorAll(".tasks button")]
      .find((button) => button.textContent === "Set it up and train")?.click()""")
    done(page, 0)


def test_every_chapter_has_its_words_a_figure_something_to_do_and_a_way_to_break_it(page, enter):
    enter("learn")
    buttons = page.locator(".contents button")
    buttons.nth(8).wait_for()
    titles = page.evaluate("[...document.querySelectorAll('.contents button')].map((one) => one.lastChild.textContent)")
    assert len(titles) == 9
    for title in titles:
        chapter(page, title)
        assert len(page.locator(".telling").inner_text()) > 300
        assert page.locator(".figure").inner_html()
        assert page.locator(".tasks li").count() >= 1
        assert page.get_by_role("button", name="Break it").count() == 1
        assert page.locator(".breaking .quiet").inner_text()
        assert page.locator(".outcome").count() == 0


def test_its_numbers_are_those_of_the_data_at_hand(page, enter):
    enter("learn", "?data.name=tones&bottleneck.kind=plain&bottleneck.size=3&training.epochs=3&chapter=copy")
    until(page, "document.querySelector('.telling').innerText.includes('three numbers may pass')")
    values = until(page, "document.querySelector('.telling').innerText.match(/may pass, for ([\\d,]+) samples/)[1]")
    assert int(values.replace(",", "")) > 64


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
    done(page, 1)


def test_a_claim_is_broken_and_mended(page, enter, whole_studio):
    enter("learn", "?chapter=parts")
    page.get_by_text("One number will have to do what two did").wait_for()
    page.get_by_role("button", name="Break it: a bottleneck of 1").click()
    claim = "document.querySelector('.outcome')?.innerText"
    trained = f"+({EPOCH}) >= 30 || {STATUS}.startsWith('trained')"
    # Said when it has been trained, and not before.
    until(page, f"({claim}) || {STATUS}.startsWith('epoch') && !({claim})")
    said = until(page, f"({claim}) && ({trained}) && ({claim})", seconds=60)
    assert said.startswith("One number is a line")
    assert re.search(r"Its error is \.\d+; (unbroken it was|PCA with as many numbers gives) \.\d+\.", said)
    until(page, "document.querySelectorAll('.waist input').length === 1", seconds=30)
    page.get_by_role("button", name="Mend it").click()
    until(page, "document.querySelectorAll('.waist input').length === 2", seconds=30)
    newest = whole_studio.http.get("/api/runs").json()[0]
    assert (newest["size"], newest["name"]) == (2, "Learn: three parts")


STATUS = "document.querySelector('.status').innerText"
EPOCH = f"{STATUS}.match(/^epoch ([\\d,]+)/)?.[1] ?? 0"


def error_of(size):
    """The expression for what the table says of a size of the code."""
    row = f"[...document.querySelectorAll('.sizes tbody tr')].find((row) => row.cells[0].innerText === '{size}')"
    return f"+{row}.cells[1].innerText"


def test_sizes_that_were_tried_stay_in_the_table(page, enter):
    enter("learn", "?chapter=narrow")
    for size in ("1", "8", "32"):
        page.get_by_role("radiogroup", name="Numbers in the code").get_by_role("radio", name=size, exact=True).click()
        until(page, f"document.querySelector('.sizes tbody tr.now th').innerText === '{size}'")
    wide, narrow = (error_of(size) for size in ("32", "1"))
    until(page, f"{wide} < {narrow}", seconds=60)
    done(page, 0)
    page.get_by_role("button", name="Next: Kinds of bottleneck").wait_for()


def test_the_decoder_answers_a_drag_over_the_plane(page, enter):
    enter("learn", "?chapter=space")
    set_up(page)
    plane = page.locator(".plane > canvas")
    plane.wait_for()
    box = plane.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.wait_for_selector(".plane figure canvas")
    first = page.evaluate("document.querySelector('.plane figure canvas').toDataURL()")
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 200, steps=4)
    until(page, f"document.querySelector('.plane figure canvas').toDataURL() !== {first!r}")
    page.mouse.up()
    plane.press("ArrowLeft")
    done(page, 1)


def test_noise_and_odd_ones_are_worked_out_in_the_page(page, enter):
    enter("learn", "?chapter=noise")
    set_up(page)
    page.get_by_role("slider", name="Amount of noise").press("End")
    page.get_by_text("Error against the clean original").wait_for()
    chapter(page, "Odd ones out")
    set_up(page)
    page.get_by_role("button", name="inverted").click()
    until(page, "+document.querySelector('.odd .caption').innerText.match(/larger than (\\d+)%/)[1] > 90")
