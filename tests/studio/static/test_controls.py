"""Numbers are written as the command line writes them, and one frame paints all that changed."""

import pytest

from narrows.cli.draw.style import short_number


@pytest.mark.parametrize("value", [0.8831, 12.34, 12345, 0.00042, 4.2e-7, 3, -0.25, 1234.6, 0.01, 1.5, 99.96])
def test_numbers_are_written_as_on_paper(lab, value):
    assert lab('return (await import("narrows/page/controls")).short(value);', value=value) == short_number(value)


def test_a_frame_does_each_task_once_and_goes_on_after_a_mistake(lab):
    body = """
      const { onFrame, afterFrame, beat } = await import("narrows/page/beat");
      const done = [];
      const caught = (resolve) => (event) => (event.preventDefault(), event.stopImmediatePropagation(), resolve());
      const ignored = new Promise((resolve) => {
        addEventListener("error", caught(resolve), { once: true, capture: true });
      });
      const before = beat.frames;
      const first = () => { done.push("first"); onFrame(nested); };
      const nested = () => done.push("nested");
      onFrame(() => { throw new Error("on purpose"); });
      onFrame(first); onFrame(first);
      await new Promise((resolve) => afterFrame(() => { done.push("after"); resolve(); }));
      await ignored;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      return { done, frames: beat.frames - before };
    """
    found = lab(body)
    assert found["done"] == ["first", "nested", "after"]
    assert found["frames"] == 1
