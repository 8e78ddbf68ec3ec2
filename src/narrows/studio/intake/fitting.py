"""Whether what was made of a file can be trained on, and with which settings of the data."""

from pathlib import Path
from typing import Any

from narrows.data.sets import load
from narrows.errors import NarrowsError

ATTEMPTS: tuple[dict[str, Any], ...] = ({}, {"side": 64}, {"missing": "mean"})
"""Settings that are tried in this order: as it is, pictures brought to one size, gaps of a table filled."""

LARGE_SIDE = 128
"""Pictures with a longer side are brought to 64 pixels at first."""


def fitting(source: str, out: Path) -> dict[str, Any]:
    """Where the copy lies, and as what it can be loaded.

    Args:
        source: The copy, relative to `out`.
        out: The folder of the upload.
    """
    first: NarrowsError | None = None
    for settings in ATTEMPTS:
        try:
            data = load(out / source, **settings)
        except NarrowsError as error:
            first = first or error
            continue
        layout = data.layout
        if layout.kind == "image" and max(layout.shape[1:]) > LARGE_SIDE and not settings:
            continue
        counts = {name: len(getattr(data, name)) for name in ("train", "valid", "test")}
        said = {"kind": layout.kind, "shape": layout.shape, "classes": layout.classes[:100], "counts": counts}
        return {"source": source, "settings": settings, "fit": {"ok": True, **said, "notes": data.notes[:20]}}
    return {"source": source, "settings": {}, "fit": {"ok": False, "why": str(first)}}
