"""A run as a small picture for a notebook: what it is, some objects before and after, and how the loss fell."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from narrows.errors import NarrowsError
from narrows.notebook import card
from narrows.train.checkpoint import METRICS
from narrows.train.state import read_history

if TYPE_CHECKING:
    from narrows.train.checkpoint import Saved
    from narrows.train.events import Epoch, Result


def result_card(result: Result) -> str:
    """A result as HTML, with the examples it kept before and after."""
    best = min((epoch.valid["loss"] for epoch in result.history), default=None)
    facts = facts_of(result) | {"validation loss": "none" if best is None else f"{best:.4g}"}
    bounds = result.scaling.bounds
    return card(title_of(result), facts, rows=before_and_after(result), curves=losses(result.history), bounds=bounds)


def saved_card(saved: Saved) -> str:
    """A run folder as HTML, with what its report says beside PCA."""
    facts = facts_of(saved) | ({"": said} if (said := report_sentence(saved)) else {})
    return card(title_of(saved), facts, curves=losses(read_history(saved.folder / METRICS)))


def title_of(run: Result | Saved) -> str:
    """The data, and the way through the bottleneck."""
    recipe, model = run.recipe, run.model
    numbers = f"{prod(model.shape)} → {prod(model.code_shape)} → {prod(model.shape)}"
    return f"{run.layout.name}: {numbers}, {recipe.network.kind}, {recipe.bottleneck.kind}"


def facts_of(run: Result | Saved) -> dict[str, Any]:
    """Short words on the size of a model."""
    return {"parameters": f"{run.model.parameters_count:,}", "corruption": run.recipe.corruption.kind}


def losses(history: Iterable[Epoch]) -> dict[str, list[float]]:
    """The loss of each epoch, on the objects learned from and on the others."""
    history = list(history)
    return {
        "training loss": [epoch.train["loss"] for epoch in history],
        "validation loss": [epoch.valid["loss"] for epoch in history],
    }


def report_sentence(saved: Saved) -> str:
    """What the report of a run says in one sentence; "" where there is none that can be read."""
    from narrows.train.checkpoint import read_json

    try:
        report = read_json(saved.folder / "report.json")
    except NarrowsError:
        return ""
    return str(report.get("sentence", "")) if isinstance(report, dict) else ""


@torch.no_grad()
def before_and_after(result: Result) -> dict[str, np.ndarray]:
    """The examples of a result in scaled units, and what comes back."""
    if result.examples is None or not len(result.examples):
        return {}
    model = result.model
    x = model.scaled(torch.from_numpy(result.examples).to(model.offset.device))
    return {"input": x.cpu().numpy(), "output": model(x).output.cpu().numpy()}
