"""Divergence: a number that is not finite, put in at a step; it has to be noticed before it reaches the weights."""

import tempfile
from pathlib import Path
from typing import Any

import torch

from narrows.train import Finished, Notice, Step, fit, open_run
from narrows.train.run import Run, snapshot
from trials.small import CASES, PLACE, QUICK, STEPS, Tally, data, recipe

AT = (1, 2, STEPS, STEPS + 1, 3 * STEPS + 5)
"""Steps at which the number is put in."""


def run(count: int, seed: int) -> Tally:
    """Put NaN or infinity into the objects or the gradient of a step, for every case; `count` seeds of each."""
    tally = Tally("divergence")
    for offset in range(count):
        for case in CASES:
            for n, at in enumerate(AT):
                for where in ("objects", "gradient"):
                    value = float("nan") if n % 2 else float("inf")
                    poisoned(case, seed + offset, at, where, value, tally)
    return tally


def poisoned(case: str, seed: int, at: int, where: str, value: float, tally: Tally) -> None:
    """Train with a poisoned step, and look at what is kept."""
    name = f"{case}: {value} in the {where} of step {at}"
    tally.tried += 1
    with tempfile.TemporaryDirectory(dir=QUICK) as folder:
        events = fit(recipe(case, f"seed={seed}"), data(), folder=folder, place=PLACE)
        next(events)
        run: Run = events.gi_frame.f_locals["run"]
        POISONS[where](run, at, value)
        steps, notices, before = 0, [], {}
        for event in events:
            steps += isinstance(event, Step)
            if isinstance(event, Notice):
                notices.append(event.code)
                before = snapshot(run.model)
            if isinstance(event, Finished):
                stopped = event.result.stopped
        kept = dict(open_run(Path(folder)).model.state_dict())
    if (steps, notices, stopped) != (at - 1, ["diverged"], "diverged"):
        tally.wrong.append(f"{name}: noticed after {steps} steps, {notices}, {stopped}")
    # Before the first epoch has been judged the weights kept are those before the step, afterwards the best ones.
    wanted = before if at <= STEPS else run.best
    if not all(torch.equal(kept[key], wanted[key]) and kept[key].isfinite().all() for key in wanted):
        tally.wrong.append(f"{name}: other weights were kept")


def poison_objects(run: Run, at: int, value: float) -> None:
    """Put a value into one object of a step."""
    gather = run.train.gather

    def gathered(index: torch.Tensor) -> torch.Tensor:
        x = gather(index).clone()
        if run.done == at - 1:
            x[0].view(-1)[3] = value
        return x

    run.train.gather = gathered  # type: ignore[method-assign]


def poison_gradient(run: Run, at: int, value: float) -> None:
    """Put a value into the gradient of one weight of a step."""
    compute = run.engine.compute

    def computed(*given: Any) -> Any:
        loss = compute(*given)
        if run.done == at - 1:
            stack = getattr(run.engine, "stack", None)
            gradient = stack.gradient if stack else next(run.model.parameters()).grad
            gradient.view(-1)[0] = value
        return loss

    run.engine.compute = computed  # type: ignore[method-assign]


POISONS = {"objects": poison_objects, "gradient": poison_gradient}
