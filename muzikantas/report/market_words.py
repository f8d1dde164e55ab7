"""What is known of a market in words, for its page and for the command that writes it."""

import calendar
from collections.abc import Mapping, Sequence
from typing import Any

from muzikantas.analysis.seasons import LEAST_WEEKS
from muzikantas.report import words
from muzikantas.report.market_view import ChartView, MarketView

#: Genres that the command names of each chart; the page shows all.
MOST_GENRES = 8


def growth(found: Mapping[str, float] | None) -> str:
    """Say by which factor a share has grown."""
    return "not known" if found is None else _factor(found["share"], found["low"], found["high"])


def season(found: Mapping[str, Any] | None) -> str:
    """Say how far a genre swings with the year, and when it is highest.

    >>> season(None), season({"sure": False, "high": 1.2})
    ('not enough data', 'none seen')
    """
    if found is None:
        return "not enough data"
    if not found["sure"]:
        return "none seen"
    first, peak, last = (calendar.month_abbr[found[name]] for name in ("peak_from", "peak_month", "peak_until"))
    when = peak if first == last else f"{peak} ({first} to {last})"
    return f"{_factor(found['amplitude'], found['low'], found['high'])} in {when}"


def about_seasons(profile: Mapping[str, Any]) -> str:
    """Say what a season means, or that the chart is too young to have one."""
    if profile["weeks"] < LEAST_WEEKS:
        return f"Seasons: not enough data. They need {LEAST_WEEKS} weeks of charts; {profile['weeks']} are there."
    return (
        "Season: the factor of a genre's odds at its peak against the year's middle, and the month of the peak, with "
        "95 % intervals; 5 % of those seen may be none. Where a genre is on the chart in less than half of the weeks, "
        "there is not enough data."
    )


def in_brief(market: MarketView) -> list[str]:
    """Say in a few lines what the page of a country holds."""
    gaps = [
        f"gap: {cell.genre} in {cell.country}, {words.TIMES}{cell.growth:.2f} a quarter, "
        f"{words.many(cell.artists, 'artist')} where {cell.artists_usual:.0f} are usual"
        for cell in market.gaps
    ]
    return [line for chart in market.charts for line in _chart(chart)] + gaps


def _chart(chart: ChartView) -> Sequence[str]:
    lines = [
        f"{chart.chart} ({chart.source}) until {chart.day}: {words.many(len(chart.ways), 'track')} shown with forecasts"
    ]
    if chart.profile is None:
        return lines
    for share in chart.shares[:MOST_GENRES]:
        told = [f"{share.share:.1%} ({share.low:.1%} to {share.high:.1%})"]
        told += [f"growth {share.growth}", f"season: {share.season}"] if share.artists is not None else []
        lines.append(f"  {share.name}: {', '.join(told)}")
    return [*lines, f"  {about_seasons(chart.profile)}"]


def _factor(middle: float, low: float, high: float) -> str:
    return f"{words.TIMES}{middle:.2f} ({low:.2f} to {high:.2f})"
