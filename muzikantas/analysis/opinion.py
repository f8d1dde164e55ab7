"""What is believed about how styles are liked now: the mean of a smooth model and one of hills.

Where two models that are wrong in different ways agree there is more to be had than where one of them alone sees
much. References: Hoeting et al., Bayesian Model Averaging: A Tutorial, Statistical Science 14 (1999); Clemen,
Combining Forecasts, International Journal of Forecasting 5 (1989), on why equal shares are hard to beat.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from muzikantas.analysis.bayes import NOISE_SDS
from muzikantas.analysis.differences import differences
from muzikantas.analysis.hills import DRAWS, Hills, Lesson, sample_hills
from muzikantas.analysis.history import Array, History
from muzikantas.analysis.smooth import Smooth, learn_smooth
from muzikantas.analysis.surface import Rows
from muzikantas.analysis.taste import Prior
from muzikantas.domain.style import StyleSpace

#: Share of the hills in the mean. Lines know what other artists have taught and hills do not: then they wait for this
#: many releases until they have half of it.
SHARE, UNTAUGHT = 0.5, 50.0
#: How much of its precision a release keeps for the hills when tastes have broken since.
KEPT_AFTER_BREAK = 0.1


@dataclass(frozen=True, eq=False)
class Sight:
    """What is believed about some sums of styles.

    Parameters
    ----------
    expected, doubt
        Log outcomes and the standard deviations of these expectations (luck not included), shape `(k,)`.
    influence
        By how much each expectation rises for a log unit more of each release heard, as lines and bumps see it; shape
        `(k, n)`.
    """

    expected: Array
    doubt: Array
    influence: Array


@dataclass(frozen=True, eq=False)
class Opinion:
    """The mean of two models.

    Parameters
    ----------
    smooth
        Lines and bumps.
    hills
        Draws of each genre's hill; none before anything is heard.
    share
        Share of the hills.
    """

    smooth: Smooth
    hills: tuple[Hills, ...]
    share: float

    @property
    def heard(self) -> History:
        """The releases whose outcomes speak."""
        return self.smooth.heard

    @property
    def repetition(self) -> float:
        """Log units that an exact repetition in the same cycle costs; never a gain."""
        return self.smooth.repetition

    def rows(self, genre: npt.NDArray[np.intp], values: Array) -> Rows:
        """See styles (`genre` shape `(n,)`, `values` shape `(n, d)`) as released now, repeating nothing."""
        return self.smooth.rows(genre, values)

    def expect(self, rows: Rows) -> Array:
        """Expected log outcome of each row, shape `(n,)`."""
        smooth = self.smooth.expect(rows)
        if not self.share:
            return smooth
        expected: Array = (1 - self.share) * smooth + self.share * self._worth(rows).mean(axis=0)
        return expected

    def look(self, rows: Rows, sums: Array) -> Sight:
        """Look closely at weighted sums of rows (`sums` shape `(k, rows)`), such as one style less another."""
        smooth, doubt, influence = self.smooth.look(rows, sums)
        if not self.share:
            return Sight(smooth, doubt, influence)
        drawn = self._worth(rows) @ sums.T
        expected = (1 - self.share) * smooth + self.share * drawn.mean(axis=0)
        variance = (1 - self.share) * (doubt**2 + (smooth - expected) ** 2)
        variance = variance + self.share * np.mean((drawn - expected) ** 2, axis=0)
        return Sight(expected, np.sqrt(variance), influence)

    def one(self, rng: np.random.Generator) -> "Opinion":
        """Give one draw of levels and lines as if it were all that is believed; bumps and hills stay as expected."""
        return replace(self, smooth=self.smooth.one(rng))

    def _worth(self, rows: Rows) -> Array:
        """Log outcome of each row on each draw of its genre's hill, shape `(draws, n)`."""
        worth = np.empty((DRAWS, len(rows.genre)))
        for genre in np.unique(rows.genre):
            mine = rows.genre == genre
            worth[:, mine] = self.hills[genre].worth(rows.place[mine])
        return worth


def learn_opinion(
    history: History,
    boredom: Array,
    space: StyleSpace,
    cycle: int,
    rng: np.random.Generator,
    prior: Prior | None = None,
    *,
    share: float = SHARE,
) -> Opinion:
    """Learn from realised styles and how much each release repeated others (`boredom`, shape `(n,)`).

    `share` is the share of the hills once they have enough to learn from; 0 does without them. With no history the
    belief comes back. Raises `InputError` when the prior was learnt for another space.
    """
    smooth = learn_smooth(history, boredom, space, cycle, prior)
    heard = smooth.heard.heard
    if not heard or not share:
        return Opinion(smooth, (), 0.0)
    waiting = 0.0 if prior is None else UNTAUGHT
    return Opinion(smooth, _hills(smooth, len(space.genres), rng), share * heard / (heard + waiting))


def _hills(smooth: Smooth, genres: int, rng: np.random.Generator) -> tuple[Hills, ...]:
    """Draw each genre's hill; how loud luck is and when tastes broke is as the smooth model has it, draw by draw."""
    heard, place = smooth.heard, smooth.ground.rows.place
    shares = np.array([share for share, _ in smooth.fits])
    drawn = [smooth.fits[i][1].guess for i in rng.choice(len(shares), DRAWS, p=shares / shares.sum())]
    luck = np.array([NOISE_SDS[guess.noise] for guess in drawn])
    since = np.array([guess.since for guess in drawn])
    kept = np.where(heard.cycle < since[:, None], KEPT_AFTER_BREAK, 1.0)
    precision = kept * heard.weight / luck[:, None] ** 2
    outcome, told = heard.outcome - smooth.beside_style(), differences(heard)
    lessons = []
    for genre in range(genres):
        mine = heard.genre == genre
        lessons.append(
            Lesson(
                place=place[mine],
                outcome=outcome[mine],
                precision=precision[:, mine],
                level=smooth.level,
                differences=told.pick(mine, kept[:, mine].mean(axis=0)),
            )
        )
    return tuple(sample_hills(each, rng) for each in lessons)
