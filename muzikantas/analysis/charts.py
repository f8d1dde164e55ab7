"""Chart files: the dialects met in real files, read strictly; and the state of a market as our own aggregates.

Known dialects: Spotify's current CSV (weekly and daily), the one it gave out until 2021, and daily position files
without streams. Artist names are kept as printed: they are joined by commas, and a comma may stand inside a name.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from muzikantas.analysis.reports import LARGEST_SMALL, BadLine, calendar_day, named, records, whole
from muzikantas.domain.errors import InputError

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One form of chart file: how to know it, and how to read a line."""

    name: str
    header: frozenset[str]  #: columns that it must have
    read: Callable[[Mapping[str, str], "Chart"], Row]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What the file's name tells: the chart, its country and, where the lines do not say, its date."""

    source: str
    chart: str
    country: str
    day: date | None


_SPOTIFY_NAME = re.compile(
    r"(?P<chart>regional|viral)-(?P<country>global|[a-z]{2})-(?P<period>daily|weekly)-(?P<day>\d{4}-\d{2}-\d{2})"
    r"(--(?P<end>\d{4}-\d{2}-\d{2}))?"
)
_TOP_NAME = re.compile(r"top(?P<size>\d+)-daily-(?P<country>[a-z]+)")
#: Countries as the daily position files spell them in their names.
COUNTRY_CODES = {"japan": "JP", "spain": "ES", "usa": "US", "global": "GLOBAL"}
#: The line that many files of the old form have above their header.
_NOTE = "Note that these figures"


def read_chart(text: str, file_name: str) -> Iterator[Row | BadLine]:
    """Read a chart file line by line as rows of `chart_entries`; a position told twice is a `BadLine`.

    Raises `InputError` when the name or the header is of no known form; it says what was found and what is known.
    """
    lines = records(text)
    header = _header(lines, file_name)
    dialect = next((dialect for dialect in DIALECTS if dialect.header <= set(header)), None)
    if dialect is None:
        known = "; ".join(f"{dialect.name}: {', '.join(sorted(dialect.header))}" for dialect in DIALECTS)
        raise InputError(f"{file_name}: the header is {', '.join(header)[:300] or 'empty'}; known are {known}")
    chart = chart_of(file_name)
    if dialect.read is not _positions and chart.day is None:
        raise InputError(f"{file_name}: its lines have no date, and its name neither; {_NAMES}")
    told: dict[tuple[date, int], int] = {}
    for record in lines:
        row = record if isinstance(record, BadLine) else _line(dialect, chart, header, *record)
        if isinstance(row, BadLine) or isinstance(record, BadLine):
            yield row
            continue
        earlier = told.setdefault((row["day"], row["position"]), record[0])
        if earlier != record[0]:
            reason = f"position {row['position']} of {row['day']} is told twice; line {earlier} has it already"
            yield BadLine(line=record[0], reason=reason)
        else:
            yield row


_NAMES = (
    "expected regional-COUNTRY-weekly-YYYY-MM-DD.csv (or daily, or viral) or top50-daily-COUNTRY.csv "
    f"with COUNTRY one of {', '.join(sorted(COUNTRY_CODES))}"
)


def chart_of(file_name: str) -> Chart:
    """Tell which chart a file holds by its name. Raises `InputError` for a name of no known form."""
    if match := _SPOTIFY_NAME.search(file_name):
        return Chart(
            source="spotify",
            chart=f"{match['chart']}-{match['period']}",
            country=match["country"].upper(),
            day=_day_of(match, file_name),
        )
    if (match := _TOP_NAME.search(file_name)) and match["country"] in COUNTRY_CODES:
        return Chart(
            source="positions", chart=f"top{match['size']}-daily", country=COUNTRY_CODES[match["country"]], day=None
        )
    raise InputError(f"{file_name}: the name does not tell chart, country and date; {_NAMES}")


def _day_of(match: "re.Match[str]", file_name: str) -> date:
    """Give a chart's date. Old names tell a week from Friday to the next Friday; as now, its Thursday dates it."""
    try:
        first = date.fromisoformat(match["day"])
        return date.fromisoformat(match["end"]) - timedelta(days=1) if match["end"] else first
    except ValueError as error:
        raise InputError(f"{file_name}: its name has no date ({error}); {_NAMES}") from None


def _header(lines: Iterator[tuple[int, list[str]] | BadLine], file_name: str) -> list[str]:
    """Read the header, below the note of an old file. Raises `InputError` when it is no CSV or has a column twice."""
    first = next(lines, (1, []))
    if not isinstance(first, BadLine) and any(cell.startswith(_NOTE) for cell in first[1]):
        first = next(lines, (1, []))
    if isinstance(first, BadLine):
        raise InputError(f"{file_name} line {first.line}: {first.reason}")
    header = [name.strip() for name in first[1]]
    if len(set(header)) < len(header):
        raise InputError(f"{file_name} line {first[0]}: the header has a column twice: {', '.join(header)[:300]}")
    return header


def _line(dialect: Dialect, chart: Chart, header: list[str], line: int, fields: list[str]) -> Row | BadLine:
    try:
        return dialect.read(named(header, fields), chart)
    except ValueError as error:
        return BadLine(line=line, reason=str(error))


def _spotify(cells: Mapping[str, str], chart: Chart) -> Row:
    """Read a line of Spotify's current form; previous rank -1 means new, or back again; viral charts lack streams."""
    previous = whole(cells["previous_rank"], "previous_rank", least=-1, most=LARGEST_SMALL)
    periods = next((name for name in ("weeks_on_chart", "days_on_chart") if name in cells), None)
    return {
        **_names(chart, chart.day),
        "position": _rank(cells, "rank"),
        "track_title": _text(cells, "track_name"),
        "artist_names": _text(cells, "artist_names"),
        "uri": _text(cells, "uri"),
        "streams": whole(cells["streams"], "streams") if "streams" in cells else None,
        "previous_position": previous if previous > 0 else None,
        "peak_position": _rank(cells, "peak_rank"),
        "periods_on_chart": _rank(cells, periods) if periods else None,
        "details": {"label": cells["source"]},
    }


def _old_spotify(cells: Mapping[str, str], chart: Chart) -> Row:
    """Read a line of Spotify's form until 2021: the first artist only, and nothing of earlier weeks."""
    track = re.fullmatch(r"https://open\.spotify\.com/track/([0-9A-Za-z]+)", cells["URL"].strip())
    if track is None:
        raise ValueError(f"URL is {cells['URL']!r}; expected https://open.spotify.com/track/ID")
    return {
        **_names(chart, chart.day),
        "position": _rank(cells, "Position"),
        "track_title": _text(cells, "Track Name"),
        "artist_names": _text(cells, "Artist"),
        "uri": f"spotify:track:{track[1]}",
        "streams": whole(cells["Streams"], "Streams"),
        **_NOTHING_EARLIER,
        "details": {},
    }


def _positions(cells: Mapping[str, str], chart: Chart) -> Row:
    """Read a line of a daily position file: no streams, no rank of the day before.

    A song or artist may be empty there (platforms take names away); the position is still a fact.
    """
    details = ("popularity", "duration_ms", "album_type", "total_tracks", "release_date", "is_explicit")
    return {
        **_names(chart, calendar_day(cells["date"])),
        "position": _rank(cells, "position"),
        "track_title": cells["song"].strip(),
        "artist_names": cells["artist"].strip(),
        "uri": None,
        "streams": None,
        **_NOTHING_EARLIER,
        "details": {name: cells[name] for name in details if name in cells},
    }


_NOTHING_EARLIER = {"previous_position": None, "peak_position": None, "periods_on_chart": None}


def _names(chart: Chart, day: date | None) -> Row:
    return {"source": chart.source, "chart": chart.chart, "country": chart.country, "day": day}


def _rank(cells: Mapping[str, str], name: str) -> int:
    return whole(cells[name], name, least=1, most=LARGEST_SMALL)


def _text(cells: Mapping[str, str], name: str) -> str:
    text = cells[name].strip()
    if not text:
        raise ValueError(f"{name} is empty")
    return text


DIALECTS = (
    Dialect(
        name="Spotify's current charts",
        header=frozenset({"rank", "uri", "artist_names", "track_name", "source", "peak_rank", "previous_rank"}),
        read=_spotify,
    ),
    Dialect(
        name="Spotify's charts until 2021",
        header=frozenset({"Position", "Track Name", "Artist", "Streams", "URL"}),
        read=_old_spotify,
    ),
    Dialect(name="daily positions", header=frozenset({"date", "position", "song", "artist"}), read=_positions),
)


def market_state(now: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe a chart by numbers of our own making: no title and no name leaves the table.

    Parameters
    ----------
    now, before
        Entries of the newest date and of the one before it, with `track`, `position`, `streams`.

    Returns
    -------
    dict
        `entries`; `new_share` (entries that were not on the chart before) and `mean_move` (mean absolute change of
        position of those that were), both None without a date before; `streams` in all and `top10_share` of them,
        None where the chart has no streams.
    """
    earlier = {entry["track"]: entry["position"] for entry in before}
    moves = [abs(entry["position"] - earlier[entry["track"]]) for entry in now if entry["track"] in earlier]
    streams = [entry["streams"] for entry in now if entry["streams"] is not None]
    total = sum(streams)
    top = sum(entry["streams"] for entry in now if entry["streams"] is not None and entry["position"] <= 10)
    return {
        "entries": len(now),
        "new_share": round(1 - len(moves) / len(now), 3) if before and now else None,
        "mean_move": round(sum(moves) / len(moves), 2) if moves else None,
        "streams": total if streams else None,
        "top10_share": round(top / total, 3) if total else None,
    }
