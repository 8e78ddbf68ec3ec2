"""The likelihood of a variational model, beside a sum over the whole of a one-dimensional code."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from narrows.changes import assign
from narrows.data.scaling import fit_scaling
from narrows.errors import ModelError
from narrows.readout.likelihood import log_likelihood
from narrows.recipe import Recipe, build
from narrows.types import Layout

LAYOUT = Layout("bits", "table", (6,), low=0, high=1)


def model(*changes):
    x = np.array([[0, 1] * 3, [1, 0] * 3], np.float32)
    recipe = assign(Recipe(), ["network.widths=8", *changes, "bottleneck.size=1", 'objective={"bce":1}'])
    return build(recipe, LAYOUT, fit_scaling(x, LAYOUT)).eval(), x


def test_importance_sampling_finds_the_likelihood_of_quadrature():
    made, x = model("bottleneck=variational")
    with torch.no_grad():
        for parameter in made.decoder.parameters():
            parameter.mul_(1.5)
        z = np.linspace(-8, 8, 4001)
        p = made.decode(torch.from_numpy(z[:, None]).float()).numpy().astype(np.float64).clip(1e-6, 1 - 1e-6)
    given = np.exp((np.log(p)[:, None] * x + np.log1p(-p)[:, None] * (1 - x)).sum(2))
    exact = np.log(np.trapezoid(given * norm.pdf(z)[:, None], z, axis=0))
    np.testing.assert_allclose(log_likelihood(made, x, samples=4000), exact, atol=0.02)


def test_more_samples_tighten_the_bound():
    made, x = model("bottleneck=variational")
    many = np.repeat(x, 300, axis=0)
    one, fifty = (log_likelihood(made, many, samples=k).mean() for k in (1, 50))
    assert one < fifty <= log_likelihood(made, many, samples=400).mean() + 0.01


def test_a_plain_code_has_no_likelihood():
    made, x = model()
    with pytest.raises(ModelError, match="variational"):
        log_likelihood(made, x)
