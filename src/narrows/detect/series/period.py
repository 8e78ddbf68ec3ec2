"""The period of a series, by its autocorrelation, and the windows that suit it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from narrows.errors import InputError, UsageError, counted

LEAST, MOST, USUAL = 16, 256, 64
"""Samples of a window that is chosen here, at least and at most, and where nothing repeats."""

SHORTEST = 4
"""Samples of a window that a person may ask for, at least."""

LOOKED_AT = 1 << 17
"""Samples in which a period is looked for, the first ones."""

CLEAR = 0.25
"""Correlation of a series with itself a period later, at least."""

ROUNDS = 12
"""Windows that a series must be as long as, at least."""


@dataclass(frozen=True)
class Window:
    """The length of windows in samples, the period they were chosen by, if there is one, and why in a sentence."""

    length: int
    period: int | None
    why: str


def choose_window(values: np.ndarray, asked: int | None = None) -> Window:
    """The windows for values (T, C) without gaps: those asked for, or of a period, or of a part or a multiple of it.

    Raises:
        UsageError: Windows of less than 4 samples.
        InputError: A series too short for them.

    Example:
        >>> choose_window(np.sin(np.arange(600)[:, None] / 25 * 2 * np.pi)).why
        'Windows of 25 samples: the period of the series.'
    """
    samples = len(values)
    if asked is not None and asked < SHORTEST:
        raise UsageError(f"windows of {counted(asked, 'sample')}", expected=f"at least {SHORTEST}", code="usage.window")
    check_samples(samples, asked or SHORTEST)
    if asked is not None:
        return Window(asked, None, f"Windows of {asked:,} samples, as asked.")
    most = min(MOST, samples // ROUNDS)
    period = find_period(values)
    if period is None:
        length = min(USUAL, most)
        return Window(length, None, f"Windows of {length} samples: no period was found; --window states one.")
    length, words = fitted(period, most)
    return Window(length, period, f"Windows of {length} samples: {words} of the series.")


def fitted(period: int, most: int) -> tuple[int, str]:
    """A length of at most `most` samples that goes with a period, and how, in words.

    Example:
        >>> fitted(25, 256), fitted(5, 256), fitted(1440, 256)
        ((25, 'the period'), (20, '4 times the period (5)'), (240, '1/6 of the period (1,440)'))
    """
    least = min(LEAST, most)
    if period < least:
        times = max(1, min(-(-least // period), most // period))
        return times * period, f"{times} times the period ({period:,})"
    parts = -(-period // most)
    return period // parts, "the period" if parts == 1 else f"1/{parts} of the period ({period:,})"


def check_samples(samples: int, length: int) -> None:
    """Refuse a series of fewer samples than its windows need."""
    if samples < ROUNDS * length:
        raise InputError(
            f"a series of {counted(samples, 'sample')} for windows of {length:,}",
            expected=f"at least {ROUNDS * length:,}",
            step="Give a longer series" + (", or a shorter window" if length > SHORTEST else ""),
            code="input.few",
        )


def find_period(values: np.ndarray) -> int | None:
    """The period in samples of values (T, C) without gaps, that of all channels together; None where there is none.

    It is the first peak of the autocorrelation, a straight line taken out, that nearly reaches the highest one.

    Example:
        >>> time = np.arange(600)[:, None]
        >>> find_period(np.sin(time / 25 * 2 * np.pi)), find_period(np.random.default_rng(0).normal(size=(600, 1)))
        (25, None)
    """
    x = without_line(np.asarray(values[:LOOKED_AT], np.float64))
    power = np.square(x).sum(0)
    moving = power > 1e-12 * (1 + np.square(values[:LOOKED_AT]).sum(0))
    if not moving.any():
        return None
    correlation = autocorrelation(x[:, moving] / np.sqrt(power[moving])).mean(1)[: len(x) // 3]
    # Neighbours are alike in any smooth series: a peak counts once the correlation has been low.
    low = np.flatnonzero(correlation < CLEAR / 2)
    left, inner, right = correlation[:-2], correlation[1:-1], correlation[2:]
    peaks = 1 + np.flatnonzero((inner >= left) & (inner > right) & (inner > CLEAR))
    peaks = peaks[peaks > low[0]] if len(low) else peaks[:0]
    return int(peaks[correlation[peaks] >= 0.9 * correlation[peaks].max()][0]) if len(peaks) else None


def without_line(x: np.ndarray) -> np.ndarray:
    """Columns (T, C) without the straight line that fits each best."""
    time = np.linspace(-1, 1, len(x))[:, None]
    x = x - x.mean(0)
    return x - time * (time * x).sum(0) / np.square(time).sum()


def autocorrelation(x: np.ndarray) -> np.ndarray:
    """Columns (T, C) of length 1, correlated with themselves so many samples later (T, C), long lags not shrunk."""
    size = 2 ** int(np.ceil(np.log2(2 * len(x))))
    spectrum = np.fft.rfft(x, size, axis=0)
    found = np.fft.irfft(np.square(np.abs(spectrum)), size, axis=0)[: len(x)]
    return found * (len(x) / np.arange(len(x), 0, -1))[:, None]
