"""The outcome of a release: its streams in the first days, compared at equal age, what is missing foretold.

Streams fall with age as `a * ((age + 1) ** -exponent + floor)`. The shape is the artist's own, pooled over releases;
each release, platform and country has its own level. Days that no report covers yet, or that are in quarantine, are
filled in from the shape, and the error of doing so is measured on older releases of the same artist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from muzikantas.analysis.history import Array

#: Ages that are read, in days since release; the outcome may count fewer.
AGES = 28
#: A release is too young for an outcome before so many reported days.
LEAST_DAYS = 3
#: Shapes that are weighed, and the ones that are usual before anything is known of the artist.
EXPONENTS, FLOORS = np.linspace(0.0, 2.5, 51), np.array([0.0, 0.003, 0.01, 0.03, 0.1, 0.3])
USUAL_EXPONENT, EXPONENT_SD = 0.7, 0.4
#: Streams from which a release says no more about the shape: days are then uneven for other reasons than chance.
SAYS_NO_MORE = 300.0
#: Usual standard deviations, in log units: of a day about the shape, and of the exponent between releases.
DAY_SD, OWN_EXPONENT_SD = 0.25, 0.15
#: So many older releases weigh as much as these usual values in the nowcast's error.
USUAL_WORTH = 5.0
#: Luck of an ordinary release in log units: an outcome with so much error on top has half its weight.
LUCK_SD = 0.8


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """One release on one platform in one country, by age in days (arrays of shape `(AGES,)`, NaN: not reported)."""

    release: int
    platform: str
    country: str
    streams: Array
    listeners: Array
    saves: Array


@dataclass(frozen=True, kw_only=True)
class Decay:
    """How streams fall with age, for one artist.

    Parameters
    ----------
    exponent, floor
        Of the shape `(age + 1) ** -exponent + floor`.
    scale
        Variance of the nowcast's error on older releases, in units of what is usual.
    """

    exponent: float
    floor: float
    scale: float = 1.0

    def shape(self) -> Array:
        """Streams by age for a level of one, shape `(AGES,)`."""
        curve: Array = (np.arange(AGES, dtype=np.float64) + 1.0) ** -self.exponent + self.floor
        return curve


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The response to one release.

    Parameters
    ----------
    streams, by_country
        In the first days that count, what is missing foretold.
    error
        Standard deviation of log streams that the foretelling adds; 0 when nothing is missing.
    weight
        Precision against an outcome without that error; 0 while the release is too young.
    age_days
        Days that are reported.
    """

    streams: float
    by_country: Mapping[str, float]
    error: float
    weight: float
    age_days: int


def outcomes(series: Sequence[Series], decay: Decay, days: int) -> dict[int, Outcome]:
    """Give the outcome of every release that a report names, over its first `days` days (at most `AGES`)."""
    releases: dict[int, list[Series]] = {}
    for each in series:
        releases.setdefault(each.release, []).append(each)
    return {release: _outcome(mine, decay, days) for release, mine in sorted(releases.items())}


def weight_of(error: float) -> float:
    """Give the precision of an outcome with this error (log units) on top of luck, against one without.

    >>> weight_of(0.0), weight_of(LUCK_SD)
    (1.0, 0.5)
    """
    return LUCK_SD**2 / (LUCK_SD**2 + error**2)


def learn_decay(series: Sequence[Series], days: int) -> Decay:
    """Learn the artist's shape (multinomial likelihood of the days, given each release's sum) and the nowcast's error.

    With nothing known it is the usual one.
    """
    curves = _by_platform(series)
    shapes = list(product(EXPONENTS, FLOORS))
    table = np.log([Decay(exponent=float(e), floor=float(f)).shape() for e, f in shapes])
    seen = np.isfinite(curves)
    counts = np.where(seen, curves, 0.0)
    totals = counts.sum(axis=1)
    trust = 1 / (1 + totals / SAYS_NO_MORE)
    fit = (counts * trust[:, None]).sum(axis=0) @ table.T
    fit -= np.log(np.maximum(np.exp(table) @ seen.T, 1e-12)) @ (totals * trust)
    fit -= 0.5 * np.array([(e - USUAL_EXPONENT) / EXPONENT_SD for e, _ in shapes]) ** 2
    exponent, floor = shapes[int(np.argmax(fit))]
    found = Decay(exponent=float(exponent), floor=float(floor))
    return Decay(exponent=found.exponent, floor=found.floor, scale=_scale(curves, found, days))


def _outcome(series: Sequence[Series], decay: Decay, days: int) -> Outcome:
    shape = decay.shape()[:days]
    streams, foretold = np.zeros(days), 0.0
    by_country: dict[str, float] = {}
    seen = np.zeros(days, dtype=bool)
    for each in series:
        known = np.isfinite(each.streams[:days])
        heard = np.where(known, each.streams[:days], 0.0)
        rest = float(heard.sum() / shape[known].sum() * shape[~known].sum()) if known.any() else 0.0
        streams, foretold, seen = streams + heard, foretold + rest, seen | known
        by_country[each.country] = by_country.get(each.country, 0.0) + float(heard.sum()) + rest
    total = float(streams.sum()) + foretold
    age = int(seen.sum())
    missing = foretold / total if total > 0 else float(shape[~seen].sum() / shape.sum())
    error = _error(seen, float(streams.sum()), missing, decay)
    weight = weight_of(error) if age >= min(LEAST_DAYS, days) else 0.0
    return Outcome(streams=total, by_country=by_country, error=error, weight=weight, age_days=age)


def _error(seen: npt.NDArray[np.bool_], heard: float, missing: float, decay: Decay) -> float:
    """Standard deviation of the log total, of which the share `missing` is foretold from the days `seen`.

    The ratio of the days that are missing to those seen is uncertain by uneven days, by counting, and by the release's
    own exponent, which matters with the distance of their mean log ages.
    """
    if missing <= 0:
        return 0.0
    if not seen.any():
        return float("inf")
    shape, age = decay.shape()[: len(seen)], np.log(np.arange(len(seen)) + 1.0)
    rest = ~seen if not seen.all() else np.ones_like(seen)  # a quarantined country: the others' days say its level
    parts = [shape[days] / shape[days].sum() for days in (seen, rest)]
    uneven = sum(float(part @ part) for part in parts) * DAY_SD**2
    counting = 1 / (heard + 1) + 1 / (heard * missing / (1 - missing + 1e-9) + 1)
    apart = float(parts[1] @ age[rest] - parts[0] @ age[seen])
    variance = uneven + counting + (OWN_EXPONENT_SD * apart) ** 2
    return missing * float(np.sqrt(decay.scale * variance))


def _scale(curves: Array, decay: Decay, days: int) -> float:
    """Measure the nowcast on the releases whose days are all there: squared errors in units of the usual variance."""
    full = curves[np.isfinite(curves[:, :days]).all(axis=1) & (np.nansum(curves[:, :days], axis=1) > 0)][:, :days]
    cuts = [cut for cut in (LEAST_DAYS, days // 4, days // 2) if LEAST_DAYS <= cut < days]
    if not cuts or not len(full):
        return 1.0
    shape = decay.shape()[:days]
    squares = []
    for cut in cuts:
        seen = np.arange(days) < cut
        heard = full[:, :cut].sum(axis=1)
        foretold = heard * shape.sum() / shape[:cut].sum()
        missing = float(shape[cut:].sum() / shape.sum())
        usual = np.array([_error(seen, float(n), missing, decay) for n in heard])
        squares.append((np.log1p(foretold) - np.log1p(full.sum(axis=1))) ** 2 / usual**2)
    worst = np.minimum(np.mean(squares, axis=0), 25.0)  # one release that broke out must not blur all others
    return float((USUAL_WORTH + worst.sum()) / (USUAL_WORTH + len(worst)))


def _by_platform(series: Sequence[Series]) -> Array:
    """Sum countries: a row for each release and platform; a day that one country lacks is lacking."""
    rows: dict[tuple[int, str], Array] = {}
    for each in series:
        key = (each.release, each.platform)
        rows[key] = rows.get(key, np.zeros(AGES)) + each.streams
    return np.array([rows[key] for key in sorted(rows)]).reshape(len(rows), AGES)
