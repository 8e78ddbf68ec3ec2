"""scikit-learn's MLPRegressor, an epoch a call; it activates the code too."""

import os

import sklearn
from sklearn.neural_network import MLPRegressor

from peers.pace import Pace
from peers.work import Work


def train(work: Work, pace: Pace) -> None:
    pace.about = {"sklearn": sklearn.__version__, "threads": len(os.sched_getaffinity(0))}
    objects = work.objects()
    hidden = (*work.widths, work.code, *reversed(work.widths))
    net = MLPRegressor(
        hidden_layer_sizes=hidden, activation="relu", solver="adam", alpha=0.0, batch_size=work.batch
    )  # fmt: skip
    while True:
        pace.begin()
        net.partial_fit(objects, objects)
        pace.end()
