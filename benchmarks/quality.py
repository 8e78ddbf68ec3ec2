"""Quality on the standard splits of MNIST and Fashion-MNIST, PCA beside every figure.

    python benchmarks/quality.py                       everything that is not yet in runs/quality
    python benchmarks/quality.py --only mnist-64       the rows whose name begins so
    python benchmarks/quality.py --seeds 1             one seed a row, which is a third of the time
    python benchmarks/quality.py --table               print what is there, train nothing

Every row is one recipe, trained on the official training pictures less those kept to judge epochs by, and judged
once on the 10,000 official test pictures. A row that is interrupted goes on where it stopped. Dense networks have
three seeds, the others one. Needs the sets in a folder named by NARROWS_DATA, or the network.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean

import numpy as np
import torch

from narrows.changes import assign
from narrows.data import load
from narrows.errors import Interrupted
from narrows.files import write_json
from narrows.metrics.rate import perplexity
from narrows.model import Model
from narrows.readout import report
from narrows.readout.likelihood import log_likelihood
from narrows.recipe import Recipe, recipe_for
from narrows.train import Epoch, Finished, fit, open_run
from narrows.types import Split, Splits

BF16 = "training.route=bf16"
DENSE = ("network.widths=1024,512", "training.epochs=30", BF16)
LONGER = ("network.widths=1024,512", "training.batch=128", "training.epochs=30", BF16)
SLOWER = (*LONGER, "training.rate=1e-3")
LONGEST = ("network.widths=1024,512", "training.batch=128", "training.epochs=60", BF16)
DEEP = ("network.widths=512,256,128,64", "training.batch=128", "training.rate=1e-3", "training.epochs=60", BF16)
CONV = ("network.channels=32,64", "training.epochs=15", "training.batch=128", "training.rate=1.5e-3")
LSTM = ("network.hidden=128", "training.epochs=6", "training.batch=128", "training.rate=2e-3")
VAE = (
    "bottleneck=variational", "bottleneck.beta=1", "bottleneck.size=40", "network.widths=512,512",
    'objective={"bce":1}', "training.batch=128", "training.rate=1e-3", "training.epochs=60",
)  # fmt: skip
VQ = (
    "bottleneck=vq", "bottleneck.size=32", "bottleneck.group=32", "bottleneck.entries=512", "bottleneck.decay=0.95",
    "network.map=true", "network.channels=32,64", "network.kernel=5", "training.batch=128", "training.rate=2e-3",
    "training.epochs=8",
)  # fmt: skip

RECIPES = {
    ("mnist", 64): DENSE, ("mnist", 32): LONGEST, ("mnist", 30): LONGEST, ("mnist", 2): DEEP,
    ("fashion", 64): SLOWER, ("fashion", 32): LONGER, ("fashion", 30): LONGER, ("fashion", 2): DEEP,
}  # fmt: skip
"""What a dense network is trained by, by data set and code size: few numbers want many small steps.

At a rate of 2e-3 two of three seeds of Fashion-MNIST with 64 numbers leapt in the fourth epoch and did not come back.
"""

FLOORS = {"mnist-64": 0.0032, "mnist-32": 0.0039, "mnist-30": 0.0041, "mnist-2": 0.0335, "mnist-vq": 0.0040}
AIMS = {"mnist-64": 0.0022, "mnist-32": 0.0032, "mnist-30": 0.0036, "mnist-2": 0.028}
"""Test errors to reach, by the beginning of a row's name; for Fashion-MNIST it is a share of PCA's."""


@dataclass(frozen=True)
class Row:
    """One line of the table: a data set, a network, what else is changed, and how many seeds."""

    name: str
    data: str
    network: str
    changes: tuple[str, ...]
    seeds: int = 1
    also: tuple[str, ...] = field(default=())


def rows() -> list[Row]:
    """All rows, cheapest first."""
    table = []
    for data, short in (("mnist", "mnist"), ("fashion-mnist", "fashion")):
        for size in (64, 32, 30, 2):
            changes = (*RECIPES[short, size], f"bottleneck.size={size}")
            table.append(Row(f"{short}-{size}-dense", data, "dense", changes, 3))
        for network, changes in (("conv", CONV), ("lstm", LSTM)):
            table += [
                Row(f"{short}-{size}-{network}", data, network, (*changes, f"bottleneck.size={size}"))
                for size in (64, 32)
            ]
    table.append(Row("mnist-vae-dense", "mnist, binarised", "dense", VAE, also=("nll",)))
    table.append(Row("mnist-vq-conv", "mnist", "conv", VQ, also=("perplexity", "blank")))
    return table


def data_of(name: str) -> Splits:
    """A data set; "mnist, binarised" draws each pixel once, with its brightness as the probability of a one."""
    if not name.endswith(", binarised"):
        return load(name)
    grey = load(name.removesuffix(", binarised"))
    rng = np.random.default_rng(0)

    def drawn(split: Split) -> Split:
        return replace(split, x=(rng.random(split.x.shape, np.float32) * 255 < split.x[:]).astype(np.uint8))

    layout = replace(grey.layout, low=0.0, high=1.0)
    return replace(grey, layout=layout, train=drawn(grey.train), valid=drawn(grey.valid), test=drawn(grey.test))


def measure(row: Row, seed: int, folder: Path, threads: int | None = None) -> dict[str, float | None]:
    """The figures of one row and seed: read where they are, else trained for."""
    figures = folder / "figures.json"
    if figures.is_file():
        return json.loads(figures.read_text("utf-8"))
    data = data_of(row.data)
    changes = [*row.changes, f"seed={seed}", f"training.threads={threads or 'none'}"]
    train(assign(recipe_for(data, network=row.network), changes), data, folder)
    saved = open_run(folder)
    told = json.loads((folder / "report.json").read_text("utf-8"))
    found = {
        "mse": told["test"]["mse"],
        "pca": told["baseline"].get("pca", {}).get("mse"),
        "parameters": told["parameters"],
        "epochs": told["epochs"],
        "seconds": told["seconds"],
    }
    found |= {name: MEASURES[name](saved.model, data) for name in row.also}
    write_json(figures, found)
    return found


def train(recipe: Recipe, data: Splits, folder: Path) -> None:
    """Train in a folder, or go on there, and judge the result."""
    resume = (folder / "recipe.json").is_file() and not (folder / "manifest.json").is_file()
    for event in fit(recipe, data, folder=folder, resume=resume):
        if isinstance(event, Epoch):
            said = f"epoch {event.epoch} of {event.epochs}, validation {event.valid['loss']:.5f}, {event.seconds:.0f} s"
            print(f"\r  {said:<70}", end="", flush=True)
        if isinstance(event, Finished):
            report(event.result, data)
    print("\r" + " " * 74, end="\r", flush=True)


def negative_log_likelihood(model: Model, data: Splits) -> float:
    """Nats a test picture, by 200 importance samples."""
    return float(-log_likelihood(model, data.test.x, samples=200).mean())


def scaled_parts(model: Model, data: Splits) -> Iterator[torch.Tensor]:
    """The test pictures (500, *shape) at a time, in the units of the model."""
    return map(model.scaled, torch.from_numpy(np.array(data.test.x)).split(500))


@torch.no_grad()
def code_perplexity(model: Model, data: Splits) -> float:
    """Perplexity of the codebook over the test pictures."""
    used = [model.encode(part).extras["indices"].numpy() for part in scaled_parts(model, data)]
    return perplexity(np.concatenate(used))


@torch.no_grad()
def blank_places(model: Model, data: Splits) -> float:
    """Percent of the places of the test pictures that see only background, and have one thing to say."""
    nothing = model.encoder(model.scaled(torch.full((1, *model.shape), data.layout.low)))[0]
    same = [torch.isclose(model.encoder(part)[0], nothing, atol=1e-6).all(-1) for part in scaled_parts(model, data)]
    return 100 * torch.cat(same).double().mean().item()


MEASURES = {"nll": negative_log_likelihood, "perplexity": code_perplexity, "blank": blank_places}


def line(row: Row, found: list[dict[str, float]]) -> str:
    """A row of the table."""
    errors = [each["mse"] for each in found]
    spread = f" {min(errors):.5f}..{max(errors):.5f}" if len(errors) > 1 else ""
    pca, first = found[0]["pca"], found[0]
    beside = f"{'-':>6} {'-':>6}" if pca is None else f"{pca:.4f} {mean(errors) / pca:>6.0%}"
    goal = "-".join(row.name.split("-")[:2])
    wanted = f"{FLOORS.get(goal, float('nan')):.4f} {AIMS.get(goal, float('nan')):.4f}".replace("nan", "     -")
    more = "  ".join(f"{name} {mean(each[name] for each in found):.1f}" for name in row.also)
    cost = f"{first['parameters'] / 1e6:>6.2f} M {first['epochs']:>4.0f} {mean(f['seconds'] for f in found):>6.0f} s"
    return f"{row.name:<20}{mean(errors):.5f}{spread:<18} {beside}  {wanted} {cost}  {more}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", default="")
    options.add_argument("--runs", type=Path, default=Path("runs/quality"))
    options.add_argument("--seeds", type=int, default=3, help="most seeds a row")
    options.add_argument("--threads", type=int, help="processor threads; chosen by the size of the model if left out")
    options.add_argument("--table", action="store_true")
    chosen = options.parse_args()
    head = f"{'row':<20}{'test MSE':<25} {'PCA':>6} {'share':>6}  {'floor':<6} {'aim':<6} {'weights':>8} epochs"
    print(f"{head}  time", flush=True)
    for row in rows():
        if not row.name.startswith(chosen.only):
            continue
        seeds = range(row.seeds if chosen.table else min(row.seeds, chosen.seeds))
        folders = [chosen.runs / f"{row.name}-{seed}" for seed in seeds]
        if chosen.table:
            folders = [folder for folder in folders if (folder / "figures.json").is_file()]
        found = [measure(row, seed, folder, chosen.threads) for seed, folder in enumerate(folders)]
        if found:
            print(line(row, found), flush=True)


if __name__ == "__main__":
    try:
        main()
    except Interrupted as stopped:
        print(f"\n{stopped}")
