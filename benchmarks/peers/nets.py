"""The layers of each work as plain torch modules, for every peer that trains a torch module."""

import torch
from torch import Tensor, nn

from peers.work import Work


class Dense(nn.Sequential):
    """784 -> 256 -> 64 -> 256 -> 784 and the like, ReLU after the hidden layers."""

    def __init__(self, work: Work):
        (into,), (width,) = work.shape, work.widths
        super().__init__(
            nn.Sequential(nn.Linear(into, width), nn.ReLU(), nn.Linear(width, work.code)),
            nn.Sequential(nn.Linear(work.code, width), nn.ReLU(), nn.Linear(width, into)),
        )


class Conv(nn.Sequential):
    """1 x 28 x 28 -> 32 x 14 x 14 -> 64 x 7 x 7 -> 64 and back by transposed convolutions."""

    def __init__(self, work: Work):
        first, second = work.widths
        side = work.shape[-1] // 4
        halve, double = {"stride": 2, "padding": 1}, {"stride": 2, "padding": 1, "output_padding": 1}
        super().__init__(
            nn.Sequential(
                nn.Conv2d(1, first, 3, **halve), nn.ReLU(), nn.Conv2d(first, second, 3, **halve), nn.ReLU(),
                nn.Flatten(), nn.Linear(second * side * side, work.code),
            ),
            nn.Sequential(
                nn.Linear(work.code, second * side * side), nn.ReLU(), nn.Unflatten(1, (second, side, side)),
                nn.ConvTranspose2d(second, first, 3, **double), nn.ReLU(), nn.ConvTranspose2d(first, 1, 3, **double),
            ),
        )  # fmt: skip


class LSTM(nn.Module):
    """1 x 140 -> LSTM both ways -> 16 -> the same input and a bias at each step -> LSTM both ways -> 1 x 140."""

    def __init__(self, work: Work):
        super().__init__()
        (hidden,), (_, length) = work.widths, work.shape
        self.encoder = nn.LSTM(1, hidden, batch_first=True, bidirectional=True)
        self.code, self.first = nn.Linear(2 * hidden, work.code), nn.Linear(work.code, hidden)
        self.position = nn.Parameter(torch.randn(length, hidden) * 0.1)
        self.decoder = nn.LSTM(hidden, hidden, batch_first=True, bidirectional=True)
        self.last = nn.Linear(2 * hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        _, (hidden, _) = self.encoder(x.transpose(1, 2))
        z = self.code(torch.cat([hidden[0], hidden[1]], dim=1))
        states, _ = self.decoder(self.first(z)[:, None] + self.position)
        return self.last(states).transpose(1, 2)


NETS = {"dense": Dense, "conv": Conv, "lstm": LSTM}


def net_of(work: Work) -> nn.Module:
    torch.manual_seed(0)
    return NETS[work.network](work)


def about() -> dict[str, object]:
    """What a torch peer says of itself."""
    return {"torch": torch.__version__, "threads": torch.get_num_threads()}
