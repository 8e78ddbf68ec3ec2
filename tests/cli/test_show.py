"""Which objects are shown, and what is said of them."""

import numpy as np
import pytest

from narrows.cli.show import chosen, ends_of, evenly
from narrows.cli.talk import Talk
from narrows.types import Layout, Split


def split_of(labels):
    return Split(np.zeros((len(labels), 1)), np.array(labels))


def test_every_class_is_shown_and_the_objects_of_each_are_spread():
    labels = [0] * 100 + [1] * 50 + [2]
    shown = chosen(split_of(labels), 9)
    assert np.array(labels)[shown].tolist() == [0] * 4 + [1] * 4 + [2]
    assert shown[[0, 3, 4, 7]].tolist() == [0, 99, 100, 149]


def test_of_many_classes_those_in_between_are_shown_too():
    assert chosen(split_of(list(range(36)) * 2), 3).tolist() == [0, 18, 35]


@pytest.mark.parametrize("labels", [[-1] * 30, None])
def test_without_classes_the_objects_are_spread(labels):
    split = Split(np.zeros((30, 1)), None if labels is None else np.array(labels))
    assert chosen(split, 4).tolist() == [0, 10, 19, 29]


def test_objects_without_a_class_come_last():
    assert chosen(split_of([-1, 1, -1, 0]), 3).tolist() == [3, 1, 0]


@pytest.mark.parametrize("count", [1, 5, 6, 99])
def test_no_more_than_there_are_and_none_twice(count):
    shown = chosen(split_of([0, 0, 1, 1, 1, -1]), count)
    assert len(shown) == len(set(shown.tolist())) == min(count, 6)


def test_even_steps_end_at_the_ends():
    assert (evenly(359, 96)[[0, -1]].tolist(), len(evenly(359, 96)), evenly(3, 9).tolist()) == ([0, 358], 96, [0, 1, 2])


@pytest.mark.parametrize(
    ("layout", "ends"),
    [
        (Layout("a", "sound", (3,), columns=("0 Hz", "10 Hz", "20 Hz"), rate=40.0), ("0 Hz", "20 Hz")),
        (Layout("a", "series", (1, 201), rate=100.0), ("0 s", "2 s")),
        (Layout("a", "series", (2, 140)), ("sample 0", "sample 139")),
        (Layout("a", "table", (2,), columns=("x", "y")), ("", "")),
        (Layout("a", "image", (1, 8, 8)), ("", "")),
    ],
)
def test_the_ends_of_a_line_are_named(layout, ends):
    assert ends_of(layout) == ends


@pytest.mark.parametrize("as_json", [False, True])
def test_a_pipe_takes_no_pictures_in_colour(as_json, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert not Talk(as_json).in_colours
