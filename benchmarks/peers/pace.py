"""The pace of a peer: its parent says when the next epoch begins, and hears how long it took.

    peer:   {"ready": ..., "threads": 2}        after an epoch that nobody counts
    parent: go
    peer:   {"seconds": 0.41}

Closing the peer's standard input ends it.
"""

import json
import time
from typing import IO, Any


class Pace:
    """Waits before an epoch and measures it.

    Args:
        orders: Where the parent writes "go".
        reports: Where the parent reads.
        about: What the parent is told when the peer is ready: versions, threads, how it computes.
    """

    def __init__(self, orders: IO[str], reports: IO[str], **about: Any):
        self.orders, self.reports, self.about = orders, reports, about
        self.warm = False

    def tell(self, **report: Any) -> None:
        self.reports.write(json.dumps(report) + "\n")
        self.reports.flush()

    def begin(self) -> None:
        """Wait for the next order, but not before the first epoch."""
        if self.warm and self.orders.readline().strip() != "go":
            raise SystemExit(0)
        self.started = time.perf_counter()

    def end(self) -> None:
        """Report the seconds since `begin`; the first epoch only warms up."""
        seconds = time.perf_counter() - self.started
        if self.warm:
            self.tell(seconds=seconds)
        else:
            self.warm = True
            self.tell(ready=True, **self.about)
