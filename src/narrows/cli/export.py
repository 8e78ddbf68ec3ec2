"""The command that hands a model to other programs: export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from narrows.cli.talk import Talk
from narrows.cli.train import check_suffix
from narrows.errors import unknown
from narrows.train.checkpoint import open_run

FORMATS = ("onnx",)


def export(talk: Talk, run: Path, to: str, out: Path | None, part: str) -> dict[str, Any]:
    """A run as one file of another format: `narrows export`."""
    from narrows.readout import export_onnx

    if to not in FORMATS:
        raise unknown("format", to, FORMATS)
    saved = open_run(run)
    out = out or run / f"{part}.onnx"
    check_suffix(out, (".onnx",))
    made = export_onnx(saved.model, out, recipe=saved.recipe, layout=saved.layout, part=part)
    talk.table(["", "name", "axes"], [*rows("in", made.inputs), *rows("out", made.outputs)])
    talk.say(f"{made.bytes:,} bytes written to {out}; differs from the model by {made.difference:.1g} at most")
    return {"out": str(out), "to": to, **made.as_dict()}


def rows(way: str, ports: dict[str, list[int | str]]) -> list[list[str]]:
    """What goes in or comes out, as lines of a table."""
    return [[way, name, " x ".join(map(str, axes))] for name, axes in ports.items()]
