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

from narrows.cli.draw.map import latent_map, sprite
from narrows.cli.draw.plot_map import VECTOR_DOTS
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
        axis_names=(HOSTILE[0], HOSTILE[1]), hover=[HOSTILE[n % 8] for n in range(400)],
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
    text = latent_map(points, None, [], tmp_path / "a.html", title="t", thumbnails=thumbnails).read_text()
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
    address, columns, width, height = sprite(pictures)
    sheet = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))
    tile = np.asarray(sheet)[height : 2 * height, 2 * width : 3 * width]
    first = pictures[columns + 2].reshape(-1, 9, 7)[76 if shape[1] == 103 else 0]
    assert (sheet.mode, columns, (tile if tile.ndim == 2 else tile[..., 0]).tolist()) == (mode, 4, first.tolist())


@pytest.mark.parametrize(("count", "side"), [(4, 200), (10_000, 60)])
def test_large_thumbnails_are_averaged_until_they_fit(count, side):
    _, columns, width, height = sprite(np.zeros((count, side, side), np.uint8))
    assert max(width * 4096 / 56, columns * width, columns * height) <= 4096


def test_shares_of_white_and_other_values_are_spread():
    shares = sprite(np.full((1, 2, 2), 0.5))[0]
    sheet = Image.open(io.BytesIO(base64.b64decode(shares.split(",")[1])))
    assert sheet.getpixel((0, 0)) == 128


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


def test_a_rare_class_is_drawn_over_a_common_one(opened, tmp_path):
    labels = np.array([1] + [0] * 99)
    path = latent_map(np.zeros((100, 2)), labels, ["common", "rare"], tmp_path / "a.png", title="t")
    middle = np.asarray(opened(path).convert("RGB"))[630, 715].astype(int)
    assert np.abs(middle - [0xA5, 0x93, 0x07]).max() < 45


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
    "extra", [{"hover": ["a"]}, {"thumbnails": np.zeros((1, 2, 2))}, {"thumbnails": np.full((400, 2, 2), np.nan)}]
)
def test_lists_of_another_length_or_broken_pictures_are_refused(tmp_path, points, extra):
    with pytest.raises(InputError):
        latent_map(points, None, [], tmp_path / "a.html", title="t", **extra)


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
