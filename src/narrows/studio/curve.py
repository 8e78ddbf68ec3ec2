"""The curve of a training's loss, thinned as it grows so that a long one is no larger than a short one."""

from collections.abc import Sequence

POINTS, EAGER = 2_000, 100
"""Points of a whole curve, about; steps at the beginning that are points of their own."""


class Thinned:
    """Losses of steps, to be taken away in a few points: each is the mean since the last.

    Args:
        total: Steps of the whole training.

    Example:
        >>> curve = Thinned(total=4_000)
        >>> for step, loss in enumerate([4.0, 2.0, *[1.0] * 98, 0.5, 1.5, 9.0], 1):
        ...     curve.add(step, loss)
        >>> taken = curve.take()
        >>> taken["step"][:2], taken["loss"][:2], taken["step"][-1], taken["loss"][-1]
        ([1, 2], [4.0, 2.0], 102, 1.0)
    """

    def __init__(self, total: int):
        self.width = max(1, total // POINTS)
        self.sum, self.count = 0.0, 0
        self.steps: list[int] = []
        self.losses: list[float] = []

    def add(self, step: int, loss: float) -> None:
        """Count the loss of a step."""
        self.sum, self.count = self.sum + loss, self.count + 1
        if step <= EAGER or step % self.width == 0:
            self.steps.append(step)
            self.losses.append(self.sum / self.count)
            self.sum, self.count = 0.0, 0

    def take(self) -> dict[str, Sequence[float]]:
        """The points that were not taken yet."""
        taken: dict[str, Sequence[float]] = {"step": self.steps, "loss": self.losses}
        self.steps, self.losses = [], []
        return taken
