"""Loops that people write by hand in plain torch."""

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from peers.nets import about, net_of
from peers.pace import Pace
from peers.work import Work


def tutorial(work: Work, pace: Pace) -> None:
    """The loop of every tutorial: a DataLoader, Adam, and `.item()` after each step."""
    net, pace.about = net_of(work), about()
    loader = DataLoader(TensorDataset(torch.from_numpy(work.objects())), batch_size=work.batch, shuffle=True)
    optimiser, criterion = torch.optim.Adam(net.parameters()), torch.nn.MSELoss()
    while True:
        pace.begin()
        total = 0.0
        for (x,) in loader:
            optimiser.zero_grad()
            loss = criterion(net(x), x)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(x)
        pace.end()


def plain(work: Work, pace: Pace) -> None:
    """The same without a loader: one tensor in memory, cut by a permutation."""
    in_memory(work, pace, fused=False)


def lean(work: Work, pace: Pace) -> None:
    """Autograd at its best for a small model: in memory, fused Adam, one thread."""
    torch.set_num_threads(1)
    in_memory(work, pace, fused=True)


def in_memory(work: Work, pace: Pace, *, fused: bool) -> None:
    net, pace.about = net_of(work), about()
    objects = torch.from_numpy(work.objects())
    optimiser = torch.optim.Adam(net.parameters(), fused=fused)
    while True:
        pace.begin()
        for index in torch.randperm(len(objects)).split(work.batch):
            x = objects[index]
            optimiser.zero_grad()
            F.mse_loss(net(x), x).backward()
            optimiser.step()
        pace.end()
