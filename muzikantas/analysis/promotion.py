"""What playlists and advertisements did for releases, and what an outcome would have been without them.

A promoted style looks like a good style. So the effect of promotion is learnt together with that of the style that was
heard, shrunken towards none and towards what the label's other artists have seen, and is taken off the outcome. What
is not known about it lowers the outcome's weight. Whom an operator promotes is not drawn by lot: a track that was
promoted because it was doing well makes promotion look stronger than it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, log2
from statistics import median

import numpy as np
import numpy.typing as npt

from muzikantas.analysis.bayes import Belief, Regression, posterior
from muzikantas.analysis.history import Array, Observation, arrange
from muzikantas.analysis.taste import Basis
from muzikantas.domain.promotion import AD, KINDS, Promotion
from muzikantas.domain.style import StyleSpace

#: Effect of a usual promotion before data, in log units: it does nothing, give or take a factor of two.
USUAL_SD = 0.7
#: How much artists of one label differ in it, and a standard deviation that says nothing about it.
ARTISTS_SD, UNKNOWN_SD = 0.3, 10.0
#: Heard releases with a kind of promotion, and without it, below which its effect is not told apart from luck.
LEAST = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Promoted:
    """One artist's releases, and the dose of each kind of promotion that they had (1: a usual one), by release."""

    observations: Sequence[Observation]
    space: StyleSpace
    doses: Mapping[int, tuple[float, ...]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Effects:
    """What a usual promotion adds to the log outcome: a Gaussian over `KINDS`, and the releases that it stands on."""

    mean: Array  #: shape `(kinds,)`
    covariance: Array  #: shape `(kinds, kinds)`
    promoted: tuple[int, ...]
    others: tuple[int, ...]

    def enough(self, kind: int) -> bool:
        """Whether there are enough releases with and without this kind to take it off an outcome."""
        return min(self.promoted[kind], self.others[kind]) >= LEAST


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What is taken off one log outcome, its standard deviation, and why, in words."""

    change: float
    error: float
    reason: str


def usual_sizes(promotions: Sequence[Promotion]) -> dict[tuple[str, str], float]:
    """Give the median size of each kind and currency: sizes are told in it, so that nothing need be converted."""
    sizes: dict[tuple[str, str], list[float]] = {}
    for each in promotions:
        if each.size > 0:
            sizes.setdefault((each.kind, each.currency), []).append(each.size)
    return {key: median(found) for key, found in sizes.items()}


def doses(
    promotions: Sequence[Promotion],
    released: Mapping[int, date],
    usual: Mapping[tuple[str, str], float],
    days: int,
) -> dict[int, tuple[float, ...]]:
    """Give log2(1 + size) by kind, in usual sizes, of each release that was promoted in its first `days` days.

    A playlist counts by the share of these days that it had the track, money by the share that was spent on them.
    """
    sizes: dict[int, list[float]] = {}
    for each in promotions:
        begin = released.get(each.track)
        if begin is None or each.size <= 0:
            continue
        last = begin + timedelta(days=days - 1)
        end = last if each.last is None else min(each.last, last)
        shared = (end - max(each.first, begin)).days + 1
        if shared <= 0:
            continue
        span = (each.last - each.first).days + 1 if each.kind == AD and each.last is not None else days
        mine = sizes.setdefault(each.track, [0.0] * len(KINDS))
        mine[KINDS.index(each.kind)] += each.size / usual[each.kind, each.currency] * shared / span
    return {track: tuple(log2(1 + size) for size in mine) for track, mine in sizes.items()}


def promoted_days(
    promotions: Sequence[Promotion], released: Mapping[int, date], ages: int
) -> dict[int, npt.NDArray[np.bool_]]:
    """Tell on which of the first `ages` days something promoted each release (shape `(ages,)`)."""
    days: dict[int, npt.NDArray[np.bool_]] = {}
    for each in promotions:
        if each.track not in released or each.size <= 0:
            continue
        begin = released[each.track]
        first = max((each.first - begin).days, 0)
        end = ages if each.last is None else max((each.last - begin).days + 1, 0)
        days.setdefault(each.track, np.zeros(ages, dtype=bool))[first:end] = True
    return days


def learn_effects(own: Promoted, label: Sequence[Promoted]) -> Effects:
    """Learn what promotion does for an artist, from its own releases and those of the label's other artists.

    What the others say is one Gaussian (random effects: artists differ by `ARTISTS_SD`), which begins the artist's own
    regression of the log outcome on style and promotion. Without any promoted release it stays near no effect.
    """
    kinds = len(KINDS)
    precision, score = np.eye(kinds) / USUAL_SD**2, np.zeros(kinds)
    for each in label:
        mean, covariance = _fit(each, np.zeros(kinds), np.full(kinds, UNKNOWN_SD))
        information = np.linalg.inv(covariance + ARTISTS_SD**2 * np.eye(kinds))
        precision, score = precision + information, score + information @ mean
    usual = np.linalg.inv(precision)
    mean, covariance = _fit(own, usual @ score, np.sqrt(np.diag(usual) + ARTISTS_SD**2))
    had = [_had(each) for each in (own, *label)]
    counts = np.sum([rows.sum(axis=0) for rows in had], axis=0)
    heard = sum(len(rows) for rows in had)
    return Effects(
        mean=mean,
        covariance=covariance,
        promoted=tuple(int(n) for n in counts),
        others=tuple(heard - int(n) for n in counts),
    )


def correction(dose: Sequence[float], effects: Effects) -> Correction:
    """Say what a release's promotion is to be charged with.

    A kind of which too few releases are known changes no outcome; the doubt about it stays.
    """
    told = np.array([effects.enough(k) for k in range(len(KINDS))])
    covariance = np.where(np.outer(told, told), effects.covariance, np.diag(np.where(told, 0.0, USUAL_SD**2)))
    amount = np.array(dose)
    change = float(amount @ np.where(told, effects.mean, 0.0))
    error = float(np.sqrt(amount @ covariance @ amount))
    return Correction(change=change, error=error, reason=_reason(amount, effects, change, error))


def _fit(promoted: Promoted, mean: Array, sd: Array) -> tuple[Array, Array]:
    """Regress the log outcomes of one artist on style and promotion; give promotion's mean and covariance."""
    history = arrange([each for each in promoted.observations if each.weight > 0], promoted.space)
    if history.heard == 0:
        return mean, np.diag(sd**2)
    basis = Basis.of(promoted.space)
    style, belief = basis.rows(history.genre, history.realised, history.cycle.max() - history.cycle), basis.belief()
    none = (0.0,) * len(mean)
    amounts = np.array([none if id_ is None else promoted.doses.get(id_, none) for id_ in history.ids])
    found = posterior(
        Regression(np.hstack([style, amounts]), history.outcome, history.weight),
        Belief(
            np.concatenate([belief.mean, mean]),
            np.concatenate([belief.sd, sd]),
            np.concatenate([belief.elastic, np.zeros(len(mean), dtype=bool)]),
        ),
    )
    kinds = slice(len(belief.mean), None)
    return found.mean[kinds], found.covariance[kinds, kinds]


def _had(promoted: Promoted) -> npt.NDArray[np.bool_]:
    """Which heard releases had which kind, shape `(releases, kinds)`."""
    none = (0.0,) * len(KINDS)
    rows = [promoted.doses.get(each.id or 0, none) for each in promoted.observations if each.weight > 0]
    return np.array(rows).reshape(len(rows), len(KINDS)) > 0


def _reason(amount: Array, effects: Effects, change: float, error: float) -> str:
    """Say which promotion it was, what was taken off, and what that stands on."""
    names = " and ".join(kind for kind, n in zip(KINDS, amount, strict=True) if n > 0)
    few = [k for k in range(len(KINDS)) if amount[k] > 0 and not effects.enough(k)]
    parts = []
    if len(few) < np.count_nonzero(amount):
        low, high = (exp(change + side * 1.96 * error) for side in (-1, 1))
        basis = ", ".join(
            f"{effects.promoted[k]} releases with {KINDS[k]} and {effects.others[k]} without"
            for k in range(len(KINDS))
            if amount[k] > 0 and k not in few
        )
        parts.append(f"streams divided by {exp(change):.2f} (95 %: {low:.2f} to {high:.2f}), learned from {basis}")
    parts += [
        f"{effects.promoted[k]} heard releases with {KINDS[k]} and {effects.others[k]} without are too few to tell "
        f"what it did (at least {LEAST} of each): only the weight is lowered"
        for k in few
    ]
    return f"{names}: {'; '.join(parts)}"
