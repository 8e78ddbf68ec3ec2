"""Run one peer on one work, at the pace of standard input: `python -m peers PEER WORK ROWS`."""

import os
import sys
import warnings
from dataclasses import replace
from importlib import import_module

from peers import PEERS
from peers.pace import Pace


def main() -> None:
    peer, name, rows = sys.argv[1:]
    # What frameworks print must not come between the reports.
    reports = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    pace = Pace(sys.stdin, reports)
    module, function = PEERS[peer].split(":")
    try:
        works = import_module("peers.work").WORKS
        train = getattr(import_module(f"peers.{module}"), function)
    except ImportError as error:
        return pace.tell(missing=str(error))
    try:
        train(replace(works[name], rows=int(rows)), pace)
    except Exception as error:
        pace.tell(error=f"{type(error).__name__}: {error}")
        raise
    return None


if __name__ == "__main__":
    main()
