"""The forms of chart files met so far: how to know each by its header, and how to read its lines."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from muzikantas.analysis.chart_lines import Entry, details_of, number
from muzikantas.analysis.reports import LARGEST, LARGEST_SMALL, calendar_day

#: Reads the cells of one line. Raises `ValueError` that says what is wrong with them.
Reader = Callable[[Sequence[str]], Entry]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One form of chart file: how to know it, and a reader for lines under a header."""

    name: str
    header: frozenset[str]  #: columns that it must have
    dated: bool = False  #: whether each line has a date
    reader: Callable[[Sequence[str], "Chart"], Reader]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What the file's name tells: the chart, its country and, where the lines do not say, its date."""

    source: str
    chart: str
    country: str
    day: date | None


def _spotify(header: Sequence[str], chart: Chart) -> Reader:
    """Spotify's current form; previous rank -1 means new, or back again; viral charts lack streams."""
    at = {column: header.index(column) for column in header}
    rank, uri, artists, title = (at[column] for column in ("rank", "uri", "artist_names", "track_name"))
    peak, previous = at["peak_rank"], at["previous_rank"]
    streams = at.get("streams")
    periods = next((column for column in ("weeks_on_chart", "days_on_chart") if column in at), None)
    details = details_of({"label": at["source"]})
    source, name, country, day = chart.source, chart.chart, chart.country, _dated(chart)

    def read(cells: Sequence[str]) -> Entry:
        before = 0 if cells[previous] == "-1" else number(cells[previous], "previous_rank", -1, LARGEST_SMALL)
        return (
            source,
            name,
            country,
            day,
            number(cells[rank], "rank", 1, LARGEST_SMALL),
            _text(cells[title], "track_name"),
            _text(cells[artists], "artist_names"),
            _text(cells[uri], "uri"),
            None if streams is None else number(cells[streams], "streams", 0, LARGEST),
            before if before > 0 else None,
            number(cells[peak], "peak_rank", 1, LARGEST_SMALL),
            None if periods is None else number(cells[at[periods]], periods, 1, LARGEST_SMALL),
            details(cells),
        )

    return read


def _old_spotify(header: Sequence[str], chart: Chart) -> Reader:
    """Spotify's form until 2021: the first artist only, and nothing of earlier weeks."""
    columns = ("Position", "Track Name", "Artist", "Streams", "URL")
    rank, title, artist, streams, url = (header.index(column) for column in columns)
    source, name, country, day = chart.source, chart.chart, chart.country, _dated(chart)

    def read(cells: Sequence[str]) -> Entry:
        track = _OLD_URL.fullmatch(cells[url].strip())
        if track is None:
            raise ValueError(f"URL is {cells[url]!r}; expected https://open.spotify.com/track/ID")
        return (
            source,
            name,
            country,
            day,
            number(cells[rank], "Position", 1, LARGEST_SMALL),
            _text(cells[title], "Track Name"),
            _text(cells[artist], "Artist"),
            f"spotify:track:{track[1]}",
            number(cells[streams], "Streams", 0, LARGEST),
            *_NOTHING_EARLIER,
            "{}",
        )

    return read


def _positions(header: Sequence[str], chart: Chart) -> Reader:
    """Daily position files: no streams, no rank of the day before.

    A song or artist may be empty there (platforms take names away); the position is still a fact.
    """
    date_, rank, title, artist = (header.index(column) for column in ("date", "position", "song", "artist"))
    more = ("popularity", "duration_ms", "album_type", "total_tracks", "release_date", "is_explicit")
    details = details_of({column: header.index(column) for column in more if column in header})
    source, name, country = chart.source, chart.chart, chart.country
    days: dict[str, date] = {}

    def read(cells: Sequence[str]) -> Entry:
        text = cells[date_]
        return (
            source,
            name,
            country,
            days.get(text) or days.setdefault(text, calendar_day(text)),
            number(cells[rank], "position", 1, LARGEST_SMALL),
            cells[title].strip(),
            cells[artist].strip(),
            None,
            None,
            *_NOTHING_EARLIER,
            details(cells),
        )

    return read


_NOTHING_EARLIER = (None, None, None)
_OLD_URL = re.compile(r"https://open\.spotify\.com/track/([0-9A-Za-z]+)")


def _dated(chart: Chart) -> date:
    """Give the date of a chart whose lines have none; who reads the name has refused a chart without."""
    assert chart.day is not None
    return chart.day


def _text(cell: str, name: str) -> str:
    text = cell.strip()
    if not text:
        raise ValueError(f"{name} is empty")
    return text


DIALECTS = (
    Dialect(
        name="Spotify's current charts",
        header=frozenset({"rank", "uri", "artist_names", "track_name", "source", "peak_rank", "previous_rank"}),
        reader=_spotify,
    ),
    Dialect(
        name="Spotify's charts until 2021",
        header=frozenset({"Position", "Track Name", "Artist", "Streams", "URL"}),
        reader=_old_spotify,
    ),
    Dialect(
        name="daily positions",
        header=frozenset({"date", "position", "song", "artist"}),
        dated=True,
        reader=_positions,
    ),
)
