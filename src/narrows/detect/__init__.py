"""Odd rows of a table: scores and what made them, thresholds, p-values, drift, and a report that is honest."""

from narrows.detect.detector import Detector
from narrows.detect.networks import Plan

__all__ = ["Detector", "Plan"]
