"""Resumes: a run stopped between two steps and gone on with, compared bit by bit with one that was not."""

import shutil
import tempfile
from collections.abc import Container
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from narrows.recipe import Recipe
from narrows.train import Step, fit, open_run
from narrows.train.checkpoint import write_run, write_weights
from narrows.train.state import save
from trials.small import CASES, EPOCHS, PLACE, QUICK, STEPS, Tally, data, outcome, recipe

POINTS = (1, STEPS - 1, STEPS, 3 * STEPS + 4, EPOCHS * STEPS)
"""Steps to stop after, of a run of sixty: the first, around the end of an epoch, inside one, the last."""


def run(count: int, seed: int) -> Tally:
    """Stop and resume: the first case at every one of sixty steps, each other at five; `count` seeds of each."""
    tally = Tally("resumes")
    for offset in range(count):
        for case in CASES:
            chosen = recipe(case, f"seed={seed + offset}")
            with tempfile.TemporaryDirectory(dir=QUICK) as place:
                folder = Path(place)
                whole = followed(chosen, folder / "whole", resume=False)
                stops = range(1, EPOCHS * STEPS + 1) if case == "dense" else POINTS
                for stop in saved_states(chosen, folder, stops):
                    tally.tried += 1
                    if followed(chosen, folder / str(stop), resume=True) != whole:
                        tally.wrong.append(f"{case}, seed {seed + offset}: after step {stop}")
                same_again(Path(place) / "whole", Path(place) / "again", case, tally)
    return tally


def saved_states(chosen: Recipe, place: Path, stops: Container[int]) -> list[int]:
    """Train once, and leave a folder as it is when stopped after each of some steps; returns the steps."""
    events = fit(chosen, data(), folder=place / "on its way", place=PLACE)
    left = []
    for event in events:
        if isinstance(event, Step) and (event.epoch - 1) * STEPS + event.step in stops:
            save(events.gi_frame.f_locals["run"])
            left.append((event.epoch - 1) * STEPS + event.step)
            shutil.copytree(place / "on its way", place / str(left[-1]))
    return left


def followed(chosen: Recipe, folder: Path, *, resume: bool) -> Any:
    """Train to the end: the hash of the optimiser's memory after the last step, of the weights, and the metrics."""
    memory, events = {}, fit(chosen, data(), folder=folder, resume=resume, place=PLACE)
    run = None
    for _ in events:
        run = run or events.gi_frame.f_locals["run"]
        if run.progress.epoch == EPOCHS:
            memory = {name: hashed(tensor) for name, tensor in run.engine.memory().items()}
    return memory, *outcome(folder)


def hashed(tensor: torch.Tensor) -> str:
    """The SHA-256 of a tensor's numbers."""
    return sha256(tensor.contiguous().numpy().tobytes()).hexdigest()


def same_again(folder: Path, again: Path, case: str, tally: Tally) -> None:
    """Save, load and save a finished run: every file has to be the same, byte for byte."""
    saved = open_run(folder)
    write_run(again, saved.recipe, saved.about)
    write_weights(again, saved.model.state_dict())
    tally.count("saved twice")
    for name in ("recipe.json", "model.json", "manifest.json", "weights.safetensors"):
        if (folder / name).read_bytes() != (again / name).read_bytes():
            tally.wrong.append(f"{case}: {name} is not the same when saved again")
