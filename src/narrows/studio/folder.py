"""A run folder as the list shows it: read without torch, and without trust that it is whole.

What a run is and how far it came stands in recipe.json, model.json, metrics.jsonl, report.json and manifest.json; each
may be missing, cut short or somebody else's.
"""

import os
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from narrows.changes import parse
from narrows.errors import NarrowsError
from narrows.files import parse_json, read_json
from narrows.recipe import Recipe

RECIPE, MODEL, MANIFEST = "recipe.json", "model.json", "manifest.json"
METRICS, REPORT, RESUME, START = "metrics.jsonl", "report.json", "resume.safetensors", "start.safetensors"

FRESH_SECONDS = 30.0
"""A run that is not finished and whose files changed within so many seconds is taken for one that trains."""

HISTORY_BYTES, LINES_LIMIT, LINE_BYTES = 32 << 20, 100_000, 1 << 14
"""So much of metrics.jsonl is read at most: its end; and of its lines."""

TERMS_LIMIT, NAME_LIMIT = 32, 80
"""Terms of the loss of an epoch that are read, and letters of their names."""


@dataclass(frozen=True)
class Facts:
    """What a run folder says of itself.

    Args:
        recipe: What is trained.
        state: "done", "diverged", "stopped", or "running" where its files have just changed.
        epochs: One line of metrics.jsonl each.
        report: How well it did beside PCA, or nothing yet.
        stamp: When its files changed last, in seconds since 1970.
    """

    recipe: Recipe
    state: str
    epochs: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    stamp: float = 0.0

    def row(self) -> dict[str, Any]:
        """The columns of the store that it decides."""
        losses = [value for value in (loss(epoch, "valid") for epoch in self.epochs) if value is not None]
        last: dict[str, Any] = self.epochs[-1] if self.epochs else {}
        return {
            "state": self.state,
            "epoch": len(self.epochs),
            "epochs": self.recipe.training.epochs,
            "seconds": last.get("seconds") or 0.0,
            "loss": loss(last, "train"),
            "valid": losses[-1] if losses else None,
            "best": min(losses, default=None),
            "pca": pca_of(self.report),
            "stamp": self.stamp,
        }


def loss(epoch: dict[str, Any], part: str) -> float | None:
    """The loss of an epoch on "train" or "valid", None where it is not a number."""
    terms = epoch.get(part)
    value = terms.get("loss") if isinstance(terms, dict) else None
    return number(value)


def number(value: Any) -> float | None:
    """A value as a finite number, None where it is none.

    Example:
        >>> number(2), number("2"), number(10**400), number(True)
        (2.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if isfinite(value) else None
    except OverflowError:
        return None


def pca_of(report: dict[str, Any]) -> float | None:
    """The test error of PCA that a report names."""
    try:
        return number(report["baseline"]["pca"]["mse"])
    except (KeyError, TypeError):
        return None


def read_folder(folder: Path, now: float) -> Facts | None:
    """What a folder says, or None where it is not the folder of a run that can be read.

    Args:
        folder: Any folder.
        now: The time, in seconds since 1970.
    """
    try:
        if not is_whole(folder):
            return None
        values = read_json(folder / RECIPE)
        recipe = parse(values)
        stamp = changed(folder)
        return Facts(recipe, state_of(folder, now - stamp), read_history(folder), optional(folder / REPORT), stamp)
    except (NarrowsError, OSError, ValueError, TypeError):
        return None


def is_own(path: Path) -> bool:
    """Whether a folder of the runs lies there itself and is no link to another place."""
    return path.is_dir() and not path.is_symlink()


def is_whole(folder: Path) -> bool:
    """Whether a folder, and each in it, holds files and folders alone: no links to what is none of the run's.

    Nor pipes or devices, which may never begin or end. Nothing of a run lies deeper.
    """
    entries = entries_of(folder)
    inner = [entry for place in entries if place.is_dir(follow_symlinks=False) for entry in entries_of(place)]
    return all(
        entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False) for entry in [*entries, *inner]
    )


def entries_of(folder: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    """What a folder holds."""
    with os.scandir(folder) as entries:
        return list(entries)


def state_of(folder: Path, age: float) -> str:
    """How a run ended, or whether it seems to train."""
    if not (folder / MANIFEST).is_file():
        return "running" if age < FRESH_SECONDS else "stopped"
    return "diverged" if optional(folder / MODEL).get("stopped") == "diverged" else "done"


def changed(folder: Path) -> float:
    """When the files of a run changed last."""
    paths = (folder / name for name in (RECIPE, MODEL, METRICS, RESUME, MANIFEST, REPORT))
    return max((path.stat().st_mtime for path in paths if path.is_file()), default=0.0)


def optional(path: Path) -> dict[str, Any]:
    """An object of JSON, or an empty one where it is missing or damaged."""
    try:
        values = read_json(path)
    except NarrowsError:
        return {}
    return values if isinstance(values, dict) else {}


def read_history(folder: Path) -> list[dict[str, Any]]:
    """What the lines of metrics.jsonl say; one that a kill cut short, or that is none of ours, is left out."""
    path = folder / METRICS
    try:
        if not path.is_file():
            return []
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - HISTORY_BYTES))
            lines = file.read(HISTORY_BYTES).rsplit(b"\n", LINES_LIMIT)
    except OSError:
        return []
    return [epoch for epoch in map(line, lines[-LINES_LIMIT:]) if epoch]


def line(text: bytes) -> dict[str, Any]:
    """One line of metrics.jsonl, of it what is as we write it; an empty object where it is no epoch.

    Example:
        >>> line(b'{"train": {"loss": 0.5, "x": "<b>"}, "seconds": "long"}')["train"], line(b"[" * 5000)
        ({'loss': 0.5, 'x': None}, {})
    """
    try:
        said = parse_json(text) if len(text) <= LINE_BYTES else {}
    except ValueError:
        return {}
    if not isinstance(said, dict) or not said:
        return {}
    losses = {part: terms(said.get(part)) for part in ("train", "valid")}
    return {**losses, "best": said.get("best") is True, "seconds": number(said.get("seconds"))}


def terms(said: Any) -> dict[str, float | None]:
    """The terms of a loss by their names."""
    pairs = list(said.items())[:TERMS_LIMIT] if isinstance(said, dict) else []
    return {name[:NAME_LIMIT]: number(value) for name, value in pairs}
