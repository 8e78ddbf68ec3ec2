"""Kills: SIGKILL at random instants of a training, again and again, until it ends all the same."""

import contextlib
import mmap
import os
import random
import signal
import struct
import tempfile
import time
from pathlib import Path

from narrows.errors import ModelError
from narrows.train import Epoch, Started, Step, fit
from narrows.train.checkpoint import RECIPE, is_finished
from narrows.train.state import read_history
from trials.small import PLACE, STEPS, Tally, data, in_child, outcome, recipe, wait_for, warm

INTERVAL = 7
"""Steps between two saved states."""

LIFETIME = 0.5
"""Longest life of a training that is killed, as a share of the time an undisturbed one takes."""

FAMILIES = ("dense", "conv map")


class Board:
    """Three numbers that a child leaves for its parent even when killed: begun at, steps made, epochs ended."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 24)

    def __getitem__(self, place: int) -> int:
        return struct.unpack_from("<q", self.memory, 8 * place)[0]

    def __setitem__(self, place: int, value: int) -> None:
        struct.pack_into("<q", self.memory, 8 * place, value)


def train(folder: Path, case: str, board: Board) -> None:
    """Train, or go on with what is there, and write on the board how far it has come."""
    resume = (folder / RECIPE).is_file()
    chosen = recipe(case)
    for event in fit(chosen, data(), folder=folder, resume=resume, place=PLACE, save_every=1e9, save_steps=INTERVAL):
        if isinstance(event, Started):
            board[0] = board[1] = event.resumed_at
        elif isinstance(event, Step):
            board[1] = (event.epoch - 1) * STEPS + event.step
        elif isinstance(event, Epoch):
            board[2] = max(board[2], event.epoch)


def run(count: int, seed: int) -> Tally:
    """Kill trainings `count` times; every run has to end with the bits of an undisturbed one."""
    tally, rng = Tally("kills"), random.Random(seed)
    for case in FAMILIES:
        warm(case)
    with tempfile.TemporaryDirectory() as place:
        whole = {case: undisturbed(Path(place) / f"whole-{case}", case) for case in FAMILIES}
        while tally.tried < count:
            case = FAMILIES[int(tally.counts.get("runs", 0)) % len(FAMILIES)]
            folder = Path(place) / f"run-{tally.counts.get('runs', 0):g}"
            undamaged, seconds = whole[case]
            torment(folder, case, count, LIFETIME * seconds, rng, tally)
            if outcome(folder) != undamaged:
                tally.wrong.append(f"{folder.name}: another outcome")
            if left := sorted({p.name for p in folder.iterdir()} - KEPT):
                tally.wrong.append(f"{folder.name}: left over {left}")
            tally.count("runs")
    return tally


KEPT = {"manifest.json", "metrics.jsonl", "model.json", "recipe.json", "weights.safetensors"}


def undisturbed(folder: Path, case: str) -> tuple[object, float]:
    """The outcome of a run that nobody kills, and the seconds it takes."""
    begin = time.monotonic()
    assert wait_for(in_child(lambda: train(folder, case, Board()))) == 0
    return outcome(folder), time.monotonic() - begin


def torment(folder: Path, case: str, count: int, life: float, rng: random.Random, tally: Tally) -> None:
    """Kill a run until it has ended, or has been killed often enough and is left to end."""
    board, made = Board(), 0
    while not (folder.is_dir() and is_finished(folder)):
        board[0] = -1
        child = in_child(lambda: train(folder, case, board))
        if tally.tried < count:
            time.sleep(rng.uniform(0, life))
            os.kill(child, signal.SIGKILL)
        status = wait_for(child)
        if status == -signal.SIGKILL:
            tally.tried += 1
            tally.count("after the first step", board[0] >= 0 and board[1] > 0)
        elif status:
            tally.wrong.append(f"{folder.name}: a run lost, begun again at step {made} of it")
            return
        if board[0] >= 0:
            tally.most("steps repeated, most", made - board[0])
            if made - board[0] > INTERVAL:
                tally.wrong.append(f"{folder.name}: {made - board[0]} steps repeated")
            made = board[1]
        if board[2] > len(read_history(folder / "metrics.jsonl")):
            tally.wrong.append(f"{folder.name}: lines lost of {board[2]} epochs")
    with contextlib.suppress(ModelError):
        # A finished run is not resumed, but tidied: a kill may have come after the manifest.
        next(fit(recipe(case), data(), folder=folder, resume=True, place=PLACE))
