"""What is painted is what was given: ink on paper, colours as they are, and loss in red."""

import numpy as np

LOOK = {"kind": "image", "shape": [1, 2, 2], "low": 0, "high": 2}
TOKENS = "document.documentElement.style.cssText = '--card: #ffffff; --ink: #000000; --loss: #ff0000; --line: #cccccc';"


def painted(lab, look, values, lost=None):
    body = (
        TOKENS
        + 'const { imageOf } = await import("narrows/draw/draw");'
        + "return new Uint8Array(imageOf(look, values, lost).data);"
    )
    return lab(
        body, look=look, values=np.array(values, "f4"), lost=lost if lost is None else np.array(lost, "f4")
    ).reshape(-1, 4)


def test_grey_is_ink_on_paper(lab):
    found = painted(lab, LOOK, [0, 1, 2, 9])
    assert found[:, 0].tolist() == [255, 128, 0, 0]
    assert (found[:, 3] == 255).all()


def test_colours_are_as_they_are(lab):
    look = {**LOOK, "shape": [3, 1, 2], "high": 1}
    assert painted(lab, look, [1, 0, 0, 1, 0, 0])[:, :3].tolist() == [[255, 0, 0], [0, 255, 0]]


def test_what_was_lost_is_red_on_paper(lab):
    found = painted(lab, LOOK, [0, 0, 2, 1], [0, 2, 0, 2])
    assert found[:, :3].tolist() == [[255, 255, 255], [255, 0, 0], [255, 0, 0], [255, 128, 128]]


def test_every_kind_leaves_ink(lab):
    body = (
        TOKENS
        + """
      const { drawObject, drawLost } = await import("narrows/draw/draw");
      const count = (draw) => {
        const canvas = document.createElement("canvas");
        draw(canvas);
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, i) => i % 4 === 3 && value > 0).length;
      };
      const size = { width: 60, height: 30 };
      return kinds.map(([kind, shape]) => {
        const look = { kind, shape, low: -1, high: 1 };
        return [count((c) => drawObject(c, look, x, size)), count((c) => drawLost(c, look, x, y, size))];
      });
    """
    )
    kinds = [["series", [2, 8]], ["spectrum", [16]], ["table", [16]], ["sound", [1, 16]], ["image", [1, 4, 4]]]
    x = np.linspace(-1, 1, 16).astype("f4")
    found = lab(body, kinds=kinds, x=x, y=-x)
    assert all(ink > 20 or kind == "image" for (kind, _), counts in zip(kinds, found, strict=True) for ink in counts), (
        found
    )


def test_tiles_go_back_to_scaled_values(lab):
    body = 'return (await import("narrows/draw/draw")).tileValues({ values: 2, bytes }, 1, { low: -1, high: 3 });'
    assert lab(body, bytes=np.array([0, 0, 0, 255], np.uint8)).tolist() == [-1, 3]


REDNESS = """
  const { drawLost } = await import("narrows/draw/draw");
  const red = (x, y) => {
    const canvas = document.createElement("canvas");
    drawLost(canvas, { kind: "spectrum", shape: [40], low: -1, high: 3 }, x, y, { width: 120, height: 80 });
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i] > data[i + 1] + 60) sum += data[i + 3];
    return sum / 255;
  };
  return errors.map((error) => red(x, x.map((value) => value + error)));
"""


def test_the_loss_of_a_curve_is_as_large_as_it_is_beside_the_curve(lab):
    x = np.sin(np.linspace(0, 6, 40)).astype("f4")
    none, small, large = lab(TOKENS + REDNESS, x=x, errors=[0, 0.02, 1])
    assert none == 0
    assert small < 120
    # A quarter of the height between the insets, over the whole width.
    assert 0.5 * 120 * 80 / 4 < large < 120 * 80 / 4


def test_the_size_of_a_loss_is_told_and_of_a_curve_its_share_of_the_height(lab):
    body = """
      const { lossText } = await import("narrows/draw/loss");
      return errors.map((error) => lossText({ kind, low: -1, high: 3 }, error));
    """
    assert lab(body, kind="image", errors=[0.04]) == [".0400"]
    assert lab(body, kind="spectrum", errors=[0.04, 4e-6, 1]) == [
        ".0400 · ±5.0% of the height",
        "4.0e-6 · under 0.1% of the height",
        "1 · ±25% of the height",
    ]
