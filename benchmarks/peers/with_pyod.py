"""PyOD's AutoEncoder, without batch norm, dropout and scaling; it activates the code too, and drops no batch here."""

import pyod.version
from pyod.models.auto_encoder import AutoEncoder

from peers.nets import about
from peers.pace import Pace
from peers.work import Work


class Paced(AutoEncoder):
    pace: Pace

    def epoch_update(self) -> None:
        self.pace.end()
        self.pace.begin()


def train(work: Work, pace: Pace) -> None:
    detector = Paced(
        hidden_neuron_list=[*work.widths, work.code], hidden_activation_name="relu", batch_norm=False,
        dropout_rate=0.0, preprocessing=False, batch_size=work.batch, epoch_num=10**6, verbose=0,
    )  # fmt: skip
    detector.pace, pace.about = pace, about() | {"pyod": pyod.version.__version__}
    pace.begin()
    detector.fit(work.objects())
