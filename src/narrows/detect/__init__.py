"""Odd rows of a table: scores and what made them, thresholds, p-values, drift, and a report that is honest."""
