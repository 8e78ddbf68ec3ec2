"""scikit-learn's own checks of outlier detectors, every one of them, with no failure expected."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from narrows import AnomalyDetector


@parametrize_with_checks([AnomalyDetector(steps=(60, 60))])
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
