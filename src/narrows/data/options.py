"""Settings of a data source: one that has no meaning for it is refused, never passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any

from narrows.errors import UsageError

OPTIONS = ("seed", "limit", "view", "side", "window", "label", "missing", "leave_out")
IDLE = ("auto", "", None, "stop", ())
"""What view, side, window, label, missing and leave_out are where nobody has set them."""


def options_for(loader: Callable[..., Any], source: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings that a loader takes.

    Raises:
        UsageError: A setting is not left as it was, and the loader does not take it.
    """
    taken = [name for name in OPTIONS if name in signature(loader).parameters]
    refuse_others(source, taken, options)
    return {name: options[name] for name in taken if name in options}


def refuse_others(source: str, taken: Iterable[str], options: Mapping[str, Any]) -> None:
    """Refuse a setting that has no meaning for a source, and say which have one.

    Example:
        >>> refuse_others("digits", ["seed"], {"seed": 1, "side": None})
        >>> refuse_others("digits", ["seed"], {"side": 4})
        Traceback (most recent call last):
        narrows.errors.UsageError: data.side=4 has no meaning for digits; it takes data.seed, data.limit.
    """
    known = {"seed", "limit", *taken}
    for name, value in options.items():
        if name not in known and value not in IDLE:
            raise UsageError(
                f"data.{name}={value} has no meaning for {source}",
                expected=f"it takes {', '.join(f'data.{each}' for each in OPTIONS if each in known)}",
                code="usage.option",
            )
