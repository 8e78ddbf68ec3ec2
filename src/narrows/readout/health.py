"""Health checks that speak: what is likely wrong with a model that looks trained.

References:
    Understanding disentangling in beta-VAE (Burgess et al., 2018), arXiv 1804.03599
    Importance Weighted Autoencoders (Burda et al., 2016), arXiv 1509.00519 (active units: variance above 0.01)
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from narrows.errors import counted
from narrows.metrics.latent import dead_units
from narrows.model import Model
from narrows.readout.apply import Reconstruction
from narrows.recipe import Recipe
from narrows.train.events import Epoch

ACTIVE_VARIANCE = 0.01
"""A variational unit whose mean varies less than this says nothing (Burda et al., 2016)."""


FEW_OBJECTS = 200
"""Training objects below which a split decides much of an error."""

STILL_FALLING = 0.1
"""Share by which the validation loss fell over the last fifth of the epochs, from which on more epochs would pay."""

RISEN = 1.1
"""Share of its lowest value from which on a validation loss has risen again."""


@dataclass(frozen=True)
class Finding:
    """Something a person should know about a trained model: a stable code and one sentence."""

    code: str
    sentence: str


@dataclass(frozen=True, eq=False)
class Patient:
    """All that a check may look at."""

    recipe: Recipe
    model: Model
    made: Reconstruction
    codes: np.ndarray
    test: dict[str, float]
    baseline: dict[str, dict[str, float]]
    history: tuple[Epoch, ...]
    stopped: str
    count: int | None = None


def diverged(p: Patient) -> str:
    """Training ended because its numbers were no longer finite."""
    if p.stopped != "diverged":
        return ""
    return f"Training diverged after {len(p.history)} whole epochs: a lower training.rate would help."


def bypassed(p: Patient) -> str:
    """Something reaches the decoder around the bottleneck, or the bottleneck is not narrow."""
    code, values = prod(p.model.encoder.grid) * p.recipe.bottleneck.numbers, prod(p.model.shape)
    if p.model.encoder.skips:
        return "Skip connections carry the input around the bottleneck: the code alone does not hold the object."
    if code >= values and p.recipe.bottleneck.kind != "sparse-topk":
        return f"The code of {code} numbers is not narrower than the object of {values}: nothing has to be learned."
    return ""


def identity(p: Patient) -> str:
    """The model gives back what it was given, corruption included."""
    if "input" not in p.baseline or not p.baseline["input"]["mse"]:
        return ""
    seen = p.made.corrupted.clip(0, 1) if p.model.head == "clipped" else p.made.corrupted
    copied = float(((p.made.output - seen) ** 2).mean())
    if copied < 0.05 * p.baseline["input"]["mse"]:
        return "The model has learned the identity: it gives the corrupted input back and removes nothing."
    return ""


def useless(p: Patient) -> str:
    """The output is worse than leaving the corrupted input alone."""
    left = p.baseline.get("input", {}).get("mse")
    if left is not None and p.test["mse"] > left:
        return f"Leaving the input as it is would be better: error {left:.4g} against {p.test['mse']:.4g}."
    return ""


def worse_than_mean(p: Patient) -> str:
    """The output is no better than the mean training object."""
    mean = p.baseline["mean"]["mse"]
    if p.test["mse"] > 0.98 * mean:
        return f"The model has learned next to nothing: the mean object alone has an error of {mean:.4g}."
    return ""


def worse_than_pca(p: Patient) -> str:
    """PCA of the same size does better."""
    pca = p.baseline.get("pca")
    if pca and p.test["mse"] > pca["mse"]:
        return (
            f"PCA with {counted(int(pca['size']), 'number')} does better: {pca['mse']:.4g} against {p.test['mse']:.4g}."
        )
    return ""


def collapsed(p: Patient) -> str:
    """Units of a variational code have fallen back onto the prior."""
    if p.recipe.bottleneck.kind != "variational":
        return ""
    size = p.codes.shape[-1]
    active = int((p.codes.reshape(-1, size).var(0) > ACTIVE_VARIANCE).sum())
    if active == size:
        return ""
    advice = "Lower bottleneck.beta" if p.recipe.bottleneck.beta else "Train longer, or use fewer numbers"
    return f"Posterior collapse: {size - active} of {counted(size, 'number')} of the code say nothing. {advice}."


def dead(p: Patient) -> str:
    """Numbers of the code that hardly vary."""
    if p.recipe.bottleneck.kind in {"variational", "vq"}:
        return ""
    size = p.codes.shape[-1]
    count = len(dead_units(p.codes.reshape(-1, size)))
    return f"{count} of {counted(size, 'number')} of the code say nothing: dead, they hardly change." if count else ""


def dead_entries(p: Patient) -> str:
    """Codebook entries that no test object uses."""
    if p.recipe.bottleneck.kind != "vq":
        return ""
    width, entries = p.recipe.bottleneck.group, p.recipe.bottleneck.entries
    groups = p.codes.reshape(-1, p.codes.shape[-1] // width, width)
    used = [len(np.unique(groups[:, g].round(5), axis=0)) / min(entries, len(groups)) for g in range(groups.shape[1])]
    share = float(np.mean(used))
    return f"Only {share:.0%} of the codebook entries are used. Use fewer entries." if share < 0.5 else ""


def few_objects(p: Patient) -> str:
    """So few training objects that the errors depend on which they were."""
    if p.count is None or p.count >= FEW_OBJECTS:
        return ""
    return f"Only {counted(p.count, 'training object')}: the errors depend on which they are, and PCA is hard to beat."


def too_short(p: Patient) -> str:
    """The validation loss still fell by much when the training ended."""
    losses = [epoch.valid["loss"] for epoch in p.history]
    if p.stopped != "done" or len(losses) < 2:
        return ""
    before = losses[-1 - max(1, len(losses) // 5)]
    if losses[-1] > min(losses) or before - losses[-1] < STILL_FALLING * before:
        return ""
    return f"Still improving when it ended after {len(losses)} epochs: train longer, with a larger training.epochs."


def rising(p: Patient) -> str:
    """The validation loss has passed its lowest point and risen again while the training loss fell."""
    best = min(p.history, key=lambda epoch: epoch.valid["loss"])
    last = p.history[-1]
    if last.valid["loss"] < RISEN * best.valid["loss"] or last.train["loss"] >= best.train["loss"]:
        return ""
    return (
        f"Overfitting: the error on unseen objects was lowest in epoch {best.epoch} of {len(p.history)} and rose by "
        f"{last.valid['loss'] / best.valid['loss'] - 1:.0%} after it. The weights of that epoch are kept; more "
        "objects, a smaller network or a corruption would help."
    )


def overfitted(p: Patient) -> str:
    """The training error has left the validation error far behind, or that has risen again."""
    if not p.history:
        return ""
    best = min(p.history, key=lambda epoch: epoch.valid["loss"])
    if best.valid["loss"] > 2 * best.train["loss"] > 0:
        return (
            f"Overfitting: the error on unseen objects is {best.valid['loss'] / best.train['loss']:.1f} times that on "
            "the training objects. More objects, a smaller network or a corruption would help."
        )
    return rising(p)


CHECKS: dict[str, Callable[[Patient], str]] = {
    "diverged": diverged,
    "bypassed": bypassed,
    "identity": identity,
    "useless": useless,
    "few-objects": few_objects,
    "too-short": too_short,
    "worse-than-mean": worse_than_mean,
    "worse-than-pca": worse_than_pca,
    "posterior-collapse": collapsed,
    "dead-units": dead,
    "dead-entries": dead_entries,
    "overfitting": overfitted,
}


def findings(
    recipe: Recipe,
    model: Model,
    made: Reconstruction,
    codes: np.ndarray,
    test: dict[str, float],
    baseline: dict[str, dict[str, float]],
    history: tuple[Epoch, ...],
    stopped: str = "done",
    count: int | None = None,
) -> tuple[Finding, ...]:
    """What the checks have to say about a model, its test reconstructions and its test codes (N, *grid, K).

    `count` is how many objects it was trained on.
    """
    patient = Patient(recipe, model, made, codes, test, baseline, history, stopped, count)
    said = ((code, check(patient)) for code, check in CHECKS.items())
    return tuple(Finding(code, sentence) for code, sentence in said if sentence)
