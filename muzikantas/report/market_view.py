"""What the page of a market shows, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from muzikantas.analysis.gaps import Cell


@dataclass(frozen=True, kw_only=True)
class Way:
    """One track on the chart: where it was (None: off the chart), where it is, what is expected of it."""

    title: str
    artists: str
    positions: Sequence[int | None]
    now: int
    velocity: float
    rising: bool
    expected: int
    low: int
    high: int
    peak: int
    peak_on: date
    peak_from: date
    peak_until: date
    changed_on: date
    expires_on: date


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share with its 95 % interval, and its growth and season in words."""

    name: str
    share: float
    low: float
    high: float
    growth: str
    season: str
    artists: int | None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A forecast whose day has come."""

    title: str
    expected: int
    low: int
    high: int
    came: int
    before: int  #: position on the day of the forecast: what "stays as it is" would have said


@dataclass(frozen=True, kw_only=True)
class ChartView:
    """One chart of the country: its tracks, and how the forecasts did that can be judged."""

    source: str
    chart: str
    day: date
    first_day: date
    off: int
    ways: Sequence[Way]
    checked: Sequence[Checked]
    checked_from: date | None
    checked_on: date | None
    profile: Mapping[str, Any] | None
    shares: Sequence[Share]

    @property
    def error(self) -> float:
        """Mean absolute error of the judged forecasts, in positions."""
        return sum(abs(c.expected - c.came) for c in self.checked) / len(self.checked)

    @property
    def persistence_error(self) -> float:
        """The same of "stays as it is"."""
        return sum(abs(c.before - c.came) for c in self.checked) / len(self.checked)

    @property
    def held(self) -> int:
        """How many intervals held what came."""
        return sum(c.low <= c.came <= c.high for c in self.checked)


@dataclass(frozen=True, kw_only=True)
class MarketView:
    """The page of a country."""

    country: str
    made_at: datetime
    version: str
    charts: Sequence[ChartView]
    gaps: Sequence[Cell]
    looked_in: Sequence[str]  #: charts, of all countries, that gaps were looked for in
    looked_at: int  #: cells that gaps were looked for in
    named_artists: int  #: artists that the operator's files tell of
    left_out: Sequence[str]  #: sources that may not be analysed
