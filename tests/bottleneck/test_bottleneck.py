"""Every bottleneck: one contract, and one test of meaning each."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from narrows.bottleneck import BOTTLENECKS, FSQ, VQ, SparseTopK, Variational
from narrows.bottleneck.plain import squared_slope
from narrows.bottleneck.sparse import bernoulli_kl, keep_largest
from narrows.bottleneck.variational import normal_kl
from narrows.errors import LimitError, UsageError


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make(name, size=8, features=12, values=100):
    torch.manual_seed(0)
    return BOTTLENECKS[name](size=size).build(features, values)


@pytest.mark.parametrize("grid", [(), (3,), (2, 5)], ids=str)
@pytest.mark.parametrize("name", BOTTLENECKS)
class TestContract:
    def test_shape(self, name, grid):
        assert make(name)(torch.randn(4, *grid, 12), rng=seeded()).z.shape == (4, *grid, 8)

    def test_same_randomness_same_code(self, name, grid):
        part, h = make(name), torch.randn(4, *grid, 12)
        assert torch.equal(part(h, rng=seeded()).z, part(h, rng=seeded()).z)

    def test_without_randomness_the_code_is_deterministic(self, name, grid):
        part, h = make(name), torch.randn(4, *grid, 12)
        assert torch.equal(part(h).z, part(h).z)

    def test_gradient_reaches_every_parameter(self, name, grid):
        part, x = make(name), torch.randn(4, *grid, 12, requires_grad=True)
        code = part(x, rng=seeded(), x=x)
        (code.z.square().sum() + sum(code.penalties.values())).backward()
        assert [n for n, p in part.named_parameters() if p.grad is None] == []

    def test_every_penalty_is_a_finite_scalar_with_a_weight(self, name, grid):
        part, x = make(name), torch.randn(4, *grid, 12, requires_grad=True)
        penalties = part(x, rng=seeded(), x=x).penalties
        assert penalties.keys() <= part.weights(1.0).keys()
        assert all(p.ndim == 0 and p.isfinite() for p in penalties.values())

    def test_settings_and_weights_survive(self, name, grid):
        settings, part, h = BOTTLENECKS[name](size=8), make(name), torch.randn(4, *grid, 12)
        part.learn(part(h, rng=seeded()), seeded())
        again = type(settings).model_validate_json(settings.model_dump_json()).build(12, 100)
        again.load_state_dict(part.state_dict())
        assert torch.equal(part(h).z, again(h).z)

    def test_a_code_larger_than_allowed_is_refused(self, name, grid):
        size = 4 * (BOTTLENECKS[name].overcomplete * 5 + 4)
        settings = BOTTLENECKS[name](size=size)
        with pytest.raises(LimitError, match="for objects of 5 numbers"):
            settings.check(5)


def test_the_normal_divergence_is_that_of_torch():
    mean, log_variance = torch.randn(50), torch.randn(50)
    oracle = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(normal_kl(mean, log_variance), oracle)


def test_the_bernoulli_divergence_is_that_of_torch():
    q = torch.linspace(0.01, 0.99, 30)
    torch.testing.assert_close(bernoulli_kl(0.05, q), kl_divergence(Bernoulli(torch.tensor(0.05)), Bernoulli(q)))


def test_variational_samples_have_the_stated_mean_and_variance():
    part = make("variational")
    h = torch.randn(1, 12).expand(40_000, 12)
    code = part(h, rng=seeded())
    deviation = (0.5 * code.extras["log_variance"][0]).exp()
    torch.testing.assert_close(code.z.mean(0), part(h[:1]).z[0], atol=0.02, rtol=0)
    torch.testing.assert_close(code.z.std(0), deviation, atol=0.02, rtol=0)


def test_beta_warms_up_and_is_shared_among_the_values():
    part = Variational(size=2, beta=3.0, warm_up=0.5).build(4, values=10)
    assert [round(part.weights(p)["kl"], 6) for p in (0.0, 0.25, 0.5, 1.0)] == [0.0, 0.15, 0.3, 0.3]


def test_keep_largest_keeps_exactly_k():
    z = torch.randn(100, 16)
    kept = keep_largest(z, 3)
    assert torch.equal((kept != 0).sum(1), torch.full((100,), 3))
    torch.testing.assert_close(kept.abs().sum(1), z.abs().topk(3, dim=1).values.sum(1))


def test_the_slope_is_unbiased_against_the_exact_jacobian():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
    x = torch.randn(1, 6)
    exact = torch.autograd.functional.jacobian(network, x).square().sum()
    many = x.repeat(20_000, 1).requires_grad_()
    torch.testing.assert_close(squared_slope(network(many), many, seeded()), exact, rtol=0.02, atol=0)


def test_an_index_of_vq_returns_its_code():
    part, h = make("vq"), torch.randn(30, 12)
    part.learn(part(h, rng=seeded()), seeded())
    code = part(h)
    assert torch.equal(part.decode_indices(code.extras["indices"]), code.z)


def test_vq_chooses_the_nearest_entry():
    part, h = make("vq"), torch.randn(30, 12)
    code, z = part(h), part.project(h).reshape(30, part.groups, part.width)
    oracle = torch.stack([torch.cdist(z[:, g], part.entries[g]).argmin(1) for g in range(part.groups)], 1)
    assert torch.equal(code.extras["indices"], oracle)


def test_vq_entries_move_to_the_centres_of_their_inputs():
    torch.manual_seed(0)
    part = VQ(size=2, group=2, entries=4, decay=0.5).build(2, 9)
    with torch.no_grad():
        part.project.weight.copy_(torch.eye(2))
        part.project.bias.zero_()
    centres = torch.tensor([[3.0, 3.0], [-3.0, 3.0], [3.0, -3.0], [-3.0, -3.0]])
    rng = seeded(1)
    for _ in range(60):
        h = centres.repeat(50, 1) + 0.1 * torch.randn(200, 2, generator=rng)
        part.learn(part(h, rng=rng), rng)
    distances = torch.cdist(centres, part.entries[0]).amin(1)
    assert (distances < 0.1).all()


def test_vq_revives_entries_nobody_uses():
    part, rng = VQ(size=2, group=2, entries=16, decay=0.5).build(2, 9), seeded()
    h = torch.randn(500, 2)
    part.learn(part(h, rng=rng), rng)
    with torch.no_grad():
        part.entries[0, 3:] = 1e3
        part.sums[0, 3:], part.counts[0, 3:] = 0.0, 0.0
    for _ in range(5):
        part.learn(part(h, rng=rng), rng)
    used = part(h).extras["indices"].unique()
    assert len(used) > 12


def test_an_index_of_fsq_returns_its_code_and_uses_every_level():
    part = FSQ(size=3, levels=5).build(4, 9)
    code = part(10 * torch.randn(2000, 4))
    torch.testing.assert_close(part.decode_indices(code.extras["indices"]), code.z)
    assert code.extras["indices"].unique().tolist() == [0, 1, 2, 3, 4]


def test_a_group_that_does_not_divide_the_size_is_refused():
    with pytest.raises(UsageError, match="divisor"):
        VQ(size=10, group=4).check(100)


def test_more_passing_than_there_are_is_refused():
    with pytest.raises(UsageError, match="at most"):
        SparseTopK(size=4, k=5).check(100)
