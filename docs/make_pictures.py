"""Draws the pictures of the docs, with narrows itself and data that needs no download.

    python docs/make_pictures.py            all of them, into docs/pictures, in a few minutes
    python docs/make_pictures.py map way    some of them

The same machine gives the same pictures; another may differ in the last digits of an error.
"""

import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from narrows import build, fit, load, recipe_for
from narrows.bottleneck import BOTTLENECKS
from narrows.changes import assign
from narrows.cli.draw import Curve, error_curves, latent_map, loss_curve, reconstruction_sheet
from narrows.cli.draw import figure as paper
from narrows.cli.draw.style import CARD, GREY, INK, LINE, MUTED, PALETTE, VIOLET
from narrows.compare import compare
from narrows.corrupt import CORRUPTIONS
from narrows.data.scaling import fit_scaling
from narrows.metrics.baseline import PCABaseline
from narrows.readout import encode, interpolate, reconstruct
from narrows.readout import latent_map as place
from narrows.train import Place, Result
from narrows.types import Splits

HERE = Path(__file__).parent / "pictures"
FIXED = ["training.route=float32", "training.threads=1"]
"""Another number of threads adds in another order, and the last digits differ."""

CODE = 8
"""Numbers in the default code of a digit."""


@cache
def data(name: str) -> Splits:
    """A data set by name, or the points of the bent line."""
    if name != "bow":
        return load(name)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "bow.npy", bow(2000))
        return load(Path(folder) / "bow.npy")


@cache
def trained(name: str, network: str = "dense", bottleneck: str = "plain", *changes: str) -> Result:
    """A trained model; each is trained once."""
    recipe = assign(recipe_for(data(name), network=network, bottleneck=bottleneck), [*FIXED, *changes])
    *_, last = fit(recipe, data(name))
    return last.result


def pca(result: Result, seen: np.ndarray, size: int) -> np.ndarray:
    """Scaled objects through PCA of as many numbers, fitted on the training objects."""
    known = data(result.layout.name)
    train = result.scaling.apply(known.train.x).reshape(len(known.train), -1)
    low, high = result.scaling.low, result.scaling.high
    made = PCABaseline.fit(train, size).reconstruct(seen.reshape(len(seen), -1), size, low=low, high=high)
    return made.reshape(seen.shape)


def bow(count: int) -> np.ndarray:
    """Points (count, 2) along a bent line, a little beside it."""
    rng = np.random.default_rng(0)
    along = rng.uniform(-1, 1, count)
    points = np.stack([along, 1.6 * along**2 - 0.6], 1) + rng.normal(0, 0.05, (count, 2))
    return points.astype(np.float32)


def draw_object(path: Path) -> None:
    """One digit as a picture, and as the 64 numbers it is."""
    x = data("digits").test.x[2, 0]
    page = paper.new_figure(7.2, 3.5, "drawing")
    for left, written in ((0.02, False), (0.52, True)):
        axes = page.add_axes((left, 0.03, 0.46, 0.94))
        axes.set_axis_off()
        axes.imshow(x, cmap="gray" if not written else "gray_r", vmin=0, vmax=16 if not written else 64)
        for (row, column), value in np.ndenumerate(x) if written else ():
            paper.write(axes, column, row, str(value), ha="center", va="center", color=INK if value else GREY)
    paper.save_figure(page, path)


def draw_corruptions(path: Path) -> None:
    """One letter, whole and under each corruption."""
    x = torch.from_numpy(data("glyphs").test.x[10:11]).float() / 255
    own = {"mask-patches": {"side": 7, "ratio": 0.5}, "mask-pixels": {"ratio": 0.5}, "salt-pepper": {"share": 0.2}}
    kinds = [kind for kind in CORRUPTIONS if kind != "mask-spans"]
    page = paper.new_figure(9, 2.15, "drawing")
    for number, kind in enumerate(kinds):
        axes = page.add_axes((0.01 + 0.198 * number, 0.02, 0.188, 0.8))
        axes.set_axis_off()
        seen = CORRUPTIONS[kind](**own.get(kind, {}))(x, torch.Generator().manual_seed(0))[0]
        axes.imshow(seen[0, 0].numpy(), cmap="gray", vmin=0, vmax=1)
        axes.set_title(kind, fontsize=10, color=INK)
    paper.save_figure(page, path)


def draw_passage(path: Path) -> None:
    """Digits, the eight numbers that pass, and what the decoder makes of them."""
    result = trained("digits")
    x = data("digits").test.x[:4]
    made, codes = reconstruct(result.model, x), encode(result.model, x)
    page = paper.new_figure(9, 4.9, "drawing")
    for row in range(4):
        bottom = 0.93 - 0.225 * (row + 1)
        for left, picture in ((0.02, made.input), (0.80, made.output)):
            axes = page.add_axes((left, bottom, 0.18, 0.205))
            axes.set_axis_off()
            axes.imshow(picture[row, 0], cmap="gray", vmin=0, vmax=1)
        axes = page.add_axes((0.27, bottom + 0.01, 0.46, 0.185))
        bars(axes, codes[row], float(np.abs(codes).max()))
    for x_, words in ((0.11, "in: 64 numbers"), (0.5, "the code: 8 numbers"), (0.89, "out: 64 numbers")):
        page.text(x_, 0.955, words, ha="center", fontsize=11, color=MUTED)
    paper.save_figure(page, path)


def bars(axes: Any, code: np.ndarray, reach: float) -> None:
    """A code as bars about zero."""
    axes.bar(range(len(code)), code, color=VIOLET, width=0.6)
    axes.axhline(0, color=LINE, linewidth=1)
    axes.set(ylim=(-1.1 * reach, 1.1 * reach), xticks=[], yticks=[], facecolor=CARD)
    for side in axes.spines.values():
        side.set_color(LINE)


def draw_line_and_curve(path: Path) -> None:
    """Points along a bow through one number: PCA's straight line, the autoencoder's bent one."""
    result = trained("bow", "dense", "plain", "bottleneck.size=1", "network.widths=64,32", "training.epochs=60")
    x = data("bow").test.x
    scaled = result.scaling.apply(x)
    undo = result.scaling.undo
    rows = {"PCA": undo(pca(result, scaled, 1)), "autoencoder": undo(reconstruct(result.model, x).output)}
    page = paper.new_figure(9, 4.2, "drawing")
    for number, (name, out) in enumerate(rows.items()):
        axes = page.add_axes((0.03 + 0.49 * number, 0.05, 0.45, 0.8))
        axes.set(xticks=[], yticks=[], facecolor=CARD, xlim=(-1.25, 1.25), ylim=(-0.9, 1.35))
        axes.plot(*np.stack([x, out])[:, :120].transpose(2, 0, 1), color=LINE, linewidth=0.9, zorder=1)
        axes.scatter(*x.T, s=9, color=GREY, linewidths=0, zorder=2)
        axes.scatter(*out.T, s=12, color=VIOLET if number else PALETTE[1][0], linewidths=0, zorder=3)
        error = float(np.square(result.scaling.apply(out) - scaled).mean())
        axes.set_title(f"{name}, 1 number: MSE {error:.3f}", loc="left", fontsize=11, color=INK)
        for side in axes.spines.values():
            side.set_color(LINE)
    paper.save_figure(page, path)


def draw_code_size(path: Path) -> None:
    """Error against the size of the code, beside PCA's line."""
    sizes, networks = (1, 2, 4, 8, 16), ("dense", "conv")
    changes = [*FIXED, "training.epochs=25", "training.rate=5e-3"]
    *_, found = compare(data("digits"), sizes=sizes, networks=networks, changes=changes)
    curves = [Curve(name, found.sizes, found.line(name)) for name in networks]
    title = "Fewer numbers, more error: digits of 64 pixels"
    error_curves([*curves, Curve("PCA", found.sizes, found.pca, is_baseline=True)], path, title=title)


def draw_relu_code(path: Path) -> None:
    """The same dense network with a linear code, and with a ReLU on it."""
    sizes = (1, 2, 4, 8, 16)
    lines = {name: [rectified(size, relu) for size in sizes] for name, relu in (("linear", False), ("ReLU", True))}
    *_, found = compare(data("digits"), sizes=sizes, networks=("dense",), changes=[*FIXED, "training.epochs=1"])
    curves = [Curve(f"{name} code", sizes, values) for name, values in lines.items()]
    title = "A ReLU on the code throws half of it away"
    error_curves([*curves, Curve("PCA", sizes, found.pca, is_baseline=True)], path, title=title)


def rectified(size: int, relu: bool) -> float:
    """Test error of a dense model in a plain loop of 40 epochs, its code passed through a ReLU or left as it is."""
    digits = data("digits")
    recipe = assign(recipe_for(digits), [f"bottleneck.size={size}"])
    scaling = fit_scaling(digits.train.x, digits.layout, recipe.data.scaling)
    model = build(recipe, digits.layout, scaling)
    if relu:
        model.bottleneck.project = torch.nn.Sequential(model.bottleneck.project, torch.nn.ReLU())
    x, test = (torch.from_numpy(scaling.apply(part.x)) for part in (digits.train, digits.test))
    steps, rng = torch.optim.Adam(model.parameters(), 2e-3), torch.Generator().manual_seed(0)
    with Place("cpu", threads=1).scope():
        for index in (part for _ in range(40) for part in torch.randperm(len(x), generator=rng).split(64)):
            steps.zero_grad()
            (model(x[index]).output - x[index]).square().mean().backward()
            steps.step()
    with torch.no_grad():
        return float((model.eval()(test).output - test).square().mean())


def draw_kinds(path: Path) -> None:
    """How the numbers of the code are spread under each bottleneck."""
    own = {"sparse-topk": ["bottleneck.k=3"], "sparse-l1": ["bottleneck.weight=3e-3"], "fsq": ["bottleneck.levels=8"]}
    own |= {"contractive": ["bottleneck.weight=1e-2"], "vq": ["bottleneck.entries=32"], "variational": []}
    page = paper.new_figure(9, 4.6, "drawing")
    for number, kind in enumerate(BOTTLENECKS):
        row, column = divmod(number, 4)
        result = trained("digits", "dense", kind, "training.epochs=40", *own.get(kind, []))
        z, error = encode(result.model, data("digits").test.x), reconstruct(result.model, data("digits").test.x).error
        axes = page.add_axes((0.02 + 0.245 * column, 0.545 - 0.48 * row, 0.225, 0.34))
        reach = float(np.quantile(np.abs(z), 0.999)) * 1.05
        axes.hist(z.ravel(), bins=np.linspace(-reach, reach, 60), color=VIOLET)
        axes.set(yticks=[], facecolor=CARD)
        axes.tick_params(length=0, labelsize=8, labelcolor=MUTED)
        axes.set_title(f"{kind}\nMSE {error.mean():.4f}", loc="left", fontsize=9.5, color=INK)
        for side in axes.spines.values():
            side.set_color(LINE)
    paper.save_figure(page, path)


def draw_networks(path: Path) -> None:
    """The same letters through dense, convolutional and LSTM networks, and through PCA."""
    shown = slice(0, 8)
    settings = {
        "dense": ["network.widths=256,128", "training.epochs=10"],
        "conv": ["network.channels=16,32", "training.epochs=4"],
        "lstm": ["network.hidden=64", "network.chunk=2", "training.epochs=8"],
    }
    rows: dict[str, np.ndarray] = {}
    for network, changes in settings.items():
        result = trained("glyphs", network, "plain", "bottleneck.size=16", *changes)
        made = reconstruct(result.model, data("glyphs").test.x[shown])
        rows = {"input": made.input, **rows, network: made.output}
    rows["PCA"] = pca(result, rows["input"], 16)
    reconstruction_sheet(rows, path, kind="image", low=0, high=1, title="letters of 784 pixels through 16 numbers")


def draw_denoising(path: Path) -> None:
    """Noise in, clean out, beside PCA of the same noisy letters."""
    changes = ("corruption=gaussian", "corruption.sigma=0.4", "network.widths=512,256", "training.epochs=12")
    result = trained("glyphs", "dense", "plain", "bottleneck.size=32", *changes)
    made = reconstruct(result.model, data("glyphs").test.x[20:28], corruption=result.recipe.corruption)
    rows = {"input": made.input, "corrupted": made.corrupted, "output": made.output}
    rows["PCA, 32 numbers"] = pca(result, made.corrupted, 32)
    reconstruction_sheet(rows, path, kind="image", low=0, high=1, title="letters with noise of 0.4, through 32 numbers")


def draw_loss(path: Path) -> None:
    """The loss while it falls, beside PCA's error."""
    result = trained("digits")
    valid = data("digits").valid.x
    scaled = result.scaling.apply(valid)
    level = float(np.square(pca(result, scaled, CODE) - scaled).mean())
    history = {
        "training": [epoch.train["mse"] for epoch in result.history],
        "validation": [epoch.valid["mse"] for epoch in result.history],
    }
    loss_curve(history, path, title="digits through 8 numbers", baseline=("PCA", level), y_label="mean squared error")


def draw_map(path: Path) -> None:
    """Digits on a plane of two numbers."""
    result = trained("digits", "dense", "plain", "bottleneck.size=2", "network.widths=256,128,64")
    test = data("digits").test
    found = place(result.model, test)
    names = {"trustworthiness": "trustworthiness", "knn_accuracy": "kNN accuracy"}
    numbers = {words: found.numbers[name] for name, words in names.items()}
    title, axes = f"digits: {len(test)} objects, 2 numbers each", ("first number", "second number")
    latent_map(found.points, found.y, result.layout.classes, path, title=title, numbers=numbers, axis_names=axes)


def draw_way(path: Path) -> None:
    """From one digit to another: through the code above, pixel by pixel below."""
    result, test = trained("glyphs", "conv", "plain", *CONV), data("glyphs").test
    ends = [int(np.flatnonzero(test.y == test_class)[0]) for test_class in (10, 17)]
    start, end = (test.x[n].astype(np.float32) for n in ends)
    share = np.linspace(0, 1, 9, dtype=np.float32)[:, None, None, None]
    rows = {
        "through the code": interpolate(result.model, start, end, 9),
        "pixel by pixel": start + share * (end - start),
    }
    page = paper.new_figure(9, 2.55, "drawing")
    for row, (name, pictures) in enumerate(rows.items()):
        paper.write(page, 0.015, 0.96 - 0.5 * row, name, transform=page.transFigure, va="top", color=MUTED)
        for column, picture in enumerate(pictures):
            axes = page.add_axes((0.012 + 0.1095 * column, 0.52 - 0.5 * row, 0.102, 0.36))
            axes.set_axis_off()
            axes.imshow(picture[0], cmap="gray", vmin=0, vmax=255)
    paper.save_figure(page, path)


CONV = ("bottleneck.size=32", "network.channels=16,32", "training.epochs=8")

PICTURES: dict[str, Callable[[Path], None]] = {
    "object": draw_object,
    "corruptions": draw_corruptions,
    "passage": draw_passage,
    "line-and-curve": draw_line_and_curve,
    "code-size": draw_code_size,
    "relu-code": draw_relu_code,
    "kinds": draw_kinds,
    "networks": draw_networks,
    "denoising": draw_denoising,
    "loss": draw_loss,
    "map": draw_map,
    "way": draw_way,
}
"""Name of a picture, and what draws it."""


def shrink(path: Path) -> None:
    """Rewrite a PNG with 128 colours: a third of the bytes, and no difference to see."""
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def main(names: list[str]) -> None:
    """Draw the pictures named, or all."""
    HERE.mkdir(exist_ok=True)
    for name in names or PICTURES:
        path = HERE / f"{name}.png"
        PICTURES[name](path)
        shrink(path)
        print(f"{path.name:<22}{path.stat().st_size / 1000:>6.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
