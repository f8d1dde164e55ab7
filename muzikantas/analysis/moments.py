"""What is known of a track at a date, as numbers, and what became of it: the material that forecasts are made of."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from muzikantas.analysis.trajectories import Array, Numbers, Trajectories

#: Days that a track is taken to be on a chart already when the chart's first date shows it.
LONG_DAYS = 400
#: Days around Christmas in which the distance to it is told; outside, it does not matter how far it is.
CHRISTMAS_DAYS = 40
#: Steps within which tracks of one artist count as having come together: an album's first two weeks.
TOGETHER = 14


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """Tracks on the chart at dates: `tracks` and `steps` (shape `(n,)`) say which, `features` what is known then."""

    tracks: Numbers
    steps: Numbers
    features: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Fates:
    """What became of each moment (shape `(n,)`), in the steps of the chart; `known` where the chart goes on so far.

    Parameters
    ----------
    position
        `ahead` steps later; off the chart counts as one below its last position.
    peak, peak_step
        Best position from then until the end of the window, and the step of its first day, counted from the moment.
    stay
        Steps until the last one in the window on which the track is on the chart.
    """

    position: Numbers
    peak: Numbers
    peak_step: Numbers
    stay: Numbers
    known: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def targets(self) -> Numbers:
        """Give them as one array of shape `(n, 4)`."""
        return np.column_stack([self.position, self.peak, self.peak_step, self.stay])


def moments(chart: Trajectories, *, since: int = 0) -> Moments:
    """Describe every track on the chart at every date from step `since` that has enough history behind it."""
    past = _Past(chart)
    start = max(since, chart.pace.lags[-1])
    on = past.on.copy()
    on[:, :start] = False
    on[:, ~chart.seen] = False
    tracks, steps = np.nonzero(on)
    now = chart.positions[tracks, steps]
    lags = [chart.positions[tracks, steps - lag] - now for lag in chart.pace.lags]
    days = np.array([chart.day(step).toordinal() for step in range(len(chart.seen))])[steps]
    age = np.maximum(days - chart.first.toordinal() - chart.released[tracks], 0.0)
    known = past.since[tracks, steps] * chart.pace.days
    features = np.column_stack(
        [
            now,
            *lags,
            *past.around(tracks, steps),
            np.minimum(past.run[tracks, steps], 2 * chart.pace.window),
            np.log1p(past.total[tracks, steps]),
            np.log1p(known),
            past.best[tracks, steps],
            np.log1p(past.since_best[tracks, steps]),
            past.returns[tracks, steps],
            np.log1p(np.where(np.isnan(age), known, age)),
            days % 7,
            _christmas(days),
            *_company(chart, past, tracks, steps),
        ]
    )
    return Moments(tracks=tracks, steps=steps, features=features)


def fates(chart: Trajectories, at: Moments) -> Fates:
    """Tell what became of each moment; where the chart ends too early, `known` is false and the rest means nothing."""
    last = len(chart.seen) - 1
    window = chart.pace.window
    inside = np.minimum(at.steps[:, None] + np.arange(window + 1), last)
    paths = chart.positions[at.tracks[:, None], inside]
    later = np.minimum(at.steps + chart.pace.ahead, last)
    on = paths < chart.off
    return Fates(
        position=chart.positions[at.tracks, later].astype(np.int64),
        peak=paths.min(axis=1).astype(np.int64),
        peak_step=paths.argmin(axis=1),
        stay=window - on[:, ::-1].argmax(axis=1),
        known=(at.steps + window <= last) & chart.seen[later],
    )


class _Past:
    """What has happened to each track until each date, shapes `(tracks, dates)`."""

    def __init__(self, chart: Trajectories) -> None:
        positions, steps = chart.positions, len(chart.seen)
        self.chart = chart
        self.on = positions < chart.off
        self.total = np.cumsum(self.on, axis=1)
        self.best = np.minimum.accumulate(positions, axis=1)
        index = np.arange(steps)
        came = self.on.argmax(axis=1)[:, None]
        self.since = np.where(came == 0, LONG_DAYS // chart.pace.days, np.maximum(index - came, 0))
        self.since_best = index - np.maximum.accumulate(np.where(positions <= self.best, index, 0), axis=1)
        self.run = index - np.maximum.accumulate(np.where(self.on, -1, index), axis=1)
        entered = self.on & ~np.pad(self.on, ((0, 0), (1, 0)))[:, :-1]
        self.returns = np.maximum(np.cumsum(entered, axis=1) - 1, 0)

    def around(self, tracks: Numbers, steps: Numbers) -> list[Array]:
        """Give best, mean and worst position of the third lag, and the mean of the longest."""
        _, _, short, _, long = self.chart.pace.lags
        week = self.chart.positions[tracks[:, None], steps[:, None] - np.arange(short)]
        month = self.chart.positions[tracks[:, None], steps[:, None] - np.arange(long)]
        return [week.min(axis=1), week.mean(axis=1), week.max(axis=1), month.mean(axis=1)]


def _christmas(days: Numbers) -> Array:
    """Days from the nearest Christmas Day, negative before it; beyond `CHRISTMAS_DAYS` the same number for all."""
    near = []
    for day in np.unique(days):
        year = date.fromordinal(int(day)).year
        gaps = [int(day) - date(y, 12, 25).toordinal() for y in (year - 1, year)]
        gap = min(gaps, key=abs)
        near.append(gap if abs(gap) < CHRISTMAS_DAYS else CHRISTMAS_DAYS)
    return np.array(near, dtype=np.float64)[np.searchsorted(np.unique(days), days)]


def _company(chart: Trajectories, past: _Past, tracks: Numbers, steps: Numbers) -> list[Array]:
    """Count the artist's tracks on the chart that day, those of them that are new, and all that are new."""
    artists, dates = int(chart.leads.max()) + 1, len(chart.seen)
    cell = chart.leads[tracks] * dates + steps
    fresh = past.since[tracks, steps] <= TOGETHER
    same = np.bincount(cell, minlength=artists * dates)
    new = np.bincount(cell[fresh], minlength=artists * dates)
    week = np.bincount(steps[past.since[tracks, steps] <= chart.pace.lags[2]], minlength=dates)
    return [same[cell].astype(float), new[cell].astype(float), week[steps].astype(float)]
