"""The trainer: sessions one after the other; between them what is owed, such as the reports of runs that ended."""

import traceback
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

import torch

from narrows.recipe import Data
from narrows.studio.outbox import Outbox
from narrows.studio.session import Item, Session
from narrows.studio.sets import loaded

FIRST = "digits"
"""The data the page opens with: read ahead."""


class Trainer:
    """Does what the server says, in the order it says it.

    Args:
        inbox: What the server says.
        outbox: Where to answer.
    """

    def __init__(self, inbox: "SimpleQueue[Item]", outbox: Outbox):
        self.inbox, self.outbox = inbox, outbox
        self.first: deque[Item] = deque()
        self.last: Session | None = None
        self.owed: deque[Callable[[], None]] = deque()

    def work(self) -> None:
        """Work until told to end; what is owed then is done before."""
        Thread(target=get_ready, daemon=True, name="ready").start()
        while (item := self.next())[0].get("do") != "exit":
            if item[0].get("do") == "start":
                self.train(item)
        while self.owed:
            self.settle()
        if self.last:
            self.last.await_comparison()

    def next(self) -> Item:
        """What the server says next; while it says nothing, what is owed is done."""
        while self.owed and not self.first and self.inbox.empty():
            self.settle()
            if not self.owed:
                self.outbox.say({"event": "settled"})
        return self.first.popleft() if self.first else self.inbox.get()

    def settle(self) -> None:
        """Do one thing that is owed."""
        try:
            self.owed.popleft()()
        except Exception:
            traceback.print_exc()

    def train(self, item: Item) -> None:
        """Train a family of runs until all have ended."""
        session = Session(item[0], self.inbox, self.outbox)
        session.run()
        self.first.extend(session.later)
        self.owed.extend(session.owed)
        self.last = session
        self.outbox.say({"event": "idle", "owed": len(self.owed)})


def get_ready() -> None:
    """Do once what takes long the first time, beside what is asked: a training that is to begin does not wait for it.

    The first data set is read, and an optimiser made, which imports a large part of torch.
    """
    loaded(Data(name=FIRST), FIRST)
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
