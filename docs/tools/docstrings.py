"""How docstrings are read: an "Example:" in them is code that runs, as doctest sees it."""

from typing import Any

import griffe


class Examples(griffe.Extension):
    """Calls the section "Example:" by the name that griffe knows."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rename the section of one docstring."""
        if obj.docstring:
            lines = obj.docstring.value.splitlines()
            obj.docstring.value = "\n".join("Examples:" if line == "Example:" else line for line in lines)
