"""scikit-learn estimators over all of it. Importing this package imports torch and scikit-learn."""

from narrows.estimators.autoencoder import Autoencoder
from narrows.estimators.detector import AnomalyDetector
from narrows.estimators.likepyod import PyODAnomalyDetector

__all__ = ["AnomalyDetector", "Autoencoder", "PyODAnomalyDetector"]
