"""Training: `fit` is a generator of events, and a run folder remembers everything.

Importing this package imports torch.
"""

from narrows.train.checkpoint import Saved, open_run
from narrows.train.device import Place
from narrows.train.events import Epoch, Event, Finished, Judging, Notice, Result, Started, Step
from narrows.train.loop import fit

__all__ = [
    "Epoch",
    "Event",
    "Finished",
    "Judging",
    "Notice",
    "Place",
    "Result",
    "Saved",
    "Started",
    "Step",
    "fit",
    "open_run",
]
