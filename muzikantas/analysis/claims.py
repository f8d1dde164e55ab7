"""What may be claimed about success: effects with intervals, and how many releases a claim would need.

Deciding and claiming are two things. `policy` acts on what is likely; here a claim needs a test that survives the
number of effects looked at, an interval without zero, and the same sign again in the later releases. All claims are
associations: playlists, advertising and fame are not randomised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite, log
from typing import Literal

import numpy as np
from scipy import special, stats

from muzikantas.analysis.associations import Answer, Question, answer, ask
from muzikantas.analysis.bayes import Belief, Posterior, Regression, posterior
from muzikantas.analysis.history import History, Observation, arrange
from muzikantas.analysis.taste import GENRE_SD, SLOPE_SD
from muzikantas.domain.style import StyleSpace

#: Most that a claim's q-value may be: 5 % is what is promised, the rest is for what the test takes for granted.
FALSE_DISCOVERIES = 0.03
#: Two-sided error of an interval.
ERROR = 0.05
#: The effect that an operator would act on, and the chance of seeing it.
WORTH_SEEING, POWER = 1.2, 0.8

Verdict = Literal["supported", "not held", "not enough data"]


@dataclass(frozen=True)
class Effect:
    """One genre or dimension and what it is associated with.

    Parameters
    ----------
    name
        The genre (against the average of the genres) or the dimension (half its allowed width more).
    estimate, low, high
        Effect with all others held fixed and its 95 % interval, in log units; the expectation's where releases cannot
        tell.
    q_value
        Benjamini-Hochberg adjusted p-value over all effects of the report.
    releases
        Releases that bear on it.
    verdict
        "supported" only if the q-value is at most 0.03, the interval leaves out zero and the later releases agree;
        "not held" if they do not.
    expected, expected_sd
        What a decision counts on: the effect shrunken towards none, and its standard deviation.
    later
        The estimate from the last third of the releases alone; None while there is nothing later.
    releases_needed
        Releases like these, in all, to claim this effect if it were +20 %; None while that cannot be told.
    """

    name: str
    estimate: float
    low: float
    high: float
    q_value: float
    releases: int
    verdict: Verdict
    expected: float | None = None
    expected_sd: float | None = None
    later: float | None = None
    releases_needed: int | None = None


@dataclass(frozen=True)
class Findings:
    """What a report may say about an artist's releases.

    Parameters
    ----------
    effects
        Genres first, then dimensions.
    releases
        Releases with an outcome.
    residual_sd
        Standard deviation of the log outcome that style leaves unexplained; None before it can be measured.
    releases_needed
        Releases, half with and half without, to see an effect of +20 %; None before the spread is known.
    """

    effects: tuple[Effect, ...]
    releases: int
    residual_sd: float | None
    releases_needed: int | None


def effects(observations: Sequence[Observation], space: StyleSpace) -> list[Effect]:
    """Estimate the average effect of each genre and dimension, and test all of them together.

    All compare releases of the same cycle where there are enough, so that a good week is not taken for a good style.
    A curve with its peak in the middle has no average slope and is not claimed.
    """
    return list(learning_note(observations, space).effects)


def learning_note(observations: Sequence[Observation], space: StyleSpace) -> Findings:
    """Sum up what the releases support. Raises `InputError` for unusable observations."""
    history = arrange([o for o in observations if o.weight > 0], space)
    question = ask(history, space)
    found = answer(question)
    belief = _belief(question)
    q_values = stats.false_discovery_control(found.p_value)
    bearing = _bearing(history, space)
    claims = tuple(
        _effect(name, releases, float(q_values[k]), found, belief, question, k)
        for k, (name, releases) in enumerate(bearing)
    )
    sd = found.residual_sd
    return Findings(claims, history.heard, sd, None if sd is None else releases_needed(sd))


def releases_needed(residual_sd: float, ratio: float = WORTH_SEEING) -> int:
    """Releases, half with and half without, to see `ratio` more streams at 80 % power and 5 % two-sided error.

    n = 4 (z₀.₉₇₅ + z₀.₈)² sd² / ln(ratio)², the usual size of a comparison of two means with equal arms.
    """
    z = float(special.ndtri(1 - ERROR / 2) + stats.norm.ppf(POWER))
    return max(2, ceil(4 * (z * residual_sd / log(ratio)) ** 2))


def _bearing(history: History, space: StyleSpace) -> list[tuple[str, int]]:
    """Name the effects, each with the releases that bear on it; one genre alone has nothing to be compared with."""
    genres = space.genres if len(space.genres) > 1 else ()
    counted = [(name, int(np.sum(history.genre == g))) for g, name in enumerate(genres)]
    return counted + [(name, history.heard) for name in space.dimensions]


def _belief(question: Question) -> Posterior:
    columns = question.design.shape[1]
    sd = np.where(np.arange(columns) < question.genres, GENRE_SD, SLOPE_SD)
    data = Regression(question.design, question.outcomes, np.ones(len(question.outcomes)))
    return posterior(data, Belief(np.zeros(columns), sd, np.ones(columns, dtype=bool)))


def _effect(
    name: str, releases: int, q_value: float, found: Answer, belief: Posterior, question: Question, k: int
) -> Effect:
    contrast = question.contrasts[[k]]
    expected, expected_sd = float(belief.expect(contrast)[0]), float(belief.doubt(contrast)[0])
    estimate, error = float(found.estimate[k]), float(found.error[k])
    reach = float(special.stdtrit(max(found.freedom, 1), 1 - ERROR / 2)) * error
    needed = None
    if isfinite(error):
        needed = _needed(error, releases=len(question.outcomes), tests=len(found.estimate))
    else:
        estimate, reach = expected, float(special.ndtri(1 - ERROR / 2)) * expected_sd
    sure = q_value <= FALSE_DISCOVERIES and abs(estimate) > reach
    verdict: Verdict = "not enough data" if not sure else "supported" if found.held[k] else "not held"
    later = float(found.later[k])
    return Effect(
        name=name,
        estimate=estimate,
        low=estimate - reach,
        high=estimate + reach,
        q_value=q_value,
        releases=releases,
        verdict=verdict,
        expected=expected,
        expected_sd=expected_sd,
        later=later if isfinite(later) else None,
        releases_needed=needed,
    )


def _needed(error: float, *, releases: int, tests: int) -> int:
    """Releases to claim +20 % among so many tests, if the further ones vary in style as these did."""
    z = float(special.ndtri(1 - FALSE_DISCOVERIES / tests / 2) + stats.norm.ppf(POWER))
    return max(2, ceil(releases * (z * error / log(WORTH_SEEING)) ** 2))
