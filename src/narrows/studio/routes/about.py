"""What there is to choose from."""

from typing import Any

from fastapi import APIRouter

from narrows.data.sets import DATASETS, Dataset, status
from narrows.recipe import Recipe
from narrows.studio.desk import Here
from narrows.studio.guard import JSON_BODY, UPLOAD_BODY
from narrows.studio.jobs import GRAPH_LIMIT

router = APIRouter(prefix="/api", tags=["about"])

KINDS = {
    "images": "image",
    "glyphs": "image",
    "cards": "table",
    "tables": "table",
    "tones": "sound",
    "series": "series",
    "spectra": "spectrum",
}
"""What the objects of a set are, by the module that loads it."""

LIMITS = {
    "runs_side_by_side": 4,
    "upload_bytes": UPLOAD_BODY,
    "json_bytes": JSON_BODY,
    "numbers_in_page": GRAPH_LIMIT,
    "objects_shown": 100_000,
}


@router.get("/health")
def health() -> dict[str, bool]:
    """Whether the server is there; the one answer that needs no key."""
    return {"ok": True}


@router.get("/choices")
def choices(desk: Here) -> dict[str, Any]:
    """The JSON Schema of a recipe, the data sets, the defaults and the limits."""
    sets = [described(name, known) for name, known in DATASETS.items()]
    defaults = {"recipe": Recipe().model_dump(mode="json"), "data": "digits"}
    return {"schema": Recipe.model_json_schema(), "datasets": sets, "defaults": defaults, "limits": LIMITS}


def described(name: str, known: Dataset) -> dict[str, Any]:
    """A data set as the page lists it."""
    state = status(name)
    return {
        "name": name,
        "title": known.title,
        "kind": KINDS[known.loader.partition(":")[0]],
        "here": state == "embedded" or state.startswith("here"),
        "embedded": state == "embedded",
        "downloads": bool(known.downloads),
        "origin": known.origin,
        "licence": known.licence,
    }
