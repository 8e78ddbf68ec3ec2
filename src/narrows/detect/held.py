"""Rows that a saved model keeps beside it because it never saw them: a threshold is set by them, and set anew.

x (M, F) [times, labels] -> scores -> p-values and threshold of a model
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

ROWS, VALUES = 20_000, 1 << 22
"""Rows that are kept, and values of them all, at most: 16 MiB."""


NAMES = ("x", "times", "labels")


@dataclass(frozen=True, eq=False)
class Held:
    """Rows that a model did not see.

    Args:
        x: Features (M, F), float32.
        times: Seconds (M,), or None.
        labels: 1 for each odd row, 0 for each normal one (M,), or None.
    """

    x: np.ndarray
    times: np.ndarray | None = None
    labels: np.ndarray | None = None

    @classmethod
    def of(cls, x: np.ndarray, times: np.ndarray | None, labels: np.ndarray | None) -> Held:
        """The rows x (N, F), of which some are kept where there are too many: the latest, if times are known.

        Example:
            >>> Held.of(np.zeros((30_000, 2), np.float32), np.arange(30_000.0), None).times[[0, -1]]
            array([10000., 29999.])
        """
        most = max(1, min(ROWS, VALUES // x.shape[1], len(x)))
        spread = np.linspace(0, len(x) - 1, most).astype(np.int64)
        return cls(x, times, labels).only(
            spread if times is None else np.sort(np.argsort(times, kind="stable")[-most:])
        )

    def only(self, rows: np.ndarray) -> Held:
        """Some of the rows, by number or by truth."""
        return replace(self, **{name: value[rows] for name, value in self.arrays().items()})

    def arrays(self) -> dict[str, np.ndarray]:
        """What there is, by name."""
        return {name: getattr(self, name) for name in NAMES if getattr(self, name) is not None}
