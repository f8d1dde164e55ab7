"""Times one engine on one file in a fresh process, and weighs it; runs in the environment that has the engine.

Prints `{"cold_s", "warm_s", "peak_mb"}`: the first call with all its imports by the clock on the wall, the best of the
following ones in processor time, which other programs disturb less, and the most resident memory. Imports nothing at
the top that an engine would have to import itself.
"""

import argparse
import importlib
import json
import os
import resource
import time
from pathlib import Path
from typing import Any

DECODING, RESAMPLING = "decode to mono", "decode and resample"


def decode(path: Path) -> tuple[Any, int]:
    """Decode to a mono signal of floats, and nothing else: less work than this, no engine can do."""
    soundfile: Any = importlib.import_module("soundfile")
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples[:, 0] + samples[:, -1]
    mono *= 0.5
    return mono, rate


def resample(path: Path) -> None:
    """Decode and resample to 22.05 kHz, as every engine does."""
    soxr: Any = importlib.import_module("soxr")
    mono, rate = decode(path)
    soxr.resample(mono, rate, 22050, quality="HQ")


def engine(name: str, path: Path) -> None:
    """Run one of the two floors or one of the peers."""
    if name == DECODING:
        decode(path)
    elif name == RESAMPLING:
        resample(path)
    else:
        importlib.import_module("benchmarks._hearing.peers").ENGINES[name](path)


def main() -> None:
    """Call the engine once cold and so many times warm."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks._hearing.clock", description=__doc__)
    parser.add_argument("engine")
    parser.add_argument("file", type=Path)
    parser.add_argument("--warm", type=int, default=3)
    given = parser.parse_args()
    started = time.perf_counter()
    engine(given.engine, given.file)
    cold_s = time.perf_counter() - started
    warm_s = []
    for _ in range(given.warm):
        started = time.process_time()
        engine(given.engine, given.file)
        warm_s.append(time.process_time() - started)
    # Linux counts kilobytes.
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"cold_s": cold_s, "warm_s": min(warm_s, default=None), "peak_mb": peak_mb}
    os.write(1, ("\n" + json.dumps(figures) + "\n").encode())


if __name__ == "__main__":
    main()
