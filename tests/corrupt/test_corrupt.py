"""Every corruption: one contract, and one test of meaning each."""

import pytest
import torch

from narrows.corrupt import CORRUPTIONS
from narrows.errors import UsageError

SHAPES = {"vector": (24,), "series": (2, 24), "picture": (3, 8, 8)}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def allowed(name, shape):
    try:
        CORRUPTIONS[name]().check(shape)
    except UsageError:
        return False
    return True


CASES = [(name, shape) for name in CORRUPTIONS for shape in SHAPES.values() if allowed(name, shape)]


@pytest.mark.parametrize(("name", "shape"), CASES, ids=str)
class TestContract:
    def test_shape_type_and_input_stay(self, name, shape):
        x = torch.rand(5, *shape)
        before = x.clone()
        y, mask = CORRUPTIONS[name]()(x, seeded())
        assert (y.shape, y.dtype, mask.dtype) == (x.shape, x.dtype, torch.bool)
        assert torch.equal(x, before)

    def test_where_the_mask_is_false_nothing_changed(self, name, shape):
        x = torch.rand(5, *shape)
        y, mask = CORRUPTIONS[name]()(x, seeded())
        assert torch.equal(y.where(~mask, x), x)

    def test_randomness_is_the_argument(self, name, shape):
        x = torch.rand(5, *shape)
        one, again, other = (CORRUPTIONS[name]()(x, seeded(seed))[0] for seed in (1, 1, 2))
        assert torch.equal(one, again)
        assert name == "none" or not torch.equal(one, other)

    def test_settings_survive_json(self, name, shape):
        settings = CORRUPTIONS[name]()
        assert type(settings).model_validate_json(settings.model_dump_json()) == settings


def test_gaussian_noise_has_the_level_asked_for():
    y, _ = CORRUPTIONS["gaussian"](sigma=0.3)(torch.zeros(100, 1000), seeded())
    assert y.std().item() == pytest.approx(0.3, rel=0.01)


def test_salt_and_pepper_hit_the_share_asked_for_half_and_half():
    y, hit = CORRUPTIONS["salt-pepper"](share=0.2)(torch.full((100, 1000), 0.5), seeded())
    assert hit.float().mean().item() == pytest.approx(0.2, abs=4 * (0.2 * 0.8 / 1e5) ** 0.5)
    assert (y == 1).float().mean().item() == pytest.approx(0.1, abs=0.004)


@pytest.mark.parametrize(("name", "ratio", "hidden"), [("mask-pixels", 0.25, 16), ("mask-patches", 0.25, 16)])
def test_the_masked_share_is_exact_in_every_object(name, ratio, hidden):
    _, mask = CORRUPTIONS[name](ratio=ratio)(torch.rand(20, 3, 8, 8), seeded())
    assert mask.sum((1, 2, 3)).tolist() == [hidden] * 20


def test_spans_are_whole():
    _, mask = CORRUPTIONS["mask-spans"](ratio=0.3, length=5)(torch.rand(50, 1, 40), seeded())
    edges = mask.int().diff(dim=-1).abs().sum().item() / 2
    assert mask.sum().item() / max(edges, 1) > 4


@pytest.mark.parametrize(
    ("name", "settings", "shape", "words"),
    [
        ("mask-patches", {"side": 3}, (1, 8, 8), "divisor of 8"),
        ("mask-patches", {}, (24,), "pictures"),
        ("mask-spans", {"length": 30}, (1, 24), "at most 24"),
        ("mask-spans", {}, (1, 8, 8), "series or vectors"),
    ],
)
def test_impossible_shapes_are_refused(name, settings, shape, words):
    with pytest.raises(UsageError, match=words):
        CORRUPTIONS[name](**settings).check(shape)
