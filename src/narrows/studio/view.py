"""What a page sees of a model that learns: points, tiles and weights, read from the live model between two steps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import thread_time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from narrows.model import Model
from narrows.readout.graph import slots, weights_of
from narrows.recipe import Recipe
from narrows.studio.frames import places, points_frame, tiles, tiles_frame, weights_frame
from narrows.studio.plane import Plane
from narrows.studio.shown import EXAMPLES, SAMPLE, Shown
from narrows.studio.snapshots import Snapshot
from narrows.train.feed import Feed, generator
from narrows.train.loop import JUDGE

SAMPLE_SECONDS, FEWEST = 0.02, 100
"""What placing the sample may take, and objects it has at least: a slow model shows fewer, rather than seldom."""

BATCH = 512
"""Objects encoded at once: between two batches a command is obeyed."""


@contextmanager
def reading(model: Model) -> Iterator[None]:
    """The model in use rather than in training, as it was afterwards."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


class View:
    """The frames and snapshots of one run.

    Args:
        model: The live model.
        recipe: Its recipe, for the corruption the examples are shown through.
        graph: Its graph.
        chosen: The objects shown.
    """

    def __init__(self, model: Model, recipe: Recipe, graph: dict[str, Any], chosen: Shown):
        self.model, self.graph, self.plane = model, graph, Plane(int(np.prod(model.code_shape)))
        self.feed = Feed(chosen.split.x, str(model.offset.device), model.scaled)
        self.sample = self.feed.gather(torch.arange(min(SAMPLE, len(chosen))))
        self.examples = corrupted(recipe, self.sample[:EXAMPLES])
        self.count = min(len(self.sample), self.affordable())
        known = slots(graph)
        self.unseen = [name for name in model.state_dict() if name not in known and name not in {"offset", "spread"}]

    def affordable(self) -> int:
        """How many objects can be placed in the time there is for it, tried on some."""
        some = self.sample[:FEWEST]
        self.codes(some)
        begin = thread_time()
        self.codes(some)
        return max(FEWEST, int(len(some) * SAMPLE_SECONDS / max(thread_time() - begin, 1e-6)))

    def codes(self, x: Tensor) -> np.ndarray:
        """The codes (B, K) of scaled objects (B, *shape)."""
        with reading(self.model):
            parts = [self.model.encode(part).z.float().flatten(1) for part in x.split(BATCH)]
        return (torch.cat(parts) if len(parts) > 1 else parts[0]).cpu().numpy()

    def points(self, step: int) -> bytes:
        """The frame of the sample's points."""
        codes = self.codes(self.sample[: self.count])
        self.plane.look(codes)
        where = places(self.plane.place(codes))
        return points_frame(step, where, self.plane.projection, complete=self.count == len(self.feed))

    def all_points(self, step: int, leave: Callable[[], bool]) -> bytes | None:
        """The frame of all objects' points; None where `leave` said so between two batches."""
        self.plane.look(self.codes(self.sample[: self.count]))
        found = []
        for index in torch.arange(len(self.feed)).split(BATCH):
            if leave():
                return None
            found.append(self.plane.place(self.codes(self.feed.gather(index))))
        return points_frame(step, places(np.concatenate(found)), self.plane.projection, complete=True)

    def outputs(self) -> np.ndarray:
        """The examples' outputs (E, D), uint8."""
        with reading(self.model):
            output = self.model(self.examples).output.cpu().numpy()
        return tiles(output, self.graph["low"], self.graph["high"])

    def tiles(self, step: int) -> bytes:
        """The frame of the examples' outputs."""
        return tiles_frame(step, self.outputs())

    def weights(self, step: int) -> bytes:
        """The frame of the model's numbers."""
        return weights_frame(step, weights_of(self.model, self.graph))

    def snapshot(self, step: int, epoch: int, valid: float | None) -> Snapshot:
        """The run as it is now."""
        codes = self.codes(self.sample[: self.count])
        self.plane.look(codes)
        state = self.model.state_dict()
        rest = {name: state[name].cpu().numpy().copy() for name in self.unseen}
        return Snapshot(
            step, epoch, valid, weights_of(self.model, self.graph), places(self.plane.place(codes)),
            self.plane.projection, self.outputs(), rest,
        )  # fmt: skip


def corrupted(recipe: Recipe, x: Tensor, seed: int | None = None) -> Tensor:
    """Scaled objects (B, *shape) as the encoder is shown them: always the same ones in the same way.

    Args:
        recipe: The recipe.
        x: The objects.
        seed: Decides the corruption; None takes the recipe's own seed.
    """
    rng = generator(str(x.device), recipe.seed if seed is None else seed, JUDGE, 0)
    return recipe.corruption(x, rng)[0]
