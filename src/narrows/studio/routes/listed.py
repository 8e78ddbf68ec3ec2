"""A run as the list shows it."""

from typing import Literal

from narrows.settings import Settings
from narrows.studio.store import Row

State = Literal["waiting", "starting", "running", "paused", "stopped", "done", "diverged", "failed"]


class Listed(Settings):
    """What the list shows of a run."""

    id: str
    """Name that the server made; the only one that clients use."""
    name: str
    """What people call it."""
    created: float
    """Seconds since 1970."""
    origin: Literal["studio", "terminal"]
    """Where it was begun."""
    group: str
    """The same for runs that train side by side."""
    folder_name: str
    """Its folder below the runs."""
    state: State
    """Where it stands."""
    why: str
    """Why, in a sentence, or empty."""
    data: str
    """Name of a data set, or "upload:ID"."""
    network: str
    """Kind of the network."""
    bottleneck: str
    """Kind of the bottleneck."""
    size: int
    """Numbers in the code."""
    epoch: int
    """Epochs seen, the one it is in among them."""
    epochs: int
    """Epochs in all."""
    step: int
    """Steps made."""
    steps: int
    """Steps an epoch."""
    seconds: float
    """Seconds of training."""
    loss: float | None
    """Loss of the last step."""
    valid: float | None
    """Validation loss of the last epoch."""
    best: float | None
    """Lowest validation loss."""
    pca: float | None
    """Mean squared error of PCA with as many numbers."""
    forked_from: str | None
    """The run whose weights it began with."""
    forked_step: int | None
    """The step of that run."""


OWN = {"group", "folder_name", "data", "network", "bottleneck", "size", "epoch"}
"""What does not stand in the row of the store under the same name."""


def listed(row: Row) -> Listed:
    """A run as the list shows it."""
    recipe = row["recipe"]
    kept = {name: row[name] for name in Listed.model_fields if name not in OWN}
    return Listed(
        **kept,
        group=row["family"],
        folder_name=row["folder"],
        data=recipe["data"]["name"],
        network=recipe["network"]["kind"],
        bottleneck=recipe["bottleneck"]["kind"],
        size=recipe["bottleneck"]["size"],
        epoch=min(row["epoch"], row["epochs"] or row["epoch"]),
    )
