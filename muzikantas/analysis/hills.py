"""How styles are liked, as one hill a genre (an ideal point), sampled.

A hill says what lines and bumps cannot: that liking has one best place, falls off on all sides at its own steepness in
each dimension, and ends. Its middle, height and steepness are drawn from what the releases leave possible, by a
sampler that warms up from the belief before data.

Countries help to find it. Each has its hill a little aside of the others', so where a hill is steep they differ, by its
slope times the shift between them; and a track's luck, which is most of all luck, does not come into a difference.
References: Coombs, Psychological Review 57 (1950); Del Moral, Doucet & Jasra, Sequential Monte Carlo Samplers, JRSS B
68 (2006); Neal, MCMC Using Hamiltonian Dynamics (2011).
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from muzikantas.analysis.differences import Differences
from muzikantas.analysis.history import Array

#: Draws of a hill, stages of warming up, and moves once warm.
DRAWS, STAGES, SETTLING = 96, 20, 2
#: A move: leaps along the slope, the first guess of their length in standard deviations, and how often it should end
#: where it leads.
LEAPS, LEAP, ARRIVING = 5, 0.35, 0.7
#: Draws are drawn again when the even ones among them are fewer than this share.
EVEN = 0.6
#: Before data: log units at the top, middles and steepness (one over the square of a width) in half widths of the
#: space. Steepness varies between hills, and between the dimensions of one.
HEIGHT, HEIGHT_LOG_SD = 1.8, 0.5
MIDDLE_SD = 0.65
STEEPNESS_LOG_SD, HILL_LOG_SD = 0.5, 0.5
#: What a genre's level away from its hill is expected to be, against the artist's usual level; and how sure that is.
BELOW, LEVEL_SD = 0.3, 0.7
#: Shift of a country's hill a dimension, in half widths for each log unit of the country's own luck.
SHIFT, SHIFT_LOG_SD = 0.5, 0.7
#: How much more a country may like a genre than others do, in units of its own luck.
FONDNESS_SD = 1.5
#: Releases of a genre needed before countries are compared.
COMPARED = 4
#: Draws further out than this many standard deviations are all alike.
_FURTHEST = 6.0


@dataclass(frozen=True, eq=False)
class Hills:
    """Draws of one genre's hill.

    Parameters
    ----------
    level
        Log outcome far from the hill, shape `(draws,)`.
    height
        Log units that its top adds, shape `(draws,)`.
    middle
        Half widths from the middle of the space, shape `(draws, d)`.
    steep
        One over the square of the width, shape `(draws, d)`.
    shift
        How far countries' hills lie apart, a dimension, for each log unit of their own luck; shape `(draws,)`.
    """

    level: Array
    height: Array
    middle: Array
    steep: Array
    shift: Array

    def worth(self, place: Array) -> Array:
        """Log outcome of styles (shape `(n, d)`) on each draw, shape `(draws, n)`."""
        worth: Array = self.level[:, None] + self.lift(place)
        return worth

    def lift(self, place: Array) -> Array:
        """What each draw's hill adds, shape `(draws, n)`."""
        pulled = self.steep * self.middle
        distance = self.steep @ (place**2).T - 2 * pulled @ place.T + np.sum(pulled * self.middle, axis=1)[:, None]
        lift: Array = self.height[:, None] * np.exp(-0.5 * np.maximum(distance, 0.0))
        return lift


@dataclass(frozen=True, eq=False)
class Lesson:
    """What the releases of a genre say.

    Parameters
    ----------
    place
        Half widths from the middle of the space, shape `(n, d)`.
    outcome
        Log outcomes less all that is not style, shape `(n,)`.
    precision
        One over the variance of their luck, as each draw sees it; shape `(draws, n)`.
    level
        The artist's usual log outcome.
    differences
        How countries differ in these releases.
    """

    place: Array
    outcome: Array
    precision: Array
    level: float
    differences: Differences

    @property
    def numbers(self) -> int:
        """How many numbers make a hill: height, middles, steepness of each dimension and of all, countries' shift."""
        d = int(self.place.shape[1])
        return 2 * d + 3

    def hills(self, unit: Array) -> Hills:
        """Hills of draws from a unit Gaussian, shape `(draws, numbers)`."""
        d, near = self.place.shape[1], np.clip(unit, -_FURTHEST, _FURTHEST)
        return Hills(
            level=np.full(len(unit), self.level - BELOW),
            height=HEIGHT * np.exp(HEIGHT_LOG_SD * near[:, 0]),
            middle=MIDDLE_SD * near[:, 1 : 1 + d],
            steep=np.exp(STEEPNESS_LOG_SD * near[:, 1 + d : -2] + HILL_LOG_SD * near[:, -2:-1]),
            shift=SHIFT * np.exp(SHIFT_LOG_SD * near[:, -1]),
        )

    def judge(self, worth: Array, heat: float) -> tuple[Array, Array, Array]:
        """Log likelihood of each draw (shape `(draws,)`), its derivative by each release's worth, and the level's step.

        `worth` (shape `(draws, n)`) is what each draw expects of the releases. The likelihood counts to the power of
        `heat`; the level is integrated out.
        """
        precision = heat * self.precision
        missing = self.outcome - worth
        pull = np.sum(precision * missing, axis=1)
        sure = np.sum(precision, axis=1) + LEVEL_SD**-2
        likelihood = 0.5 * (pull**2 / sure - np.sum(precision * missing**2, axis=1))
        step = pull / sure
        return likelihood, precision * (missing - step[:, None]), step

    def climb(self, unit: Array, heat: float) -> tuple[Array, Array]:
        """Log density of unit draws at a heat (shape `(draws,)`) and its gradient (the shape of `unit`).

        What countries' differences say is left out; `compare` has it.
        """
        hills, d = self.hills(unit), self.place.shape[1]
        lift = hills.lift(self.place)
        likelihood, wanted, _ = self.judge(hills.level[:, None] + lift, heat)
        wanted = wanted * lift
        total = wanted.sum(axis=1)[:, None]
        first, second = wanted @ self.place, wanted @ self.place**2
        gradient = -unit
        gradient[:, 0] += HEIGHT_LOG_SD * total[:, 0]
        gradient[:, 1 : 1 + d] += MIDDLE_SD * hills.steep * (first - hills.middle * total)
        flatter = -0.5 * hills.steep * (second - 2 * hills.middle * first + hills.middle**2 * total)
        gradient[:, 1 + d : -2] += STEEPNESS_LOG_SD * flatter
        gradient[:, -2] += HILL_LOG_SD * flatter.sum(axis=1)
        return likelihood - 0.5 * np.sum(unit**2, axis=1), gradient

    def compare(self, unit: Array) -> Array:
        """Log likelihood of how countries differ (shape `(draws,)`), up to a constant.

        A difference is the hill's slope times a shift, and luck of the countries' own: shifts, fondness of the genre
        and the size of that luck are integrated out.
        """
        told = self.differences
        if told.releases < COMPARED:
            return np.zeros(len(unit))
        hills, d = self.hills(unit), self.place.shape[1]
        root = told.weight**0.5
        seen = told.values * root[:, None]
        causes = np.empty((len(unit), d + 1, len(root)))
        np.subtract(self.place.T, hills.middle[:, :, None], out=causes[:, :d])
        causes[:, :d] *= (hills.shift[:, None] * hills.steep)[:, :, None]
        causes[:, :d] *= (hills.lift(self.place) * root)[:, None, :]
        causes[:, d] = FONDNESS_SD * root
        lower = np.linalg.cholesky(causes @ causes.transpose(0, 2, 1) + np.eye(d + 1))
        explained = np.sum(np.linalg.solve(lower, causes @ seen) ** 2, axis=(1, 2))
        total = float(np.sum(seen**2))
        left = np.maximum(1 - explained / total, 1e-12) if total else np.ones(len(unit))
        pairs = seen.shape[1]
        size = np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
        likelihood: Array = -pairs * (0.5 * told.releases * np.log(left) + size)
        return likelihood

    def pick(self, draws: npt.NDArray[np.intp]) -> "Lesson":
        """Look with some of the draws' eyes."""
        return replace(self, precision=self.precision[draws])


def sample_hills(lesson: Lesson, rng: np.random.Generator) -> Hills:
    """Draw hills that may stand behind the releases; with none, from the belief before data."""
    unit = rng.standard_normal((len(lesson.precision), lesson.numbers))
    if not len(lesson.outcome):
        return lesson.hills(unit)
    compared, leap = lesson.compare(unit), LEAP
    stages = np.linspace(0.0, 1.0, STAGES + 1) ** 2  # the first data change the most
    for colder, heat in pairwise([*stages, *np.ones(SETTLING)]):
        drawn = _even(lesson, unit, compared, (colder, heat), rng)
        unit, compared, lesson = unit[drawn], compared[drawn], lesson.pick(drawn)
        unit, compared, arrived = _move(lesson, unit, compared, (heat, leap), rng)
        leap *= float(np.exp(0.25 * (arrived - ARRIVING)))
    hills = lesson.hills(unit)
    return replace(hills, level=hills.level + lesson.judge(hills.worth(lesson.place), 1.0)[2])


def _even(
    lesson: Lesson, unit: Array, compared: Array, heats: tuple[float, float], rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Which draws to go on with at a further heat: all, or more of the likelier ones when they have become uneven."""
    colder, heat = heats
    worth = lesson.hills(unit).worth(lesson.place)
    likelier = lesson.judge(worth, heat)[0] - lesson.judge(worth, colder)[0] + (heat - colder) * compared
    share = np.exp(likelier - likelier.max())
    share /= share.sum()
    everyone = np.arange(len(share))
    if 1 / np.sum(share**2) >= EVEN * len(share):
        return everyone
    ladder = (everyone + rng.random()) / len(share)
    return np.minimum(np.searchsorted(np.cumsum(share), ladder), len(share) - 1)


def _move(
    lesson: Lesson, unit: Array, compared: Array, pace: tuple[float, float], rng: np.random.Generator
) -> tuple[Array, Array, float]:
    """One Hamiltonian move of every draw: where they are, what countries say there, and the share that arrived.

    The way follows the slope of what all countries say together; whether it was worth going is judged by everything.
    """
    heat, leap = pace
    push = rng.standard_normal(unit.shape)
    length = leap * rng.uniform(0.6, 1.4, (len(unit), 1))
    density, slope = lesson.climb(unit, heat)
    before = density + heat * compared - 0.5 * np.sum(push**2, axis=1)
    there, push = unit, push + 0.5 * length * slope
    for left in reversed(range(LEAPS)):
        there = there + length * push
        density, slope = lesson.climb(there, heat)
        push = push + length * slope * (1.0 if left else 0.5)
    found = lesson.compare(there)
    after = density + heat * found - 0.5 * np.sum(push**2, axis=1)
    arrived = np.log(rng.random(len(unit))) < after - before
    return np.where(arrived[:, None], there, unit), np.where(arrived, found, compared), float(arrived.mean())
