"""Curves: where PCA wins, what is refused, and files that open."""

import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from narrows.cli.draw.curve import Curve, error_curves, losing_points, loss_curve
from narrows.cli.draw.figure import spread
from narrows.errors import EnvironmentProblem, InputError, UsageError

PCA = Curve("PCA", [2, 8, 32], [0.06, 0.03, 0.01], is_baseline=True)
DENSE = Curve("dense", [2, 8, 32], [0.04, 0.02, 0.011], low=[0.03, 0.01, 0.01], high=[0.05, 0.03, 0.02])
RED = "#b3261e"


def test_png_has_the_stated_size(opened, tmp_path):
    assert opened(error_curves([DENSE, PCA], tmp_path / "a.png", title="t")).size == (1440, 896)


def test_svg_is_xml(tmp_path):
    root = ElementTree.parse(error_curves([DENSE, PCA], tmp_path / "a.svg", title="t")).getroot()
    assert root.tag.endswith("svg")


def test_the_same_curves_give_the_same_bytes(tmp_path):
    one, two = (error_curves([DENSE, PCA], tmp_path / name, title="t").read_bytes() for name in ("a.svg", "b.svg"))
    assert one == two


def test_a_point_that_pca_beats_is_ringed(tmp_path):
    assert RED in error_curves([DENSE, PCA], tmp_path / "a.svg", title="t").read_text()


def test_no_ring_where_pca_never_wins(tmp_path):
    better = Curve("dense", [2, 8, 32], [0.04, 0.02, 0.009])
    assert RED not in error_curves([better, PCA], tmp_path / "a.svg", title="t").read_text()


def test_losing_points_are_judged_between_the_baseline_points():
    curve = Curve("conv", [2, 4, 16, 64], [0.07, 0.042, 0.018, 0.5])
    assert losing_points(curve, [PCA]).tolist() == [True, False, True, False]


def test_the_baseline_does_not_lose_to_itself():
    assert not losing_points(PCA, [PCA, DENSE]).any()


@pytest.mark.parametrize(
    "curve",
    [
        Curve("one $\\frac{ point", [8], [0.02]),
        Curve("zero", [1, 2], [0.0, 0.0]),
        Curve("below", [0, 1], [-1.0, 1.0]),
        Curve("wide", list(range(1, 200)), np.geomspace(1e-9, 1e3, 199).tolist()),
        Curve("日本 " + "x" * 200, [1, 2], [3, 4]),
    ],
)
def test_odd_curves_are_drawn(opened, tmp_path, curve):
    assert opened(error_curves([curve], tmp_path / "a.png", title="$^_{", y_label="$x$")).size[0] > 0


@pytest.mark.parametrize(
    "curves",
    [
        [],
        [Curve("a", [], [])],
        [Curve("a", [1, 2], [1])],
        [Curve("a", [1], [float("nan")])],
        [Curve("a", [2, 1], [1, 1])],
        [Curve("a", [1], [1], low=[1, 2])],
    ],
)
def test_bad_curves_are_refused(tmp_path, curves):
    with pytest.raises(InputError):
        error_curves(curves, tmp_path / "a.png", title="t")


def test_loss_skips_gaps_and_shows_the_baseline(opened, tmp_path):
    history = {"train": [1.0, float("nan"), 0.01], "validation": [2.0, 1.0, 0.5], "empty": [float("nan")]}
    assert opened(loss_curve(history, tmp_path / "a.png", baseline=("PCA", 0.3))).size == (1440, 736)


def test_loss_without_a_value_is_refused(tmp_path):
    with pytest.raises(InputError, match="finite"):
        loss_curve({"train": [float("nan")]}, tmp_path / "a.png")


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\.png, \.svg"):
        error_curves([PCA], tmp_path / "a.gif", title="t")


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(EnvironmentProblem, match=r"narrows\[plot\]"):
        error_curves([PCA], tmp_path / "a.png", title="t")


def limits_of(curves, path, monkeypatch):
    from narrows.cli.draw import figure

    kept = []
    monkeypatch.setattr(figure, "save_figure", lambda page, path: kept.append(page))
    error_curves(curves, path, title="t")
    return kept[0].axes[0].get_ylim()


@pytest.mark.parametrize("lowest", [0.0, 1e-12])
def test_a_baseline_near_zero_does_not_flatten_the_networks(tmp_path, monkeypatch, lowest):
    pca = Curve("PCA", [2, 8, 32], [0.06, 0.03, lowest], is_baseline=True)
    low, _ = limits_of([DENSE, pca], tmp_path / "a.png", monkeypatch)
    assert 1e-4 < low < 0.01 / 20


def test_marks_stand_clear_of_the_edges(tmp_path, monkeypatch):
    low, high = limits_of([DENSE, PCA], tmp_path / "a.png", monkeypatch)
    assert high > 0.06 * 1.08
    assert low < 0.01 / 1.08


def test_the_typeface_is_that_of_the_sheets():
    from PIL import ImageFont

    from narrows.cli.draw.figure import typefaces

    assert typefaces()[0] == ImageFont.load_default(16).getname()[0]


def test_labels_are_spread_apart_within_the_frame(rng):
    places = spread(rng.random(8).tolist(), 0.1, 0.0, 1.0)
    assert np.diff(sorted([-0.1, *places, 1.1])).min() > 0.0999
