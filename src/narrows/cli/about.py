"""The commands that tell: data, info."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from narrows.cli.talk import Talk
from narrows.data import DATASETS, status
from narrows.errors import UsageError


def list_data(talk: Talk) -> dict[str, Any]:
    """The table of data sets: `narrows data`."""
    rows = [
        {"name": name, "title": known.title, "status": status(name), "licence": known.licence, "origin": known.origin}
        for name, known in DATASETS.items()
    ]
    for row in rows:
        talk.say(f"{row['name']:<17}{row['title']}")
        talk.say(f"{'':<17}{row['status']} · {row['licence']} · {row['origin']}")
    talk.say("")
    talk.say("Or a path: a folder of pictures or sounds, .csv .tsv .parquet .npy .npz .mat .tif .txt .ts .wav .png ...")
    talk.say("Sets are looked for in the folders of NARROWS_DATA, then in the cache.")
    return {"datasets": rows}


def describe(talk: Talk, what: str | None, schema: bool, changes: list[str]) -> dict[str, Any]:
    """A run, a data set, a file, the recipe's schema, or the installation: `narrows info`."""
    if schema and what is not None:
        raise UsageError(f"--schema with {what}", expected="--schema alone", code="usage.schema")
    if schema:
        from narrows.recipe import Recipe

        return Recipe.model_json_schema()
    if what is None:
        return installation(talk)
    if (Path(what) / "recipe.json").exists():
        if changes:
            raise UsageError("--set for a run", expected="a data set or a file", code="usage.set")
        return describe_run(talk, Path(what))
    return describe_data(talk, what, changes)


def installation(talk: Talk) -> dict[str, Any]:
    """What is installed here and what it can do."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from narrows import __version__
    from narrows.data.where import data_folders

    packages = {}
    for name in (
        "torch",
        "numpy",
        "scipy",
        "scikit-learn",
        "matplotlib",
        "pyarrow",
        "soundfile",
        "soxr",
        "openTSNE",
        "tifffile",
        "onnx",
        "onnxruntime",
        "onnxscript",
    ):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = ""
    folders = [str(folder) for folder in data_folders()]
    talk.say(f"narrows {__version__}, Python {platform.python_version()}")
    talk.table(["package", "version"], [[name, found or "not installed"] for name, found in packages.items()])
    talk.say("data folders: " + ", ".join(folders))
    return {"narrows": __version__, "python": platform.python_version(), "packages": packages, "data_folders": folders}


def describe_run(talk: Talk, folder: Path) -> dict[str, Any]:
    """What a run folder holds."""
    from narrows.files import read_json
    from narrows.train.checkpoint import is_finished, read_run

    recipe, about, layout, _ = read_run(folder)
    finished = is_finished(folder)
    report = read_json(folder / "report.json") if (folder / "report.json").exists() else None
    rows = [
        ["data", f"{layout.name}, objects of {' x '.join(map(str, layout.shape))}"],
        ["network", recipe.network.kind],
        ["bottleneck", f"{recipe.bottleneck.kind}, {recipe.bottleneck.size} numbers"],
        ["parameters", f"{about.get('parameters', 0):,}"],
        ["state", "finished" if finished else f"not finished; go on with: narrows train --resume {folder}"],
    ]
    talk.table(["", ""], rows)
    if isinstance(report, dict):
        talk.say(str(report.get("sentence", "")))
    state = {"finished": finished, "run": str(folder)}
    return {"recipe": recipe.model_dump(mode="json"), "model": about, "report": report, **state}


def describe_data(talk: Talk, what: str, changes: list[str]) -> dict[str, Any]:
    """What a data set or a file holds."""
    from narrows.cli.train import data_settings, load_for
    from narrows.recipe import Data

    others = [change for change in changes if not change.lstrip().startswith("data.")]
    if others:
        raise UsageError(f"--set {others[0]}", expected="a setting of the data, such as data.side=64", code="usage.set")
    data = load_for(talk, data_settings(Data(name=what), changes))
    layout, counts = data.layout, {name: len(getattr(data, name)) for name in ("train", "valid", "test")}
    rows = [
        ["kind", layout.kind],
        ["shape of an object", " x ".join(map(str, layout.shape))],
        ["values", layout.units or "as given"],
        ["classes", ", ".join(layout.classes) or "none"],
        ["objects", ", ".join(f"{count:,} {name}" for name, count in counts.items())],
    ]
    talk.table(["", ""], rows)
    for note in data.notes:
        talk.say(note)
    return {"layout": layout.as_dict(), "objects": counts, "notes": list(data.notes)}
