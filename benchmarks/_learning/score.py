"""Scores: what share of the way from random to clairvoyant a policy went, and how sure that is.

`capture` = (policy - random) / (oracle - random) of the total expected streams, luck left out: what a label lives on.
`capture_log` is the same of the mean expected log response, the unit in which the policy thinks. Both are computed for
each seed and averaged over seeds; differences are paired by seed.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks._learning.contest import GUARDED, ORACLE, OURS, RANDOM
from benchmarks._learning.runs import Curve
from benchmarks._learning.tastes import Array
from benchmarks._mean import Mean

Results = Sequence[Mapping[str, Curve]]
#: Cycles before the break whose mean is "the level before", and the share of it that counts as back.
BEFORE, BACK = 4, 0.8


def captures(results: Results, name: str, *, log: bool = False, last_third: bool = False) -> Array:
    """Share of the way from random to oracle, shape `(seeds,)`."""
    policy, low, high = (_by_cycle(results, each, log=log) for each in (name, RANDOM, ORACLE))
    start = policy.shape[1] * 2 // 3 if last_third else 0
    total = [part[:, start:].sum(axis=1) for part in (policy, low, high)]
    shares: Array = (total[0] - total[1]) / (total[2] - total[1])
    return shares


def lifts(results: Results, name: str) -> Array:
    """Mean expected log response above random choosing, shape `(seeds,)`: also where there is no taste."""
    above: Array = (_by_cycle(results, name, log=True) - _by_cycle(results, RANDOM, log=True)).mean(axis=1)
    return above


def names(results: Results) -> tuple[list[str], list[str]]:
    """Peers out of the box, and guarded."""
    others = [n for n in results[0] if not n.startswith(OURS) and n not in (RANDOM, ORACLE)]
    return [n for n in others if not n.endswith(GUARDED)], [n for n in others if n.endswith(GUARDED)]


def best(results: Results, among: Sequence[str]) -> str | None:
    """Name the peer with the highest mean capture; choosing after the fact flatters the peer, not us."""
    return max(among, key=lambda name: float(captures(results, name).mean()), default=None)


def after_break(results: Results, name: str) -> int | None:
    """Cycles after the break until the capture is back at 80 % of the level before; None if it stays below.

    0 would mean that it never fell below; a policy that had won nothing before has no level to come back to. Captures
    by cycle (log response) are aligned at the break, and summed over seeds before they are divided: the oracle's lead
    in a single cycle can be small.
    """
    cycles = len(results[0][name].log_response)
    breaks = [each[name].break_cycle for each in results]
    if max(breaks) > cycles:
        return None
    gained, possible = (
        _by_cycle(results, each, log=True) - _by_cycle(results, RANDOM, log=True) for each in (name, ORACLE)
    )
    ahead = cycles - max(breaks)
    window = [range(b - 1 - BEFORE, b + ahead) for b in breaks]
    ratio = _aligned(gained, window) / _aligned(possible, window)
    level = float(ratio[:BEFORE].mean())
    back = np.flatnonzero(ratio[BEFORE:] >= BACK * level)
    return int(back[0]) if level > 0 and len(back) else None


def figures(results: Results, name: str, *, taste: bool) -> dict[str, float | int | None]:
    """Everything about one policy in one scenario; without any taste in the market there is nothing to capture."""
    lift = Mean.of(lifts(results, name))
    found: dict[str, float | int | None] = {"lift_log": _short(lift.value), "lift_se": _short(lift.error)}
    if taste:
        capture, in_log = Mean.of(captures(results, name)), Mean.of(captures(results, name, log=True))
        found |= {
            "capture": _short(capture.value),
            "se": _short(capture.error),
            "capture_log": _short(in_log.value),
            "se_log": _short(in_log.error),
            "last_third": _short(float(captures(results, name, last_third=True).mean())),
            "after_break_cycles": after_break(results, name),
        }
    return found | {
        "spread": _short(float(np.mean([each[name].spread for each in results]))),
        "seconds_a_decision": _short(float(np.mean([each[name].seconds for each in results]))),
    }


def ahead_of(results: Results, peer: str, name: str = OURS) -> dict[str, float | None]:
    """Give the paired difference to a peer, in both units."""
    difference = Mean.of(captures(results, name) - captures(results, peer))
    in_log = Mean.of(captures(results, name, log=True) - captures(results, peer, log=True))
    return {
        "paired": _short(difference.value),
        "paired_se": _short(difference.error),
        "paired_log": _short(in_log.value),
        "paired_se_log": _short(in_log.error),
    }


def _by_cycle(results: Results, name: str, *, log: bool) -> Array:
    return np.array([each[name].log_response if log else each[name].streams for each in results])


def _aligned(values: Array, windows: Sequence[range]) -> Array:
    cut = [row[window.start : window.stop] for row, window in zip(values, windows, strict=True)]
    summed: Array = np.sum(cut, axis=0)
    return summed


def _short(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
