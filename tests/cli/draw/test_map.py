"""Latent maps: data that survives the page, names that cannot break out of it, files that open."""

import base64
import io
import json
import re
import sys
from hashlib import sha256
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from narrows.cli.draw.apart import spread_heaps
from narrows.cli.draw.map import latent_map
from narrows.cli.draw.plot_map import VECTOR_DOTS
from narrows.cli.draw.tip import Tips, sprite
from narrows.cli.draw.values import Values
from narrows.errors import EnvironmentProblem, InputError, LimitError, UsageError

HOSTILE = [
    "</script><script>alert(1)</script>",
    "\"' onload=alert(1) <img src=x>",
    "$\\frac{",
    "@@SCRIPT@@",
    "\u202e\x00",
    "<!--",
    "x" * 999,
    "日本",
]


class Page(HTMLParser):
    """The elements of a page, as a browser would see them, and the text of its scripts."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.text, self.tags, self.texts = path.read_text("utf-8"), [], {}
        self.feed(self.text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        key = self.tags[-1] if self.tags else ("", {})
        self.texts.setdefault((key[0], key[1].get("id") or key[1].get("type")), data)

    @property
    def data(self):
        return json.loads(self.texts["script", "data"])

    def meta(self, name):
        return next(a["content"] for tag, a in self.tags if tag == "meta" and name in a.values())


def decoded(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


@pytest.fixture
def points(rng):
    return rng.normal(size=(400, 2)).astype(np.float32)


@pytest.fixture
def labels(rng):
    return rng.integers(-1, 8, 400)


def test_points_and_labels_come_back_from_the_page(tmp_path, points, labels):
    data = Page(latent_map(points, labels, HOSTILE, tmp_path / "a.html", title="t")).data
    assert (decoded(data["points"], "<f4").reshape(-1, 2) == points).all()
    assert (decoded(data["labels"], "u1") == np.where(labels < 0, 8, labels)).all()


def test_counts_are_those_of_the_labels_and_empty_classes_are_left_out(tmp_path, points):
    data = Page(latent_map(points, np.arange(400) % 3 * 2, list("abcde"), tmp_path / "a.html", title="t")).data
    assert [(g["name"], g["count"]) for g in data["groups"]] == [
        ("a", 134),
        ("c", 133),
        ("e", 133),
        ("without a class", 0),
    ]


def test_more_than_255_classes_take_two_bytes(tmp_path):
    many = np.arange(600)
    data = Page(latent_map(np.c_[many, many], many, [f"c{n}" for n in many], tmp_path / "a.html", title="t")).data
    assert (decoded(data["labels"], "<u2") == many).all()


def test_hostile_names_stay_text(tmp_path, points, labels):
    path = latent_map(
        points, labels, HOSTILE, tmp_path / "a.html", title="</title>" + HOSTILE[0], numbers={HOSTILE[0]: HOSTILE[1]},
        axis_names=(HOSTILE[0], HOSTILE[1]), tips=Tips(origins=[HOSTILE[n % 8] for n in range(400)]),
    )  # fmt: skip
    tags = [tag for tag, _ in Page(path).tags]
    assert (
        tags.count("script"),
        tags.count("img"),
        "alert" in path.read_text().split("</head>")[0].split("<style>")[1],
    ) == (2, 0, False)


def test_hostile_names_arrive_whole(tmp_path, points, labels):
    names = [
        g["name"] for g in Page(latent_map(points, labels, HOSTILE, tmp_path / "a.html", title="t")).data["groups"]
    ]
    assert [*names[:6], len(names[6])] == [*HOSTILE[:4], "class 4", "<!--", 80]


def test_the_page_asks_nobody_for_anything(tmp_path, points, rng):
    thumbnails = rng.integers(0, 255, (400, 8, 8), dtype=np.uint8)
    text = latent_map(points, None, [], tmp_path / "a.html", title="t", tips=Tips(pictures=thumbnails)).read_text()
    assert set(re.findall(r"\w+://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}


def test_the_policy_allows_this_script_and_this_style_alone(tmp_path, points):
    page = Page(latent_map(points, None, [], tmp_path / "a.html", title="t"))
    policy = page.meta("Content-Security-Policy")
    for name, text in (("script", page.texts["script", None]), ("style", page.texts["style", None])):
        digest = base64.b64encode(sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy.split("; ")
    assert "unsafe" not in policy


def test_no_element_has_an_inline_style_or_handler(tmp_path, points):
    page = Page(latent_map(points, None, [], tmp_path / "a.html", title="t"))
    assert not [a for _, a in page.tags if "style" in a or any(key.startswith("on") for key in a)]


def test_the_canvas_is_described_in_words(tmp_path):
    path = latent_map(
        np.eye(2), np.array([0, 1]), ["asphalt", "trees"], tmp_path / "a.html", title="t", numbers={"kNN": 0.9}
    )
    label = next(a["aria-label"] for tag, a in Page(path).tags if tag == "canvas" and a.get("id") == "dots")
    assert label.startswith("Map of 2 objects as dots: trees (1), asphalt (1); kNN .900.")


def test_numbers_have_a_meaning(tmp_path, points):
    numbers = {"kNN accuracy": 0.912, "trustworthiness": 0.98, "silhouette": -0.1, "odd": "n/a"}
    shown = Page(latent_map(points, None, [], tmp_path / "a.html", title="t", numbers=numbers)).data["numbers"]
    assert [value for _, value, _ in shown] == [".912", ".980", "-.100", "n/a"]
    assert [bool(meaning) for *_, meaning in shown] == [True, True, True, False]


@pytest.mark.parametrize(
    ("shape", "mode"), [((10, 9, 7), "L"), ((10, 1, 9, 7), "L"), ((10, 3, 9, 7), "RGB"), ((10, 103, 9, 7), "RGB")]
)
def test_thumbnails_stand_on_the_sprite_as_they_are(rng, shape, mode):
    pictures = rng.integers(0, 256, shape, dtype=np.uint8)
    address, columns, width, height = sprite(pictures, Values(0, 255))
    sheet = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))
    tile = np.asarray(sheet)[height : 2 * height, 2 * width : 3 * width]
    first = pictures[columns + 2].reshape(-1, 9, 7)[76 if shape[1] == 103 else 0]
    assert (sheet.mode, columns, (tile if tile.ndim == 2 else tile[..., 0]).tolist()) == (mode, 4, first.tolist())


@pytest.mark.parametrize(("count", "side"), [(4, 200), (10_000, 60)])
def test_large_thumbnails_are_averaged_until_they_fit(count, side):
    _, columns, width, height = sprite(np.zeros((count, side, side), np.uint8), Values())
    assert max(width * 4096 / 56, columns * width, columns * height) <= 4096


@pytest.mark.parametrize(
    ("picture", "values", "grey"),
    [(np.full((2, 2), 0.5), Values(0, 1), 128), (np.full((2, 2), 8, np.uint8), Values(0, 16), 128),
     (np.array([[-1.0, 3], [1, 1]]), Values(), 0), (np.full((2, 2), 99.0), Values(0, 16), 255)],
)  # fmt: skip
def test_pictures_run_from_the_lowest_possible_value_to_the_highest(picture, values, grey):
    sheet = Image.open(io.BytesIO(base64.b64decode(sprite(picture[None], values)[0].split(",")[1])))
    assert sheet.getpixel((0, 0)) == grey


def test_objects_keep_the_numbers_they_have_elsewhere(tmp_path, points):
    numbers = np.arange(400) * 3
    data = Page(latent_map(points, None, [], tmp_path / "a.html", title="t", tips=Tips(numbers=numbers))).data
    assert data["ids"] == numbers.tolist()


@pytest.mark.parametrize(("shape", "length"), [((400, 40), 40), ((400, 2, 300), 75)])
def test_lines_come_back_from_the_page(tmp_path, points, rng, shape, length):
    given = rng.normal(size=shape).cumsum(-1).astype(np.float32)
    values = Values(unit="dB", ends=("0 Hz", "8000 Hz"))
    tips = Tips(lines=given, values=values)
    lines = Page(latent_map(points, None, [], tmp_path / "a.html", title="t", tips=tips)).data["lines"]
    first = given if given.ndim == 2 else given[:, 0]
    mean = first.reshape(400, length, -1).mean(-1)
    heights = decoded(lines["values"], "u1").reshape(400, length)
    assert (lines["length"], lines["ends"], lines["reach"].split()[-1]) == (length, ["0 Hz", "8000 Hz"], "dB")
    assert np.corrcoef(heights.ravel(), mean.ravel())[0, 1] > 0.999


def test_rows_of_tables_come_back_from_the_page(tmp_path):
    rows = np.array([[30.5, 1, 0], [41, 0, 1]], np.float32)
    tips = Tips(rows=rows, values=Values(columns=("age", "city=Bern", "city=</script>")))
    fields = Page(latent_map(np.eye(2), None, [], tmp_path / "a.html", title="t", tips=tips)).data["fields"]
    assert (fields["names"], fields["words"], fields["more"]) == (["age", "city"], [[], ["Bern", "</script>"]], 0)
    assert decoded(fields["values"], "<f4").reshape(2, 2).tolist() == [[30.5, 0], [41, 1]]


def test_dots_of_one_place_are_spread_until_each_is_seen(tmp_path):
    heaps = np.repeat(np.array([[0.0, 0], [1, 0], [1, 1]]), [20, 12, 1], axis=0)
    places, moved = spread_heaps(heaps, np.arange(33) % 3)
    nearest = np.sort(np.linalg.norm(places[:, None] - places, axis=-1), 1)[:, 1]
    assert moved
    assert nearest[:32].min() > 0.009
    assert np.linalg.norm(places - heaps, axis=1).max() < 0.06
    assert (places[32] == [1, 1]).all()
    page = Page(latent_map(heaps, np.arange(33) % 3, list("abc"), tmp_path / "a.html", title="t"))
    assert page.data["note"] == "dots of one place are spread around it"


def test_heaps_never_reach_each_other():
    heaps = np.repeat(np.array([[0.0, 0], [0.02, 0], [1, 0]]), 300, axis=0)
    places, _ = spread_heaps(heaps, np.zeros(900, int))
    assert places[:300, 0].max() < 0.01 < places[300:600, 0].min()


@pytest.mark.parametrize("copies", [[range(5)], [range(400)], [range(4)] * 3])
def test_few_dots_of_one_place_stay(points, copies):
    doubled = np.concatenate([points, *(points[chosen] for chosen in copies)])
    places, moved = spread_heaps(doubled, np.zeros(len(doubled), int))
    assert (moved, (places == doubled).all()) == (False, True)


def test_a_picture_grows_with_its_legend(opened, tmp_path, points):
    numbers = {f"kNN accuracy {n}": 0.5 for n in range(4)}
    sizes = [
        opened(
            latent_map(
                points,
                np.arange(400) % k,
                [str(n) for n in range(k)],
                tmp_path / f"{k}.png",
                title="t",
                numbers=numbers,
            )
        ).size
        for k in (10, 36, 62)
    ]
    assert sizes[0] == (1920, 1200)
    assert sizes[1][1] > 1200
    text = latent_map(
        points, np.arange(400) % 36, [str(n) for n in range(36)], tmp_path / "a.svg", title="t", numbers=numbers
    )
    assert ElementTree.parse(text).getroot().get("height") == "551.52pt"


def test_each_number_has_a_meaning_of_one_line():
    from narrows.cli.draw.map import MEANINGS

    assert max(map(len, MEANINGS.values())) <= 50


@pytest.mark.parametrize(
    ("suffix", "labelled"), [(s, kind) for s in ("png", "svg") for kind in ("all", "none", "one", "hostile")]
)
def test_pictures_open(opened, tmp_path, points, labels, suffix, labelled):
    given = {"all": abs(labels), "none": None, "one": labels * 0, "hostile": labels}[labelled]
    names = [] if given is None else HOSTILE
    path = latent_map(points, given, names, tmp_path / f"a.{suffix}", title=HOSTILE[0], numbers={"kNN accuracy": 0.5})
    if suffix == "png":
        assert opened(path).size == (1920, 1200)
    else:
        assert ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("suffix", ["png", "svg", "html"])
@pytest.mark.parametrize("count", [1, 50])
def test_one_point_and_equal_points_are_drawn(tmp_path, suffix, count):
    labels = np.zeros(count, int)
    assert (
        latent_map(np.full((count, 2), 3.0), labels, ["a"], tmp_path / f"a.{suffix}", title="t").stat().st_size > 1000
    )


@pytest.mark.parametrize("suffix", ["png", "html"])
def test_sixty_two_and_two_hundred_classes_are_drawn(tmp_path, rng, suffix):
    for many in (62, 200):
        names = [f"class {n}" for n in range(many)]
        labels = np.arange(400) % many
        assert latent_map(rng.normal(size=(400, 2)), labels, names, tmp_path / f"{many}.{suffix}", title="t").exists()


def test_many_dots_of_an_svg_are_pixels(tmp_path, rng):
    path = latent_map(rng.normal(size=(VECTOR_DOTS, 2)), None, [], tmp_path / "a.svg", title="t")
    assert ("<image" in path.read_text(), path.stat().st_size < 1_500_000) == (True, True)


def test_few_dots_of_an_svg_are_shapes(tmp_path, points):
    text = latent_map(points, None, [], tmp_path / "a.svg", title="t").read_text()
    assert ("<image" in text, text.count("<use") >= 400) == (False, True)


def test_a_rare_class_is_drawn_over_a_common_one(opened, tmp_path, rng):
    points = np.concatenate([np.zeros((1, 2)), rng.normal(0, 1e-3, (98, 2)), [[1, 1]]])
    path = latent_map(points, np.array([1] + [0] * 99), ["common", "rare"], tmp_path / "a.png", title="t")
    dots = np.asarray(opened(path).convert("RGB")).astype(int)[:, :1300]
    assert (np.abs(dots - [0xA5, 0x93, 0x07]).max(-1) < 45).sum() > 50


BAD = {
    "nan": ((np.array([[0, np.nan]]), None, []), InputError, "1 of 1 points are not finite"),
    "infinite": ((np.array([[0, np.inf]]), None, []), InputError, "not finite"),
    "too far": ((np.array([[0, 1e200]]), None, []), InputError, "not finite"),
    "no points": ((np.zeros((0, 2)), None, []), InputError, r"\(N, 2\)"),
    "three numbers": ((np.zeros((5, 3)), None, []), InputError, r"\(N, 2\)"),
    "labels too few": ((np.zeros((5, 2)), np.zeros(4, int), ["a"]), InputError, "labels of shape"),
    "labels of fractions": ((np.zeros((5, 2)), np.zeros(5), ["a"]), InputError, "whole numbers"),
    "class without a name": ((np.zeros((5, 2)), np.full(5, 3), ["a"]), InputError, "class number 3"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("suffix", ["png", "html"])
def test_bad_maps_are_refused_and_nothing_is_written(tmp_path, case, suffix):
    given, error, words = BAD[case]
    with pytest.raises(error, match=words):
        latent_map(*given, tmp_path / f"a.{suffix}", title="t")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "extra",
    [
        {"origins": ["a"]},
        {"numbers": [1]},
        {"pictures": np.zeros((1, 2, 2))},
        {"pictures": np.full((400, 2, 2), np.nan)},
        {"lines": np.full((400, 2), np.inf)},
        {"rows": np.zeros((1, 2))},
    ],
)
def test_lists_of_another_length_or_broken_pictures_are_refused(tmp_path, points, extra):
    with pytest.raises(InputError):
        latent_map(points, None, [], tmp_path / "a.html", title="t", tips=Tips(**extra))


def test_a_page_has_a_limit_of_dots(tmp_path):
    with pytest.raises(LimitError, match="500,000"):
        latent_map(np.zeros((500_001, 2)), None, [], tmp_path / "a.html", title="t")


def test_other_suffixes_are_refused(tmp_path, points):
    with pytest.raises(UsageError, match=r"\.html"):
        latent_map(points, None, [], tmp_path / "a.pdf", title="t")


def test_without_matplotlib_a_page_is_written_and_a_png_names_the_extra(tmp_path, monkeypatch, points):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert latent_map(points, None, [], tmp_path / "a.html", title="t").exists()
    with pytest.raises(EnvironmentProblem, match=r"narrows\[plot\]"):
        latent_map(points, None, [], tmp_path / "a.png", title="t")


def test_real_land_cover_is_named(tmp_path, real):
    with np.load(real("hyperspectral/pavia_university_lowres.npz"), allow_pickle=False) as scene:
        pixels, labels, names = (
            scene["cube"].reshape(-1, 103),
            scene["labels"].ravel().astype(int),
            scene["class_names"],
        )
    data = Page(latent_map(pixels[:, [20, 80]], labels - 1, list(names[1:]), tmp_path / "a.html", title="Pavia")).data
    assert [g["name"] for g in data["groups"][:2]] == ["asphalt", "meadows"]
    assert sum(g["count"] for g in data["groups"][:9]) == 640
