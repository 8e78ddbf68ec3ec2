"""scikit-learn's own checks, every one of them, with no failure expected."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from narrows import Autoencoder

SMALL = {"kind": "dense", "widths": [16]}


@parametrize_with_checks([Autoencoder(epochs=3, network=SMALL)])
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [Autoencoder(), Autoencoder(network={"kind": "lstm", "hidden": 8}, bottleneck="variational", epochs=1)]
)
def test_the_checks_of_scikit_learn_with_defaults_and_a_variational_lstm(estimator, check):
    check(estimator)
