"""Arrays of numbers (.npy): what the header claims is compared with the bytes there are, then written anew."""

from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.arrays import read_arrays
from narrows.errors import InputError
from narrows.storage import single
from narrows.studio.intake.fitting import fitting


def read_array(raw: Path, out: Path, form: str) -> dict[str, Any]:
    """One array."""
    x = read_arrays(raw)["X"]
    if x.dtype.kind not in "buif" or x.ndim < 1 or not x.size:
        raise InputError(f"An array of {x.dtype} with the shape {x.shape}", expected="objects of numbers, (N, ...)")
    kept = single(np.ascontiguousarray(x))
    if not np.isfinite(kept).all():
        raise InputError("That array has values that are no numbers", step="Mend them first", code="input.nan")
    np.save(out / "data.npy", kept, allow_pickle=False)
    facts = {"shape": list(x.shape), "dtype": str(x.dtype), "low": float(kept.min()), "high": float(kept.max())}
    return {"kind": "array", "facts": facts, "notes": [], "preview": [], **fitting("data.npy", out)}
