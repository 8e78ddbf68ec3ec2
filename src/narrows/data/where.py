"""Where data lies: folders named by NARROWS_DATA first, then the user's cache."""

import os
import sys
from pathlib import Path


def data_folders() -> list[Path]:
    """The folders to look in, in order.

    NARROWS_DATA names any number of folders, separated as in PATH.
    """
    named = [Path(name).expanduser() for name in os.environ.get("NARROWS_DATA", "").split(os.pathsep) if name]
    return [*named, cache_folder()]


def cache_folder() -> Path:
    """Where downloads are kept: NARROWS_CACHE, or the user's cache as the platform has it."""
    if os.environ.get("NARROWS_CACHE"):
        return Path(os.environ["NARROWS_CACHE"]).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "narrows"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "narrows"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "narrows"


def find(spellings: tuple[str, ...]) -> Path | None:
    """The first file or folder of these relative paths that is in one of the data folders."""
    places = (folder / spelling for folder in data_folders() for spelling in spellings)
    return next((place for place in places if place.exists()), None)
