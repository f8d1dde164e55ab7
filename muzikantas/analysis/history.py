"""What an artist has released and how it did, in an order that carries no meaning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
import numpy.typing as npt

from muzikantas.domain.errors import InputError
from muzikantas.domain.style import Style, StyleSpace

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Observation:
    """One release and its outcome.

    Parameters
    ----------
    cycle
        The cycle that made it.
    asked
        The style that the brief asked for.
    realised
        The style that the listener heard; the taste is learnt from this one.
    outcome
        log1p of the age-matched response (never of a cumulative total), so that releases of any age compare.
    by_country
        The same for each country, where known.
    weight
        Precision of the outcome against an ordinary one. 0: released, not yet heard; it still counts as a release
        that must not be repeated and as a lesson about the generator.
    age_days
        The age at which the response was read.
    id
        The release's id, given back as evidence.
    provider
        Who made it.
    """

    cycle: int
    asked: Style
    realised: Style
    outcome: float
    by_country: Mapping[str, float] | None = None
    weight: float = 1.0
    age_days: int | None = None
    id: int | None = None
    provider: str | None = None


@dataclass(frozen=True, eq=False)
class History:
    """The observations of a space's genres as arrays of `n` rows, sorted by content."""

    cycle: Array  #: shape (n,)
    genre: npt.NDArray[np.intp]  #: index into the space's genres, shape (n,)
    asked: Array  #: shape (n, dimensions)
    realised: Array  #: shape (n, dimensions)
    outcome: Array  #: shape (n,)
    weight: Array  #: shape (n,)
    by_country: Array  #: log1p as well, NaN where not known; shape (n, countries), countries by name
    ids: tuple[int | None, ...]

    @property
    def heard(self) -> int:
        """How many rows have an outcome that counts."""
        return int(np.count_nonzero(self.weight))

    def pick(self, rows: npt.NDArray[np.intp]) -> "History":
        """Keep some of the rows."""
        return History(
            cycle=self.cycle[rows],
            genre=self.genre[rows],
            asked=self.asked[rows],
            realised=self.realised[rows],
            outcome=self.outcome[rows],
            weight=self.weight[rows],
            by_country=self.by_country[rows],
            ids=tuple(self.ids[i] for i in rows),
        )

    def latest(self, count: int) -> "History":
        """Keep the last `count` rows by cycle."""
        return self.pick(np.sort(np.argsort(self.cycle, kind="stable")[-count:]))


def arrange(observations: Sequence[Observation], space: StyleSpace) -> History:
    """Check and sort the observations; those of genres that the space does not know are left out.

    A release that was reported twice counts once: heard before unheard, read at a higher age before a lower.

    Sorting by content makes sums, and so every later choice, the same to the last bit in whatever order they arrive.
    Raises `InputError` when a value is not finite, a weight is negative or a style has other dimensions than the space.
    """
    for observation in observations:
        _check(observation, space)
    rows = sorted((o for o in _once(observations) if o.realised.genre in space.genres), key=_content)
    shape = (len(rows), len(space.dimensions))
    countries = sorted({country for o in rows for country in o.by_country or {}})
    abroad = [[(o.by_country or {}).get(country, nan) for country in countries] for o in rows]
    return History(
        cycle=np.array([o.cycle for o in rows], dtype=float),
        genre=np.array([space.genres.index(o.realised.genre) for o in rows], dtype=np.intp),
        asked=np.array([o.asked.values for o in rows], dtype=float).reshape(shape),
        realised=np.array([o.realised.values for o in rows], dtype=float).reshape(shape),
        outcome=np.array([o.outcome for o in rows], dtype=float),
        weight=np.array([o.weight for o in rows], dtype=float),
        by_country=np.array(abroad, dtype=float).reshape(len(rows), len(countries)),
        ids=tuple(o.id for o in rows),
    )


def _once(observations: Sequence[Observation]) -> list[Observation]:
    """One report of each release; where nothing has an id, nothing can be told to be the same."""
    reports = sorted(observations, key=lambda o: (o.weight > 0, -1 if o.age_days is None else o.age_days, _content(o)))
    latest = {o.id: o for o in reports if o.id is not None}
    return [o for o in reports if o.id is None] + list(latest.values())


def _content(o: Observation) -> tuple[float | str | tuple[float | tuple[str, float], ...], ...]:
    return (
        o.cycle,
        -1 if o.id is None else o.id,
        o.realised.genre,
        o.realised.values,
        o.asked.values,
        o.outcome,
        o.weight,
        tuple(sorted((o.by_country or {}).items())),
    )


def _check(o: Observation, space: StyleSpace) -> None:
    expected = len(space.dimensions)
    for name, style in (("asked", o.asked), ("realised", o.realised)):
        if len(style.values) != expected or not all(map(isfinite, style.values)):
            raise InputError(
                f"observation {o.id}: {name} style is {style.values}; expected {expected} finite numbers "
                f"({', '.join(space.dimensions)}); measure the track again or leave it out"
            )
    if not isfinite(o.outcome) or not isfinite(o.weight) or o.weight < 0:
        raise InputError(
            f"observation {o.id}: outcome {o.outcome} with weight {o.weight}; expected a finite log1p of a response "
            "and a weight of at least 0; give an outcome that is not known yet the weight 0"
        )
    odd = {country: value for country, value in (o.by_country or {}).items() if not isfinite(value)}
    if odd:
        raise InputError(
            f"observation {o.id}: outcomes by country {odd}; expected a finite log1p of a response for each country; "
            "leave out the countries that are not known"
        )
