"""What is given to a read-out of scores, checked: scores, labels and times of the same rows."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from narrows.errors import InputError, UsageError, counted


def scores_of(scores: ArrayLike, what: str = "scores") -> np.ndarray:
    """Scores (N,) as float64, N at least 1, higher is odder.

    Raises:
        InputError: None, of another shape, or not finite.

    Example:
        >>> scores_of([1, 2.5])
        array([1. , 2.5])
        >>> scores_of([1, float("nan")])
        Traceback (most recent call last):
        narrows.errors.InputError: 1 of 2 scores is not a finite number; a number for each row.
    """
    values = np.asarray(scores)
    if values.ndim != 1 or not len(values) or values.dtype.kind not in "fiu":
        raise InputError(f"{what} of shape {values.shape} and type {values.dtype}", expected="numbers (N,), N >= 1")
    bad = int((~np.isfinite(values)).sum())
    if bad:
        lost = f"{bad:,} of {counted(len(values), what.removesuffix('s'), what)} {'is' if bad == 1 else 'are'}"
        raise InputError(f"{lost} not a finite number", expected="a number for each row", code="input.nan")
    return values.astype(np.float64)


def labels_of(labels: ArrayLike | None, rows: int, purpose: str) -> np.ndarray:
    """Labels (N,) as bool, True for an odd row, of which there are some of either kind.

    Args:
        labels: 0 and 1, or False and True.
        rows: How many there must be.
        purpose: What needs them, for the error.

    Raises:
        UsageError: There are none.
        InputError: Another number of them, other values, or one class only.

    Example:
        >>> labels_of([0, 0], 2, "a cost")
        Traceback (most recent call last):
        narrows.errors.InputError: all 2 labels are 0; odd rows (1) and normal ones (0) for a cost.
    """
    if labels is None:
        raise UsageError(
            f"no labels for {purpose}",
            expected="0 for each normal row and 1 for each odd one",
            step="Name the column of labels, or choose a rule that needs none: budget, share or conformal",
            code="usage.labels",
        )
    values = binary(labels, rows)
    if values.all() or not values.any():
        same = f"all {rows:,} labels are {int(values[0])}"
        raise InputError(same, expected=f"odd rows (1) and normal ones (0) for {purpose}", code="input.one_class")
    return values


def binary(labels: ArrayLike, rows: int) -> np.ndarray:
    """Labels (N,) of 0 and 1 as bool."""
    values: Any = np.asarray(labels)
    if values.shape != (rows,):
        raise InputError(f"labels of shape {values.shape}", expected=f"{rows:,}, one for each row", code="input.shape")
    if values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
        other = next((value for value in values.tolist() if value not in (0, 1)), values.dtype)
        raise InputError(f"a label {str(other)[:40]!r}", expected="0 or 1", code="input.labels")
    return values.astype(bool)


def seconds_of(times: ArrayLike, rows: int) -> np.ndarray:
    """Times (N,) in seconds, float64: numbers are seconds already, dates are counted from the first.

    Raises:
        InputError: Another number of them, not times, or missing ones.

    Example:
        >>> seconds_of(np.array(["2026-01-02", "2026-01-03"], "datetime64[D]"), 2)
        array([    0., 86400.])
    """
    values = np.asarray(times)
    if values.shape != (rows,):
        raise InputError(f"times of shape {values.shape}", expected=f"{rows:,}, one for each row", code="input.shape")
    if values.dtype.kind not in "Mmfiu":
        raise InputError(f"times of type {values.dtype}", expected="seconds or dates", code="input.times")
    missing = np.isnat(values) if values.dtype.kind in "Mm" else ~np.isfinite(values)
    if missing.any():
        raise InputError(f"{missing.sum():,} of {rows:,} times are missing", expected="a time for each row")
    if values.dtype.kind == "M":
        values = values - values.min()
    if values.dtype.kind == "m":
        # Whole seconds and the rest apart: nanoseconds of years do not fit a float.
        whole = values.astype("timedelta64[s]")
        return whole.astype(np.float64) + (values - whole) / np.timedelta64(1, "s")
    return values.astype(np.float64)
