"""Which kind a column is: rules tried in order, the first that fits counts; why a column is left out, in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from narrows.data.frames.evidence import Evidence
from narrows.data.frames.kinds import FEWEST, KINDS, NO, YES, Category, Moment, Number, YesNo
from narrows.data.rows import ROW_NAMES
from narrows.errors import InputError, UsageError, unknown

MOSTLY = 0.95
"""Share of numbers above which a column is one of numbers, and its texts are slips."""

ALL_DIFFERENT = 0.95
"""Share of different texts above which they name rows."""

LONG = 64
"""Characters above which texts are prose, if most differ."""

LEAST_NAMES = 20
"""Fewest rows in which different texts are taken for names."""

Verdict = Number | YesNo | Category | Moment | str
"""A column that is used, or why it is not."""


def decide(seen: Evidence, stated: str | None = None) -> Verdict:
    """The kind of a column, learned; or the reason to leave it out.

    Args:
        seen: What is known of it.
        stated: The kind a person stated.

    Raises:
        InputError: Text in a column of numbers.
        UsageError: A stated kind that does not exist or cannot be.
    """
    if stated is not None:
        return as_stated(seen, stated)
    return next(verdict for rule in RULES if (verdict := rule(seen)) is not None)


def as_stated(seen: Evidence, stated: str) -> Verdict:
    """A column as the person says it is."""
    if stated not in KINDS:
        raise unknown("kind of column", stated, KINDS, code="usage.kind")
    if not seen.known:
        return "it is empty"
    if stated == "number" and len(seen.no_number):
        raise no_number(seen, "leave the column out or call it a category")
    if stated == "yes/no" and {word.lower() for word, _ in seen.levels} - {*YES, *NO}:
        raise cannot_be(seen, stated, "words such as yes and no, true and false, 1 and 0")
    if stated == "date" and seen.form is None:
        raise cannot_be(seen, stated, "dates all written in one way, such as 2024-03-31 23:59:00")
    return KINDS[stated].learn(seen) or same(seen)


def cannot_be(seen: Evidence, stated: str, expected: str) -> UsageError:
    """The error for a kind that does not fit."""
    example = seen.levels[0][0][:40] if seen.levels else ""
    return UsageError(f"column {seen.name!r} as {stated}: it has {example!r}", expected=expected, code="usage.kind")


def empty(seen: Evidence) -> Verdict | None:
    """A column with nothing in it."""
    return None if seen.known else "it is empty"


def same(seen: Evidence) -> str:
    """Why a column that never differs is left out."""
    value = str(next((cell for cell in seen.cells.to_pylist()[:100] if cell is not None), ""))[:40]
    return f"it is the same everywhere ({value.strip()})"


def moments(seen: Evidence) -> Verdict | None:
    """Dates and times."""
    if not seen.moment and seen.form is None:
        return None
    return Moment.learn(seen) or same(seen)


def row_numbers(seen: Evidence) -> Verdict | None:
    """Numbers that count the rows, or that name them."""
    if len(seen.no_number) or len(seen.numbers) != len(seen.cells) or len(seen.numbers) <= 2:
        return None
    steps = seen.numbers - seen.rows
    if (steps == steps[0]).all():
        return "it counts the rows"
    whole = (seen.numbers == np.floor(seen.numbers)).all()
    if whole and seen.name.strip().lower() in ROW_NAMES and seen.variety == 1:
        return "it names the rows: no two are equal"
    return None


def yes_or_no(seen: Evidence) -> Verdict | None:
    """Two words that mean yes and no, or 1 and 0."""
    if len(seen.numbers) and not (seen.range == (0, 1) and np.isin(seen.numbers, (0, 1)).all()):
        return None
    if seen.text and not seen.tally.complete:
        return None
    found = {word.lower() for word, _ in seen.levels}
    fits = len(found) == 2 and any({yes, no} == found for yes, no in zip(YES, NO, strict=True))
    return YesNo.learn(seen) if fits else None


def of_numbers(seen: Evidence) -> Verdict | None:
    """Numbers."""
    there = len(seen.numbers) + len(seen.no_number)
    if seen.text and (not there or len(seen.numbers) < MOSTLY * there):
        return None if there else "it has no finite number"
    if len(seen.no_number):
        raise no_number(seen, f"mend that cell, leave {seen.name!r} out, or call it a category")
    if not len(seen.numbers):
        return "it has no finite number"
    return Number.learn(seen) or same(seen)


def no_number(seen: Evidence, step: str) -> InputError:
    """The error for text among numbers."""
    place = int(seen.no_number[0])
    text = str(seen.cells[place].as_py())[:40]
    share = len(seen.numbers) / (len(seen.numbers) + len(seen.no_number))
    return InputError(
        f"column {seen.name!r} has the text {text!r} in row {int(seen.rows[place]):,}",
        expected=f"a number, as in {share:.1%} of its cells",
        step=step[0].upper() + step[1:],
        code="input.text",
    )


def names(seen: Evidence) -> Verdict | None:
    """Texts that name rows, or that are prose."""
    if len(seen.levels) < LEAST_NAMES:
        return None
    if seen.variety >= ALL_DIFFERENT or seen.levels[0][1] < FEWEST:
        return "its texts name the rows: nearly all are different"
    length = np.mean([len(word) for word, _ in seen.levels[:1000]])
    return "it is prose: long texts, most of them different" if length > LONG and seen.variety >= 0.5 else None


def levels(seen: Evidence) -> Verdict | None:
    """One of several words."""
    return Category.learn(seen) or same(seen)


RULES: tuple[Callable[[Evidence], Verdict | None], ...] = (
    empty,
    moments,
    row_numbers,
    yes_or_no,
    of_numbers,
    names,
    levels,
)
"""Rules in order; the last one always answers."""
