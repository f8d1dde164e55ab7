"""How well a generator obeys: heard against asked, for each provider and genre, with what is common to them pooled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from muzikantas.analysis.history import Array
from muzikantas.domain.style import DIMENSIONS, Style

#: Usual deviations, before a track is heard: of all generators' bias and slope, and of a provider's, a genre's, and
#: a provider's in one genre about that. A generator that reacts weakly is common.
BIAS_SDS, SLOPE_SDS = (0.15, 0.1, 0.1, 0.05), (0.3, 0.2, 0.15, 0.1)
#: Usual scatter of what is heard about what is expected, and how many tracks that is worth.
SCATTER, SCATTER_WORTH = 0.1, 5.0
#: Usual scatter of what a generator plays about what it means to play, in units of what is asked: what is heard beyond
#: that is the ear's mistake.
DISOBEDIENCE = 0.1
#: What is heard is not stretched further than this.
WEAKEST = 0.1
#: Scatter and lines depend on each other; so many rounds settle two digits.
ROUNDS = 3

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Made:
    """One track: who made it, what was asked, what was heard."""

    provider: str
    asked: Style
    realised: Style


@dataclass(frozen=True, kw_only=True)
class Habit:
    """How one provider answers one dimension in one genre, on the scale from 0 to 1.

    Parameters
    ----------
    bias, bias_error
        Heard minus asked in the middle of the scale, shrunken towards what is common, and its standard deviation.
    slope, slope_error
        Heard for one step more asked: 1 obeys, 0 does not listen.
    spread
        Standard deviation of what is heard about that line.
    """

    dimension: str
    bias: float
    bias_error: float
    slope: float
    slope_error: float
    spread: float


@dataclass(frozen=True, kw_only=True)
class Control:
    """How one provider obeys in one genre."""

    provider: str
    genre: str
    tracks: int
    habits: tuple[Habit, ...]


def control(made: Iterable[Made]) -> list[Control]:
    """Model heard against asked for every provider and genre that has made a track, in their order.

    A line for each dimension, whose bias and slope are sums of parts: common, the provider's, the genre's, and their
    own. Each part is shrunken by what is usual, so two tracks of a new genre say little and borrow the rest.
    """
    tracks = sorted(made, key=lambda each: (each.provider, each.asked.genre, each.asked.values, each.realised.values))
    groups = sorted({(each.provider, each.asked.genre) for each in tracks})
    which = np.array([groups.index((each.provider, each.asked.genre)) for each in tracks], dtype=np.intp)
    asked = np.array([each.asked.values for each in tracks]).reshape(len(tracks), len(DIMENSIONS)) - 0.5
    gaps = np.array([np.subtract(each.realised.values, each.asked.values) for each in tracks])
    parts = _parts(groups)
    fits = [_habits(name, parts, which, asked[:, k], gaps[:, k]) for k, name in enumerate(DIMENSIONS) if groups]
    return [
        Control(
            provider=provider,
            genre=genre,
            tracks=int(np.sum(which == g)),
            habits=tuple(fit[g] for fit in fits),
        )
        for g, (provider, genre) in enumerate(groups)
    ]


def placed(made: Sequence[Made]) -> list[Style]:
    """Tell where tracks stand on the scale of what is asked, in their order.

    An ear has a scale of its own: a feature may span a quarter of it between the least and the most that can be asked,
    and look as if it hardly mattered. So what is heard is stretched by the line of its provider and genre. Where it
    scatters about that line by more than a generator disobeys, the rest is taken for mishearing, and the place moves
    towards what was asked (regression calibration: Carroll et al., Measurement Error in Nonlinear Models, 2006, ch. 4).
    """
    lines = {(each.provider, each.genre): each.habits for each in control(made)}
    return [_place(each, lines[each.provider, each.asked.genre]) for each in made]


def _place(track: Made, habits: Sequence[Habit]) -> Style:
    asked, heard = np.array(track.asked.values), np.array(track.realised.values)
    bias, slope, spread = (np.array([getattr(each, name) for each in habits]) for name in ("bias", "slope", "spread"))
    stretch = 1 / np.maximum(slope, WEAKEST)
    surprise = (heard - asked - bias - (slope - 1) * (asked - 0.5)) * stretch
    believed = np.minimum(1.0, (DISOBEDIENCE / (spread * stretch)) ** 2)
    values = np.clip(asked + believed * surprise, 0.0, 1.0)
    return Style(track.realised.genre, tuple(map(float, values)))


def as_content(found: Sequence[Control]) -> list[dict[str, Any]]:
    """Write it as JSON: bias, slope and spread by dimension."""
    return [
        {
            "provider": each.provider,
            "genre": each.genre,
            "tracks": each.tracks,
            **{
                name: {habit.dimension: round(getattr(habit, name), 3) for habit in each.habits}
                for name in ("bias", "bias_error", "slope", "slope_error", "spread")
            },
        }
        for each in found
    ]


def _parts(groups: Sequence[tuple[str, str]]) -> list[Array]:
    """Which parts each group is made of, rows for groups: common · providers · genres · the groups themselves."""
    named = []
    for place in (0, 1):
        names = sorted({group[place] for group in groups})
        named.append(np.array([[float(group[place] == name) for name in names] for group in groups]))
    return [np.ones((len(groups), 1)), *named, np.eye(len(groups))]


def _habits(dimension: str, parts: Sequence[Array], which: Places, asked: Array, gaps: Array) -> list[Habit]:
    """Fit one dimension: ridge regression with the usual deviations as its scale, scatter as loud as it is heard."""
    members = np.hstack(parts)
    sizes = [part.shape[1] for part in parts]
    sds = np.concatenate([np.repeat(BIAS_SDS, sizes), np.repeat(SLOPE_SDS, sizes)])
    rows = np.hstack([members[which], members[which] * asked[:, None]])
    noise, worth = SCATTER**2, SCATTER_WORTH
    for _ in range(ROUNDS):
        covariance = np.linalg.inv(rows.T @ rows / noise + np.diag(sds**-2.0))
        coefficients = covariance @ (rows.T @ gaps) / noise
        squares = (gaps - rows @ coefficients) ** 2
        noise = float(worth * SCATTER**2 + squares.sum()) / (worth + len(squares))
    found = []
    for group, member in enumerate(members):
        line = [np.concatenate([member, 0 * member]), np.concatenate([0 * member, member])]
        own = squares[which == group]
        found.append(
            Habit(
                dimension=dimension,
                bias=float(line[0] @ coefficients),
                bias_error=float(np.sqrt(line[0] @ covariance @ line[0])),
                slope=1 + float(line[1] @ coefficients),
                slope_error=float(np.sqrt(line[1] @ covariance @ line[1])),
                spread=float(np.sqrt((worth * noise + own.sum()) / (worth + len(own)))),
            )
        )
    return found
