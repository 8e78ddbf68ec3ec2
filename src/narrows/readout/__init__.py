"""Read-outs: what a trained model says, as arrays and numbers, never as figures."""

from narrows.readout.apply import decode, encode, reconstruct
from narrows.readout.export import Exported, export_onnx
from narrows.readout.generate import interpolate, sample
from narrows.readout.latent import LatentMap, latent_map
from narrows.readout.report import Report, report

__all__ = [
    "Exported",
    "LatentMap",
    "Report",
    "decode",
    "encode",
    "export_onnx",
    "interpolate",
    "latent_map",
    "reconstruct",
    "report",
    "sample",
]
