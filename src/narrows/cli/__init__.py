"""The command line: parses, shows, and leaves all work to the floors below."""

from narrows.cli.main import main

__all__ = ["main"]
