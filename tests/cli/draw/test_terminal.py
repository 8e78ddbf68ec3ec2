"""Terminal pictures: what a character stands for."""

import io

import numpy as np
import pytest

from narrows.cli.draw.terminal import ASCII_BLOCKS, BLOCKS, fancy_terminal, sparkline, terminal_picture
from narrows.errors import InputError


def test_sparkline_runs_from_lowest_to_highest_block():
    assert sparkline(range(8)) == BLOCKS


def test_sparkline_averages_what_does_not_fit():
    assert sparkline([0] * 50 + [1] * 50, width=2) == BLOCKS[0] + BLOCKS[-1]


@pytest.mark.parametrize(("values", "line"), [([], ""), ([3, 3], "▁▁"), ([np.inf, np.nan], "  "), ([5], "▁")])
def test_sparkline_of_odd_histories(values, line):
    assert sparkline(values) == line


def test_sparkline_of_plain_characters_is_ascii():
    assert sparkline(range(6), blocks=ASCII_BLOCKS).isascii()


def test_half_blocks_carry_the_two_pixels_as_colours():
    text = terminal_picture(np.array([[0.0, 1.0], [1.0, 0.5]]), fancy=True)
    assert (text.plain, [str(s.style) for s in text.spans]) == ("▀▀", ["#000000 on #ffffff", "#ffffff on #808080"])


def test_rgb_pictures_keep_their_colours():
    red = np.array([[[255.0], [255]], [[0], [0]], [[0], [0]]])
    assert str(terminal_picture(red, high=255, fancy=True).spans[0].style) == "#ff0000 on #ff0000"


def test_plain_picture_is_ascii_without_styles(rng):
    text = terminal_picture(rng.random((28, 28)), fancy=False)
    assert (text.plain.isascii(), text.spans, text.plain.count("\n")) == (True, [], 13)


def test_pictures_stand_side_by_side_under_their_labels():
    text = terminal_picture([np.ones((4, 8)), np.zeros((4, 8))], labels=["input", "output"], fancy=False)
    assert text.plain.split("\n") == ["input     output", "@@@@@@@@          ", "@@@@@@@@          "]


def test_large_pictures_are_thinned(rng):
    lines = terminal_picture(rng.random((3, 480, 640)), fancy=False).plain.split("\n")
    assert max(map(len, lines)) <= 36


@pytest.mark.parametrize("shape", [(5,), (1, 2, 3, 4), (0, 4), (3, 4, 0)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="H, W"):
        terminal_picture([np.zeros(shape)], fancy=False)


def test_a_very_wide_picture_of_one_row_is_drawn():
    assert len(terminal_picture(np.ones((1, 100)), fancy=False).plain) == 33


@pytest.mark.parametrize(
    ("encoding", "no_color", "term", "expected"),
    [
        ("utf-8", "", "xterm", True),
        ("ascii", "", "xterm", False),
        ("utf-8", "1", "xterm", False),
        ("utf-8", "", "dumb", False),
    ],
)
def test_what_the_terminal_takes(monkeypatch, encoding, no_color, term, expected):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", term)
    assert fancy_terminal(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) is expected
