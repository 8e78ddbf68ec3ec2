"""The bench: questions that need torch but no training, answered one after the other.

Each is a function of the question and its bytes that gives a result and bytes; the table `ANSWERS` names them all.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from math import prod
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import torch

from narrows.changes import parse
from narrows.data import read
from narrows.data.scaling import Scaling, fit_scaling
from narrows.errors import InputError, LimitError, ModelError, UsageError, unknown
from narrows.model import Model
from narrows.readout.apply import batch_of
from narrows.readout.graph import graph_of, span_of, weights_of
from narrows.readout.latent import project
from narrows.recipe import Recipe, build, recipe_for
from narrows.studio.baseline import baseline_of
from narrows.studio.export import export as one_file
from narrows.studio.failure import problem_of
from narrows.studio.frames import places, points_frame, weights_frame
from narrows.studio.opened import latest, model_of, scaled_objects
from narrows.studio.outbox import Outbox
from narrows.studio.outside import check_outside
from narrows.studio.plane import turn
from narrows.studio.scene import scene_of
from narrows.studio.sets import loaded
from narrows.studio.shown import EXAMPLES, half, shown, write_shown
from narrows.studio.snapshots import read_snapshot, steps_of
from narrows.studio.training import SPAN_OBJECTS
from narrows.studio.view import corrupted
from narrows.train.checkpoint import is_finished, open_run, read_recipe, read_run
from narrows.types import Layout, Splits

Question = dict[str, Any]
Answer = tuple[dict[str, Any], list[bytes]]

TSNE_MOST = 20_000
"""Objects that t-SNE is given at most: the first of the fixed order, a sample stratified by class."""

USED_MOST, USED_VALUES = 2_000, 30_000_000
"""Objects of an upload that are looked at at most, and values of all of them."""

CODES_MOST = 4_096
"""Codes decoded at once."""


def preview(question: Question, parts: list[bytes]) -> Answer:
    """A recipe made complete, and what it would train: shapes, layers, first weights, some objects."""
    recipe, data = completed(question)
    scaling = fit_scaling(data.train.x, data.layout, recipe.data.scaling)
    chosen, span = shown(data, scaling), span_of(scaling, data.train.x[:SPAN_OBJECTS])
    graph = graph_of(recipe, data.layout, outline(recipe, data.layout, scaling), span=span)
    first = b"" if graph["remote"] else weights_frame(0, weights_of(build(recipe, data.layout, scaling), graph))
    objects = chosen.objects(EXAMPLES)
    layout = data.layout
    sample = {
        "ids": list(range(len(objects))), "dtype": "uint8" if chosen.stored else "float16", "shape": layout.shape,
        "low": layout.low, "high": layout.high, "labels": chosen.labels()[:EXAMPLES].tolist(),
    }  # fmt: skip
    result = {
        "recipe": recipe.model_dump(mode="json"), "layout": layout.as_dict(), "classes": layout.classes,
        "counts": counts_of(data), "graph": graph, "sample": sample, "notes": list(data.notes),
    }  # fmt: skip
    return result, [first, objects.tobytes()]


def outline(recipe: Recipe, layout: Layout, scaling: Scaling) -> Model:
    """The model of a recipe without memory for its weights, but with its scaling: enough for its graph."""
    with torch.device("meta"):
        model = build(recipe, layout, scaling)
    model.offset, model.spread = torch.as_tensor(scaling.offset), torch.as_tensor(scaling.scale)
    return model


def completed(question: Question) -> tuple[Recipe, Splits]:
    """The whole recipe of a question and its data: what is not said is what suits the data.

    Raises:
        UsageError: Something that is no recipe.
    """
    said = said_recipe(question)
    settings = parse({"data": said.get("data", {})}).data
    data = loaded(settings, str(question["source"]))
    network, bottleneck = kind_of(said.get("network"), "dense"), kind_of(said.get("bottleneck"), "plain")
    base = recipe_for(data, source=settings, network=network, bottleneck=bottleneck)
    return parse(merged(base.model_dump(mode="json"), said)), data


def said_recipe(question: Question) -> dict[str, Any]:
    """What a question says of a recipe: some of it, or the name of the data and the kinds of two parts.

    Raises:
        UsageError: It is no object.
    """
    said = question.get("recipe")
    if said is None:
        kinds = {part: {"kind": question[part]} for part in ("network", "bottleneck") if question.get(part)}
        return {**kinds, "data": {"name": question["data"]}}
    if not isinstance(said, dict):
        raise UsageError(f"recipe={str(said)[:80]}", expected="an object", code="usage.value")
    return said


def kind_of(part: Any, default: str) -> str:
    """The kind of a part of a recipe, or the default where it says none."""
    return str(part["kind"]) if isinstance(part, dict) and "kind" in part else default


def merged(base: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What is said, and for the rest the base; a part of another kind, and the terms of the objective, are as said.

    Example:
        >>> merged({"a": {"kind": "x", "n": 1}, "b": {"n": 1, "m": 2}}, {"a": {"kind": "y"}, "b": {"n": 5}})
        {'a': {'kind': 'y'}, 'b': {'n': 5, 'm': 2}}
    """
    whole = {**base, **said}
    for name, value in said.items():
        old = base.get(name)
        if not isinstance(old, dict) or not isinstance(value, dict) or name == "objective":
            continue
        if value.get("kind", old.get("kind")) == old.get("kind"):
            whole[name] = {**old, **value}
    return whole


def counts_of(data: Splits) -> dict[str, int]:
    """How many objects there are to train, to validate and to test."""
    return {name: len(getattr(data, name)) for name in ("train", "valid", "test")}


def corrupt(question: Question, parts: list[bytes]) -> Answer:
    """Some of a preview's objects as the encoder would be shown them, float16 (n, *shape)."""
    recipe, data = completed(question)
    scaling = fit_scaling(data.train.x, data.layout, recipe.data.scaling)
    recipe.corruption.check(data.layout.shape)
    chosen = shown(data, scaling).split.take(slice(EXAMPLES))
    numbers = question.get("objects", list(range(len(chosen))))
    if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < len(chosen) for n in numbers):
        raise UsageError(f"objects={str(numbers)[:80]}", expected=f"numbers from 0 to {len(chosen) - 1}")
    x = torch.from_numpy(scaling.apply(chosen.x))
    seen = corrupted(recipe, x, int(question.get("seed", recipe.seed)))[numbers]
    return {"shape": [len(numbers), *data.layout.shape]}, [half(seen.numpy()).tobytes()]


def prepare(question: Question, parts: list[bytes]) -> Answer:
    """The shown set of a run that was begun elsewhere, written."""
    folder = Path(question["folder"])
    recipe, _, layout, _ = read_run(folder)
    data = data_of(recipe, question)
    if data.layout.shape != layout.shape:
        raise ModelError(f"data of shape {data.layout.shape}", expected=f"{layout.shape}, as the run was trained on")
    scaling = fit_scaling(data.train.x, data.layout, recipe.data.scaling)
    model = outline(recipe, data.layout, scaling)
    graph = graph_of(recipe, data.layout, model, span=span_of(scaling, data.train.x[:SPAN_OBJECTS]))
    chosen = shown(data, scaling)
    about = {"graph": graph, "counts": counts_of(data), "sample_count": len(chosen), "notes": list(data.notes)}
    about["baseline"] = baseline_of(recipe, data, scaling, prod(model.code_shape))
    write_shown(Path(question["shown"]), chosen, about, scene_of(data))
    return {}, []


def points(question: Question, parts: list[bytes]) -> Answer:
    """The frame of all objects of a run, by the weights of a step."""
    asked = question.get("projection") or question.get("kind") or "auto"
    folder = Path(question["folder"])
    model, step = model_of(folder, step_of(question))
    _, x = scaled_objects(Path(question["shown"]))
    some = x[:TSNE_MOST] if asked == "tsne" else x
    name, found = project(encoded(model, some), asked, seed=0)
    if name == "pca":
        found = steadied(folder, step, found)
    return {"projection": name, "count": len(some)}, [
        points_frame(step, places(found), name, complete=len(some) == len(x))
    ]


def foresee(question: Question, parts: list[bytes]) -> Answer:
    """Nothing yet: what a map by t-SNE imports is there when it is asked for."""
    with suppress(ImportError):
        import_module("openTSNE")
    return {}, []


@torch.no_grad()
def encoded(model: Model, x: np.ndarray) -> np.ndarray:
    """The codes (N, K) of scaled objects (N, *shape)."""
    parts = torch.from_numpy(x).split(batch_of(model))
    return torch.cat([model.encode(part).z.float().flatten(1) for part in parts]).numpy()


def steadied(folder: Path, step: int, found: np.ndarray) -> np.ndarray:
    """Points (N, 2) turned to where the nearest snapshot of the run has them, so that they do not jump."""
    near = min(steps_of(folder), key=lambda other: abs(other - step), default=None)
    if near is None:
        return found
    before = read_snapshot(folder, near).places.points
    some = min(len(before), len(found))
    middle = found[:some].mean(0)
    return (found - middle) @ turn(found[:some] - middle, before[:some] - before[:some].mean(0))


def weights(question: Question, parts: list[bytes]) -> Answer:
    """The frame of a run's weights at a step."""
    folder = Path(question["folder"])
    model, step = model_of(folder, step_of(question))
    recipe, _, layout, _ = read_run(folder)
    return {"step": step}, [weights_frame(step, weights_of(model, graph_of(recipe, layout, model)))]


def data_of(recipe: Recipe, question: Question) -> Splits:
    """The data of a run; what lies outside the studio is weighed first."""
    source = str(question.get("source", recipe.data.name))
    if question.get("outside"):
        check_outside(source)
    return loaded(recipe.data, source)


def step_of(question: Question) -> int | None:
    """The step a question is about, None for the latest."""
    step = question.get("step")
    return None if step is None else int(step)


@torch.no_grad()
def decode(question: Question, parts: list[bytes]) -> Answer:
    """Objects from codes: float16 (n, *grid, K) in, scaled float16 (n, *shape) out."""
    model, _ = held(Path(question["folder"]), step_of(question))
    z = np.frombuffer(parts[0] if parts else b"", "<f2").astype(np.float32)
    size = prod(model.code_shape)
    if not len(z) or len(z) % size or not np.isfinite(z).all():
        raise InputError(f"{len(z)} numbers of codes", expected=f"finite numbers, {size} a code", code="input.codes")
    if len(z) > CODES_MOST * size:
        raise LimitError(f"{len(z) // size:,} codes", expected=f"at most {CODES_MOST:,} at once")
    codes = torch.from_numpy(z.reshape(-1, *model.code_shape)).split(batch_of(model))
    made = torch.cat([model.decode(part) for part in codes])
    return {"n": len(made), "shape": list(model.shape)}, [half(made.numpy()).tobytes()]


HELD: dict[str, tuple[Model, int]] = {}
"""The model that was decoded with last: dragging asks for it again and again."""


def held(folder: Path, step: int | None) -> tuple[Model, int]:
    """A model of a run, kept until another is asked for or the run has another."""
    last = steps_of(folder)[-1:] if step is None else [step]
    key = f"{folder} {last} {is_finished(folder)}"
    if key not in HELD:
        found = model_of(folder, step)
        HELD.clear()
        HELD[key] = found
    return HELD[key]


def use(question: Question, parts: list[bytes]) -> Answer:
    """The objects of an upload in the layout and the units of a run, and what its model makes of them.

    The bytes are the scaled objects and the outputs, float16 (n, *shape) each.
    """
    if question.get("task", "reconstruct") != "reconstruct":
        raise UsageError(f"task {str(question['task'])[:80]!r}", expected="reconstruct", code="usage.task")
    folder = Path(question["folder"])
    model, scaling = latest(folder)[0], scaling_of(question)
    recipe, _, layout, _ = read_run(folder)
    found = read(question["upload"], like=layout, label=recipe.data.label, missing=recipe.data.missing)
    most = max(1, min(USED_MOST, USED_VALUES // layout.values))
    notes = list(found.notes)
    if len(found) > most:
        notes.append(f"The first {most:,} of {len(found):,} objects are shown.")
    some = found.take(slice(most))
    x = scaling.apply(some.x)
    output = through(model, x)
    objects = {"count": len(x), "dtype": "float16", "shape": layout.shape, "low": layout.low, "high": layout.high}
    where = None if some.where is None else [str(place) for place in some.where]
    error = np.square(output - x, dtype=np.float64).reshape(len(x), -1).mean(1)
    result = {"objects": objects, "notes": notes, "where": where, "error": error.tolist()}
    return result, [half(x).tobytes(), half(output).tobytes()]


@torch.no_grad()
def through(model: Model, x: np.ndarray) -> np.ndarray:
    """Scaled objects (N, *shape) through a model."""
    return torch.cat([model(part).output for part in torch.from_numpy(x).split(batch_of(model))]).numpy()


def scaling_of(question: Question) -> Scaling:
    """The scaling of a run: its own once it is trained, else that of its data."""
    folder = Path(question["folder"])
    if is_finished(folder):
        return open_run(folder).scaling
    recipe = read_recipe(folder)
    data = data_of(recipe, question)
    return fit_scaling(data.train.x, data.layout, recipe.data.scaling)


def export(question: Question, parts: list[bytes]) -> Answer:
    """A run written as one HTML file, or with `dry` only how large it would be."""
    out = None if question.get("dry") else Path(question["out"])

    def load(recipe: Recipe) -> Splits:
        return data_of(recipe, question)

    return one_file(Path(question["folder"]), load, out, name=str(question.get("name", ""))).as_dict(), []


ANSWERS: dict[str, Callable[[Question, list[bytes]], Answer]] = {
    "preview": preview,
    "corrupt": corrupt,
    "prepare": prepare,
    "points": points,
    "project": points,
    "foresee": foresee,
    "weights": weights,
    "decode": decode,
    "use": use,
    "export": export,
}


class Bench:
    """Answers questions.

    Args:
        inbox: The questions.
        outbox: Where to answer.
    """

    def __init__(self, inbox: "SimpleQueue[tuple[Question, list[bytes]]]", outbox: Outbox):
        self.inbox, self.outbox = inbox, outbox

    def work(self) -> None:
        """Answer until told to end."""
        while (item := self.inbox.get())[0].get("do") != "exit":
            self.answer(*item)

    def answer(self, question: Question, parts: list[bytes]) -> None:
        """Answer one question; what goes wrong is an answer too."""
        reply = {"event": "reply", "call": question.get("call")}
        try:
            if question.get("do") not in ANSWERS:
                raise unknown("question", question.get("do"), ANSWERS)
            result, made = ANSWERS[question["do"]](question, parts)
            self.outbox.say({**reply, "ok": True, "result": result}, *made)
        except Exception as error:
            self.outbox.say({**reply, "ok": False, "error": problem_of(error).as_dict()})
