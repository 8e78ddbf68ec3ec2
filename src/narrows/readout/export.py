"""A trained model as an ONNX file that needs neither narrows nor torch, checked before it is handed out.

    whole    raw objects -> scale -> encoder -> bottleneck -> decoder -> head -> unscale -> raw objects
    encoder  raw objects -> scale -> encoder -> bottleneck -> codes
    decoder  codes -> decoder -> head -> unscale -> raw objects

The number of objects is free. The length of a series is free for the encoder of an LSTM that takes a sample a step;
its decoder has learned a bias for each step, so it makes series of the one length it was trained on.

References:
    Open Neural Network Exchange, https://onnx.ai
"""

import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from narrows.errors import LimitError, ModelError, missing_extra, unknown
from narrows.files import atomic
from narrows.model import Model
from narrows.nn.lstm import LSTMEncoder
from narrows.recipe import Recipe
from narrows.train.feed import generator
from narrows.types import Layout

OPSET = 20
"""Version of the ONNX operators: what torch 2.13 takes by itself, written down so that it does not move."""

SIZE_LIMIT = 1_900_000_000
"""Bytes of weights in one file: the format ends at 2 GiB."""

TOLERANCE = 1e-4
"""Largest difference between file and live model, relative to the largest value in the network's units."""

BATCHES = (1, 5)
"""Batch sizes a file is checked at; it is made from a batch of 2."""

NUDGES = 16
"""Times an object is moved by a rounding error, to see whether its code stands on the border of two."""


class Whole(nn.Module):
    """Raw objects (B, *shape) to their reconstruction in raw units."""

    def __init__(self, model: Model):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model.unscaled(self.model(self.model.scaled(x)).output)


class Encode(Whole):
    """Raw objects (B, *shape) to codes (B, *grid, K)."""

    def forward(self, x: Tensor) -> Tensor:
        return self.model.encode(self.model.scaled(x)).z


class Decode(Whole):
    """Codes (B, *grid, K) to objects (B, *shape) in raw units."""

    def forward(self, x: Tensor) -> Tensor:
        return self.model.unscaled(self.model.decode(x))


class Part(NamedTuple):
    """A part of a model that can be a file: its module, and what goes in and comes out."""

    module: type[Whole]
    input: str
    output: str


PARTS = {
    "whole": Part(Whole, "objects", "reconstruction"),
    "encoder": Part(Encode, "objects", "codes"),
    "decoder": Part(Decode, "codes", "objects"),
}


@dataclass(frozen=True)
class Exported:
    """A file that was checked.

    Args:
        path: Where it is.
        part: Name in `PARTS`.
        bytes: Its size.
        inputs: Name and axes of what goes in; an axis of free size has a name.
        outputs: Name and axes of what comes out.
        difference: Largest difference from the live model that was seen, relative to the largest value.
    """

    path: Path
    part: str
    bytes: int
    inputs: dict[str, list[int | str]]
    outputs: dict[str, list[int | str]]
    difference: float

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON-ready values."""
        return {**vars(self), "path": str(self.path)}


def export_onnx(
    model: Model, path: str | os.PathLike[str], *, recipe: Recipe, layout: Layout, part: str = "whole"
) -> Exported:
    """Write a trained model as an ONNX file: float32 in, float32 out, any number of objects.

    The file is written under another name, run by onnxruntime beside the live model at other batch sizes, and
    only then renamed. Classes, units, recipe and version go along as its metadata.

    Args:
        model: A trained model.
        path: The file to write; an earlier one is replaced.
        recipe: What was trained.
        layout: What one object is.
        part: "whole", "encoder" or "decoder".

    Raises:
        UsageError: An unknown part.
        LimitError: More weights than one file holds.
        EnvironmentProblem: onnx, onnxruntime or onnxscript is not installed, or the disk is full.
        ModelError: The file does not do what the model does; no file is left.
    """
    if part not in PARTS:
        raise unknown("part", part, PARTS)
    size = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
    if size > SIZE_LIMIT:
        raise LimitError(f"{size:,} bytes of weights", expected=f"at most {SIZE_LIMIT:,} in an ONNX file")
    runtime = required()
    live = PARTS[part].module(deepcopy(model).cpu()).eval().requires_grad_(False)
    with atomic(path) as temporary:
        translate(live, probe(live, 2), part, about(model, recipe, layout, part), temporary)
        # From bytes, not from the file: weights that were put into a second file would be found missing.
        session = runtime.InferenceSession(temporary.read_bytes(), providers=["CPUExecutionProvider"])
        difference = compare(live, lambda x: session.run(None, {PARTS[part].input: x})[0])
        size = temporary.stat().st_size
    inputs, outputs = axes(session.get_inputs()), axes(session.get_outputs())
    return Exported(Path(path), part, size, inputs, outputs, difference)


def axes(ports: list[Any]) -> dict[str, list[int | str]]:
    """The axes of each input or output of a session, by its name."""
    return {port.name: list(port.shape) for port in ports}


def required() -> Any:
    """The module onnxruntime, after a look whether all that is needed is installed."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            module = import_module(package)
        except ImportError:
            raise missing_extra(package, "onnx", "Exporting to ONNX") from None
    return module


def about(model: Model, recipe: Recipe, layout: Layout, part: str) -> dict[str, str]:
    """What the file says of itself: JSON by name."""
    from narrows import __version__

    values = {
        "version": __version__,
        "part": part,
        "data": layout.name,
        "kind": layout.kind,
        "shape": layout.shape,
        "code": model.code_shape,
        "classes": layout.classes,
        "columns": layout.columns,
        "units": layout.units,
        "recipe": recipe.model_dump(mode="json"),
    }
    return {f"narrows.{name}": json.dumps(value, ensure_ascii=False) for name, value in values.items()}


def translate(live: Whole, example: Tensor, part: str, notes: dict[str, str], path: Path) -> None:
    """Write a part as an ONNX file, unchecked.

    Args:
        live: The part, in evaluation mode.
        example: Inputs of the right shape (2, ...).
        part: Name in `PARTS`.
        notes: Metadata by name.
        path: The file.
    """
    free = {0: "batch", **({2: "length"} if isinstance(live, Encode) and any_length(live.model) else {})}
    shapes, names = (dict.fromkeys(free, torch.export.Dim.DYNAMIC),), PARTS[part]
    with hushed():
        program = torch.onnx.export(
            live, (example,), dynamo=True, dynamic_shapes=shapes, input_names=[names.input],
            output_names=[names.output], opset_version=OPSET, verbose=False,
        )  # fmt: skip
        assert program is not None
        shape: Any = program.model.graph.inputs[0].shape
        program.rename_axes({shape[axis]: name for axis, name in free.items()})
    program.model.metadata_props.update(notes)
    program.save(path, external_data=False)


def any_length(model: Model) -> bool:
    """Whether the encoder reads series of any length: an LSTM that takes a sample a step."""
    encoder = model.encoder
    return isinstance(encoder, LSTMEncoder) and len(model.shape) == 2 and encoder.steps.chunk == 1


@contextmanager
def hushed() -> Iterator[None]:
    """Without the exporter's remarks on its own code: what counts is whether the file does what the model does."""
    noisy = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in noisy]
    try:
        for logger in noisy:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(noisy, levels, strict=True):
            logger.setLevel(level)


@torch.no_grad()
def probe(live: Whole, count: int, longer: int = 0) -> Tensor:
    """Inputs to try a part with: objects of random values around the middle of those learned from, or their codes.

    Args:
        live: The part.
        count: How many, B.
        longer: Samples more than the series learned from have.
    """
    model, (*front, last) = live.model, live.model.shape
    x = torch.rand(count, *front, last + longer, generator=generator("cpu", count, longer))
    raw = model.unscaled(x)
    return model.encode(model.scaled(raw)).z if isinstance(live, Decode) else raw


@torch.no_grad()
def compare(live: Whole, run: Callable[[np.ndarray], np.ndarray]) -> float:
    """The largest difference between the live part and a file of it that was seen, relative to the largest value.

    Objects whose code stands on the border of two (the nearest entry, the rounded level, the k-th largest number)
    may fall to either side by a rounding error: they are left out, where they are not most.

    Raises:
        ModelError: The file does something else.
    """
    longer = [7] if isinstance(live, Encode) and any_length(live.model) else []
    seen = 0.0
    for x in (*(probe(live, count) for count in BATCHES), *(probe(live, BATCHES[-1], more) for more in longer)):
        try:
            given = torch.from_numpy(run(x.numpy()))
        except Exception as error:
            raise refusal(f"the file does not run on {len(x)} objects: {str(error).splitlines()[0]}") from None
        wanted = live(x)
        if given.shape != wanted.shape:
            raise refusal(f"the file gives {tuple(given.shape)} instead of {tuple(wanted.shape)}")
        far = differences(live, given, wanted)
        border = on_a_border(live, x, wanted) if (far > TOLERANCE).any() else torch.zeros(len(x), dtype=torch.bool)
        kept = far[~border]
        if 2 * len(kept) < len(far) or not (kept <= TOLERANCE).all():
            raise refusal(f"the file differs from the model by {far.max():.2g} of the largest value")
        seen = max(seen, kept.max().item())
    return seen


def differences(live: Whole, given: Tensor, wanted: Tensor) -> Tensor:
    """The largest difference in each object (B,), in the network's units and relative to the largest value there."""
    if not isinstance(live, Encode):
        # Raw values with a large offset would hide any difference behind it.
        given, wanted = live.model.scaled(given), live.model.scaled(wanted)
    size = wanted.abs().max().clamp_min(1e-3 if isinstance(live, Encode) else 1.0)
    return ((given - wanted).abs() / size).nan_to_num(torch.inf).flatten(1).amax(1)


def on_a_border(live: Whole, x: Tensor, wanted: Tensor) -> Tensor:
    """Which objects x (B, *shape) the live part itself takes elsewhere, if they are moved by a rounding error."""
    rng = generator("cpu", NUDGES)
    nudged = (x * (1 + 2e-6 * torch.randn(x.shape, generator=rng)) for _ in range(NUDGES))
    return torch.stack([differences(live, live(near), wanted) > TOLERANCE for near in nudged]).any(0)


def refusal(what: str) -> ModelError:
    """The error for a file that does not do what the model does."""
    return ModelError(
        what,
        expected=f"the numbers of the live model within {TOLERANCE:g}; no file was written",
        step="Please report it, with the recipe",
        code="model.export",
    )
