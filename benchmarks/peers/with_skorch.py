"""skorch's NeuralNet, with its own callbacks and nothing printed."""

import skorch
import torch
from skorch.callbacks import Callback

from peers.nets import about, net_of
from peers.pace import Pace
from peers.work import Work


class Paced(Callback):
    def __init__(self, pace: Pace):
        self.pace = pace

    def on_epoch_begin(self, net, **kwargs):
        self.pace.begin()

    def on_epoch_end(self, net, **kwargs):
        self.pace.end()


def train(work: Work, pace: Pace) -> None:
    pace.about = about() | {"skorch": skorch.__version__}
    objects = work.objects()
    net = skorch.NeuralNet(
        net_of(work), criterion=torch.nn.MSELoss, optimizer=torch.optim.Adam, lr=1e-3, max_epochs=10**6,
        batch_size=work.batch, iterator_train__shuffle=True, train_split=None, verbose=0,
        callbacks=[("paced", Paced(pace))],
    )  # fmt: skip
    net.fit(objects, objects)
