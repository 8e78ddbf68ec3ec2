"""The demonstration: three networks on real digits, beside PCA, with pictures, in about a minute."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from narrows.changes import assign
from narrows.cli.talk import Talk
from narrows.cli.train import comparison_rows, draw_comparison, followed, watched
from narrows.cli.use import draw_map, reconstruct
from narrows.data import load, status
from narrows.recipe import Data, recipe_for

RUNS = (
    ("digits", "dense", ["training.epochs=60"]),
    ("digits", "conv", ["training.epochs=40"]),
    ("digits", "lstm", ["training.epochs=40"]),
    ("glyphs", "dense", ["bottleneck.size=8", "network.widths=256,128", "training.epochs=10"]),
    ("glyphs", "conv", ["bottleneck.size=8", "network.channels=16,32", "training.epochs=4"]),
    ("glyphs", "lstm", ["bottleneck.size=8", "network.hidden=64", "network.chunk=2", "training.epochs=5"]),
)
"""Data set, network, and what differs from the default recipe: fewer epochs, to show all within a minute."""

MNIST = ("mnist", "dense", ["network.widths=1024", "training.epochs=3"])
"""One hidden layer: in three epochs it gets further than the default's two, and in less time."""

CURVE = ["training.epochs=25", "training.rate=5e-3"]
"""Code sizes compared on the small digits: short trainings want larger steps."""


def demo(talk: Talk, out: Path) -> dict[str, Any]:
    """Train, judge, draw and save: `narrows demo`."""
    begin, runs, rows = time.monotonic(), [], []
    chosen = [*RUNS, MNIST] if status("mnist").startswith("here") else list(RUNS)
    for name, network, changes in chosen:
        whole = one(talk, out, name, network, changes)
        runs.append(whole)
        errors = (whole["test"]["mse"], whole["baseline"]["pca"]["mse"])
        rows.append([name, network, str(whole["code"]), *(f"{e:.4f}" for e in errors), f"{errors[1] / errors[0]:.2f}"])
    pictures = [*draw_runs(talk, out, runs), draw_curves(talk, out)]
    talk.say("")
    talk.table(["data", "network", "numbers", "test MSE", "PCA's", "times better"], rows)
    tell_mnist(talk, len(chosen) > len(RUNS))
    seconds = time.monotonic() - begin
    talk.say(f"All of it took {seconds:.0f} s. Models: {out}/NETWORK-NAME. Pictures: {', '.join(map(str, pictures))}")
    return {"seconds": seconds, "runs": runs, "pictures": [str(picture) for picture in pictures]}


def one(talk: Talk, out: Path, name: str, network: str, changes: list[str]) -> dict[str, Any]:
    """Train and judge one model of the demonstration."""
    from narrows.readout import report

    data = load(name)
    recipe = assign(recipe_for(data, network=network, source=Data(name=name)), changes)
    folder = out / f"{network}-{name}"
    whole = report(watched(talk, recipe, data, folder, resume=False), data)
    talk.say(f"{name}, {network}: {whole.sentence}")
    return {**whole.as_dict(), "run": str(folder)}


def draw_runs(talk: Talk, out: Path, runs: list[dict[str, Any]]) -> list[Path]:
    """Sheets of reconstructions and a latent map, from the saved models."""
    quiet, pictures = Talk(as_json=True), []
    for run in runs:
        if run["network"] == "dense":
            pictures.append(out / f"reconstructions-{run['name']}.png")
            reconstruct(quiet, Path(run["run"]), None, pictures[-1], 10, 0)
    last = next(run for run in reversed(runs) if run["network"] == "dense")
    for suffix in ("png", "html"):
        pictures.append(out / f"map-{last['name']}.{suffix}")
        draw_map(quiet, Path(last["run"]), None, pictures[-1], "auto", 5000, 0)
    return pictures


def draw_curves(talk: Talk, out: Path) -> Path:
    """Error against code size on the small digits, with PCA's line."""
    from narrows.compare import compare

    data = load("digits")
    result = followed(talk, compare(data, sizes=(2, 4, 8, 16), networks=("dense", "conv"), changes=CURVE))
    picture = out / "error-against-code-size.png"
    draw_comparison(result, picture, "digits")
    talk.table(["network", *map(str, result.sizes)], comparison_rows(result))
    return picture


def tell_mnist(talk: Talk, here: bool) -> None:
    """Say what was done with MNIST, which is not shipped."""
    if here:
        talk.say("MNIST was found and trained for three epochs; `narrows train mnist` goes on to a far lower error.")
    else:
        talk.say("MNIST is not here, so it was left out; `narrows train mnist` downloads and trains it.")
