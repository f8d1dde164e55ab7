"""The market, the peers and the scores of `python -m benchmarks.learning`."""
