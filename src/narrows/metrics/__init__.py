"""Metrics: numbers for errors, latent spaces and pictures, each checked against an independent library."""
