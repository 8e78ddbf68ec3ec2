"""Pieces of the studio's load benchmark, each a process of its own on a processor core of its own."""
