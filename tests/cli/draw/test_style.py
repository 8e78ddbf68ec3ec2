"""Colours: contrast on either paper, distance for colour-blind eyes, and text that is safe to draw."""

import numpy as np
import pytest

from narrows.cli.draw.style import NATURAL, PALETTE, SHAPES, class_styles, plain, short_number

PAVIA = ["asphalt", "meadows", "gravel", "trees", "painted metal sheets", "bare soil", "bitumen"]
PAVIA += ["self-blocking bricks", "shadows"]
CARDS = {"light": "#ffffff", "dark": "#1b1f24"}

# Machado, Oliveira and Fernandes (2009), full strength; OKLab by Ottosson (2020).
EYES = {
    "normal": np.eye(3),
    "protanope": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranope": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}
LMS = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
LAB = [
    [0.2104542553, 0.793617785, -0.0040720468],
    [1.9779984951, -2.428592205, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.808675766],
]


def linear(colour):
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    bright = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (bright[1] + 0.05) / (bright[0] + 0.05)


def distances(colours, eye):
    seen = np.clip(np.array([linear(c) for c in colours]) @ np.array(EYES[eye]).T, 0, 1)
    lab = np.cbrt(seen @ np.array(LMS).T) @ np.array(LAB).T
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return apart[np.triu_indices(len(colours), 1)]


@pytest.mark.parametrize("theme", [0, 1])
def test_every_class_colour_stands_out_from_its_paper(theme):
    paper = list(CARDS.values())[theme]
    assert min(contrast(pair[theme], paper) for pair in PALETTE) >= 3


@pytest.mark.parametrize("theme", [0, 1])
def test_natural_colours_can_be_seen_on_their_paper(theme):
    paper = list(CARDS.values())[theme]
    assert min(contrast(pair[theme], paper) for pair in NATURAL.values()) >= 2.4


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize(("eye", "least"), [("normal", 0.12), ("protanope", 0.09), ("deuteranope", 0.09)])
def test_ten_classes_stay_apart_for_every_eye(theme, eye, least):
    assert distances([pair[theme] for pair in PALETTE], eye).min() >= least


def test_seventy_classes_all_look_different():
    styles = class_styles([f"class {n}" for n in range(70)])
    assert len({(s.light, s.shape) for s in styles}) == 70


def test_land_cover_gets_its_natural_colours_each_its_own():
    styles = class_styles(PAVIA)
    assert (styles[1].light, len({s.light for s in styles})) == (NATURAL["meadow"][0], 9)


def test_two_names_of_one_nature_differ_by_shape():
    assert [s.shape for s in class_styles(["healthy grass", "stressed grass", "trees"])] == [*SHAPES[:2], "circle"]


def test_a_stray_land_cover_word_changes_nothing():
    assert class_styles(["sea lion", "cat", "dog", "cow"])[0].light == PALETTE[0][0]


def test_no_classes_need_no_styles():
    assert class_styles([]) == []


@pytest.mark.parametrize(
    ("given", "drawn"),
    [("a\x00b\n\n c", "ab c"), ("\u202egnp.exe", "gnp.exe"), ("x" * 100, "x" * 59 + "…"), ("", ""), (7, "7")],
)
def test_text_is_one_safe_line(given, drawn):
    assert plain(given) == drawn


@pytest.mark.parametrize(
    ("value", "written"),
    [(float("nan"), "not a number"), (float("-inf"), "-∞"), (0.0, "0"), (1e20, "100,000,000,000,000,000,000")],
)
def test_odd_numbers_are_written_in_words(value, written):
    assert short_number(value) == written
