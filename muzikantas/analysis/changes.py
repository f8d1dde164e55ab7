"""When a track's way changed, and how fast it moves since: change points with their probability, not thresholds.

Bayesian online change point detection (Adams, MacKay, arXiv:0710.3742) on the steps of a track's log-odds: between two
changes the mean step and its spread are constant and unknown (normal-gamma prior, so a step is Student-t).
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from muzikantas.analysis.trajectories import Array

#: Steps between changes that are expected before any data: a track's way changes about once in four weeks.
USUAL_RUN = 28.0
#: The prior of a run: mean step 0, counted as this many steps; spread of a step as charts of 50 have it.
MEAN_COUNT, SPREAD_COUNT, STEP_SD = 0.5, 2.0, 0.15
#: A run is followed so far back; what is older says little of today.
LONGEST_RUN = 180
#: Intervals hold so much.
SURE = 0.95


@dataclass(frozen=True, kw_only=True)
class Motion:
    """How a track moves now, in log-odds of its place a step; above 0 it climbs.

    Parameters
    ----------
    velocity, low, high
        Mean step since the last change, and its 95 % interval.
    falling_chance
        Probability that it does not climb: what a claim of climbing would be wrong with.
    since
        Steps since the most likely last change.
    changed_lately
        Probability that the last change was within the last seven steps.
    """

    velocity: float
    low: float
    high: float
    falling_chance: float
    since: int
    changed_lately: float


def log_odds(positions: Array, off: int) -> Array:
    """Put positions on an even scale: from 1 to 2 is as far as from the middle to one in three below it.

    >>> log_odds(np.array([1.0, 25.5, 50.0]), 51).round(2).tolist()
    [4.6, 0.0, -4.6]
    """
    share = (off - 0.5 - np.clip(positions, 1, off - 1)) / (off - 1)
    place: Array = np.log(share / (1 - share))
    return place


def motion(positions: Array, off: int) -> Motion:
    """Say how a track moves at the end of its path (shape `(n,)`, at least 2; `off` is one below the chart's last)."""
    steps = np.diff(log_odds(positions[-LONGEST_RUN:], off))
    # The first run would begin with the next step: it has seen nothing, and speaks of no step that was.
    runs, mean, count, shape, scale = (part[1:] for part in _follow(steps))
    runs = runs / runs.sum()
    best = int(np.argmax(runs))
    spread = np.sqrt(scale / (shape * count))
    low, high = (mean + stats.t.ppf(side, 2 * shape) * spread for side in ((1 - SURE) / 2, (1 + SURE) / 2))
    falling = float(runs @ stats.t.cdf(0.0, 2 * shape, loc=mean, scale=spread))
    return Motion(
        velocity=float(mean[best]),
        low=float(low[best]),
        high=float(high[best]),
        falling_chance=falling,
        since=best + 1,
        changed_lately=float(runs[:7].sum()),
    )


def _follow(steps: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Give the probability of each run length (0, 1, …) after the last step, and the posterior of each run."""
    hazard = 1 / USUAL_RUN
    runs = np.array([1.0])
    mean, count = np.zeros(1), np.full(1, MEAN_COUNT)
    shape, scale = np.full(1, SPREAD_COUNT), np.full(1, SPREAD_COUNT * STEP_SD**2)
    for step in steps:
        width = np.sqrt(scale * (count + 1) / (shape * count))
        weight = runs * stats.t.pdf(step, 2 * shape, loc=mean, scale=width)
        runs = np.concatenate([[hazard * weight.sum()], (1 - hazard) * weight])
        runs /= runs.sum()
        off = step - mean
        scale = np.concatenate([[SPREAD_COUNT * STEP_SD**2], scale + count * off**2 / (2 * (count + 1))])
        mean = np.concatenate([[0.0], (count * mean + step) / (count + 1)])
        count = np.concatenate([[MEAN_COUNT], count + 1])
        shape = np.concatenate([[SPREAD_COUNT], shape + 0.5])
    return runs, mean, count, shape, scale
