"""Lightning's Trainer (2.6.6 or newer: 2.6.2 and 2.6.3 were poisoned), its logger, bar and checkpoints off."""

import logging

import lightning
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from peers.nets import about, net_of
from peers.pace import Pace
from peers.work import Work


class Module(LightningModule):
    def __init__(self, net: torch.nn.Module):
        super().__init__()
        self.net = net

    def training_step(self, batch, number):
        (x,) = batch
        return F.mse_loss(self.net(x), x)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())


class Paced(Callback):
    def __init__(self, pace: Pace):
        self.pace = pace

    def on_train_epoch_start(self, trainer, module):
        self.pace.begin()

    def on_train_epoch_end(self, trainer, module):
        self.pace.end()


def train(work: Work, pace: Pace) -> None:
    if tuple(map(int, lightning.__version__.split(".")[:3])) < (2, 6, 6):
        raise ImportError(f"lightning {lightning.__version__} is not used; install 2.6.6 or newer")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    pace.about = about() | {"lightning": lightning.__version__}
    loader = DataLoader(TensorDataset(torch.from_numpy(work.objects())), batch_size=work.batch, shuffle=True)
    trainer = Trainer(
        max_epochs=-1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[Paced(pace)],
    )  # fmt: skip
    trainer.fit(Module(net_of(work)), loader)
