"""When something is done again: at a rate, and no more often than its share of the time allows."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Beat:
    """The rhythm of one kind of work beside a training.

    Args:
        share: Share of the time it may take.
        gap: Seconds from one beginning to the next, at least.

    Example:
        >>> beat = Beat(share=0.01, gap=0.1)
        >>> beat.due(now=5.0)
        True
        >>> beat.done(begin=5.0, end=5.002)
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

    def done(self, begin: float, end: float) -> None:
        """Count what the work took."""
        share, gap = self.hurried if begin < self.calm else (self.share, self.gap)
        self.next = begin + max(gap, (end - begin) / share)

    @contextmanager
    def work(self) -> Iterator[None]:
        """Count what is done inside."""
        begin = perf_counter()
        yield
        self.done(begin, perf_counter())
