"""Reconstruction sheets: the pixels are those of the input, the numbers are the errors."""

import numpy as np
import pytest
from PIL import Image

from narrows.cli.draw import paper
from narrows.cli.draw.mosaic import as_pixels, gain_of
from narrows.cli.draw.panels import words_of
from narrows.cli.draw.sheet import Rows, reconstruction_sheet
from narrows.cli.draw.tables import _entries
from narrows.cli.draw.values import Values, fields_of
from narrows.errors import InputError, LimitError, UsageError


def pixels_of(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def find(sheet, picture):
    """Corner of the one place where a picture stands on a sheet, exactly."""
    height, width = picture.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(sheet, (height, width, 3))[:, :, 0]
    corners = np.argwhere(
        (windows[:, :, 0, 0] == picture[0, 0]).all(-1) & (windows[:, :, -1, -1] == picture[-1, -1]).all(-1)
    )
    return [tuple(c) for c in corners if (sheet[c[0] : c[0] + height, c[1] : c[1] + width] == picture).all()]


@pytest.mark.parametrize(("shape", "factor"), [((1, 8, 8), 14), ((1, 28, 28), 4), ((3, 32, 32), 3), ((1, 200, 150), 1)])
def test_each_input_pixel_stands_on_the_sheet_as_it_is(tmp_path, rng, shape, factor):
    x = rng.integers(0, 256, (2, *shape), dtype=np.uint8)
    path = reconstruction_sheet({"input": x, "output": x // 2}, tmp_path / "a.png", kind="image", values=Values(0, 255))
    enlarged = x[1].transpose(1, 2, 0).repeat(factor, 0).repeat(factor, 1)
    assert len(find(pixels_of(path), np.broadcast_to(enlarged, (*enlarged.shape[:2], 3)))) == 1


def test_outputs_stand_below_inputs(tmp_path, rng):
    x, y = rng.integers(0, 256, (2, 1, 1, 8, 8), dtype=np.uint8)
    sheet = pixels_of(
        reconstruction_sheet({"input": x, "output": y}, tmp_path / "a.png", kind="image", values=Values(0, 255))
    )
    above, below = (find(sheet, as_pixels(row, 0, 255)[0].repeat(14, 0).repeat(14, 1))[0] for row in (x, y))
    assert (above[1], below[0] - above[0]) == (below[1], 112 + paper.GAP)


def test_large_pictures_are_averaged_down(opened, tmp_path):
    x = np.zeros((1, 3, 600, 400), np.uint8)
    path = reconstruction_sheet({"input": x}, tmp_path / "a.png", kind="image", values=Values(0, 255))
    assert opened(path).size[1] < 400


def test_a_perfect_output_has_a_white_error_row(tmp_path):
    x = np.full((1, 1, 8, 8), 0.25, np.float32)
    sheet = pixels_of(
        reconstruction_sheet({"input": x, "output": x}, tmp_path / "a.png", kind="image", values=Values(0, 1))
    )
    assert len(find(sheet, np.full((112, 112, 3), 255, np.uint8))) == 1


def test_the_error_row_is_the_enlarged_difference(tmp_path):
    x, y = np.zeros((1, 1, 8, 8), np.float32), np.full((1, 1, 8, 8), 0.1, np.float32)
    sheet = pixels_of(
        reconstruction_sheet({"input": x, "output": y}, tmp_path / "a.png", kind="image", values=Values(0, 1))
    )
    expected = np.broadcast_to(paper.ramp(np.float32(0.1) * 8), (112, 112, 3))
    assert len(find(sheet, expected)) == 1


def test_the_ramp_darkens_in_equal_steps():
    from skimage.color import rgb2lab

    light = rgb2lab(paper.ramp(np.linspace(0, 1, 9))[None] / 255)[0, :, 0]
    assert np.ptp(np.diff(light)) < 5


@pytest.mark.parametrize(("error", "gain"), [(0.9, 1), (0.4, 2), (0.12, 8), (0.0, 32)])
def test_the_factor_makes_errors_visible_without_clipping(error, gain):
    assert gain_of([np.full(10, error)]) == gain


def test_many_bands_show_three_of_them():
    x = np.arange(103, dtype=np.float32)[None, :, None, None] * np.ones((1, 1, 2, 2), np.float32)
    assert as_pixels(x, 0, 102)[0, 0, 0].tolist() == [190, 128, 65]


@pytest.mark.parametrize("count", [1, 12, 13, 40])
def test_objects_wrap_into_bands(opened, tmp_path, count):
    x = np.zeros((count, 1, 8, 8), np.uint8)
    path = reconstruction_sheet(
        {"input": x}, tmp_path / "a.png", kind="image", values=Values(0, 255), captions={"class": ["c"] * count}
    )
    assert opened(path).size[0] < 1800


@pytest.mark.parametrize("count", [48, 96])
def test_many_objects_stand_in_blocks(opened, tmp_path, count):
    x = np.zeros((count, 1, 8, 8), np.uint8)
    wide, tall = opened(reconstruction_sheet({"input": x, "output": x}, tmp_path / "a.png", kind="image")).size
    assert 0.4 < tall / wide < 1.5


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("series", (4, 2, 90)),
        ("series", (2, 1, 9000)),
        ("spectrum", (5, 103)),
        ("table", (3, 7)),
        ("table", (1, 1)),
        ("sound", (2, 129)),
    ],
)
def test_lines_are_drawn_in_the_inks_of_input_output_and_error(tmp_path, rng, kind, shape):
    x = rng.normal(size=shape)
    path = reconstruction_sheet({"input": x, "output": x * 0.5}, tmp_path / "a.png", kind=kind, title="t")
    colours = {tuple(c) for c in pixels_of(path).reshape(-1, 3)}
    inks = {(0x1C, 0x21, 0x27), (0xB3, 0x26, 0x1E)} | ({(0x6B, 0x3F, 0xB0)} if kind != "table" else set())
    assert inks <= colours


PEOPLE = Values(columns=("age", "city=Bern", "city=Genf"), original=lambda x: x * [10, 1, 1] + [40, 0, 0])
TABLE = {
    "input": np.array([[1.0, 1, 0], [-1, 0, 1], [0, 0, 0]]),
    "output": np.array([[0.5, 0.2, 0.7], [-1, 0.1, 0.9], [0, 0.4, 0.1]]),
}


def rows_of(given, values):
    return Rows(given, {name: values.original(row) for name, row in given.items()}, 0.0, 1.0, values, {}, None)


def test_a_table_says_its_columns_in_their_units_and_its_words():
    entries, left = _entries(rows_of(TABLE, PEOPLE))
    assert [(e.field.name, e.texts["input"], e.texts["output"]) for e in entries] == [
        ("age", ["50", "30", "40"], ["45", "30", "40"]),
        ("city", ["Bern", "Genf", "none"], ["Genf", "Genf", "Bern"]),
    ]
    assert left == 0


def test_the_bars_of_a_table_add_up_to_the_error():
    rows = rows_of(TABLE, PEOPLE)
    entries, _ = _entries(rows)
    np.testing.assert_allclose(sum(entry.added for entry in entries), rows.squares("output"), rtol=1e-6)


def test_of_many_columns_those_of_the_largest_error_are_drawn(opened, tmp_path):
    x = np.zeros((2, 100))
    y = x + np.arange(100) / 100
    entries, left = _entries(rows_of({"input": x, "output": y}, Values()))
    assert ([e.field.name for e in entries][::39], left) == (["column 60", "column 99"], 60)
    assert opened(reconstruction_sheet({"input": x, "output": y}, tmp_path / "a.png", kind="table")).size[1] < 1200


@pytest.mark.parametrize("names", [("a=1", "b=1"), ("a=1", "b", "a=2"), ("a", "a=1")])
def test_columns_that_are_no_neighbours_of_one_name_stay_numbers(names):
    assert [entry.name for entry in fields_of(Values(columns=names), len(names))] == list(names)


@pytest.mark.parametrize("kind", ["image", "series", "table", "spectrum", "sound"])
def test_the_error_is_that_of_the_values_given_whatever_is_drawn(tmp_path, kind, rng):
    x, y = rng.normal(size=(2, 2, 1, 4, 4)) if kind == "image" else rng.normal(size=(2, 2, 9))
    values = Values(original=lambda row: row * 1000 + 7)
    rows = rows_of({"input": x, "output": y}, values)
    np.testing.assert_allclose(rows.squares("output"), ((x - y) ** 2).reshape(2, -1).mean(1), rtol=1e-5)
    assert reconstruction_sheet({"input": x, "output": y}, tmp_path / "a.png", kind=kind, values=values).exists()


def test_words_above_an_object_name_it_and_its_errors():
    x = np.zeros((2, 4))
    rows = Rows({"input": x, "output": x + 0.5, "PCA, 2 numbers": x + 1}, {}, 0.0, 1.0, Values(), {}, None)
    rows.captions = {"object": ["7", "9"], "class": ["", "normal"]}
    assert [words_of(rows, n) for n in (0, 1)] == [
        "object 7 · MSE .250 · PCA 1",
        "object 9 · class normal · MSE .250 · PCA 1",
    ]


def test_values_are_drawn_in_their_own_units(tmp_path, rng):
    x = rng.normal(size=(3, 20))
    scaled = reconstruction_sheet({"": x}, tmp_path / "a.png", kind="spectrum", values=Values(original=np.exp))
    plain = reconstruction_sheet({"": np.exp(x)}, tmp_path / "b.png", kind="spectrum")
    assert scaled.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize(("kind", "shape"), [("image", (3, 1, 8, 8)), ("series", (3, 1, 20)), ("table", (3, 4))])
def test_a_row_without_a_name_has_no_label_and_no_blank_below(tmp_path, kind, shape, rng):
    sheet = pixels_of(reconstruction_sheet({"": rng.random(shape)}, tmp_path / "a.png", kind=kind))
    inked = np.flatnonzero((sheet != sheet[0, 0]).any(-1).any(1))
    assert sheet.shape[0] - inked[-1] <= paper.MARGIN + paper.GAP + 6
    if kind == "image":
        assert np.flatnonzero((sheet != sheet[0, 0]).any(-1).any(0))[0] == paper.MARGIN - 1


def test_constant_values_are_drawn(tmp_path):
    assert reconstruction_sheet(
        {"input": np.ones((1, 5)), "output": np.ones((1, 5))}, tmp_path / "a.png", kind="spectrum"
    ).exists()


def test_odd_captions_and_names_are_drawn(opened, tmp_path):
    x = np.zeros((2, 1, 8, 8), np.uint8)
    rows = {"input": x, "a name that is longer than any column could be, by far": x}
    path = reconstruction_sheet(
        rows, tmp_path / "a.png", kind="image", captions={"class": ["日本 ×", "\x00\u202e" * 50]}, title="é" * 300
    )
    assert opened(path).size[0] > 0


BAD = {
    "nan": ({"input": np.full((1, 1, 8, 8), np.nan)}, InputError, "not finite"),
    "infinite": ({"input": np.zeros((1, 1, 2, 2)), "output": np.full((1, 1, 2, 2), np.inf)}, InputError, "'output'"),
    "no rows": ({}, InputError, "without objects"),
    "no objects": ({"input": np.zeros((0, 1, 8, 8))}, InputError, "without objects"),
    "different numbers": ({"input": np.zeros((2, 1, 8, 8)), "output": np.zeros((1, 1, 8, 8))}, InputError, "numbers"),
    "different sizes": ({"input": np.zeros((1, 1, 8, 8)), "output": np.zeros((1, 1, 9, 8))}, InputError, "shape"),
    "different masks": ({"input": np.zeros((1, 1, 8, 8)), "mask": np.zeros((1, 1, 9, 8))}, InputError, "height"),
    "not pictures": ({"input": np.zeros((3, 64))}, InputError, "N, C, H, W"),
    "words": ({"input": np.array(["a"])}, InputError, "not finite numbers"),
    "too many": ({"input": np.zeros((99, 1, 2, 2))}, LimitError, "limit 98"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_rows_are_refused_and_nothing_is_written(tmp_path, case):
    rows, error, words = BAD[case]
    with pytest.raises(error, match=words):
        reconstruction_sheet(rows, tmp_path / "a.png", kind="image")
    assert list(tmp_path.iterdir()) == []


def test_only_png_is_written(tmp_path):
    with pytest.raises(UsageError, match=r"\.png"):
        reconstruction_sheet({"input": np.zeros((1, 1, 2, 2))}, tmp_path / "a.jpg", kind="image")


def test_no_matplotlib_is_needed(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert reconstruction_sheet({"input": np.zeros((1, 9))}, tmp_path / "a.png", kind="series").exists()


def test_spectrograms_are_drawn_as_pictures(tmp_path, rng):
    x = rng.integers(0, 256, (1, 1, 28, 28), dtype=np.uint8)
    sheet = pixels_of(reconstruction_sheet({"input": x}, tmp_path / "a.png", kind="sound", values=Values(0, 255)))
    assert len(find(sheet, as_pixels(x, 0, 255)[0].repeat(4, 0).repeat(4, 1))) == 1
