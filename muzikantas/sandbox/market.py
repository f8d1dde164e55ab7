"""The hidden market: what listeners of each country do with a release. Pure; nobody outside is told its numbers.

Streams of a release in a country on the day of age `n` are a power law of age, `(n + 1) ** -DECAY`, times

    audience * exp(GAIN * appeal + luck of the track) / (1 + BOREDOM * likeness to recent releases of the artist)

Appeal, in [0, 1], is the best of one or two Gaussian peaks in the style space. Each genre has its own peaks; a
country shifts them a little, and they drift with the calendar. Learning from outside means finding these peaks.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muzikantas.sandbox.obedience import DIMENSIONS, seeded

#: Share of the audience in each country.
COUNTRIES = {"US": 0.34, "DE": 0.17, "JP": 0.14, "BR": 0.2, "GB": 0.15}

AUDIENCE = 90.0  #: streams in the first week of a track without any appeal or luck
GAIN = 4.2  #: a perfect track has exp(4.2) = 67 times the streams of one that nobody likes
LUCK_SD = 0.5  #: of the log, per track, the same in all countries
DAY_SD = 0.12  #: of the log, per day and country
DECAY = 0.6
DRIFT = 0.06  #: how far a taste wanders in each dimension ...
DRIFT_DAYS = 240.0  #: ... there and back in so many days
BOREDOM = 0.3  #: a track that is the twin of one recent release earns 1 / 1.3
LIKENESS_WIDTH = 0.15  #: distance in the style space at which likeness has fallen to 0.61
MEMORY_DAYS = 30.0
PAY_USD = 0.003


@dataclass(frozen=True, kw_only=True)
class Release:
    """One released take; `place` is its realised style in the order of `DIMENSIONS`."""

    number: int
    reference: str
    take_id: str
    title: str
    artist: str
    released_on: date
    genre: str
    place: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Day:
    """What happened to one release in one country on one day."""

    date: date
    country: str
    streams: int
    listeners: int
    saves: int
    skips: int
    revenue_usd: float


@dataclass(frozen=True)
class Taste:
    """What one country likes of one genre: peaks (shape `(k, 5)`), their heights, widths (shape `(5,)`), drift."""

    peaks: NDArray[np.float64]
    heights: NDArray[np.float64]
    widths: NDArray[np.float64]
    phases: NDArray[np.float64]
    fondness: float

    def appeal(self, places: NDArray[np.float64], on: date) -> NDArray[np.float64]:
        """Tell how much places (shape `(..., 5)`) are liked on a date, each in [0, 1]."""
        drift = DRIFT * np.sin(2 * np.pi * on.toordinal() / DRIFT_DAYS + self.phases)
        away = (places[..., None, :] - (self.peaks + drift)) / self.widths
        liked: NDArray[np.float64] = (self.heights * np.exp(-0.5 * np.sum(away**2, axis=-1))).max(axis=-1)
        return liked


class Market:
    """All tastes that follow from one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.taste = functools.cache(self._taste)

    def _taste(self, genre: str, country: str) -> Taste:
        world, local = seeded(self._seed, "taste", genre), seeded(self._seed, "taste", genre, country)
        size = len(DIMENSIONS)
        count = 1 + int(world.random() < 0.4)
        peaks = world.uniform(0.25, 0.75, (2, size))[:count]
        heights = np.array([1.0, world.uniform(0.6, 0.9)])[:count]
        widths, phases = world.uniform(0.3, 0.5, size), world.uniform(0, 2 * np.pi, size)
        peaks = peaks + local.normal(0, 0.05, peaks.shape)
        return Taste(peaks, heights, widths, phases, float(np.exp(local.normal(0, 0.25))))

    def expected_week(self, genre: str, places: NDArray[np.float64], on: date) -> NDArray[np.float64]:
        """Give the median streams of the first seven days, all countries, for fresh tracks at `places`."""
        tastes = [(share, self.taste(genre, country)) for country, share in COUNTRIES.items()]
        parts = [share * taste.fondness * np.exp(GAIN * taste.appeal(places, on)) for share, taste in tastes]
        week: NDArray[np.float64] = AUDIENCE * np.sum(parts, axis=0)
        return week

    def novelty(self, release: Release, earlier: Sequence[Release]) -> float:
        """Tell how fresh a release is among earlier ones, in (0, 1]; the order is that of their numbers."""
        likeness = 0.0
        for other in earlier:
            if other.number < release.number and (other.artist, other.genre) == (release.artist, release.genre):
                distance = np.linalg.norm(np.subtract(release.place, other.place))
                age = (release.released_on - other.released_on).days
                likeness += float(np.exp(-0.5 * (distance / LIKENESS_WIDTH) ** 2 - age / MEMORY_DAYS))
        return 1 / (1 + BOREDOM * likeness)

    def history(self, release: Release, earlier: Sequence[Release], until: date) -> list[Day]:
        """Give every day of a release in every country, up to and including `until`.

        Days are drawn in order from the release's own random streams: a longer history begins with the shorter one.
        """
        days = (until - release.released_on).days + 1
        if days <= 0:
            return []
        luck = LUCK_SD * float(seeded(self._seed, "luck", release.take_id).normal())
        common = AUDIENCE * np.exp(luck) * self.novelty(release, earlier)
        found = []
        for country, share in COUNTRIES.items():
            taste = self.taste(release.genre, country)
            liked = float(taste.appeal(np.array(release.place), release.released_on))
            week = common * share * taste.fondness * np.exp(GAIN * liked)
            found += self._days(release, country, week, liked, days)
        return sorted(found, key=lambda day: (day.date, day.country))

    def _days(self, release: Release, country: str, week: float, liked: float, days: int) -> list[Day]:
        rng = seeded(self._seed, "days", release.take_id, country)
        noise = rng.normal(size=(days, 4))
        age = np.arange(days)
        shape = (age + 1.0) ** -DECAY / np.sum(np.arange(1.0, 8.0) ** -DECAY)
        streams = _whole(week * shape * np.exp(DAY_SD * noise[:, 0]))
        listeners = np.minimum(streams, _whole(streams * (0.72 + 0.04 * noise[:, 1])))
        saves = np.minimum(listeners, _whole(listeners * (0.02 + 0.12 * liked) * np.exp(0.2 * noise[:, 2])))
        skips = np.minimum(streams, _whole(streams * (0.5 - 0.35 * liked) * np.exp(0.1 * noise[:, 3])))
        return [
            Day(
                date=release.released_on + timedelta(days=day),
                country=country,
                streams=int(streams[day]),
                listeners=int(listeners[day]),
                saves=int(saves[day]),
                skips=int(skips[day]),
                revenue_usd=float(streams[day]) * PAY_USD,
            )
            for day in range(days)
        ]


def _whole(amounts: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    whole: NDArray[np.int64] = np.maximum(0, np.round(amounts)).astype(np.int64)
    return whole
