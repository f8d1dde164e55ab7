"""The numbers of a simulated market."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Market:
    """What a market is made of; the defaults are the reported base market, tuning uses other numbers.

    Parameters
    ----------
    genres, dimensions, countries, cycles, slots
        Sizes; a cycle makes `slots` tracks.
    kinds
        Shares of hills, ridges and plateaus among the parts of a taste.
    parts
        Shares of tastes with one, two, ... parts.
    heights, lesser
        Range of a part's height in log units, and by how much the second and later parts are lower.
    width, stretch
        Width of a hill in the style space [0, 1]^d, and log standard deviation of the widths of its axes.
    ridge_width, plateau_width
        Width across a ridge; radius of a plateau in units of `width`.
    middles
        Range of the middles a dimension.
    country_shift, fondness, genre_level
        Standard deviations: of a country's middles about the common ones, of its liking of a genre, of a genre at all.
    level, evenness
        Log streams of a track that nobody likes in particular; concentration of the countries' audiences.
    drift
        Step of the middles a cycle (standard deviation a dimension).
    breaks, break_between, broken_genres
        Whether the tastes break once, between which cycles, and in how many genres.
    repetition, alike_within, forgotten
        Log units lost by repeating oneself at most; the distance (root mean square a dimension) within which releases
        are alike at all; the share of an old release that listeners still remember a cycle later.
    obeys, bias, disobedience
        Range of the gain a dimension, spread of the bias by genre and dimension, noise: the generator's imperfection.
    luck, country_luck
        Standard deviations of log-normal luck: of a track, and of a track in one country.
    delays, never
        Chances that a report arrives 0, 1, 2, ... cycles late, and that it never does.
    faults
        Share of reports that are, in equal parts, missing, delivered twice, or two more cycles late.
    first_hit
        Luck of the worst track of the first cycle, in log units.
    """

    genres: int = 4
    dimensions: int = 8
    countries: int = 5
    cycles: int = 30
    slots: int = 8
    kinds: tuple[float, float, float] = (0.6, 0.2, 0.2)
    parts: tuple[float, ...] = (0.4, 0.35, 0.25)
    heights: tuple[float, float] = (1.8, 3.2)
    lesser: tuple[float, float] = (0.5, 0.9)
    width: float = 0.42
    stretch: float = 0.4
    ridge_width: float = 0.22
    plateau_width: float = 1.8
    middles: tuple[float, float] = (0.1, 0.9)
    country_shift: float = 0.08
    fondness: float = 0.4
    genre_level: float = 0.3
    level: float = 5.0
    evenness: float = 2.0
    drift: float = 0.01
    breaks: bool = True
    break_between: tuple[int, int] = (11, 21)
    broken_genres: int = 2
    repetition: float = 0.8
    alike_within: float = 0.16
    forgotten: float = 0.75
    obeys: tuple[float, float] = (0.6, 1.0)
    bias: float = 0.08
    disobedience: float = 0.06
    luck: float = 0.75
    country_luck: float = 0.3
    delays: tuple[float, ...] = (0.55, 0.25, 0.12, 0.08)
    never: float = 0.05
    faults: float = 0.0
    first_hit: float = 0.0

    @property
    def most_parts(self) -> int:
        """The most parts that a taste can have."""
        return len(self.parts)
