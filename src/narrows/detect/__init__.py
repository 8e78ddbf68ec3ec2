"""Odd rows of a table: scores, and what made them."""

from narrows.detect.detector import Detector
from narrows.detect.networks import Plan

__all__ = ["Detector", "Plan"]
