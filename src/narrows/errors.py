"""Every error narrows raises on purpose, each with a stable code, the exit status it gives and one next step.

    NarrowsError                 exit  what went wrong
    ├── UsageError (ValueError)     2  a name, an option or a setting that does not exist or does not fit
    ├── InputError (ValueError)     3  the data given cannot be used: empty, NaN, mixed sizes, unreadable
    ├── LimitError (ValueError)     4  larger than a stated limit
    ├── DamagedError (ValueError)   5  a file of ours or a download that is cut short or altered
    ├── ModelError (ValueError)     6  not a run folder, or a model that does not fit the data
    ├── Interrupted                 7  stopped by the user; can be resumed
    └── EnvironmentProblem          8  the machine: no disk, no memory, a missing extra

A bug is any other exception: exit status 1.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class NarrowsError(Exception):
    """An error with a code, a sentence and a next step.

    Args:
        given: What was given and what is wrong with it, without a final full stop.
        expected: The limit or the expectation, without a final full stop.
        step: One thing to do next, a sentence without its full stop.
        code: Stable name of the error, such as "input.nan".

    Example:
        >>> print(LimitError("width 70,000", expected="limit 16,384", step="Scale the picture down", code="limit.side"))
        width 70,000; limit 16,384. Scale the picture down.
    """

    exit = 1
    family = "error"

    def __init__(self, given: str, *, expected: str = "", step: str = "", code: str = ""):
        self.given, self.expected, self.step = given, expected, step
        self.code = code or self.family
        sentence = f"{given}; {expected}." if expected else f"{given}."
        super().__init__(f"{sentence} {step}." if step else sentence)

    def as_dict(self) -> dict[str, str | int]:
        """The error as one JSON-ready object."""
        parts = {"code": self.code, "given": self.given, "expected": self.expected, "step": self.step}
        return {**parts, "message": str(self), "exit": self.exit}


class UsageError(NarrowsError, ValueError):
    """A name, an option or a setting that does not exist or does not fit."""

    exit, family = 2, "usage"


class InputError(NarrowsError, ValueError):
    """Data that cannot be used."""

    exit, family = 3, "input"


class LimitError(NarrowsError, ValueError):
    """Something larger than a stated limit."""

    exit, family = 4, "limit"


class DamagedError(NarrowsError, ValueError):
    """A file that is cut short or altered."""

    exit, family = 5, "damaged"


class ModelError(NarrowsError, ValueError):
    """Not a run folder, or a model that does not fit the data."""

    exit, family = 6, "model"


class Interrupted(NarrowsError):
    """Stopped by the user; the run can be resumed."""

    exit, family = 7, "interrupted"


class EnvironmentProblem(NarrowsError):
    """The machine lacks something: disk, memory, a package."""

    exit, family = 8, "environment"


def counted(count: int, name: str, names: str = "") -> str:
    """A number and its noun, which is one or many.

    Example:
        >>> counted(1, "object"), counted(1200, "object"), counted(2, "entry", "entries")
        ('1 object', '1,200 objects', '2 entries')
    """
    return f"{count:,} {name if count == 1 else names or name + 's'}"


def unknown(
    what: str, given: object, choices: Iterable[str], *, besides: str = "", code: str = "usage.unknown"
) -> UsageError:
    """The error for a name outside a closed list: says the choices, and the nearest one.

    Args:
        what: What it would be the name of.
        given: The name.
        choices: The names there are.
        besides: What else is wrong with the name, if it could have been another thing.
        code: Stable name of the error.

    Example:
        >>> print(unknown("network", "danse", ["conv", "dense", "lstm"]))
        unknown network 'danse'; choose from conv, dense, lstm. Did you mean 'dense'?
    """
    names, words = sorted(choices), str(given)[:80]
    near = get_close_matches(words, names, n=1)
    error = UsageError(f"unknown {what} {words!r}{besides}", expected=f"choose from {', '.join(names)}", code=code)
    if near:
        error.step = f"Did you mean {near[0]!r}?"
        error.args = (f"{error.args[0]} {error.step}",)
    return error


def missing_extra(package: str, extra: str, purpose: str) -> EnvironmentProblem:
    """The error for an optional package that is not installed."""
    return EnvironmentProblem(
        f"{purpose} needs the package {package!r}, which is not installed",
        step=f"Install it with: pip install 'narrows[{extra}]'",
        code="environment.extra",
    )
