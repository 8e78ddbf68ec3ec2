"""The score in few products: what a detector computes for each row, with all that does not depend on it worked out.

    x (B, F) -> x [W1 | R | R0]  (B, K w + K F + F)     the first layer of all networks, and both whitenings of x
             -> h (K, B, w) -> h W R (K, B, F)          what the networks give back comes out whitened
    y = x R - h W R - (b + mean) R                      the whitened residual, without the residual itself

The code has no activation, so the layer into it and the one out of it are one product. Results are those of the parts
one by one, to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from narrows.detect.neighbours import Neighbours
from narrows.detect.networks import Networks
from narrows.detect.whitening import Whitening


@dataclass(frozen=True, eq=False)
class Quick:
    """The parts of a score, ready to be computed.

    Args:
        first: The first layer of all networks, and the roots of both whitenings (F, K w + K F + F).
        offset: What is added to it (K w + K F + F).
        weights: Of the layers between the first and the last, (K, in, out).
        biases: Of the same, (K, 1, out).
        last: The last layer, whitened (K, w, F).
        places: Usual rows, transposed (F, S M), times -2.
        lengths: Their squared lengths (S M).
        samples: How many samples they are, S.
    """

    first: Tensor
    offset: Tensor
    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    last: Tensor
    places: Tensor
    lengths: Tensor
    samples: int

    @classmethod
    def of(cls, networks: Networks, left: Whitening, whole: Whitening, neighbours: Neighbours) -> Quick:
        """The parts of a detector that looks at the dependence of its columns."""
        root = left.root.double()
        weights, biases = [w.double() for w in networks.weights], [b.double() for b in networks.biases]
        middle = len(weights) // 2
        joined = weights[middle - 1] @ weights[middle], biases[middle - 1] @ weights[middle] + biases[middle]
        weights[middle - 1 : middle + 1], biases[middle - 1 : middle + 1] = [joined[0]], [joined[1]]
        whitened = -(biases[-1] + left.mean.double()) @ root
        side_by_side = [*weights[0], *root, whole.root[0].double()]
        below = -(whole.mean[0].double() @ whole.root[0].double())
        usual = neighbours.rows.flatten(0, 1)
        return cls(
            torch.cat(side_by_side, 1).float(),
            torch.cat([biases[0].flatten(), whitened.flatten(), below.flatten()]).float(),
            tuple(weight.float() for weight in weights[1:-1]),
            tuple(bias.float() for bias in biases[1:-1]),
            (weights[-1] @ root).float(),
            (-2 * usual.mT).contiguous(),
            usual.square().sum(1),
            len(neighbours.rows),
        )

    def __call__(self, x: Tensor) -> Tensor:
        """How odd rows x (B, F) are by each part (3, B)."""
        (count, _, features), rows = self.last.shape, len(x)
        first = count * self.weights[0].shape[1]
        made = torch.addmm(self.offset, x, self.first)
        h = F.silu(made[:, :first]).view(rows, count, -1).transpose(0, 1)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            h = F.silu(torch.baddbmm(bias, h, weight), inplace=True)
        white = made[:, first : first + count * features].view(rows, count, features).transpose(0, 1)
        left = torch.baddbmm(white, h, self.last, alpha=-1).square_().sum((0, 2)).div_(count * features)
        whole = made[:, first + count * features :].square().mean(1)
        squares = torch.addmm(self.lengths, x, self.places).view(rows, self.samples, -1).amin(-1)
        near = squares.add_(x.square().sum(1, keepdim=True)).clamp_min_(0).mean(1)
        return torch.stack([left, whole, near])
