"""The learning curve as numbers: what each cycle's tracks did, and what change could be seen at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

#: Degrees of freedom below which a trend is not worth printing; the claims about styles have the same floor.
LEAST_FREEDOM = 3
#: Two-sided error of an interval, and the chance to see a change that is there.
ERROR, POWER = 0.05, 0.8


@dataclass(frozen=True)
class Point:
    """The outcomes of one cycle's tracks (log1p of streams at the same age), and their mean.

    `error` is the standard error of the mean by the spread within all cycles; None while that cannot be measured.
    """

    cycle: int
    outcomes: tuple[float, ...]
    mean: float
    error: float | None


@dataclass(frozen=True)
class Trend:
    """The straight line through all tracks, read as the change from the first cycle to the last, in log units.

    `low` and `high` bound it with 95 % confidence; a change below `visible` would be missed more than one time in five.
    """

    first: int
    last: int
    change: float
    low: float
    high: float
    visible: float


@dataclass(frozen=True)
class Curve:
    """All cycles that have outcomes, and their trend where one can be measured."""

    points: tuple[Point, ...]
    trend: Trend | None

    @property
    def tracks(self) -> int:
        """How many tracks have an outcome."""
        return sum(len(point.outcomes) for point in self.points)


def measure(outcomes: Iterable[tuple[int, float]]) -> Curve:
    """Measure the curve of (cycle, outcome) pairs, one a track, in any order."""
    by_cycle: dict[int, list[float]] = {}
    for cycle, outcome in outcomes:
        by_cycle.setdefault(cycle, []).append(outcome)
    spread = _spread(list(by_cycle.values()))
    points = tuple(
        Point(
            cycle,
            tuple(values),
            float(np.mean(values)),
            None if spread is None else spread / float(np.sqrt(len(values))),
        )
        for cycle, values in sorted(by_cycle.items())
    )
    return Curve(points, _trend(points))


def _spread(groups: Sequence[Sequence[float]]) -> float | None:
    """Standard deviation within cycles, pooled: with a few tracks a cycle, each cycle's own says little."""
    freedom = sum(len(group) - 1 for group in groups)
    if freedom < 1:
        return None
    return float(np.sqrt(sum(float(np.sum((np.array(g) - np.mean(g)) ** 2)) for g in groups) / freedom))


def _trend(points: Sequence[Point]) -> Trend | None:
    """Least squares with its t interval; None for one cycle or too few tracks."""
    cycles = np.array([point.cycle for point in points for _ in point.outcomes], dtype=float)
    values = np.array([outcome for point in points for outcome in point.outcomes], dtype=float)
    freedom = len(values) - 2
    if len(points) < 2 or freedom < LEAST_FREEDOM:
        return None
    x = cycles - cycles.mean()
    slope = float(x @ values / (x @ x))
    residuals = values - values.mean() - slope * x
    first, last = points[0].cycle, points[-1].cycle
    sd = float(np.sqrt(residuals @ residuals / freedom / (x @ x))) * (last - first)
    reach = float(stats.t.ppf(1 - ERROR / 2, freedom))
    change = slope * (last - first)
    return Trend(
        first,
        last,
        change,
        change - reach * sd,
        change + reach * sd,
        (reach + float(stats.t.ppf(POWER, freedom))) * sd,
    )
