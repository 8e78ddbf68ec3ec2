"""The hourglass's drawing: every weight has a column, and what one points at on a plate is the value painted there."""

from itertools import pairwise

import numpy as np
import pytest

from narrows.bottleneck import FSQ, VQ, Plain, SparseTopK, Variational
from narrows.nn import LSTM, Conv, Dense, UNet
from narrows.readout.graph import weights_of

NETS = {
    "dense": (Dense(widths=(40, 12)), (2, 8, 10)),
    "dense, tied": (Dense(widths=(40,), tied=True), (30,)),
    "conv": (Conv(channels=(6, 9)), (2, 8, 10)),
    "conv, one side": (Conv(channels=(6, 9)), (2, 30)),
    "conv, map": (Conv(channels=(6, 9), map=True), (1, 12, 8)),
    "lstm": (LSTM(hidden=7, layers=2, chunk=2), (1, 12, 8)),
    "unet": (UNet(channels=(4, 6)), (1, 8, 8)),
}
CODES = [Plain(size=3), Variational(size=4), VQ(size=4, group=2, entries=8), FSQ(size=3), SparseTopK(size=6, k=2)]


@pytest.fixture(scope="module", params=NETS)
def whole(request, made):
    network, shape = NETS[request.param]
    model, graph, x = made(network, Plain(size=3), shape)
    return graph, weights_of(model, graph).astype(np.float32), x[0].reshape(-1)


def columns_of(lab, graph):
    return lab('const { columnsOf } = await import("narrows/build/columns"); return columnsOf(graph);', graph=graph)


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.kind)
@pytest.mark.parametrize("name", NETS)
def test_all_weights_and_all_work_that_is_shown_belong_to_a_column(lab, made, name, code):
    network, shape = NETS[name]
    _, graph, _ = made(network, code, shape)
    columns = columns_of(lab, graph)
    assert sum(column["parameters"] for column in columns) == graph["parameters"]
    assert sum(column["madds"] for column in columns) == graph["madds"]


def test_the_columns_run_from_the_input_through_the_code_to_the_output(lab, whole):
    graph, _, _ = whole
    columns = columns_of(lab, graph)
    roles = [column["role"] for column in columns]
    assert roles[0] == "input"
    assert roles[-1] == "output"
    assert roles.count("code") == 1
    turn = roles.index("code")
    assert {column["part"] for column in columns[1:turn]} <= {"encoder"}
    assert {column["part"] for column in columns[turn + 1 :]} == {"decoder"}
    assert columns[turn]["shape"] == [*graph["code"]["grid"], graph["code"]["size"]]


@pytest.mark.parametrize("width", [700, 1100])
def test_columns_stand_side_by_side_as_thick_as_they_have_values(lab, whole, width):
    graph, _, _ = whole
    body = """
      const { columnsOf, layAcross, THINNEST } = await import("narrows/build/columns");
      return { ...layAcross(columnsOf(graph), { width, height: 500 }), least: THINNEST };
    """
    laid = lab(body, graph=graph, width=width)
    placed = laid["placed"]
    for before, after in pairwise(placed):
        assert before["box"]["x"] + before["box"]["w"] <= after["box"]["x"]
    assert placed[-1]["box"]["x"] + placed[-1]["box"]["w"] == pytest.approx(laid["width"])
    numbers = np.array([one["column"]["numbers"] for one in placed])
    thick = np.array([one["thick"] for one in placed])
    share = (thick / thick.max() - laid["least"]) / (1 - laid["least"])
    assert share == pytest.approx(np.sqrt(numbers / numbers.max()))


def test_downwards_they_follow_each_other_within_the_width(lab, whole):
    graph, _, _ = whole
    body = """
      const { columnsOf, layDown } = await import("narrows/build/columns");
      return layDown(columnsOf(graph), { width: 366 });
    """
    placed = lab(body, graph=graph)["placed"]
    for before, after in pairwise(placed):
        assert before["box"]["y"] + before["box"]["h"] < after["box"]["y"]
    assert all(one["box"]["x"] >= 0 and one["box"]["x"] + one["box"]["w"] <= 366 for one in placed)


POINTED = """
  const { columnsOf, layAcross, plateOf, valueOf } = await import("narrows/build/columns");
  const { paintPlate, ramp } = await import("narrows/build/plates");
  const { Model } = await import("narrows/nn/nn");
  const tokens = { muted: "#808080", card: "#ffffff", encoder: "#0000ff", code: "#8000ff", decoder: "#ff8000" };
  const { style } = document.documentElement;
  Object.entries(tokens).forEach(([name, colour]) => style.setProperty(`--${name}`, colour));
  const pass = new Model(graph, weights).forward(object);
  const { placed } = layAcross(columnsOf(graph), { width: 1200, height: 620 });
  const wrong = [];
  let asked = 0;
  const arrays = ["input", "forget", "candidate", "output", "cell", "hidden"];
  const zero = (gates) => gates?.forEach((way) => arrays.forEach((gate) => way[gate].fill(0)));
  for (const { column, box } of placed.filter(({ column }) => ["layer", "code"].includes(column.role))) {
    const plate = plateOf(column, { ...box, x: 0, y: 0 }, 1);
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: Math.round(plate.width), height: Math.round(plate.height) });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    for (let i = 0; i < 12; i += 1) {
      const spot = [((i * 37 + 11) % 97) / 97 * plate.width, ((i * 53 + 29) % 89) / 89 * plate.height];
      const hit = plate.at(...spot);
      // Between two maps there is nothing to point at.
      if (!hit || (plate.kind === "maps" && hit.place < 0)) continue;
      const values = column.role === "code" ? pass.z : pass.trace[column.name];
      values.fill(0);
      zero(pass.gates[column.name]);
      const { index, unit } = valueOf(column, hit);
      if (hit.gate) pass.gates[column.name][hit.way][hit.gate][hit.place * column.layer.hidden + hit.unit] = 1;
      else values[index] = 1;
      paintPlate(context, plate, pass, { scale: 1, colours: ramp("encoder"), part: "encoder", image: null });
      const frame = plate.box(hit.unit);
      const at = plate.kind === "bars" ? [frame.x + frame.w * 0.75, frame.y + frame.h * 0.3] : spot;
      // A place may be rounded to the next pixel.
      const { data } = context.getImageData(Math.floor(at[0]) - 1, Math.floor(at[1]) - 1, 3, 3);
      const near = Array.from({ length: 9 }, (_, p) => data.subarray(4 * p, 4 * p + 4));
      asked += 1;
      if (!near.some(([r, g, b, a]) => a > 0 && b > 200 && r < 140)) wrong.push([column.name, column.kind, hit]);
    }
  }
  return { wrong, asked };
"""


def test_the_value_one_points_at_is_the_value_that_is_painted_there(lab, whole):
    graph, weights, x = whole
    found = lab(POINTED, graph=graph, weights=weights, object=x)
    assert found["asked"] > 10
    assert found["wrong"] == []


def test_every_unit_is_found_again_where_its_frame_is_drawn(lab, whole):
    graph, _, _ = whole
    body = """
      const { columnsOf, layAcross, plateOf } = await import("narrows/build/columns");
      const { placed } = layAcross(columnsOf(graph), { width: 1200, height: 620 });
      const lost = [];
      for (const { column, box } of placed.filter(({ column }) => ["layer", "code"].includes(column.role))) {
        const plate = plateOf(column, { ...box, x: 0, y: 0 }, 1);
        for (let unit = 0; unit < plate.units; unit += 1) {
          const frame = plate.box(unit);
          const thick = plate.height / plate.units;
          const hit = frame && plate.at(frame.x + frame.w / 2, frame.y + Math.min(frame.h, thick) * 0.4);
          if (frame && hit?.unit !== unit && thick > 1) lost.push([column.name, unit, hit]);
        }
      }
      return lost;
    """
    assert lab(body, graph=graph) == []


def test_a_scale_grows_at_once_and_shrinks_slowly(lab):
    body = """
      const { Scale } = await import("narrows/build/plates");
      const scale = new Scale();
      return [[1], [4], [0.5], [0.5]].map((values) => scale.follow(values));
    """
    first, second, third, fourth = lab(body)
    assert (first, second) == (1, 4)
    assert 3.5 < third < 4
    assert fourth < third


@pytest.mark.parametrize(("side", "floor"), [(120, 420), (120, 400), (160, 700)])
def test_what_was_lost_ends_above_the_labels(lab, side, floor):
    body = """
      const { below } = await import("narrows/build/hourglass");
      return below({ x: 50, y: 220, w: side, h: side }, floor);
    """
    box = lab(body, side=side, floor=floor)
    assert box["y"] > 220 + side
    assert box["y"] + box["h"] + 16 < floor
    assert box["x"] + box["w"] / 2 == pytest.approx(50 + side / 2)


IN_ROOM = """
  const { columnsOf, layAcross } = await import("narrows/build/columns");
  const { inRoom } = await import("narrows/build/fold");
  const room = { width, height: 480 };
  return layAcross(inRoom(columnsOf(graph), room, opened), room);
"""


@pytest.mark.parametrize("width", [723, 811])
@pytest.mark.parametrize("opened", [None, "decoder.blocks.1.0"])
def test_a_u_net_fits_its_layers_of_one_resolution_as_one_column_unless_opened(lab, made, width, opened):
    _, graph, _ = made(UNet(channels=(8, 16, 24)), Plain(size=3), (1, 8, 8))
    laid = lab(IN_ROOM, graph=graph, width=width, opened=opened)
    columns = [one["column"] for one in laid["placed"]]
    assert [column.get("count") for column in columns if column["part"] == "encoder"] == [2, 3, 3]
    assert len(columns) == (9 if opened is None else 11)
    assert sum(column["parameters"] for column in columns) == graph["parameters"]
    boxes = [one["box"] for one in laid["placed"]]
    assert all(a["x"] + a["w"] <= b["x"] for a, b in pairwise(boxes))
    assert boxes[-1]["x"] + boxes[-1]["w"] <= width + 1e-6
    assert min(box["w"] for box in boxes) > 40


def test_what_fits_is_not_folded_and_what_cannot_be_folded_is_drawn_narrower(lab, made):
    _, wide, _ = made(UNet(channels=(8, 16, 24)), Plain(size=3), (1, 8, 8))
    assert len(lab(IN_ROOM, graph=wide, width=1800, opened=None)["placed"]) == 18
    _, deep, _ = made(Dense(widths=(40,) * 9), Plain(size=3), (1, 8, 8))
    laid = lab(IN_ROOM, graph=deep, width=723, opened=None)
    assert len(laid["placed"]) == 21
    assert laid["placed"][-1]["box"]["x"] + laid["placed"][-1]["box"]["w"] == pytest.approx(723)
