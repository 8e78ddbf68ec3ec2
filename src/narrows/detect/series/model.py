"""A detector of the odd instants of one kind of series: its channels, what scores them, what scores mean.

values -> detector -> scores -> p-values and alarms -> the channels to blame
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as format_safetensors

from narrows.detect.blame import Alarm, alarms_of
from narrows.detect.conformal import p_values
from narrows.detect.model import normal
from narrows.detect.packing import UNITS
from narrows.detect.series.autoencoders import Autoencoders
from narrows.detect.series.detector import Instants, SeriesDetector
from narrows.detect.series.stream import Stream
from narrows.detect.series.windows import Grid
from narrows.detect.threshold import Rule, Threshold
from narrows.detect.units import Units
from narrows.detect.whitening import Whitening
from narrows.errors import DamagedError, ModelError
from narrows.files import parse_json, write_atomic
from narrows.train.packing import as_json

ABOUT, NUMBERS, FORMAT = "series.json", "series.safetensors", 1

WHITENINGS = ("sharp", "broad")


HELD = ("scores", "times", "labels")

UNSEEN = "held-out instants"
"""The instants a threshold is fitted on, in words."""


@dataclass(frozen=True, eq=False)
class HeldScores:
    """Instants that a detector did not see.

    Args:
        scores: Their scores (M,).
        times: Seconds (M,), or None.
        labels: 1 for each odd one, 0 for each usual one (M,), or None.
    """

    scores: np.ndarray
    times: np.ndarray | None = None
    labels: np.ndarray | None = None

    def threshold(self, rule: Rule) -> Threshold:
        """The threshold of a rule."""
        return rule.fit(self.scores, self.labels, self.times, on=UNSEEN)

    def arrays(self) -> dict[str, np.ndarray]:
        """What there is, by name."""
        return {name: getattr(self, name) for name in HELD if getattr(self, name) is not None}


@dataclass(frozen=True, eq=False)
class SeriesModel:
    """A detector with all that it takes to use it on the next series of the same kind.

    Args:
        names: Of the channels (C,).
        detector: What scores.
        held: Scores (M,), times and labels of instants that the detector did not see, without those of no value.
        threshold: From which score on an instant raises an alarm.
        samples: Instants it was made from.
    """

    names: tuple[str, ...]
    detector: SeriesDetector
    held: HeldScores
    threshold: Threshold
    samples: int

    def score(self, values: np.ndarray) -> Instants:
        """The instants of values (T, C), scored; T is at least a window.

        Raises:
            InputError: Another number of channels, an infinity, or fewer values than a window.
        """
        return self.detector.score(values)

    def stream(self) -> Stream:
        """Scores of a series that comes in pieces: `push` them, and `finish` at the end."""
        return Stream(self.detector)

    def p_values(self, instants: Instants) -> np.ndarray:
        """The p-value of each instant (T,); 1 where nothing was seen."""
        p = np.ones(len(instants))
        if instants.seen.any():
            p[instants.seen] = p_values(instants.scores[instants.seen], normal(self.held.scores, self.held.labels))
        return p

    def alarms(self, instants: Instants) -> np.ndarray:
        """Whether each instant raises an alarm (T,)."""
        return (instants.scores >= self.threshold.value) & instants.seen

    def ruled(self, rule: Rule) -> SeriesModel:
        """The same with another threshold, fitted on the scores that it keeps.

        Raises:
            UsageError: The rule needs labels or times that those do not have, or cannot be kept on so few.
        """
        return replace(self, threshold=self.held.threshold(rule))

    def to_files(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model into a folder, JSON and safetensors; the file that vouches for the others last.

        Raises:
            EnvironmentProblem: The folder cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ABOUT).unlink(missing_ok=True)
        detector = self.detector
        detector.autoencoders.to_files(folder)
        tensors = {f"units.{name}": getattr(detector.units, name) for name in UNITS}
        for name in WHITENINGS:
            whitening = getattr(detector, name)
            tensors |= {f"{name}.mean": whitening.mean, f"{name}.root": whitening.root}
        held = {f"held.{name}": torch.from_numpy(np.array(value)) for name, value in self.held.arrays().items()}
        tensors |= {"levels": detector.levels, **held}
        numbers = format_safetensors({name: tensor.contiguous() for name, tensor in tensors.items()})
        write_atomic(folder / NUMBERS, numbers)
        about = {
            "format": FORMAT,
            "channels": list(self.names),
            "grid": [detector.grid.length, detector.grid.hop, detector.grid.delay],
            "autoencoders": len(detector.autoencoders),
            "threshold": self.threshold.model_dump(mode="json"),
            "samples": self.samples,
            "sha256": sha256(numbers).hexdigest(),
        }
        write_atomic(folder / ABOUT, as_json(about))
        return folder

    @classmethod
    def from_files(cls, folder: str | os.PathLike[str]) -> SeriesModel:
        """The model in a folder.

        Raises:
            ModelError: No model there.
            DamagedError: A file that is cut short or altered.
        """
        folder = Path(folder)
        try:
            text, numbers = (folder / ABOUT).read_bytes(), (folder / NUMBERS).read_bytes()
        except OSError as error:
            step = "Give a folder that `narrows detect --series --save` wrote"
            raise ModelError(f"no detector of series in {folder} ({error.strerror})", step=step) from None
        try:
            about: dict[str, Any] = parse_json(text)
            if about["format"] != FORMAT or about["sha256"] != sha256(numbers).hexdigest():
                raise ValueError("the numbers are not those it describes")
            held = {name: tensor.clone() for name, tensor in parse_safetensors(numbers).items()}
            if not all(torch.isfinite(tensor).all() for tensor in held.values()):
                raise ValueError("numbers that are not finite")
            units = Units(*(held[f"units.{name}"] for name in UNITS))
            sharp, broad = (Whitening(held[f"{name}.mean"], held[f"{name}.root"]) for name in WHITENINGS)
            grid = Grid(*(int(number) for number in about["grid"]))
            autoencoders = Autoencoders.from_files(folder, int(about["autoencoders"]))
            return cls(
                tuple(map(str, about["channels"])),
                SeriesDetector(grid, units, autoencoders, sharp, broad, held["levels"]),
                HeldScores(**{name: held[f"held.{name}"].numpy() for name in HELD if f"held.{name}" in held}),
                Threshold.model_validate(about["threshold"]),
                int(about["samples"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"{ABOUT} describes no detector of series ({error})", step="Save it again") from None


def told_alarms(
    rows: np.ndarray,
    instants: Instants,
    names: tuple[str, ...],
    p: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    where: Sequence[str] | None = None,
) -> tuple[Alarm, ...]:
    """Some instants in words: which channels were odd, and what was expected there.

    Args:
        rows: Their places in `instants` (n,).
        instants: All instants.
        names: Of the channels.
        p: P-values of all instants (T,).
        labels: 1 for each odd one (T,), where it is known.
        where: Which each of `rows` is, in words; its number in the series without.
    """
    where = where or [f"row {instants.first + int(row) + 1:,}" for row in rows]

    def told(row: int, channel: int) -> tuple[str, str]:
        value = instants.values[row, channel]
        given = "missing" if np.isnan(value) else number_words(value)
        return given, f"about {number_words(instants.expected[row, channel])}"

    scores = instants.scores
    return alarms_of(rows, scores, instants.parts[rows], names, told, p_values=p, labels=labels, where=where)


def number_words(value: float) -> str:
    """A number with as many digits as tell something.

    Example:
        >>> [number_words(value) for value in (12345.678, 0.0123456, -3.0)]
        ['12,350', '0.01235', '-3']
    """
    shown = float(f"{value:.4g}")
    return f"{shown:,.0f}" if abs(shown) >= 1000 else f"{shown:.4g}"
