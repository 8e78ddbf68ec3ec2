"""Pictures to files and to the terminal: arrays and numbers in, nothing known of models or training."""

from narrows.cli.draw.curve import Curve, error_curves, loss_curve
from narrows.cli.draw.map import latent_map
from narrows.cli.draw.sheet import reconstruction_sheet
from narrows.cli.draw.terminal import sparkline, terminal_picture
from narrows.cli.draw.tip import Tips
from narrows.cli.draw.values import Values

__all__ = [
    "Curve",
    "Tips",
    "Values",
    "error_curves",
    "latent_map",
    "loss_curve",
    "reconstruction_sheet",
    "sparkline",
    "terminal_picture",
]
