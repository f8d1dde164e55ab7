"""Streams that look bought or counted wrongly are set aside, with a reason, and left out of what is learnt.

Two signs: one country leaves what the others do on the same days and its own usual share of them; and streams come
without the listeners and saves that usually come with them. A hit that lifts all countries shows neither, whatever its
size. Nothing is deleted: the rows stay, the choice is made anew from all rows each time, and the report shows it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from muzikantas.analysis.history import Array
from muzikantas.analysis.outcome import AGES, Decay, Series

Mask = npt.NDArray[np.bool_]

#: Reported days below which a country has no usual share yet.
LEAST_DAYS = 5
#: A hit is not as large everywhere: a country may exceed the others by so much of their common rise, in log units.
UNEVEN_HIT = 0.5
#: Standard deviations beyond which a day is out of the ordinary, and at the edges of a burst.
FAR, NEAR = 5.0, 2.5
#: Days that are looked at together: few streams a day are out of the ordinary only in sum.
BURST_DAYS = (1, 3)
#: Times the usual streams: at the edges of a burst; where listeners or saves are missing too; where neither is
#: reported; and where both are as usual (a playlist of one country does as much).
SHOULDER, WITHOUT_PEOPLE, UNKNOWN_PEOPLE, WITH_PEOPLE = 1.7, 2.0, 4.0, 8.0
#: Excess streams that are worth setting aside, in all and as a share of what the release has.
LEAST_STREAMS, LEAST_SHARE = 15.0, 0.05
#: Listeners or saves that came, as a share of what so many streams usually bring; standard deviations of counting that
#: they must be short of it; and the least number that can say so.
MISSING_BELOW, SHORT_OF, LEAST_EXPECTED = 0.4, 4.0, 16.0
#: Share of a burst's days on which a known promotion ran, from which it explains that one country leaves the others.
EXPLAINED = 0.5
NEVER: Mask = np.zeros(AGES, dtype=bool)
#: Spread of ordinary days in log units that is taken for granted.
LEAST_SPREAD = 0.15


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """Streams of one release, platform and country that are left out, on the `days` of its age, ascending."""

    release: int
    platform: str
    country: str
    days: tuple[int, ...]
    streams: float  #: reported on these days
    usual: float  #: would have been usual
    reason: str


@dataclass(frozen=True, eq=False)
class _Group:
    """All countries of one release on one platform: arrays of shape `(countries, AGES)`.

    `level` is log streams over decay and usual share; `common` (shape `(AGES,)`) what all countries did together.
    """

    series: Sequence[Series]
    streams: Array
    usual: Array
    level: Array
    common: Array


@dataclass(frozen=True, eq=False)
class _Anomaly:
    """Days that are left out (shape `(AGES,)`), what would have been usual on every day, and why."""

    days: Mask
    usual: Array
    reason: str


def quarantine(
    series: Sequence[Series], decay: Decay, promoted: Mapping[int, Mask] | None = None
) -> tuple[list[Series], list[Quarantined]]:
    """Give the series with anomalous days taken out (as if not reported), and what was taken out, by release.

    `promoted` are the days of age on which a release was promoted (shape `(AGES,)`): then one country may leave the
    others, as long as its people come along. What promotion brought is taken off elsewhere.
    """
    groups = [_group(mine, decay) for mine in _by_release(series)]
    spread = _spread(groups)
    kept: list[Series] = []
    found: list[Quarantined] = []
    for group in groups:
        for row, each in enumerate(group.series):
            anomaly = _anomaly(group, row, spread, (promoted or {}).get(each.release, NEVER))
            if anomaly is None:
                kept.append(each)
            else:
                kept.append(replace(each, streams=np.where(anomaly.days, np.nan, each.streams)))
                found.append(_described(each, anomaly))
    return kept, found


def _by_release(series: Sequence[Series]) -> list[list[Series]]:
    groups: dict[tuple[int, str], list[Series]] = {}
    for each in series:
        groups.setdefault((each.release, each.platform), []).append(each)
    return [groups[key] for key in sorted(groups)]


def _group(series: Sequence[Series], decay: Decay) -> _Group:
    """Find each country's usual level (the median of its days) and what the countries did together.

    The decay itself has a voice in that median: of two countries, the one that leaves it is the odd one.
    """
    streams = np.array([each.streams for each in series])
    known = np.isfinite(streams)
    level = np.log(streams + 0.5) - np.log(decay.shape())
    own = np.array([np.median(row[here]) if here.any() else 0.0 for row, here in zip(level, known, strict=True)])
    level = np.where(known, level - own[:, None], np.nan)
    voices = np.vstack([level, np.zeros(AGES)])
    common = np.nanmedian(voices, axis=0)
    usual = np.maximum(np.exp(own[:, None] + np.log(decay.shape())) - 0.5, 0.0)
    return _Group(series, streams, usual, level, common)


def _spread(groups: Sequence[_Group]) -> float:
    """Spread of single days about what their country usually does, from all releases; bursts do not move a median."""
    off = [(group.level - group.common)[np.isfinite(group.level) & (group.usual >= 20)] for group in groups]
    days = np.abs(np.concatenate([*off, np.zeros(0)]))
    return max(LEAST_SPREAD, 1.4826 * float(np.median(days))) if len(days) else 2 * LEAST_SPREAD


def _anomaly(group: _Group, row: int, spread: float, promoted: Mask) -> _Anomaly | None:
    """Look at one country beside the others, then against the decay alone; None where all is well."""
    if int(np.isfinite(group.streams[row]).sum()) < LEAST_DAYS:
        return None
    alone = group.level[row] - group.common - UNEVEN_HIT * np.maximum(group.common, 0.0)
    for excess in (alone, group.level[row]):
        usual = group.streams[row] / np.exp(excess)
        burst = _burst(group.streams[row], usual, spread)
        taken = np.where(burst, group.streams[row] - usual, 0.0).sum()
        if taken < max(LEAST_STREAMS, LEAST_SHARE * np.nansum(group.streams)):
            continue
        peak = float(np.exp(np.nanmax(excess[burst])))
        people = _people(group.series[row], burst, usual)
        explained = bool(np.mean(promoted[burst]) >= EXPLAINED)
        beside_others = excess is alone and len(group.series) > 1 and not explained
        if people and peak >= WITHOUT_PEOPLE:
            return _Anomaly(burst, usual, f"{peak:.0f} times the usual streams, {people}")
        if beside_others and peak >= (UNKNOWN_PEOPLE if people is None else WITH_PEOPLE):
            calm = "in this country, and the other countries stayed calm"
            return _Anomaly(burst, usual, f"{peak:.0f} times the usual streams {calm}")
    return None


def _burst(streams: Array, usual: Array, spread: float) -> Mask:
    """Mark days far beyond the usual, and those beside them that are well beyond it; at most half of all days."""
    known = np.isfinite(streams)
    heard, due = np.where(known, streams, 0.0), np.where(known, usual, 0.0)
    far, core = _far(heard, due, spread), np.zeros(AGES, dtype=bool)
    for days in BURST_DAYS:
        came, usually = (np.convolve(values, np.ones(days), "valid") for values in (heard, due))
        begins = np.flatnonzero((_far(came, usually, spread) > FAR) & (came > WITHOUT_PEOPLE * usually))
        core[begins[:, None] + np.arange(days)] = True
    core &= heard > WITHOUT_PEOPLE * due
    edge = (far > NEAR) & (heard > SHOULDER * due)
    burst = core.copy()
    for _ in range(AGES):
        grown = burst | (edge & (np.roll(burst, 1) | np.roll(burst, -1)))
        if (grown == burst).all():
            break
        burst = grown
    return burst if burst.sum() <= known.sum() / 2 else np.zeros(AGES, dtype=bool)


def _far(heard: Array, due: Array, spread: float) -> Array:
    """Standard deviations between counts and what was due.

    Square roots of counts scatter alike at any height (Anscombe 1948), but for the days' own spread.
    """
    distance: Array = 2 * (np.sqrt(heard + 0.375) - np.sqrt(due + 0.375)) / np.sqrt(1 + due * spread**2)
    return distance


def _people(series: Series, burst: Mask, usual: Array) -> str | None:
    """Say which people are missing from a burst; empty where they came along, None where nobody counts them."""
    excess = float(np.sum(series.streams[burst] - usual[burst]))
    known = None
    for name, counts in (("listeners", series.listeners), ("saves", series.saves)):
        calm = np.isfinite(counts) & np.isfinite(series.streams) & ~burst
        told = np.isfinite(counts[burst])
        heard = float(series.streams[calm].sum())
        if not told.all() or heard <= 0:
            continue
        ratio = float(counts[calm].sum()) / heard
        if ratio * excess < LEAST_EXPECTED:
            continue
        due = ratio * float(series.streams[burst].sum())
        came = float(counts[burst].sum()) - due + ratio * excess
        doubt = float(np.sqrt(due * (1 + due / (ratio * heard)))) if ratio > 0 else 0.0
        if came < min(MISSING_BELOW * ratio * excess, ratio * excess - SHORT_OF * doubt):
            return f"with {max(came, 0.0):.0f} {name} more where {ratio * excess:.0f} are usual"
        known = ""
    return known


def _described(series: Series, anomaly: _Anomaly) -> Quarantined:
    days = np.flatnonzero(anomaly.days)
    return Quarantined(
        release=series.release,
        platform=series.platform,
        country=series.country,
        days=tuple(days.tolist()),
        streams=float(series.streams[days].sum()),
        usual=float(anomaly.usual[days].sum()),
        reason=anomaly.reason,
    )
