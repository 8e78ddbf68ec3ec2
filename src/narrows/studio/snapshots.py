"""Snapshots of a run: its weights, points and tiles at some steps, a file each, never more than a limited number.

    RUN/snapshots/STEP.safetensors
        weights  float16 (P,)    all numbers of the model, in the order of its graph
        points   uint16 (N, 2)   where the objects lie, within
        bounds   float32 (4,)
        tiles    uint8 (E, D)    outputs of the first objects
        rest.*                   what else the model learned: the running sums of a codebook

When there are too many, every second one goes and the distance doubles; the first and the last stay.
"""

from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors
from safetensors.numpy import save as format_safetensors

from narrows.errors import DamagedError, ModelError
from narrows.files import finite, opened, parse_json, write_atomic
from narrows.recipe import PARAMETER_LIMIT
from narrows.studio.frames import (
    POINTS,
    PROJECTIONS,
    TILES,
    WEIGHTS,
    Places,
    points_frame,
    tiles_frame,
    weights_frame,
)

FOLDER = "snapshots"

MOST, MOST_BYTES = 64, 1 << 30
"""Snapshots of a run at most, and bytes of all of them; a few are kept even of the largest model."""

FEWEST = 4

FILE_BYTES = 4 * PARAMETER_LIMIT + (64 << 20)
"""Bytes of the snapshot of the largest model there may be; a longer file is none."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a run was at a step.

    Args:
        step: Steps made.
        epoch: Epochs completed.
        valid: Validation loss of the last of them, or None.
        weights: Numbers of the model, float16 (P,).
        places: Where the first or all objects lie.
        projection: How they came onto the plane.
        tiles: Outputs (E, D), uint8.
        rest: What else the model learned, by name.
    """

    step: int
    epoch: int
    valid: float | None
    weights: np.ndarray
    places: Places
    projection: str
    tiles: np.ndarray
    rest: dict[str, np.ndarray] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """What a list of snapshots says of it."""
        return finite({"step": self.step, "epoch": self.epoch, "valid": self.valid})


def path_of(folder: Path, step: int) -> Path:
    """The file of the snapshot of a step."""
    return folder / FOLDER / f"{step}.safetensors"


def steps_of(folder: Path) -> list[int]:
    """The steps of which a run folder has snapshots, in order."""
    names = (file.stem for file in (folder / FOLDER).glob("*.safetensors"))
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def write_snapshot(folder: Path, snapshot: Snapshot) -> int:
    """Write a snapshot into a run folder; returns its bytes."""
    tensors = {"weights": snapshot.weights, "points": snapshot.places.places, "bounds": snapshot.places.bounds}
    tensors |= {"tiles": snapshot.tiles} | {f"rest.{name}": tensor for name, tensor in snapshot.rest.items()}
    facts = {**snapshot.facts(), "projection": snapshot.projection}
    said = {name: "" if value is None else str(value) for name, value in facts.items()}
    content = format_safetensors({name: np.array(value, order="C") for name, value in tensors.items()}, said)
    write_atomic(path_of(folder, snapshot.step), content)
    return len(content)


def read_snapshot(folder: Path, step: int) -> Snapshot:
    """The snapshot of a step.

    Raises:
        ModelError: There is none.
        DamagedError: It is cut short or altered.
    """
    path = path_of(folder, step)
    if not path.is_file():
        near = ", ".join(map(str, steps_of(folder))) or "none"
        raise ModelError(f"no snapshot of step {step}", expected=f"one of: {near}", code="model.snapshot")
    with opened(path) as file:
        content = file.read(FILE_BYTES + 1)
    try:
        said, tensors = said_in(content), parse_safetensors(content)
        where = Places(tensors.pop("bounds"), tensors.pop("points"))
        rest = {name.removeprefix("rest."): value for name, value in tensors.items() if name.startswith("rest.")}
        valid = float(said["valid"]) if said["valid"] else None
        kept = Snapshot(
            int(said["step"]), int(said["epoch"]), valid, tensors["weights"], where, said["projection"],
            tensors["tiles"], rest,
        )  # fmt: skip
        check(kept, step, len(content))
        return kept
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{path} cannot be read ({str(error)[:200]})", step="Take another snapshot") from None


def check(kept: Snapshot, step: int, size: int) -> None:
    """Refuse a snapshot that its frames could not be made of.

    Raises:
        ValueError: What was read is not what is written.
    """
    bounds, points = kept.places
    found = [(array.dtype.str, array.ndim) for array in (kept.weights, points, bounds, kept.tiles)]
    fits = found == [("<f2", 1), ("<u2", 2), ("<f4", 1), ("|u1", 2)] and (len(bounds), points.shape[1]) == (4, 2)
    if not fits or kept.projection not in PROJECTIONS or kept.step != step or size > FILE_BYTES:
        raise ValueError(f"of step {kept.step}, with {found}"[:200])


def frames_of(snapshot: Snapshot, count: int) -> dict[int, bytes]:
    """The frames of a snapshot by their kind: points, weights and tiles, in that order.

    Args:
        snapshot: The snapshot.
        count: Objects of the shown set, which tells whether its points are all of them.
    """
    complete = len(snapshot.places.places) == count
    return {
        POINTS: points_frame(snapshot.step, snapshot.places, snapshot.projection, complete=complete),
        WEIGHTS: weights_frame(snapshot.step, snapshot.weights),
        TILES: tiles_frame(snapshot.step, snapshot.tiles),
    }


def said_in(content: bytes) -> dict[str, str]:
    """What a file of tensors says beside them.

    Raises:
        ValueError, KeyError, TypeError: It says nothing.
    """
    length = int.from_bytes(content[:8], "little")
    return dict(parse_json(content[8 : 8 + length])["__metadata__"])


class Album:
    """Decides at which steps a run is kept, and which of those go.

    Args:
        folder: The run folder; what lies there already is counted.
        most: Snapshots at most.
        interval: Steps between two of them, to begin with.

    Example:
        >>> album = Album(Path("nowhere"), most=4)
        >>> [(step, album.added(step)) for step in range(6) if album.due(step)]
        [(0, []), (1, []), (2, []), (3, []), (4, [1, 3])]
        >>> album.steps, album.interval
        ([0, 2, 4], 2)
    """

    def __init__(self, folder: Path, most: int = MOST, interval: int = 1):
        self.folder, self.most, self.interval = folder, most, interval
        self.steps = steps_of(folder)

    def due(self, step: int) -> bool:
        """Whether a step is to be kept."""
        return not self.steps or step >= self.steps[-1] + self.interval

    def fit(self, size: int) -> None:
        """Keep no more snapshots than have room, each of `size` bytes."""
        self.most = max(FEWEST, min(self.most, MOST_BYTES // max(size, 1)))

    def added(self, step: int) -> list[int]:
        """Count a snapshot that was taken; returns the steps that have to go."""
        if step not in self.steps:
            self.steps.append(step)
        if len(self.steps) <= self.most:
            return []
        before, span = self.steps, self.steps[-1] - self.steps[0]
        # As far apart again as they are now: where steps were left out, that is more than the interval twice.
        self.interval = max(2 * self.interval, ceil(2 * span / (len(before) - 1)))
        self.steps = spaced(before, self.interval)
        return [step for step in before if step not in self.steps]

    def drop(self, steps: list[int]) -> None:
        """Remove the files of steps that go."""
        for step in steps:
            path_of(self.folder, step).unlink(missing_ok=True)


def spaced(steps: list[int], interval: int) -> list[int]:
    """The first of some rising steps, those that are an interval behind the one before, and the last.

    Example:
        >>> spaced([0, 1, 2, 3, 4, 5], 2), spaced([0, 10, 11, 12, 25], 10)
        ([0, 2, 4, 5], [0, 10, 25])
    """
    kept = steps[:1]
    for step in steps[1:]:
        if step >= kept[-1] + interval or step == steps[-1]:
            kept.append(step)
    return kept


def clear(folder: Path, after: int = -1) -> None:
    """Remove the snapshots of a run folder, or those after a step: the run begins again there."""
    for step in steps_of(folder):
        if step > after:
            path_of(folder, step).unlink(missing_ok=True)
