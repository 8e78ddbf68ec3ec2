"""How a command talks: results on standard output, progress on standard error, one object with --json."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from narrows.files import finite

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


class Talk:
    """Where a command says what: `say` to people, `end` with its result.

    Args:
        as_json: Whether the result is wanted as one JSON object, and nothing else on standard output.
    """

    def __init__(self, as_json: bool):
        self.as_json = as_json

    @property
    def console(self) -> Console:
        """Where people read: standard error if standard output is for JSON."""
        from rich.console import Console

        return Console(stderr=self.as_json, highlight=False, soft_wrap=True)

    @property
    def in_colours(self) -> bool:
        """Whether people read on a terminal that takes half blocks in colour, and not a pipe or a log."""
        from narrows.cli.draw.terminal import fancy_terminal

        return self.console.is_terminal and fancy_terminal(sys.stderr if self.as_json else sys.stdout)

    def say(self, *words: Any) -> None:
        """Write a line for people."""
        self.console.print(*words, markup=False)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table for people."""
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.console.print(table, markup=False)

    def end(self, result: Mapping[str, Any]) -> None:
        """Give the result: as JSON if that was asked for."""
        if self.as_json:
            print(json.dumps(finite(result), ensure_ascii=False))

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A progress bar on standard error."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=not sys.stderr.isatty()) as bar:
            yield bar
