"""Odd instants of a series: windows, autoencoders of them, scores of instants, streams, and a report with a picture."""

from narrows.detect.series.autoencoders import ARCHITECTURES, Plan
from narrows.detect.series.detector import SeriesDetector
from narrows.detect.series.found import series_with_model, series_without_model
from narrows.detect.series.learn import learn_series
from narrows.detect.series.model import SeriesModel

__all__ = [
    "ARCHITECTURES", "Plan", "SeriesDetector", "SeriesModel", "learn_series", "series_with_model",
    "series_without_model",
]  # fmt: skip
