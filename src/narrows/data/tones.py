"""Tones and noises with known answers: what sounds, at which frequency, and how much noise is over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from narrows.data.splits import part
from narrows.errors import LimitError, UsageError, unknown
from narrows.types import Layout, Split, Splits

COUNT, RATE, WINDOW, SNR = 7000, 8000, 256, 20.0
VALUE_LIMIT = 1 << 28
VIEWS = ("clean", "noisy")

Maker = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]


def waves(frequency: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sines (N, L) of frequencies (N, 1) at times (L,), each with a phase of its own."""
    return np.sin(2 * np.pi * (frequency * t + rng.random(frequency.shape)))


def pitches(count: int, rng: np.random.Generator, low: float = 100, high: float = 1500) -> np.ndarray:
    """Frequencies in Hz, shape (N, 1), evenly spread over the octaves."""
    return np.exp(rng.uniform(np.log(low), np.log(high), (count, 1)))


def pure_tone(start: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One sine."""
    return waves(start, t, rng), start


def chord(start: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A major chord, 4 : 5 : 6; the answer is its root."""
    return waves(start, t, rng) + waves(start * 1.25, t, rng) + waves(start * 1.5, t, rng), start


def sweep(start: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A tone that rises by an octave; the answer is the frequency in the middle."""
    length = t[-1] + t[1]
    return np.sin(2 * np.pi * (start * t * (1 + t / (2 * length)) + rng.random(start.shape))), start * 1.5


def tremolo(start: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A tone whose loudness swings 60 to 150 times a second."""
    swing = waves(rng.uniform(60, 150, start.shape), t, rng)
    return waves(start, t, rng) * (1 + 0.9 * swing), start


def white_noise(start: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """All frequencies alike."""
    return rng.normal(size=(len(start), len(t))), np.full(start.shape, np.nan)


def pink_noise(start: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """As much power in every octave: 3 dB less for each doubling of the frequency."""
    spectrum = np.fft.rfft(rng.normal(size=(len(start), len(t))))
    bins = np.arange(spectrum.shape[1])
    shaped = spectrum * np.where(bins > 0, 1 / np.sqrt(np.maximum(bins, 1)), 0)
    return np.fft.irfft(shaped, len(t)), np.full(start.shape, np.nan)


def clicks(start: np.ndarray, t: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Short beats that die away within a millisecond or so; the answer is how many there are a second."""
    often = rng.uniform(60, 200, start.shape)
    since = (often * t + rng.random(start.shape)) % 1 / often
    return np.exp(-since / 5e-4), often


MAKERS: dict[str, Maker] = {
    "pure tone": pure_tone,
    "chord": chord,
    "sweep": sweep,
    "tremolo": tremolo,
    "white noise": white_noise,
    "pink noise": pink_noise,
    "clicks": clicks,
}
"""What there is to hear, in the order of the class numbers."""


def simulate_tones(
    count: int, rng: np.random.Generator, rate: int = RATE, seconds: float = WINDOW / RATE, snr: float = SNR
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sounds of seven kinds, clean and under white noise of an exact level.

    Args:
        count: How many, as many of each kind as can be.
        rng: Source of randomness.
        rate: Samples a second, 6,000 or more, so that the highest tone fits.
        seconds: Length of each.
        snr: Power of the clean sound over that of the noise added, in dB, exact for every sound.

    Returns:
        Clean and noisy sounds in [-1, 1], shape (N, L) float32; class numbers into `MAKERS`, shape (N,) int64; and
        frequencies in Hz, shape (N,), NaN for the noises.

    Raises:
        UsageError: A count or a length below 1, or too low a rate.

    Example:
        >>> clean, noisy, labels, frequencies = simulate_tones(14, np.random.default_rng(0))
        >>> clean.shape, np.bincount(labels).tolist(), int(np.isnan(frequencies).sum())
        ((14, 256), [2, 2, 2, 2, 2, 2, 2], 4)
    """
    length = round(rate * seconds) if np.isfinite(seconds) else 0
    if count < 1 or length < 2 or rate < 6000:
        raise UsageError(
            f"{count} tones of {length} samples at {rate} a second",
            expected="1 tone, 2 samples and 6,000 a second at least",
            code="usage.tones",
        )
    if count * length > VALUE_LIMIT:
        raise LimitError(
            f"{count:,} tones of {length:,} samples", expected=f"limit {VALUE_LIMIT:,} values", code="limit.memory"
        )
    labels = rng.permutation(np.arange(count) % len(MAKERS))
    t = np.arange(length) / rate
    clean, frequencies = np.empty((count, length)), np.empty((count, 1))
    for number, make in enumerate(MAKERS.values()):
        here = labels == number
        clean[here], frequencies[here] = make(pitches(int(here.sum()), rng), t, rng)
    clean *= rng.uniform(0.3, 0.9, (count, 1)) / np.abs(clean).max(1, keepdims=True)
    noise = rng.normal(size=clean.shape)
    power = (clean**2).mean(1, keepdims=True) / (noise**2).mean(1, keepdims=True)
    noisy = clean + noise * np.sqrt(power * 10 ** (-snr / 10))
    loud = np.maximum(1, np.abs(noisy).max(1, keepdims=True))
    return (clean / loud).astype(np.float32), (noisy / loud).astype(np.float32), labels, frequencies[:, 0]


def load_tones(
    source: Path | None = None,
    *,
    seed: int = 0,
    limit: int | None = None,
    view: str = "auto",
    window: int | None = None,
    count: int = COUNT,
) -> Splits:
    """Seven kinds of tones and noises as series (1, L) of 8,000 samples a second; `where` tells the frequency.

    Args:
        source: Not used; the set is made.
        seed: Decides what sounds and the split.
        limit: Most training objects.
        view: "clean", or "noisy" with white noise 20 dB below; "auto" is clean.
        window: Length in samples, 256 unless given.
        count: How many in all.

    Example:
        >>> data = load_tones(count=70)
        >>> data.layout.shape, data.layout.classes[:2]
        ((1, 256), ('pure tone', 'chord'))
    """
    view = "clean" if view in {"auto", ""} else view
    if view not in VIEWS:
        raise unknown("view", view, VIEWS)
    length = window or WINDOW
    clean, noisy, labels, frequencies = simulate_tones(count, np.random.default_rng(seed), seconds=length / RATE)
    where = np.array(["no pitch" if np.isnan(f) else f"{f:.1f} Hz" for f in frequencies.tolist()], np.str_)
    layout = Layout(
        "tones", "series", (1, length), tuple(MAKERS), units="amplitude", low=-1, high=1, rate=RATE, view=view
    )
    x = (clean if view == "clean" else noisy)[:, None]
    return part(layout, Split(x, labels, where), seed=seed).limited(limit)
