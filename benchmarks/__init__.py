"""One module a promise; each prints one JSON line: `python -m benchmarks.NAME --json`."""
