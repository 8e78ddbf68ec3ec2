"""Data sets kept in memory: the last few that were used, so that play answers at once.

Each is read in a thread of its own. Who waits for one may leave: it is read to its end all the same, and is there when
somebody comes back to it.
"""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Lock, Thread
from typing import Any

from narrows.data import load
from narrows.recipe import Data
from narrows.types import Splits

KEPT, KEPT_BYTES = 8, 1 << 30

LOOK_SECONDS = 0.02
"""So often is asked whether to leave while a set is read."""

Progress = Callable[[int, int | None], Any]
"""Called with the bytes so far and in all."""

SETS: OrderedDict[str, Splits] = OrderedDict()
"""The sets in memory by all that they depend on, the one used last at the end."""

READING: dict[str, "Reading"] = {}
"""The sets that are being read."""

LOCK = Lock()
"""Held by who looks into `SETS` and `READING` or changes them."""


def key_of(settings: Data, source: str) -> str:
    """All that a loaded set depends on, in words."""
    return settings.with_(name=source, scaling="auto").model_dump_json()


def is_loaded(settings: Data, source: str) -> bool:
    """Whether a set is in memory."""
    return key_of(settings, source) in SETS


class Reading:
    """A set that is being read, from now on.

    Args:
        settings: What the recipe says of it.
        source: Where it is, a name or a path.
    """

    def __init__(self, settings: Data, source: str):
        self.settings, self.source, self.key = settings, source, key_of(settings, source)
        self.found: Future[Splits] = Future()
        self.come: tuple[int, int | None] | None = None
        READING[self.key] = self
        Thread(target=self.read, daemon=True, name="data").start()

    def read(self) -> None:
        """Read it, and keep it."""
        try:
            wanted = self.settings.model_dump(exclude={"name", "scaling"})
            data = load(self.source, **wanted, progress=self.tell)
        except BaseException as error:
            with LOCK:
                del READING[self.key]
            self.found.set_exception(error)
            return
        with LOCK:
            del READING[self.key]
            SETS[self.key] = data
            forget()
        self.found.set_result(data)

    def tell(self, done: int, total: int | None) -> None:
        """Note how far a download is, for whoever waits."""
        self.come = done, total


def loaded(settings: Data, source: str) -> Splits:
    """The data of a recipe.

    Args:
        settings: What the recipe says of it.
        source: Where it is, a name or a path.

    Raises:
        NarrowsError: It cannot be loaded.

    Example:
        >>> loaded(Data(name="upload:1"), "digits") is loaded(Data(name="digits"), "digits")
        True
    """
    data = read(settings, source)
    assert data is not None
    return data


def read(
    settings: Data, source: str, progress: Progress | None = None, leave: Callable[[], bool] = lambda: False
) -> Splits | None:
    """The data of a recipe, or None where `leave` says so before they are read.

    Args:
        settings: What the recipe says of it.
        source: Where it is, a name or a path.
        progress: Called again and again while something is downloaded.
        leave: Asked again and again.

    Raises:
        NarrowsError: It cannot be loaded.
    """
    key = key_of(settings, source)
    with LOCK:
        if key in SETS:
            SETS.move_to_end(key)
            return SETS[key]
        reading = READING.get(key) or Reading(settings, source)
    while not wait([reading.found], LOOK_SECONDS).done:
        if leave():
            return None
        if progress and reading.come:
            progress(*reading.come)
    return reading.found.result()


def forget() -> None:
    """Let go of sets that are too many or too large together, those used longest ago first."""
    while len(SETS) > 1 and (len(SETS) > KEPT or sum(map(size_of, SETS.values())) > KEPT_BYTES):
        SETS.popitem(last=False)


def size_of(data: Splits) -> int:
    """Bytes of the objects of a set."""
    return sum(split.x.nbytes for split in (data.train, data.valid, data.test))
