"""The tour's words: numbers of the data at hand, and claims only beside the figures that bear them out."""

import pytest


@pytest.mark.parametrize(
    ("kind", "shape", "words"),
    [
        ("image", [1, 28, 28], "784 pixels"),
        ("image", [8, 8], "64 pixels"),
        ("image", [3, 32, 32], "1,024 pixels of 3 colours"),
        ("series", [1, 140], "140 samples"),
        ("series", [2, 96], "96 samples in 2 channels"),
        ("spectrum", [103], "103 bands"),
        ("table", [1], "1 column"),
        ("sound", [1, 8000], "8,000 samples"),
        ("sound", [1, 64, 32], "2,048 numbers"),
    ],
)
def test_what_an_object_consists_of_is_counted(lab, kind, shape, words):
    body = 'return (await import("narrows/learn/about")).madeOf({ kind, shape });'
    assert lab(body, kind=kind, shape=shape) == words


@pytest.mark.parametrize(
    ("size", "grid", "words"), [(1, [], "one number"), (2, [], "two numbers"), (8, [7, 7], "392 numbers")]
)
def test_what_passes_is_counted(lab, size, grid, words):
    body = 'return (await import("narrows/learn/about")).codeOf({ code: { size, grid } });'
    assert lab(body, size=size, grid=grid) == words


FACTS = {
    "state": "running", "ours": 0.05, "first": 0.2, "train": 0.04, "mean": 0.07, "pca": 0.06, "sound": 0.03,
    "denoised": 0.04, "real": 0.02, "scrambled": 0.09,
}  # fmt: skip
CASES = [
    ("blurred", {"ours": 0.069}, {"ours": 0.03}, ".0690"),
    ("blurred", {"state": "diverged", "ours": None}, {"ours": 0.03}, "diverged"),
    ("collapsed", {"ours": 0.07}, {"ours": 0.04}, ".0700"),
    ("poorer", {}, {"sound": 0.06}, ".0500"),
    ("copied", {"ours": 0.0007}, {}, "1%"),
    ("stillNoisy", {}, {"sound": 0.05}, ".0400"),
    ("unmoved", {"ours": 0.199}, {}, ".200"),
    ("fooled", {"scrambled": 0.021}, {}, ".0210"),
    ("learnedByHeart", {"train": 0.001}, {}, "50 times"),
]


@pytest.mark.parametrize(("name", "true", "false", "figure"), CASES)
def test_a_claim_is_weighed_by_figures_and_told_with_them(lab, name, true, false, figure):
    body = """
      const proof = (await import("narrows/learn/proofs"))[name];
      return [proof(yes), proof(no), proof(nothing)];
    """
    nothing = {**dict.fromkeys(FACTS), "state": "running"}
    holds, fails, unknown = lab(body, name=name, yes=FACTS | true, no=FACTS | false, nothing=nothing)
    assert (holds["holds"], fails["holds"], unknown) == (True, False, None)
    assert figure in holds["words"]
