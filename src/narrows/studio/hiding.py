"""Sentences as clients may read them: what lies on this machine goes by its name, never by its place."""

import os
import re

from narrows.data.where import data_folders
from narrows.studio.uploads import Uploads

SIGN = r"[^\s/\\'\"`,;:()<>\[\]{}|]"
PLACE = re.compile(rf"(?<![\w:/\\.~-])(?:~|[A-Za-z]:)?(?:[/\\]{SIGN}+)+[/\\]({SIGN}+)[/\\]?")
"""A place of at least two names, and the last of them; no web address, and no fraction."""


def hidden(text: str, uploads: Uploads) -> str:
    """A sentence without places of this machine: an upload goes by its label, all else by its own name.

    Args:
        text: The sentence.
        uploads: The uploads that it may speak of.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from narrows.studio.home import Home
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     hidden("/home/ann/pets/cat.png is no picture; see https://example.org/a/b", Uploads(Home(Path(folder))))
        'cat.png is no picture; see https://example.org/a/b'
    """
    text = uploads.named(text)
    folders = {uploads.home.runs: "the folder of the runs"} | dict.fromkeys(data_folders(), "the folder of the data")
    for folder, words in folders.items():
        if folder.is_absolute():
            text = text.replace(f"{folder}{os.sep}", "").replace(str(folder), words)
    return PLACE.sub(r"\1", text)
