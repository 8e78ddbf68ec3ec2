"""Use: something of one's own goes through the model; runs are named, opened and thrown away."""

import io

import numpy as np
import pytest
from browsing import until
from PIL import Image

pytestmark = pytest.mark.slow

OUTPUT = "document.querySelectorAll('.trio canvas')[1]?.toDataURL()"


def digit(dark_on_light=False):
    """A photo of a one."""
    pixels = np.zeros((90, 60), "u1")
    pixels[10:80, 25:35] = 255
    picture = io.BytesIO()
    Image.fromarray(255 - pixels if dark_on_light else pixels).save(picture, "PNG")
    return picture.getvalue()


def give(page, name, content, kind="image/png"):
    page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": kind, "buffer": content})


def ready(page):
    page.wait_for_selector(".trio canvas")
    return page


def test_a_digit_is_drawn_and_comes_back_with_its_neighbours(page, enter):
    ready(enter("use"))
    before = page.evaluate(OUTPUT)
    box = page.locator("canvas.pad").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 40, steps=10)
    page.mouse.up()
    until(page, f"{OUTPUT} !== {before!r}")
    page.get_by_text("drawn by you").wait_for()
    until(page, "document.querySelectorAll('.near .row figure').length === 5", seconds=30)
    until(page, "document.querySelector('.near .note').innerText.includes('%')")


@pytest.mark.parametrize("dark_on_light", [False, True])
def test_a_picture_is_brought_to_the_model(page, enter, dark_on_light):
    ready(enter("use"))
    give(page, "one.png", digit(dark_on_light))
    page.get_by_text("60 × 90 pixels brought to 8 × 8").wait_for()
    assert page.get_by_text("turned to bright on dark").count() == dark_on_light
    pixels = page.evaluate("""() => {
      const canvas = document.querySelector('.trio canvas');
      return [...canvas.getContext('2d').getImageData(0, 0, 8, 8).data].filter((_, i) => i % 4 === 0);
    }""")
    pixels = np.array(pixels).reshape(8, 8)
    assert pixels[2:6, 3:5].mean() + 60 < pixels[2:6, [0, 7]].mean()


@pytest.mark.parametrize("content", [b"no picture at all", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_a_broken_picture_is_a_calm_sentence(page, enter, content):
    ready(enter("use"))
    give(page, "broken.png", content)
    page.get_by_role("alert").wait_for()
    assert "broken.png is not a picture" in page.get_by_role("alert").inner_text()
    assert page.locator(".trio canvas").count() == 3
    page.get_by_role("button", name="Map", exact=True).click()
    page.get_by_role("alert").wait_for(state="detached")


def test_a_picture_dropped_anywhere_is_used(page, enter):
    ready(enter("use"))
    page.evaluate(
        """(bytes) => {
          const given = new DataTransfer();
          given.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
          for (const name of ["dragover", "drop"]) {
            const event = new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: given });
            document.querySelector("main").dispatchEvent(event);
          }
        }""",
        list(digit()),
    )
    page.get_by_text("dropped.png").first.wait_for()


def test_a_run_is_named_opened_and_thrown_away(page, enter, whole_studio):
    whole_studio.rest()
    recipe = {"data": {"name": "digits"}, "training": {"epochs": 1}}
    other, run = whole_studio.new(recipe, recipe, names=["another", "to be renamed"])
    whole_studio.wait(other, "done")
    whole_studio.wait(run, "done")
    ready(enter("use"))
    page.get_by_role("button", name="to be renamed").first.click()
    until(page, f"location.hash.includes('run={run}')")
    page.get_by_role("button", name="Rename to be renamed").click()
    page.get_by_role("textbox", name="Name of the run").fill("a <b>better</b> name")
    # The list is drawn anew while one types.
    page.get_by_role("button", name="another").first.click()
    until(page, "document.querySelector('.runs .shown').innerText.includes('another')")
    page.get_by_role("textbox", name="Name of the run").press("Enter")
    page.get_by_role("button", name="a <b>better</b> name").first.wait_for()
    assert whole_studio.run(run)["name"] == "a <b>better</b> name"
    page.get_by_role("button", name="a <b>better</b> name").first.click()
    until(page, "document.querySelector('.runs .shown').innerText.includes('a <b>better</b> name')")
    page.get_by_role("button", name="Put a <b>better</b> name into the bin").click()
    page.get_by_text("is in the bin").wait_for()
    assert run not in {row["id"] for row in whole_studio.http.get("/api/runs").json()}
