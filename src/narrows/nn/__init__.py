"""Networks: the encoder and the decoder on either side of the bottleneck.

The settings live in `NETWORKS` and import no torch; the modules live beside each other in one file a family,
so that the mirror shows. Every encoder maps objects x (B, *shape) to features h (B, *grid, F) and the skips
it lets past the bottleneck; every decoder maps a code z (B, *grid, K) and those skips back to (B, *shape).
"""

from typing import Annotated

from pydantic import Field

from narrows.nn.settings import LSTM, Conv, Dense, UNet

NETWORKS = {"dense": Dense, "conv": Conv, "lstm": LSTM, "unet": UNet}

Network = Annotated[Dense | Conv | LSTM | UNet, Field(discriminator="kind")]

__all__ = ["LSTM", "NETWORKS", "Conv", "Dense", "Network", "UNet"]
