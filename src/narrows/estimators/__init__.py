"""scikit-learn estimators over all of it. Importing this package imports torch and scikit-learn."""

from narrows.estimators.autoencoder import Autoencoder

__all__ = ["Autoencoder"]
