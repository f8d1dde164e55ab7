"""Times one engine on one file in a fresh process, and weighs it; runs in the environment that has the engine.

Prints `{"cold_s", "warm_s", "peak_mb"}`: the first call with all its imports, the best of the following ones, and the
most resident memory. Imports nothing at the top that an engine would have to import itself.
"""

import argparse
import importlib
import json
import os
import resource
import time
from pathlib import Path
from typing import Any

FLOOR, DECODING = "decode and resample", "decode alone"


def decode(path: Path) -> tuple[Any, int]:
    """Decode to floats, and nothing else."""
    soundfile: Any = importlib.import_module("soundfile")
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples, rate


def floor(path: Path) -> None:
    """Decode and resample to 22.05 kHz mono: less work than this, no engine can do."""
    soxr: Any = importlib.import_module("soxr")
    samples, rate = decode(path)
    mono = 0.5 * (samples[:, 0] + samples[:, -1])
    soxr.resample(mono, rate, 22050, quality="HQ")


def engine(name: str, path: Path) -> None:
    """Run the floor, its first half or one of the peers."""
    if name == FLOOR:
        floor(path)
    elif name == DECODING:
        decode(path)
    else:
        importlib.import_module("benchmarks._hearing.peers").ENGINES[name](path)


def main() -> None:
    """Call the engine once cold and so many times warm."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks._hearing.clock", description=__doc__)
    parser.add_argument("engine")
    parser.add_argument("file", type=Path)
    parser.add_argument("--warm", type=int, default=3)
    given = parser.parse_args()
    taken = []
    for _ in range(1 + given.warm):
        started = time.perf_counter()
        engine(given.engine, given.file)
        taken.append(time.perf_counter() - started)
    # Linux counts kilobytes.
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"cold_s": taken[0], "warm_s": min(taken[1:], default=None), "peak_mb": peak_mb}
    os.write(1, ("\n" + json.dumps(figures) + "\n").encode())


if __name__ == "__main__":
    main()
