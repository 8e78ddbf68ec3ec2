"""Odd instants of a series."""
