"""pythae's AE and BaseTrainer, with the layers of the work; nothing is saved on the way."""

import logging
from importlib.metadata import version
from tempfile import TemporaryDirectory

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import AE, AEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback

from peers.nets import about, net_of
from peers.pace import Pace
from peers.work import Work


class Encoder(BaseEncoder):
    def __init__(self, net):
        BaseEncoder.__init__(self)
        self.net = net

    def forward(self, x):
        return ModelOutput(embedding=self.net(x))


class Decoder(BaseDecoder):
    def __init__(self, net):
        BaseDecoder.__init__(self)
        self.net = net

    def forward(self, z):
        return ModelOutput(reconstruction=self.net(z))


class Paced(TrainingCallback):
    def __init__(self, pace: Pace):
        self.pace = pace

    def on_epoch_begin(self, training_config, **kwargs):
        self.pace.begin()

    def on_epoch_end(self, training_config, **kwargs):
        self.pace.end()


def train(work: Work, pace: Pace) -> None:
    logging.disable(logging.INFO)
    encoder, decoder = net_of(work)
    model = AE(AEConfig(input_dim=work.shape, latent_dim=work.code), Encoder(encoder), Decoder(decoder))
    objects = torch.from_numpy(work.objects())
    pace.about = about() | {"pythae": version("pythae")}
    with TemporaryDirectory() as folder:
        settings = BaseTrainerConfig(
            output_dir=folder, num_epochs=10**6, learning_rate=1e-3, per_device_train_batch_size=work.batch,
            optimizer_cls="Adam", no_cuda=True,
        )  # fmt: skip
        dataset = BaseDataset(objects, torch.ones(len(objects)))
        BaseTrainer(model, dataset, training_config=settings, callbacks=[Paced(pace)]).train()
