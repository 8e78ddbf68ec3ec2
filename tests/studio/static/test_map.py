"""The map's arithmetic against independent answers: where dots lie, what is near, and what a place decodes to."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import cKDTree
from sklearn.decomposition import PCA

matplotlib_path = pytest.importorskip("matplotlib.path")

RNG = np.random.default_rng(0)
PLACE = {"ax": 1, "bx": 0, "ay": 1, "by": 0}


def flat(points):
    return np.ascontiguousarray(points, "f4").ravel()


def test_the_nearest_dot_is_found_on_stretched_axes(lab):
    points, asked = RNG.normal(size=(3000, 2)).astype("f4"), RNG.normal(size=(200, 2)).astype("f4")
    body = """
      const { Grid } = await import("narrows/dots/grid");
      const grid = new Grid(xy, xy.length / 2);
      const near = (i) => grid.nearest(asked[2 * i], asked[2 * i + 1], 12, 40, 130);
      return Array.from({ length: asked.length / 2 }, (_, i) => near(i));
    """
    scale = np.array([40, 130])
    far, found = cKDTree(points * scale).query(asked * scale)
    expected = np.where(far <= 12, found, -1)
    assert lab(body, xy=flat(points), asked=flat(asked)) == expected.tolist()
    assert (expected == -1).any()
    assert (expected >= 0).any()


def test_hidden_dots_are_not_found(lab):
    body = """
      const { Grid } = await import("narrows/dots/grid");
      return new Grid(xy, 2).nearest(0, 0, 9, 1, 1, (i) => i !== 0);
    """
    assert lab(body, xy=flat([[0, 0], [3, 0]])) == 1


def test_a_lasso_holds_what_it_encloses(lab):
    corners, points = RNG.normal(size=(9, 2)), RNG.normal(size=(500, 2)).astype("f4")
    hull = corners[np.argsort(np.arctan2(*(corners - corners.mean(0)).T))]
    body = """
      const { inside } = await import("narrows/dots/grid");
      return Array.from({ length: xy.length / 2 }, (_, i) => inside(xy[2 * i], xy[2 * i + 1], line));
    """
    expected = matplotlib_path.Path(hull).contains_points(points)
    assert lab(body, xy=flat(points), line=hull.ravel().tolist()) == expected.tolist()


def test_zooming_holds_the_place_under_the_pointer(lab):
    body = """
      const { placing, zoomed, moved } = await import("narrows/dots/camera");
      const frame = { x: 2, y: -1, width: 5, height: 3, give: 2 };
      const size = { width: 800, height: 500 };
      const under = (camera, x, y) => {
        const { ax, bx, ay, by } = placing(frame, size, camera);
        return [(x - bx) / ax, (y - by) / ay];
      };
      const camera = { x: 0.1, y: -0.2, k: 3 };
      const [near, pan] = [zoomed(frame, size, camera, 1.7, 120, 400), moved(frame, size, camera, 30, -20)];
      const panned = [under(camera, 100, 100), under(pan, 130, 80)];
      return { held: [under(camera, 120, 400), under(near, 120, 400)], k: near.k, panned };
    """
    found = lab(body)
    assert found["held"][0] == pytest.approx(found["held"][1])
    assert found["panned"][0] == pytest.approx(found["panned"][1])
    assert found["k"] == pytest.approx(5.1)


DIRECTIONS = """
  const { directions } = await import("narrows/dots/plane");
  const held = codes.slice(0, size);
  const plane = directions({ count, size, values: codes }, xy, () => held);
  const asked = { x: 0.7, y: -1.3 };
  const code = plane.codeAt(asked);
  const placeOf = (i) => Object.values(plane.placeOf(codes.subarray(i * size, (i + 1) * size)));
  const places = Array.from({ length: count }, (_, i) => placeOf(i));
  return { places, code, there: Object.values(plane.placeOf(code)) };
"""


@pytest.mark.parametrize(("count", "size"), [(200, 5), (40, 90)])
def test_a_drag_moves_the_code_within_the_plane_of_the_pca(lab, count, size):
    codes = (RNG.normal(size=(count, size)) * np.geomspace(3, 0.1, size)).astype("f4")
    pca = PCA(2).fit(codes)
    found = lab(DIRECTIONS, codes=flat(codes), xy=flat(pca.transform(codes)), count=count, size=size)
    np.testing.assert_allclose(found["places"], pca.transform(codes), atol=0.02)
    assert found["there"] == pytest.approx([0.7, -1.3], abs=1e-3)
    # The shortest way from the held code to that place.
    shortest = codes[0] + ([0.7, -1.3] - pca.transform(codes[:1])[0]) @ pca.components_
    np.testing.assert_allclose(found["code"], shortest, atol=0.05 if size > count else 5e-3)


def test_a_place_between_neighbours_decodes_their_mean(lab):
    body = """
      const { neighbourly } = await import("narrows/dots/plane");
      const plane = neighbourly({ count: 4, size: 3, values: codes }, xy);
      return [plane.codeAt({ x: 0, y: 0 }), plane.exact, Object.values(plane.placeOf(codes.subarray(3, 6)))];
    """
    codes = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    code, exact, place = lab(body, codes=flat(codes), xy=flat([[1, 0], [0, 1], [-1, 0], [0, -1]]))
    np.testing.assert_allclose(code, codes.mean(0), atol=1e-6)
    assert not exact
    assert place == pytest.approx([0, 1], abs=0.2)


def test_a_map_is_turned_to_match_another(lab):
    body = """
      const { turned, turnTo } = await import("narrows/compare/align");
      return turned(own, turnTo(own, other));
    """
    points = RNG.normal(size=(80, 2)) * [3, 1]
    for mirror in (1, -1):
        turn = np.array([[np.cos(2), -np.sin(2)], [np.sin(2), np.cos(2)]]) @ np.diag([1, mirror])
        other = points @ turn + RNG.normal(size=(80, 2)) * 0.1
        best, _ = orthogonal_procrustes(points - points.mean(0), other - other.mean(0))
        found = lab(body, own=flat(points), other=flat(other)).reshape(-1, 2)
        np.testing.assert_allclose(found, points @ best, atol=1e-4)


SPLAT = """
  const { Splat } = await import("narrows/dots/splat");
  const splat = new Splat();
  Object.assign(splat, { radius: 3, opacity: 256, paper: [255, 255, 255] });
  splat.move(xy, place);
  const [red, blue] = [{ colour: [200, 0, 0], shape: "circle" }, { colour: [0, 0, 200], shape: "square" }];
  splat.dress(new Uint8Array(kinds), [red, blue]);
  const out = new Int32Array(40 * 30);
  Object.assign(splat, how);
  splat.paint(out, 40, 30);
  return new Uint8Array(out.buffer);
"""


def painted(lab, points, kinds=None, **how):
    kinds = kinds or [0] * len(points)
    return lab(SPLAT, xy=flat(points), kinds=kinds, place=PLACE, how={"share": 1, **how}).reshape(30, 40, 4).astype(int)


def test_a_disc_covers_its_area_at_its_place(lab):
    picture = painted(lab, [[20.3, 11.8]])
    cover = (255 - picture[..., 1]) / 255
    assert cover.sum() == pytest.approx(np.pi * 9, rel=0.03)
    rows, columns = np.mgrid[:30, :40] + 0.5
    centre = (cover * columns).sum() / cover.sum(), (cover * rows).sum() / cover.sum()
    assert centre == pytest.approx((20.3, 11.8), abs=0.2)
    assert picture[11, 20].tolist() == [200, 0, 0, 255]


def test_dots_at_the_edge_stay_inside_and_those_beyond_are_left_out(lab):
    cover = (255 - painted(lab, [[0, 15], [40, 15], [-30, 5], [20, 60]])[..., 1]) / 255
    assert cover.sum() == pytest.approx(np.pi * 9, rel=0.06)
    assert cover[:, 5:35].sum() == 0


def test_hidden_classes_are_not_drawn_and_rare_ones_lie_on_top(lab):
    shown = [0] + [1] * 255
    picture = painted(lab, [[10, 10], [30, 10]], [0, 1], shown=shown)
    assert picture[10, 10, :3].tolist() == [255] * 3
    assert picture[10, 30, :3].tolist() == [0, 0, 200]
    crowd = painted(lab, [[20, 15]] * 21, [1] + [0] * 20)
    assert crowd[15, 20, :3].tolist() == [0, 0, 200]


def test_what_is_not_selected_fades(lab):
    picture = painted(lab, [[10, 10], [30, 10]], marked=[1, 0])
    assert picture[10, 10, 1] == 0
    assert picture[10, 30, 1] > 200


def test_an_open_ground_shows_between_dots(lab):
    picture = painted(lab, [[20, 15]], clear=True)
    assert picture[0, 0, 3] == 0
    assert picture[15, 20, 3] == 255


def test_dots_glide_from_where_they_are(lab):
    body = """
      const { Splat } = await import("narrows/dots/splat");
      const splat = new Splat();
      splat.move(new Float32Array([0, 0, 10, 10]), place);
      splat.share = 1;
      splat.move(new Float32Array([8, 4, 10, 10]), place);
      splat.share = 0.5;
      const half = [...splat.here()];
      splat.move(new Float32Array([0, 0, 10, 10]), place);
      return [half, [...splat.from]];
    """
    assert lab(body, place=PLACE) == [[4, 2, 10, 10], [4, 2, 10, 10]]


def test_a_picture_stands_for_its_dot(lab):
    thumbs = {"side": 14, "channels": 1, "ids": [0], "pixels": [255] * 196}
    picture = painted(lab, [[20, 15]], thumbs=thumbs)
    assert (picture[9:21, 14:26, 1] == 0).all()
    assert (picture[7, 5:12, 1] == 255).all()


THUMB = 'const { thumbOf } = await import("narrows/draw/thumbs"); return thumbOf(look, values, side);'


def test_a_small_picture_is_the_mean_of_what_it_covers(lab):
    image = RNG.uniform(0, 1, (28, 28)).astype("f4")
    look = {"kind": "image", "shape": [1, 28, 28], "low": 0, "high": 1}
    found = lab(THUMB, look=look, values=image.ravel(), side=7)
    blocks = image.reshape(7, 4, 7, 4).mean((1, 3))
    np.testing.assert_allclose(found.reshape(7, 7), 255 * blocks, atol=0.6)


def test_a_spectrogram_stands_with_its_low_tones_below(lab):
    levels = np.zeros((8, 8), "f4")
    levels[0] = 1
    look = {"kind": "sound", "shape": [1, 8, 8], "low": 0, "high": 1}
    found = lab(THUMB, look=look, values=levels.ravel(), side=8).reshape(8, 8)
    assert found[7].tolist() == [255] * 8
    assert found[:7].max() == 0


@pytest.mark.parametrize("kind", ["series", "spectrum", "table"])
def test_curves_and_rows_leave_ink_in_every_column(lab, kind):
    values = np.sin(np.arange(60) / 5).astype("f4") + 1e-3
    shape = [1, 60] if kind == "series" else [60]
    found = lab(THUMB, look={"kind": kind, "shape": shape, "low": -1, "high": 1}, values=values, side=28)
    assert (found.reshape(28, 28).max(0) > 60).all()


def test_pictures_do_not_cover_each_other_and_the_first_objects_come_first(lab):
    body = """
      const { withRoom } = await import("narrows/draw/thumbs");
      const place = { ax: 1, bx: 0, ay: 1, by: 0 };
      return withRoom(xy, xy.length / 2, place, { width: 300, height: 300 }, 28, () => true, 1000);
    """
    points = RNG.uniform(0, 300, (600, 2))
    found = np.array(lab(body, xy=flat(points)))
    apart = np.abs(points[found][:, None] - points[found][None]).max(-1) + 1e9 * np.eye(len(found))
    assert apart.min() >= 28 - 1e-3
    left_out = np.setdiff1d(np.arange(600), found)
    for i in left_out:
        earlier = found[found < i]
        assert (np.abs(points[earlier] - points[i]).max(-1) < 28 + 1e-3).any()


def test_a_sound_made_from_levels_has_its_tones(lab):
    body = 'const { soundOf } = await import("narrows/map/sound"); return soundOf(levels, 65, 20);'
    levels = np.full((65, 20), -80.0)
    levels[12] = -3
    sound = lab(body, levels=flat(levels))
    strength = np.abs(np.fft.rfft(sound[256:768] * np.hanning(512)))
    assert strength.argmax() / 4 == pytest.approx(12, abs=0.75)
    assert np.abs(sound).max() == pytest.approx(0.5)


def test_a_scene_is_read_from_where_its_pixels_lie(lab):
    body = """
      const { sceneOf } = await import("narrows/map/scene");
      const scene = sceneOf(["row 2, column 1", "row 0, column 3"]);
      return [scene.rows, scene.columns, [...scene.at], sceneOf(["a.png"]), sceneOf(null)];
    """
    rows, columns, at, other, none = lab(body)
    expected = np.full((3, 4), -1)
    expected[2, 1], expected[0, 3] = 0, 1
    assert (rows, columns, at) == (3, 4, expected.ravel().tolist())
    assert other is None
    assert none is None


def test_a_second_finger_pinches_and_the_one_that_stays_pans(lab):
    body = """
      const { listen } = await import("narrows/dots/gestures");
      const element = document.body.appendChild(document.createElement("div"));
      element.setPointerCapture = () => {};
      const did = [];
      const hands = { pans: () => false, key: () => false };
      for (const name of ["hover", "leave", "press", "drag", "release", "cancel", "pan", "zoom"]) {
        hands[name] = (...given) => did.push([name, ...given.filter((one) => typeof one === "number" || typeof one === "boolean")]);
      }
      const stop = listen(element, hands);
      const say = (type, pointerId, clientX, clientY) => element.dispatchEvent(new PointerEvent(type, { pointerId, clientX, clientY, pointerType: "touch" }));
      say("pointerdown", 1, 10, 10);
      say("pointermove", 1, 30, 10);
      say("pointerdown", 2, 70, 10);
      say("pointermove", 2, 110, 10);
      say("pointerup", 2, 110, 10);
      say("pointermove", 1, 35, 12);
      say("pointerup", 1, 35, 12);
      stop();
      say("pointerdown", 3, 0, 0);
      return did;
    """  # noqa: E501
    did = lab(body)
    assert [name for name, *_ in did] == ["press", "drag", "cancel", "pan", "zoom", "pan"]
    assert did[3:] == [["pan", 20, 0], ["zoom", 2], ["pan", 5, 2]]


def test_a_frame_follows_as_far_in_one_late_snapshot_as_in_many(lab):
    body = """
      const { followed } = await import("narrows/draw/plot");
      const left = Array.from({ length: 10 }).reduce((rest) => rest * (1 - followed(100)), 1);
      return [left, 1 - followed(1000), followed(100), followed(0)];
    """
    many, one, quick, none = lab(body)
    assert many == pytest.approx(one)
    # Ten snapshots a second must not make the map jump; one in two seconds must not leave its dots outside.
    assert quick < 0.4
    assert none == 0
    assert one < 0.02
