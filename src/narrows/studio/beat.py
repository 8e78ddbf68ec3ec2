"""When something is done again: at a rate, and no more often than its share of the work allows."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, thread_time


class Beat:
    """The rhythm of one kind of work beside a training.

    Args:
        share: Share of the work that it may be.
        gap: Seconds from one beginning to the next, at least.

    Example:
        >>> beat = Beat(share=0.01, gap=0.1)
        >>> beat.due(now=5.0, worked=1.0)
        True
        >>> beat.done(now=5.0, worked=1.0, cost=0.002)
        >>> beat.due(now=5.3, worked=1.1), beat.due(now=5.6, worked=1.2)  # 2 ms are a hundredth of 200 ms
        (False, True)
    """

    def __init__(self, share: float, gap: float):
        self.share, self.gap = share, gap
        self.next = self.earned = 0.0
        self.calm, self.hurried = 0.0, (share, gap)

    def hurry(self, seconds: float, share: float, gap: float) -> None:
        """Be faster, and cost more, for some seconds from now on."""
        self.calm, self.hurried = perf_counter() + seconds, (share, gap)

    def due(self, now: float, worked: float) -> bool:
        """Whether it is time, and so many seconds of work have earned it."""
        return now >= self.next and worked >= self.earned

    def done(self, now: float, worked: float, cost: float) -> None:
        """Count what was begun at a time, after so many seconds of work, and took some more of them."""
        share, gap = self.hurried if now < self.calm else (self.share, self.gap)
        self.next, self.earned = now + gap, worked + cost / share

    @contextmanager
    def work(self, now: float, worked: float) -> Iterator[None]:
        """Count what is done inside: the time of this thread alone, not what other programs take meanwhile."""
        before = thread_time()
        yield
        self.done(now, worked, thread_time() - before)
