"""narrows: learn, tinker with, see and use autoencoders.

    data -> corruption -> encoder -> bottleneck -> decoder -> objective -> read-out

The public names below are found when they are first used, so that `import narrows` costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "AnomalyDetector": "narrows.estimators",
    "Autoencoder": "narrows.estimators",
    "Layout": "narrows.types",
    "NarrowsError": "narrows.errors",
    "Recipe": "narrows.recipe",
    "Split": "narrows.types",
    "Splits": "narrows.types",
    "assign": "narrows.changes",
    "build": "narrows.recipe",
    "fit": "narrows.train",
    "load": "narrows.data",
    "open_run": "narrows.train",
    "recipe_for": "narrows.recipe",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'narrows' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
