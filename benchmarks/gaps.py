"""How often a planted gap of a market is found, and how often something else is taken for one, in random markets.

Each market has one genre that grows in one country with few artists, and one cell that only looks like it: growth with
many artists, few artists without growth, one hit, or few artists that lose. `found` and `false_alarms` count markets.
"""

import argparse
import json
import sys
from collections import Counter

from benchmarks._markets import Market, market
from muzikantas.analysis.gaps import find


def main() -> None:
    """Draw markets, look for gaps, and count."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gaps", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the last line of standard output is one JSON object")
    parser.add_argument("--markets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=50_000, help="of the first market")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    for seed in range(given.seed, given.seed + given.markets):
        drawn = market(seed)
        counts += _judge(drawn)
    figures = {
        "markets": given.markets,
        "found": counts["found"],
        "false_alarms": counts["false_alarms"],
        "other_alarms": counts["other_alarms"],
        "cells": counts["cells"],
        "missed_by_shape": {name[7:]: n for name, n in sorted(counts.items()) if name.startswith("missed ")},
        "alarms_by_decoy": {name[6:]: n for name, n in sorted(counts.items()) if name.startswith("alarm ")},
    }
    sys.stderr.write(
        f"{figures['found']} of {given.markets} gaps found, {figures['false_alarms']} non-gaps taken for one\n"
    )
    print(json.dumps(figures, indent=None if given.json else 2))  # noqa: T201 (a command's own output)


def _judge(drawn: Market) -> "Counter[str]":
    cells = find(drawn.rows)
    gaps = {(cell.country, cell.genre) for cell in cells if cell.gap}
    counts: Counter[str] = Counter(cells=len(cells))
    counts["found"] += drawn.gap in gaps
    counts["false_alarms"] += drawn.non_gap in gaps
    counts["other_alarms"] += bool(gaps - {drawn.gap, drawn.non_gap})
    if drawn.gap not in gaps:
        counts[f"missed {drawn.shape}"] += 1
    if drawn.non_gap in gaps:
        counts[f"alarm {drawn.decoy}"] += 1
    return counts


if __name__ == "__main__":
    main()
