"""`python -m narrows`."""

from narrows.cli import main

main()
