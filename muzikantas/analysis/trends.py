"""Where the tracks of a chart go: position two weeks ahead, peak and departure, with intervals that keep their word.

A forest of random trees learns from the past of the chart, and from other charts of the same kind, what became of
tracks in a like place. Its distributions are calibrated on parts of the past that the trees have not seen
(split-conformal prediction, Vovk, Gammerman, Shafer 2005), each band of positions by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from muzikantas.analysis.forest import Array, Cases, Forest, Numbers, grow
from muzikantas.analysis.moments import Moments, fates, moments
from muzikantas.analysis.trajectories import Trajectories
from muzikantas.domain.errors import InputError

#: What intervals promise. Nominal coverage lies in the middle of what is held to be kept, 90 to 97 %.
COVERAGE = 0.94
#: Parts of the past, each judged by trees that have not seen it.
FOLDS = 5
TREES = 60
#: Cases that a tree sees at most: keeps a fit below a minute.
MOST_CASES = 20_000
#: The chart's own past counts this much more than other charts'.
OWN_WEIGHT = 2.0
#: Ends of the bands of positions, as shares of the chart.
BANDS = (0.1, 0.2, 0.4, 0.7)
#: Fewest moments with a known end to learn from: 60 days of a chart of 50.
LEAST_MOMENTS = 3000
#: Fewest moments of a band to calibrate it by itself.
LEAST_IN_BAND = 200

POSITION, PEAK, PEAK_STEP, STAY = range(4)


@dataclass(frozen=True, kw_only=True)
class Range:
    """A whole number that is expected (the median), and the ends of its interval."""

    middle: int
    low: int
    high: int


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What is expected of one track on the chart: from `day` on, by the chart's `names`."""

    track: int
    title: str
    artists: str
    day: date
    now: int
    position: Range  #: at `position_on`
    position_on: date
    peak: Range
    peak_on: date
    peak_from: date
    peak_until: date
    expires_on: date  #: last date on which it is expected on the chart; nothing is said beyond the window


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted forest, and by target and band the level at which its intervals keep their promise."""

    forest: Forest
    levels: Array
    off: int

    def distributions(self, at: Moments) -> list[Array]:
        """Give the distribution of each target for each moment."""
        return self.forest.distributions(at.features)

    def ranges(self, at: Moments) -> list[tuple[Numbers, Numbers, Numbers]]:
        """Give median, low end and high end of each target for each moment."""
        bands = _bands(at.features[:, 0], self.off)
        return [
            _range(distribution, self.levels[target][bands])
            for target, distribution in enumerate(self.distributions(at))
        ]


def fit(
    chart: Trajectories, others: Sequence[Trajectories], rng: np.random.Generator, *, until: int | None = None
) -> Model:
    """Learn from the past of a chart and of others like it.

    `until` is the last step of `chart` whose position may be known; the others are cut at the same date. Raises
    `InputError` when the chart's past is too short.
    """
    last = len(chart.seen) - 1 if until is None else until
    own = _known(chart, last)
    if len(own[0]) < LEAST_MOMENTS:
        raise InputError(
            f"the chart has {len(own[0])} tracks and dates with a known end; a forecast needs {LEAST_MOMENTS}: "
            "import more of its past"
        )
    end = chart.day(last)
    alike = [other for other in others if other.pace == chart.pace and other.off == chart.off]
    more = [_known(other, (end - other.first).days // other.pace.days) for other in alike]
    parts = [own, *(part for part in more if len(part[0]))]
    cases = Cases(
        features=np.vstack([part[0] for part in parts]),
        targets=np.vstack([part[1] for part in parts]),
        weights=np.concatenate([np.full(len(part[0]), 1.0 if k else OWN_WEIGHT) for k, part in enumerate(parts)]),
        folds=_folds(np.concatenate([part[2] for part in parts]), own[2]),
    )
    window = chart.pace.window + 1
    sizes = (chart.off + 1, chart.off + 1, window, window)
    forest = grow(cases, sizes, rng, trees=TREES, most_cases=MOST_CASES)
    return Model(forest, _levels(forest, cases, len(own[0]), chart.off), chart.off)


def outlooks(model: Model, chart: Trajectories) -> list[Outlook]:
    """Tell what is expected of each track that is on the chart at its last date, by position."""
    last = len(chart.seen) - 1
    at = moments(chart, since=last)
    position, peak, peak_step, stay = model.ranges(at)
    day = chart.day(last)

    def later(steps: int) -> date:
        return day + timedelta(days=int(steps) * chart.pace.days)

    found = [
        Outlook(
            track=int(track),
            title=chart.names[track][0],
            artists=chart.names[track][1],
            day=day,
            now=int(chart.positions[track, last]),
            position=_one(position, k),
            position_on=later(chart.pace.ahead),
            # A peak from now on is at least what is now, whatever tracks in a like place did.
            peak=_one(peak, k, most=int(chart.positions[track, last])),
            peak_on=later(peak_step[0][k]),
            peak_from=later(peak_step[1][k]),
            peak_until=later(peak_step[2][k]),
            expires_on=later(stay[0][k]),
        )
        for k, track in enumerate(at.tracks)
    ]
    return sorted(found, key=lambda outlook: outlook.now)


def _one(found: tuple[Numbers, Numbers, Numbers], k: int, most: int | None = None) -> Range:
    middle, low, high = (int(part[k]) if most is None else min(int(part[k]), most) for part in found)
    return Range(middle=middle, low=low, high=high)


def _known(chart: Trajectories, last: int) -> tuple[Array, Numbers, Numbers]:
    """Give features, targets and days of the moments whose end is known by step `last`."""
    at = moments(chart)
    became = fates(chart, at)
    usable = became.known & (at.steps + chart.pace.window <= last)
    days = chart.first.toordinal() + at.steps * chart.pace.days
    return at.features[usable], became.targets()[usable], days[usable]


def _folds(days: Numbers, own: Numbers) -> Numbers:
    """Cut the past into even parts by date. A part is judged by what came before and after: both are other times."""
    edges = np.linspace(int(own.min()), int(own.max()) + 1, FOLDS + 1)
    return np.clip(np.searchsorted(edges, days, side="right") - 1, 0, FOLDS - 1).astype(np.int64)


def _bands(positions: Array, off: int) -> Numbers:
    return np.searchsorted(np.array(BANDS) * (off - 1), positions, side="left").astype(np.int64)


def _levels(forest: Forest, cases: Cases, own: int, off: int) -> Array:
    """Find by target and band the level at which intervals held what was to come, on the chart's own unseen past."""
    features, targets, folds = cases.features[:own], cases.targets[:own], cases.folds[:own]
    depth = np.zeros((targets.shape[1], own))
    for fold in range(FOLDS):
        mine = np.flatnonzero(folds == fold)
        for k, distribution in enumerate(forest.distributions(features[mine], unseen=fold)):
            depth[k, mine] = _depth(distribution, targets[mine, k])
    bands = _bands(features[:, 0], off)
    levels = np.empty((targets.shape[1], len(BANDS) + 1))
    for k in range(targets.shape[1]):
        for band in range(len(BANDS) + 1):
            members = depth[k, bands == band]
            judged = members if len(members) >= LEAST_IN_BAND else depth[k]
            levels[k, band] = np.quantile(judged, 1 - COVERAGE, method="lower")
    return levels


def _depth(distribution: Array, value: Numbers) -> Array:
    """Give the level below which the interval of a distribution holds a value: 1 in the middle, 0 outside."""
    upto = np.cumsum(distribution, axis=1)
    rows = np.arange(len(value))
    below = np.where(value > 0, upto[rows, value - 1], 0.0)
    depth: Array = 2 * np.minimum(upto[rows, value], 1 - below)
    return depth


def _range(distribution: Array, level: Array) -> tuple[Numbers, Numbers, Numbers]:
    """Give median and ends of the interval that leaves out `level` in all; it holds what `_depth` says it holds."""
    upto = np.cumsum(distribution, axis=1)
    upto /= upto[:, -1:]
    middle = (upto < 0.5).sum(axis=1)
    half = np.minimum(level, 1.0)[:, None] / 2
    low = (upto < half - 1e-12).sum(axis=1)
    high = (upto <= 1 - half - 1e-12).sum(axis=1)
    return middle, np.minimum(low, middle), np.clip(high, middle, distribution.shape[1] - 1)
