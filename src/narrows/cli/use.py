"""The commands that use a trained model: reconstruct, encode, decode, generate, map."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.cli import draw, show
from narrows.cli.talk import Talk
from narrows.cli.train import check_suffix, load_again, numbers
from narrows.data import part_of, read
from narrows.errors import DamagedError, InputError, NarrowsError, UsageError, counted
from narrows.files import write_atomic
from narrows.metrics.baseline import PCABaseline
from narrows.readout.report import beside_pca, flat, mean_square
from narrows.storage import blocks
from narrows.train.checkpoint import Saved, open_run
from narrows.types import Split, Splits

if TYPE_CHECKING:
    from narrows.readout.apply import Reconstruction


def objects(talk: Talk, saved: Saved, source: str | None, split: str | None) -> tuple[Split, str]:
    """Objects to use and the name of the part they are: those of a source, or of the data the model was trained on.

    What had to be done to fit them to the model, and values it has never seen the like of, are said.
    """
    settings, chosen = saved.recipe.data, split or ("test" if source is None else "all")
    if source is None:
        found = part_of(load_again(talk, settings), chosen)
    else:
        found = read(
            source,
            like=saved.layout,
            label=settings.label,
            seed=settings.seed,
            split=chosen,
            missing=settings.missing,
        )
        found = replace(found, notes=(*found.notes, *strange(saved, found)))
    for note in found.notes:
        talk.say(f"! {note}")
    return found, chosen


USUAL = {"standard": (-8.0, 8.0), "minmax": (-1.0, 2.0)}
"""Between what scaled values of unbounded data are not strange yet: other objects may leave the range that was seen."""


def strange(saved: Saved, split: Split) -> tuple[str, ...]:
    """A note on values outside the range the model was trained on."""
    bounds = saved.scaling.bounds or USUAL.get(saved.scaling.kind)
    if bounds is None:
        return ()
    low, high = bounds
    count = 0
    for block in blocks(split.x):
        scaled = saved.scaling.apply(block)
        count += int(((scaled < low - 1e-4) | (scaled > high + 1e-4)).sum())
    if not count:
        return ()
    share = count / split.x.size
    return (
        f"{share:.2g} of all values lie outside the range the model was trained on: its answer there means little.",
    )


def part_words(part: str, count: int) -> str:
    """How many objects of which part, in words.

    Example:
        >>> part_words("test", 359), part_words("all", 1)
        ('359 test objects', '1 object')
    """
    return counted(count, {"test": "test ", "train": "training ", "valid": "validation "}.get(part, "") + "object")


def reconstruct(
    talk: Talk, run: Path, source: str | None, out: Path, count: int, seed: int, part: str | None = None
) -> dict[str, Any]:
    """Input, output and error: `narrows reconstruct`."""
    from narrows.readout import reconstruct as rebuild

    check_suffix(out, (".png", ".npy"))
    saved = open_run(run)
    split, part = objects(talk, saved, source, part)
    made = rebuild(saved.model, split.x, corruption=saved.recipe.corruption, seed=seed)
    pca, components = through_pca(talk, saved, made.corrupted) or (None, 0)
    if out.suffix == ".npy":
        write_array(out, saved.scaling.undo(made.output))
    else:
        shown = show.chosen(split, min(count, show.most(saved.layout)))
        draw_reconstruction(saved, made, pca, components, out, split, shown)
    talk.say(f"{part_words(part, len(split))}, mean squared error {made.error.mean():.4g}; written to {out}")
    worst = int(made.error.argmax())
    return {
        "objects": len(split),
        "split": part,
        "notes": list(split.notes),
        "mse": float(made.error.mean()),
        **compared(talk, saved, made, pca, components),
        "worst": {"object": worst, "mse": float(made.error[worst])},
        "out": str(out),
    }


def through_pca(talk: Talk, saved: Saved, seen: np.ndarray) -> tuple[np.ndarray, int] | None:
    """What the model saw (N, *shape) through PCA of as many numbers, fitted on the training objects; its components.

    None where PCA would not be narrower than the objects, or the training objects are gone.
    """
    size = int(np.prod(saved.model.code_shape))
    if size >= saved.layout.values:
        talk.say(f"No PCA beside it: {size} numbers are not fewer than the {saved.layout.values} of an object.")
        return None
    try:
        train = flat(saved.scaling.apply(load_again(talk, saved.recipe.data).train.x))
    except NarrowsError as error:
        talk.say(f"! No PCA beside it, since the training objects cannot be read: {error}")
        return None
    pca = PCABaseline.fit(train, size)
    output = pca.reconstruct(flat(seen), size, low=saved.scaling.low, high=saved.scaling.high)
    return output.reshape(seen.shape).astype(np.float32), pca.count


def compared(talk: Talk, saved: Saved, made: Reconstruction, pca: np.ndarray | None, components: int) -> dict[str, Any]:
    """The errors of model and PCA on the same objects, said in a sentence; nothing where there is no PCA."""
    if pca is None:
        return {}
    size, error = int(np.prod(saved.model.code_shape)), mean_square(pca - made.input)
    sentence = beside_pca(size, float(made.error.mean()), error, error="error", components=components)
    talk.say(sentence)
    return {"baseline": {"pca": {"mse": error, "size": components}}, "sentence": sentence}


def draw_reconstruction(
    saved: Saved,
    made: Reconstruction,
    pca: np.ndarray | None,
    components: int,
    out: Path,
    split: Split,
    shown: np.ndarray,
) -> None:
    """Draw the objects at `shown`: what went in, what the encoder saw of it, and what came out of either method."""
    rows = {"input": made.input[shown], "corrupted": made.corrupted[shown], "output": made.output[shown]}
    if saved.recipe.corruption.kind == "none":
        del rows["corrupted"]
    if pca is not None:
        rows[f"PCA, {counted(components, 'number')}"] = pca[shown]
    show.sheet(saved, rows, out, show.captions(saved, split, shown), show.title_of(saved, split, shown))


def encode(talk: Talk, run: Path, source: str | None, out: Path, part: str | None = None) -> dict[str, Any]:
    """Objects to codes: `narrows encode`."""
    from narrows.readout import encode as to_codes

    check_suffix(out, (".npy", ".csv"))
    saved = open_run(run)
    split, part = objects(talk, saved, source, part)
    z = to_codes(saved.model, split.x)
    if out.suffix == ".npy":
        write_array(out, z)
    else:
        write_csv(out, z.reshape(len(z), -1), split, saved.layout.classes)
    numbers_each = counted(int(np.prod(z.shape[1:])), "number")
    talk.say(f"{counted(len(z), 'code')} of {numbers_each}, of {part_words(part, len(z))}, written to {out}")
    about = {"objects": len(z), "split": part, "notes": list(split.notes)}
    return {**about, "code": list(z.shape[1:]), "out": str(out)}


def write_csv(out: Path, z: np.ndarray, split: Split, classes: tuple[str, ...]) -> None:
    """Codes as a table: a row an object, its class and origin last where they are known."""
    text = io.StringIO()
    writer = csv.writer(text)
    extra = [name for name, known in (("class", split.y is not None), ("where", split.where is not None)) if known]
    writer.writerow([*(f"z{i + 1}" for i in range(z.shape[1])), *extra])
    for row, code in enumerate(z):
        words = []
        if split.y is not None:
            label = int(split.y[row])
            words.append(classes[label] if 0 <= label < len(classes) else "" if label < 0 else str(label))
        if split.where is not None:
            words.append(str(split.where[row]))
        writer.writerow([*map(repr, code.tolist()), *words])
    write_atomic(out, text.getvalue())


def read_codes(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Codes (N, *shape) from a .npy file, or from the columns z1, z2 ... of a .csv file.

    Raises:
        InputError: No such file, or codes of another size.
        DamagedError: Not a readable table or array.
    """
    if not path.is_file():
        raise InputError(f"no file {path}", step="Check the path", code="input.missing")
    check_suffix(path, (".npy", ".csv"))
    wanted = int(np.prod(shape))
    if path.suffix == ".npy":
        from narrows.data.arrays import read_arrays

        z = np.asarray(read_arrays(path)["X"])
        if z.dtype.kind not in "fiu":
            raise InputError(f"{path.name} has values of type {z.dtype}", expected="numbers", code="input.type")
    else:
        z = read_code_table(path, wanted)
    if z.ndim < 2 or int(np.prod(z.shape[1:])) != wanted:
        raise InputError(
            f"{path.name} has codes of shape {z.shape[1:]}", expected=f"{wanted} numbers, as this model makes"
        )
    return z.reshape(len(z), *shape).astype(np.float32)


def read_code_table(path: Path, wanted: int) -> np.ndarray:
    """The columns z1, z2 ... of a .csv file as (N, K), K the numbers of a code.

    Raises:
        InputError: One of these columns is not there.
        DamagedError: Not a readable table, or values that are not numbers.
    """
    names = [f"z{number}" for number in range(1, wanted + 1)]
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            found, rows = table.fieldnames or (), list(table)
        check_columns(path, found, names)
        return np.array([[float(row[name]) for name in names] for row in rows], np.float32).reshape(-1, wanted)
    except InputError:
        raise
    except (ValueError, TypeError, csv.Error) as error:
        raise DamagedError(f"{path} is not a table of codes ({error})", step="Write it with narrows encode") from None


def check_columns(path: Path, found: Sequence[str], names: list[str]) -> None:
    """Refuse a table of codes that lacks a column, or has one more than a code of this model."""
    missing = [name for name in names if name not in found]
    if not missing and f"z{len(names) + 1}" not in found:
        return
    if missing:
        shown = ", ".join(missing[:MOST_NAMED]) + (", ..." if len(missing) > MOST_NAMED else "")
        given = f"{path.name} has no {'column' if len(missing) == 1 else 'columns'} {shown}"
    else:
        given = f"{path.name} has a column z{len(names) + 1}"
    span = f"z1 to z{len(names)}" if len(names) > 1 else "z1"
    step = "Write it with `narrows encode` from this model"
    raise InputError(given, expected=f"{span}, the numbers of a code of this model", step=step, code="input.columns")


MOST_NAMED = 8
"""Missing columns that are named."""


def decode(talk: Talk, run: Path, codes: Path, out: Path) -> dict[str, Any]:
    """Codes to objects: `narrows decode`."""
    from narrows.readout import decode as to_objects

    check_suffix(out, (".npy", ".png"))
    saved = open_run(run)
    made = to_objects(saved.model, read_codes(codes, saved.model.code_shape))
    if out.suffix == ".npy":
        write_array(out, made)
    else:
        show.new_objects(
            saved, made, out, f"{saved.layout.name}: objects decoded from {show.size_of(saved)} numbers each"
        )
    talk.say(f"{len(made):,} objects written to {out}")
    return {"objects": len(made), "shape": list(made.shape[1:]), "out": str(out)}


def generate(talk: Talk, run: Path, out: Path, count: int, between: str | None, seed: int) -> dict[str, Any]:
    """New objects: `narrows generate`."""
    from narrows.readout import interpolate, sample

    check_suffix(out, (".png", ".npy"))
    saved = open_run(run)
    data = load_again(talk, saved.recipe.data, "Put it back there: generate draws codes like those of its objects")
    if between is None:
        made, how = sample(saved.model, count, data.train.x, seed=seed), "drawn from the latent space"
    else:
        ends = two_of(between, data)
        real = np.asarray(data.test.x[np.array(ends)])
        made, how = interpolate(saved.model, real[0], real[1], count), f"from object {ends[0]} to object {ends[1]}"
    if out.suffix == ".npy":
        write_array(out, made)
    elif between is None:
        title = f"{saved.layout.name}: {len(made)} new objects from random codes of {show.size_of(saved)} numbers"
        show.new_objects(saved, made, out, title)
    else:
        show.way(saved, made, ends, real, out)
    talk.say(f"{len(made)} objects {how}, written to {out}")
    return {"objects": len(made), "shape": list(made.shape[1:]), "out": str(out)}


def two_of(text: str, data: Splits) -> tuple[int, int]:
    """Two numbers of test objects."""
    chosen = numbers(text)
    if len(chosen) != 2 or not all(0 <= number < len(data.test) for number in chosen):
        raise UsageError(f"--between {text}", expected=f"two numbers from 0 to {len(data.test) - 1}, such as 3,17")
    return chosen[0], chosen[1]


def draw_map(
    talk: Talk,
    run: Path,
    source: str | None,
    out: Path,
    projection: str,
    limit: int,
    seed: int,
    part: str | None = None,
) -> dict[str, Any]:
    """The latent space as a picture: `narrows map`."""
    from narrows.metrics.latent import sampled
    from narrows.readout import latent_map

    check_suffix(out, (".png", ".svg", ".html"))
    saved = open_run(run)
    scene = source is None and part in {None, "all"} and saved.layout.kind == "spectrum"
    split, part = objects(talk, saved, source, "all" if scene else part)
    drawn = sampled(len(split), limit, seed)
    split = split.take(drawn)
    made = latent_map(saved.model, split, projection=projection, seed=seed)
    draw.latent_map(
        made.points,
        made.y,
        saved.layout.classes,
        out,
        title=f"{saved.layout.name} through {counted(made.codes.shape[1], 'number')}",
        numbers={NAMES[name]: value for name, value in made.numbers.items()},
        axis_names=AXES[made.projection],
        tips=show.tips(saved, split, None if scene else drawn),
    )
    talk.table(["measure", "value"], [[NAMES[name], f"{value:.3f}"] for name, value in made.numbers.items()])
    talk.say(f"{part_words(part, len(split))} drawn in {out}")
    return {**made.as_dict(), "split": part, "notes": list(split.notes), "out": str(out)}


NAMES = {
    "trustworthiness": "trustworthiness",
    "knn_accuracy": "kNN accuracy",
    "knn_accuracy_code": "kNN accuracy, whole code",
    "silhouette": "silhouette",
}

AXES = {
    "code": ("first number of the code", "second number of the code"),
    "pca": ("first principal component of the code", "second principal component of the code"),
    "tsne": ("t-SNE 1", "t-SNE 2"),
}


def write_array(out: Path, values: np.ndarray) -> None:
    """Write a .npy file in one piece."""
    write_atomic(out, lambda file: np.save(file, values, allow_pickle=False))
