"""When something is done again: at a rate, and no more often than its share of the time allows."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, thread_time


class Beat:
    """The rhythm of one kind of work beside a training.

    Args:
        share: Share of the time it may take.
        gap: Seconds from one beginning to the next, at least.

    Example:
        >>> beat = Beat(share=0.01, gap=0.1)
        >>> beat.due(now=5.0)
        True
        >>> beat.done(begin=5.0, cost=0.002)
        >>> beat.due(now=5.15), beat.due(now=5.25)  # 2 ms of work fit a hundredth of 200 ms
        (False, True)
    """

    def __init__(self, share: float, gap: float):
        self.share, self.gap, self.next = share, gap, 0.0
        self.calm, self.hurried = 0.0, (share, gap)

    def hurry(self, seconds: float, share: float, gap: float) -> None:
        """Be faster, and cost more, for some seconds from now on."""
        self.calm, self.hurried = perf_counter() + seconds, (share, gap)

    def due(self, now: float) -> bool:
        """Whether it is time."""
        return now >= self.next

    def done(self, begin: float, cost: float) -> None:
        """Count work that was begun at a time and took so many seconds."""
        share, gap = self.hurried if begin < self.calm else (self.share, self.gap)
        self.next = begin + max(gap, cost / share)

    @contextmanager
    def work(self, begin: float) -> Iterator[None]:
        """Count what is done inside, as begun at `begin`: the time of this thread alone, not what others take."""
        before = thread_time()
        yield
        self.done(begin, thread_time() - before)
