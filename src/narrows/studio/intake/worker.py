"""The child that reads one file and ends: it may use little memory and time, and what it says is checked JSON.

    server: read_file(...) -> spawn -> enter(...): limits -> reader of the format -> answer -> gone

A file that makes a reader crash, hang or grow without end costs this child and nothing else.
"""

import json
import os
import sys
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from narrows.errors import DamagedError, LimitError, NarrowsError
from narrows.files import finite, parse_json
from narrows.studio import rlimits
from narrows.studio.children import cause

READERS = {
    **dict.fromkeys(("png", "jpeg", "webp", "bmp"), "pictures:read_picture"),
    **dict.fromkeys(("wav", "flac"), "sounds:read_sound"),
    **dict.fromkeys(("csv", "tsv"), "tables:read_table"),
    "npy": "arrays:read_array",
    "zip": "archives:read_archive",
}
"""What reads a format: module and function below this package, (raw file, folder to write to, format) -> found."""

MEMORY = 3 << 30
FILE_BYTES = 2 << 30
OPEN_FILES = 64
BASE_SECONDS, SECONDS_A_MB, MOST_SECONDS = 20.0, 1.0, 300.0
ANSWER_BYTES = 1 << 20
THAT = "That file"


def allowed_seconds(size: int) -> float:
    """How long the reading of a file of so many bytes may take.

    Example:
        >>> allowed_seconds(0), allowed_seconds(10 << 20), allowed_seconds(1 << 40)
        (20.0, 30.0, 300.0)
    """
    return min(MOST_SECONDS, BASE_SECONDS + SECONDS_A_MB * (size >> 20))


def read_file(raw: Path, out: Path, form: str, seconds: float) -> dict[str, Any]:
    """Have a file read by a child; blocks until it is done, dead or out of time.

    Args:
        raw: The file as it was given.
        out: The folder for what is made of it.
        form: Its format.
        seconds: How long it may take.

    Raises:
        NarrowsError: What is wrong with the file, or that it could not be read within the limits.
    """
    from narrows.studio.problems import revived

    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=enter, args=(theirs, str(raw), str(out), form, seconds), daemon=True)
    child.start()
    theirs.close()
    try:
        answer = parse_json(ours.recv_bytes(ANSWER_BYTES)) if ours.poll(seconds) else None
    except (EOFError, OSError, ValueError):
        child.join(5)
        raise crashed(child.exitcode) from None
    finally:
        child.kill()
        child.join(5)
    if answer is None:
        step = "Give a smaller one"
        raise LimitError("Reading that file took too long", expected=f"at most {seconds:.0f} seconds", step=step)
    if not answer.get("ok"):
        raise revived(answer.get("error", {}))
    return dict(answer["found"])


def crashed(status: int | None) -> NarrowsError:
    """The error for a file on which its reader ended."""
    step = "Save it again with another program, or give a smaller one"
    return DamagedError(f"The process that read that file {cause(status)}", step=step, code="damaged.crash")


def enter(connection: Connection, raw: str, out: str, form: str, seconds: float) -> None:
    """Where the child begins: read the file, say what was found, end."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    restrict(seconds)
    try:
        module, _, function = READERS[form].partition(":")
        reader = getattr(import_module(f"narrows.studio.intake.{module}"), function)
        answer: dict[str, Any] = {"ok": True, "found": reader(Path(raw), Path(out), form)}
    except NarrowsError as error:
        answer = {"ok": False, "error": error.as_dict()}
    except MemoryError:
        problem = LimitError("Reading that file needs too much memory", expected=f"at most {MEMORY >> 30} GB")
        answer = {"ok": False, "error": problem.as_dict()}
    except Exception as error:
        damage = DamagedError(f"{THAT} cannot be read ({type(error).__name__}: {str(error)[:200]})")
        answer = {"ok": False, "error": damage.as_dict()}
    connection.send_bytes(json.dumps(without_paths(finite(answer), raw, out)).encode())
    connection.close()


def without_paths(values: Any, raw: str, out: str) -> Any:
    """The same words without the places where files lie on this machine; `source` is no word but a name."""
    if isinstance(values, dict):
        return {key: value if key == "source" else without_paths(value, raw, out) for key, value in values.items()}
    if isinstance(values, list):
        return [without_paths(value, raw, out) for value in values]
    if isinstance(values, str):
        for place in (raw, f"{out}{os.sep}", out):
            values = values.replace(place, "" if place.endswith(os.sep) else THAT)
        return values.replace(Path(raw).name, THAT).replace(f"data{Path(raw).suffix}", THAT)
    return values


def restrict(seconds: float) -> None:
    """Limit what this process may use, where the system can: memory, time, files, and no core dump."""
    rlimits.restrict(AS=MEMORY, CPU=int(seconds) + 1, FSIZE=FILE_BYTES, NOFILE=OPEN_FILES, CORE=0)
    sys.setrecursionlimit(500)
