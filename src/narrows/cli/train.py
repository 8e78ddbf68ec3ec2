"""The commands that train: train, resume, compare."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from math import isfinite
from pathlib import Path
from typing import Any

from narrows.changes import assign, parse
from narrows.cli.draw import Curve, error_curves, sparkline, terminal_picture
from narrows.cli.talk import Talk
from narrows.data import DATASETS, load
from narrows.errors import DamagedError, InputError, UsageError, counted
from narrows.recipe import Data, Recipe, recipe_for
from narrows.types import Splits


def train_new(
    talk: Talk,
    source: str | None,
    out: Path | None,
    network: str,
    bottleneck: str,
    changes: list[str],
    written: Path | None,
    force: bool,
) -> dict[str, Any]:
    """Train a new model: `narrows train`."""
    recipe, data = choose(talk, source, network, bottleneck, changes, written)
    folder = out or free_folder(Path("runs") / f"{data.layout.name}-{recipe.network.kind}")
    if (folder / "recipe.json").exists() and not force:
        raise UsageError(
            f"{folder} holds an earlier run",
            step="Choose another --out, or replace it with --force",
            code="usage.exists",
        )
    for note in data.notes:
        talk.say(note)
    return judged(talk, recipe, data, folder, resume=False)


def choose(
    talk: Talk, source: str | None, network: str, bottleneck: str, changes: list[str], written: Path | None
) -> tuple[Recipe, Splits]:
    """The recipe and the data of a command line."""
    if written is not None:
        recipe = assign(read_recipe(written), ([f"data.name={source}"] if source else []) + changes)
        recipe = recipe.with_(data=placed(recipe.data))
        return recipe, load_for(talk, recipe.data)
    if source is None:
        raise UsageError(
            "no data set", expected="NAME or a path", step="Try: narrows train digits", code="usage.arguments"
        )
    # The data has to be read before the defaults are known, and the data's own settings before it is read.
    settings = placed(data_settings(Data(name=source), changes))
    data = load_for(talk, settings)
    recipe = recipe_for(data, network=network, bottleneck=bottleneck, source=settings)
    return assign(recipe, changes), data


def read_recipe(path: Path) -> Recipe:
    """The recipe in a file a person names.

    Raises:
        InputError: No such file.
        DamagedError: Not readable JSON.
        UsageError: Not a recipe.
    """
    from narrows.train.checkpoint import read_json

    step = "Give a recipe.json, as `narrows train` writes into the folder of a run"
    if not path.is_file():
        raise InputError(f"no file {path}", expected="a recipe", step=step, code="input.missing")
    try:
        return parse(read_json(path))
    except DamagedError as error:
        raise DamagedError(error.given, expected=error.expected, step=step) from None


def data_settings(data: Data, changes: list[str]) -> Data:
    """Where the objects come from, with those of the changes that concern them."""
    return assign(Recipe(data=data), [change for change in changes if change.lstrip().startswith("data.")]).data


def placed(data: Data) -> Data:
    """The same source by its whole path, so that a run finds its data again from any folder."""
    if data.name in DATASETS or not Path(data.name).expanduser().exists():
        return data
    return data.with_(name=os.path.abspath(Path(data.name).expanduser()))


def load_again(talk: Talk, settings: Data, step: str = "Give a source after the run") -> Splits:
    """The data a run was trained on.

    Raises:
        InputError: It is not there any more; with a step to take.
    """
    if settings.name not in DATASETS and not Path(settings.name).expanduser().exists():
        raise InputError(
            f"the data this run was trained on, {settings.name}, is not there", step=step, code="input.missing"
        )
    return load_for(talk, settings)


def load_for(talk: Talk, settings: Data) -> Splits:
    """The data of a recipe, with a progress bar while something is downloaded."""
    wanted = settings.model_dump(exclude={"name", "scaling"})
    with ExitStack() as opened:
        bars: list[Any] = []

        def progress(done: int, total: int | None) -> None:
            if not bars:
                bars.append(opened.enter_context(talk.progress()))
                bars[0].add_task(f"downloading {settings.name}", total=total, note="")
            bars[0].update(bars[0].task_ids[0], completed=done, total=total, note=f"{done / 1e6:.1f} MB")

        return load(settings.name, **wanted, progress=progress)


def free_folder(base: Path) -> Path:
    """The folder itself if it is free, else the first with a number behind it that is."""
    numbered = (base.with_name(f"{base.name}-{n}") for n in range(2, 10_000))
    return next(folder for folder in (base, *numbered) if not folder.exists())


def resume_run(talk: Talk, folder: Path, others: list[Any]) -> dict[str, Any]:
    """Go on with an interrupted run: `narrows train --resume`."""
    from narrows.train.checkpoint import read_recipe

    if any(other is not None for other in others):
        raise UsageError("--resume with other settings", expected="--resume RUN alone", code="usage.resume")
    recipe = read_recipe(folder)
    return judged(talk, recipe, load_again(talk, recipe.data, "Put it back there"), folder, resume=True)


def judged(talk: Talk, recipe: Recipe, data: Splits, folder: Path | None, *, resume: bool) -> dict[str, Any]:
    """Train, judge and say how it went."""
    from narrows.readout import report

    result = watched(talk, recipe, data, folder, resume)
    whole = report(result, data)
    history = [epoch.valid["loss"] for epoch in result.history]
    talk.say(f"validation loss {sparkline(history)}")
    if talk.in_colours:
        show_outputs(talk, recipe, data, result.model)
    rows = [
        ["this model", f"{whole.test['mse']:.4g}"],
        *([name, f"{errors['mse']:.4g}"] for name, errors in whole.baseline.items()),
    ]
    talk.table(["test error", "MSE"], rows)
    talk.say(whole.sentence)
    # The sentence has said already whether PCA wins.
    for finding in (finding for finding in whole.findings if finding.code != "worse-than-pca"):
        talk.say(f"! {finding.sentence}")
    epochs, seconds = len(result.history), result.seconds
    talk.say(
        f"{result.model.parameters_count:,} parameters, {counted(epochs, 'epoch')}, {seconds:.1f} s; saved in {folder}"
    )
    return {**whole.as_dict(), "run": str(folder)}


def show_outputs(talk: Talk, recipe: Recipe, data: Splits, model: Any) -> None:
    """Small pictures of some test objects and what became of them, as many as fit beside each other."""
    from narrows.readout import reconstruct

    shape = data.layout.shape
    if data.layout.kind != "image" or shape[0] not in (1, 3) or shape[-1] > 36:
        return
    stages = ["in", "out"] if recipe.corruption.kind == "none" else ["in", "seen", "out"]
    count = max(1, min(4, (talk.console.width + 2) // (len(stages) * (shape[-1] + 2))))
    made = reconstruct(model, data.test.x[:count], corruption=recipe.corruption, seed=recipe.seed)
    rows = {"in": made.input, "seen": made.corrupted, "out": made.output}
    shown = [(name, rows[name][i]) for i in range(len(made.input)) for name in stages]
    talk.console.print(terminal_picture([x for _, x in shown], labels=[name for name, _ in shown]))


def watched(talk: Talk, recipe: Recipe, data: Splits, folder: Path | None, resume: bool) -> Any:
    """Train with a progress bar; returns the result."""
    from narrows.train import Epoch, Finished, Notice, Started, Step, fit

    with talk.progress() as bar:
        task = bar.add_task(f"{recipe.network.kind} on {data.layout.name}", total=None, note="")
        done = steps = 0
        for event in fit(recipe, data, folder=folder, resume=resume):
            if isinstance(event, Started):
                steps, done = event.steps, event.resumed_at
                bar.update(task, total=event.epochs * steps, completed=done)
                tell_start(talk, event)
            elif isinstance(event, Step):
                bar.update(task, completed=(event.epoch - 1) * steps + event.step)
            elif isinstance(event, Epoch):
                bar.update(task, note=f"epoch {event.epoch}/{event.epochs}  loss {event.valid['loss']:.4g}")
            elif isinstance(event, Notice):
                talk.say(f"! {event.sentence}")
            elif isinstance(event, Finished):
                return event.result
    raise AssertionError("fit ended without a result")


def tell_start(talk: Talk, event: Any) -> None:
    """Say where it runs, and whether a resumed run is the one it would have been."""
    place = event.place
    threads = f"{place.threads} thread{'s' * (place.threads != 1)}"
    talk.say(f"{event.parameters:,} parameters on {place.device} ({place.route}, {threads})")
    if event.resumed_at:
        exact = "bit-exact" if event.bit_exact else f"not bit-exact: {event.reason}"
        talk.say(f"resumed at step {event.resumed_at}, {exact}")


def compare(
    talk: Talk,
    source: str,
    out: Path,
    sizes: str,
    networks: str,
    epochs: int | None,
    changes: list[str],
    limit: int | None,
    seed: int,
) -> dict[str, Any]:
    """Error against code size: `narrows compare`."""
    from narrows.compare import Comparison, Working
    from narrows.compare import compare as compared
    from narrows.train import Notice

    check_suffix(out, (".png", ".svg"))
    settings = data_settings(Data(name=source, limit=limit), changes)
    data = load_for(talk, settings)
    for note in data.notes:
        talk.say(note)
    names = [name.strip() for name in networks.split(",") if name.strip()]
    events: Iterator[Working | Notice | Comparison] = compared(
        data, sizes=numbers(sizes), networks=names, epochs=epochs, source=settings, seed=seed, changes=changes
    )
    result = followed(talk, events)
    draw_comparison(result, out, data.layout.name)
    talk.table(["network", *map(str, result.sizes)], comparison_rows(result))
    talk.say(f"drawn in {out}")
    return {**result.as_dict(), "name": data.layout.name, "out": str(out)}


def followed(talk: Talk, events: Iterator[Any]) -> Any:
    """Show a progress bar over the events of a comparison; returns the comparison."""
    from narrows.compare import Comparison
    from narrows.train import Notice

    with talk.progress() as bar:
        task = bar.add_task("compare", total=None, note="")
        for event in events:
            if isinstance(event, Comparison):
                return event
            if isinstance(event, Notice):
                talk.say(f"! {event.sentence}")
                continue
            codes = ", ".join(map(str, event.sizes))
            share = event.done + event.share * len(event.sizes)
            bar.update(task, total=event.total, completed=share, description=event.network, note=f"code {codes}")
    raise AssertionError("a comparison ended without a result")


def comparison_rows(result: Any) -> list[list[str]]:
    """The errors of a comparison, a row a network, PCA last."""
    names = dict.fromkeys(point.network for point in result.points)
    lines = {name: result.line(name) for name in names} | {"PCA": result.pca}
    words = {name: [f"{v:.4g}" if isfinite(v) else "diverged" for v in values] for name, values in lines.items()}
    return [[name, *values] for name, values in words.items()]


def draw_comparison(result: Any, out: Path, name: str) -> None:
    """Draw the curves of a comparison, without the trainings that diverged."""
    lines = []
    for network, values in result.as_dict()["test"].items():
        ended = {size: value for size, value in zip(result.sizes, values, strict=True) if value is not None}
        if ended:
            lines.append(Curve(network, list(ended), list(ended.values())))
    baseline = Curve("PCA", result.sizes, result.pca, is_baseline=True)
    error_curves([*lines, baseline], out, title=f"Error against code size: {name}")


def numbers(text: str) -> list[int]:
    """Whole numbers with commas between.

    Example:
        >>> numbers("2,4, 8")
        [2, 4, 8]
    """
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise UsageError(
            f"{text!r}", expected="whole numbers with commas, such as 2,4,8", code="usage.numbers"
        ) from None


def check_suffix(path: Path, allowed: tuple[str, ...]) -> None:
    """Refuse a file to write whose ending means nothing here, before any work is done."""
    if path.suffix.lower() not in allowed:
        raise UsageError(f"--out {path}", expected=f"a name ending in {' or '.join(allowed)}", code="usage.suffix")
