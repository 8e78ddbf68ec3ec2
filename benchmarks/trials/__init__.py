"""Trials of reliability: each does its worst a number of times and returns a `Tally`."""
