"""A detector as plain bytes, and back: JSON and safetensors, never a pickle."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as format_safetensors
from torch import Tensor

from narrows.detect.detector import Detector
from narrows.detect.neighbours import Neighbours
from narrows.detect.networks import Networks
from narrows.detect.units import Units
from narrows.detect.whitening import Whitening
from narrows.errors import DamagedError, ModelError
from narrows.files import parse_json, write_atomic
from narrows.train.packing import as_json

ABOUT, NUMBERS, FORMAT = "detector.json", "detector.safetensors", 1

UNITS = ("centre", "width", "mean", "spread", "low", "high")


def pack(detector: Detector) -> dict[str, bytes]:
    """The files of a detector by name."""
    tensors: dict[str, Tensor] = {f"units.{name}": getattr(detector.units, name) for name in UNITS}
    for kind, parts in (("weight", detector.networks.weights), ("bias", detector.networks.biases)):
        tensors |= {f"{kind}.{i}": part for i, part in enumerate(parts)}
    for name, whitening in (("left", detector.left), ("whole", detector.whole)):
        tensors |= {f"{name}.mean": whitening.mean, f"{name}.root": whitening.root}
    tensors |= {"usual": detector.neighbours.rows, "levels": detector.levels}
    numbers = format_safetensors(tensors)
    about = {"format": FORMAT, "layers": len(detector.networks.weights), "groups": detector.groups}
    return {ABOUT: as_json(about | {"sha256": sha256(numbers).hexdigest()}), NUMBERS: numbers}


def unpack(files: dict[str, bytes]) -> Detector:
    """The detector that `pack` turned into bytes.

    Raises:
        DamagedError: Bytes that are not its own.
    """
    try:
        about: dict[str, Any] = parse_json(files[ABOUT])
        if about["format"] != FORMAT or about["sha256"] != sha256(files[NUMBERS]).hexdigest():
            raise ValueError("the numbers are not those it describes")
        # Copies lie where torch puts them: the alignment of the bytes could change the last bit of a product.
        held = {name: tensor.clone() for name, tensor in parse_safetensors(files[NUMBERS]).items()}
        weights, biases = (tuple(held[f"{kind}.{i}"] for i in range(about["layers"])) for kind in ("weight", "bias"))
        units, usual = Units(*(held[f"units.{name}"] for name in UNITS)), Neighbours(held["usual"])
        left, whole = (Whitening(held[f"{name}.mean"], held[f"{name}.root"]) for name in ("left", "whole"))
        groups = tuple((int(start), int(stop)) for start, stop in about["groups"])
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"{ABOUT} describes no detector ({error})", step="Fit and save it again") from None
    if not all(torch.isfinite(tensor).all() for tensor in held.values()):
        raise DamagedError(f"{NUMBERS} holds numbers that are not finite", step="Fit and save it again")
    return Detector(units, Networks(weights, biases), left, whole, usual, held["levels"], groups)


def write(detector: Detector, folder: Path) -> Path:
    """Write the files of a detector, the one that vouches for the other last."""
    files = pack(detector)
    (folder / ABOUT).unlink(missing_ok=True)
    for name in (NUMBERS, ABOUT):
        write_atomic(folder / name, files[name])
    return folder


def read(folder: Path) -> Detector:
    """The detector in a folder.

    Raises:
        ModelError: No detector there.
        DamagedError: A file that is cut short or altered.
    """
    try:
        files = {name: (folder / name).read_bytes() for name in (ABOUT, NUMBERS)}
    except OSError as error:
        raise ModelError(
            f"no detector in {folder} ({error.strerror})", step="Give a folder that one was saved to"
        ) from None
    return unpack(files)
