"""Bottlenecks: the narrows themselves, from features h (B, *grid, F) to a code z (B, *grid, K).

The settings live in `BOTTLENECKS` and import no torch. A bottleneck projects the features to K numbers, does to
them what its name says, and states its penalties by name; the objective weighs and adds them.
"""

from typing import Annotated

from pydantic import Field

from narrows.bottleneck.settings import (
    FSQ,
    VQ,
    Contractive,
    Plain,
    SparseKL,
    SparseL1,
    SparseTopK,
    Variational,
)

BOTTLENECKS = {
    "plain": Plain,
    "sparse-l1": SparseL1,
    "sparse-kl": SparseKL,
    "sparse-topk": SparseTopK,
    "contractive": Contractive,
    "variational": Variational,
    "vq": VQ,
    "fsq": FSQ,
}

Bottleneck = Annotated[
    Plain | SparseL1 | SparseKL | SparseTopK | Contractive | Variational | VQ | FSQ, Field(discriminator="kind")
]

__all__ = [
    "BOTTLENECKS",
    "FSQ",
    "VQ",
    "Bottleneck",
    "Contractive",
    "Plain",
    "SparseKL",
    "SparseL1",
    "SparseTopK",
    "Variational",
]
