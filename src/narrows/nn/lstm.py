"""LSTM encoder and decoder: series sample by sample, pictures row by row, spectra band by band.

References:
    Long Short-Term Memory (Hochreiter and Schmidhuber, 1997), https://doi.org/10.1162/neco.1997.9.8.1735
    Unsupervised Learning of Video Representations using LSTMs (Srivastava et al., 2015), arXiv 1502.04681
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from narrows.nn.pair import Decoder, Encoder, Pair, Skips, as_channels
from narrows.nn.settings import LSTM


class Steps:
    """How an object becomes a series of steps and back: (B, *shape) <-> (B, T, V).

    A picture (C, H, W) has a step a row of C x W values, a series (C, L) a step a sample of C values;
    `chunk` neighbouring steps become one, the last filled up with zeros.
    """

    def __init__(self, shape: tuple[int, ...], chunk: int):
        self.shape, self.chunk = as_channels(shape), chunk
        C, self.length, *rest = self.shape
        self.width = C * (rest[0] if rest else 1)
        self.count = -(-self.length // chunk)
        self.values = self.width * chunk
        self.target = shape

    def split(self, x: Tensor) -> Tensor:
        """Objects (B, *shape) as steps (B, T, V); a series may be of another length than those learned from."""
        rows = (x[:, None] if len(self.target) == 1 else x).transpose(1, 2).flatten(2)
        count = -(-rows.shape[1] // self.chunk)
        padded = F.pad(rows, (0, 0, 0, count * self.chunk - rows.shape[1]))
        return padded.reshape(x.shape[0], count, self.values)

    def join(self, steps: Tensor) -> Tensor:
        """Steps (B, T, V) back as objects (B, *shape)."""
        C, L, *rest = self.shape
        rows = steps.reshape(-1, self.count * self.chunk, self.width)[:, :L]
        return rows.reshape(-1, L, C, *rest).transpose(1, 2).reshape(-1, *self.target)


class LSTMEncoder(Encoder):
    """x (B, *shape) -> steps (B, T, V) -> LSTM both ways -> h (B, 2 x hidden), the last memory of each way."""

    def __init__(self, shape: tuple[int, ...], settings: LSTM):
        super().__init__()
        self.steps = Steps(shape, settings.chunk)
        self.lstm = nn.LSTM(self.steps.values, settings.hidden, settings.layers, batch_first=True, bidirectional=True)
        self.features = 2 * settings.hidden

    def forward(self, x: Tensor) -> tuple[Tensor, Skips]:
        _, (hidden, _) = self.lstm(self.steps.split(x))
        forward, backward = hidden[-2:]
        return torch.cat([forward, backward], dim=1), ()


class LSTMDecoder(Decoder):
    """z (B, K) -> the same input at each of T steps, with the step's own bias -> LSTM both ways -> (B, *shape)."""

    def __init__(self, shape: tuple[int, ...], settings: LSTM, code: int):
        super().__init__()
        self.steps = Steps(shape, settings.chunk)
        self.first = nn.Linear(code, settings.hidden)
        self.position = nn.Parameter(torch.randn(self.steps.count, settings.hidden) * 0.1)
        self.lstm = nn.LSTM(settings.hidden, settings.hidden, settings.layers, batch_first=True, bidirectional=True)
        self.last = nn.Linear(2 * settings.hidden, self.steps.values)

    def forward(self, z: Tensor, skips: Skips = ()) -> Tensor:
        inputs = self.first(z)[:, None] + self.position
        states, _ = self.lstm(inputs)
        return self.steps.join(self.last(states))


def lstm_pair(settings: LSTM, shape: tuple[int, ...], code: int) -> Pair:
    """The LSTM pair for objects of `shape` and a code of `code` numbers.

    Example:
        >>> encoder, decoder = lstm_pair(LSTM(hidden=8, chunk=3), (2, 10), code=4)
        >>> encoder(torch.zeros(5, 2, 10))[0].shape, decoder(torch.zeros(5, 4)).shape
        (torch.Size([5, 16]), torch.Size([5, 2, 10]))
    """
    return Pair(LSTMEncoder(shape, settings), LSTMDecoder(shape, settings, code))
