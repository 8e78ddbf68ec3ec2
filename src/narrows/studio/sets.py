"""Data sets kept in memory: the last few that were used, so that play answers at once."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from narrows.data import load
from narrows.recipe import Data
from narrows.types import Splits

KEPT, KEPT_BYTES = 8, 1 << 30

SETS: OrderedDict[str, Splits] = OrderedDict()
"""The sets in memory by all that they depend on, the one used last at the end."""


def key_of(settings: Data, source: str) -> str:
    """All that a loaded set depends on, in words."""
    return settings.with_(name=source, scaling="auto").model_dump_json()


def is_loaded(settings: Data, source: str) -> bool:
    """Whether a set is in memory."""
    return key_of(settings, source) in SETS


def loaded(settings: Data, source: str, progress: Callable[[int, int | None], Any] | None = None) -> Splits:
    """The data of a recipe.

    Args:
        settings: What the recipe says of it.
        source: Where it is, a name or a path.
        progress: Called with bytes so far and in all while something is downloaded.

    Raises:
        NarrowsError: It cannot be loaded.

    Example:
        >>> loaded(Data(name="upload:1"), "digits") is loaded(Data(name="digits"), "digits")
        True
    """
    key = key_of(settings, source)
    if key not in SETS:
        wanted = settings.model_dump(exclude={"name", "scaling"})
        SETS[key] = load(source, **wanted, progress=progress)
    SETS.move_to_end(key)
    forget()
    return SETS[key]


def forget() -> None:
    """Let go of sets that are too many or too large together, those used longest ago first."""
    while len(SETS) > 1 and (len(SETS) > KEPT or sum(map(size_of, SETS.values())) > KEPT_BYTES):
        SETS.popitem(last=False)


def size_of(data: Splits) -> int:
    """Bytes of the objects of a set."""
    return sum(split.x.nbytes for split in (data.train, data.valid, data.test))
