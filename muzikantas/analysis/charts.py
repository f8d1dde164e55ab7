"""Chart files: the dialects met in real files, read strictly; and the state of a market as our own aggregates.

Known dialects: Spotify's current CSV (weekly and daily), and daily position files without streams. Artist names are
kept as printed: they are joined by commas, and a comma may stand inside a name.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from muzikantas.analysis.reports import BadLine
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
)
_TOP_NAME = re.compile(r"top(?P<size>\d+)-daily-(?P<country>[a-z]+)")
#: Countries as the daily position files spell them in their names.
COUNTRY_CODES = {"japan": "JP", "spain": "ES", "usa": "US", "global": "GLOBAL"}


def read_chart(text: str, file_name: str) -> Iterator[Row | BadLine]:
    """Read a chart file line by line as rows of `chart_entries`.

    Raises `InputError` when the name or the header is of no known form; it says what was found and what is known.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    header = frozenset(name.strip() for name in reader.fieldnames or [])
    dialect = next((dialect for dialect in DIALECTS if dialect.header <= header), None)
    if dialect is None:
        known = "; ".join(f"{dialect.name}: {', '.join(sorted(dialect.header))}" for dialect in DIALECTS)
        raise InputError(f"{file_name}: the header is {', '.join(sorted(header)) or 'empty'}; known are {known}")
    chart = chart_of(file_name)
    try:
        for cells in reader:
            yield _line(dialect, chart, reader.line_num, cells)
    except csv.Error as error:
        yield BadLine(line=reader.line_num, reason=f"no CSV: {error}")


def chart_of(file_name: str) -> Chart:
    """Tell which chart a file holds by its name. Raises `InputError` for a name of no known form."""
    if match := _SPOTIFY_NAME.search(file_name):
        country = match["country"].upper()
        chart = f"{match['chart']}-{match['period']}"
        return Chart(source="spotify", chart=chart, country=country, day=date.fromisoformat(match["day"]))
    if (match := _TOP_NAME.search(file_name)) and match["country"] in COUNTRY_CODES:
        return Chart(
            source="positions", chart=f"top{match['size']}-daily", country=COUNTRY_CODES[match["country"]], day=None
        )
    raise InputError(
        f"{file_name}: the name does not tell chart, country and date; expected "
        "regional-COUNTRY-weekly-YYYY-MM-DD.csv (or daily, or viral) or top50-daily-COUNTRY.csv "
        f"with COUNTRY one of {', '.join(sorted(COUNTRY_CODES))}"
    )


def _line(dialect: Dialect, chart: Chart, line: int, cells: Mapping[str | None, Any]) -> Row | BadLine:
    if None in cells or any(value is None for value in cells.values()):
        return BadLine(line=line, reason="the line has more or fewer fields than the header")
    try:
        return dialect.read({str(name).strip(): value for name, value in cells.items()}, chart)
    except ValueError as error:
        return BadLine(line=line, reason=str(error))


def _spotify(cells: Mapping[str, str], chart: Chart) -> Row:
    """Read a line of Spotify's current form; -1 as previous rank means new, or back again."""
    previous = _whole(cells, "previous_rank", least=-1)
    periods = "weeks_on_chart" if "weeks_on_chart" in cells else "days_on_chart"
    return {
        **_names(chart, chart.day),
        "position": _whole(cells, "rank", least=1),
        "track_title": _text(cells, "track_name"),
        "artist_names": _text(cells, "artist_names"),
        "uri": _text(cells, "uri"),
        "streams": _whole(cells, "streams", least=0),
        "previous_position": previous if previous > 0 else None,
        "peak_position": _whole(cells, "peak_rank", least=1),
        "periods_on_chart": _whole(cells, periods, least=1),
        "details": {"label": cells["source"]},
    }


def _positions(cells: Mapping[str, str], chart: Chart) -> Row:
    """Read a line of a daily position file: no streams, no rank of the day before."""
    details = ("popularity", "duration_ms", "album_type", "total_tracks", "release_date", "is_explicit")
    return {
        **_names(chart, date.fromisoformat(cells["date"])),
        "position": _whole(cells, "position", least=1),
        "track_title": cells["song"],
        "artist_names": cells["artist"],
        "uri": None,
        "streams": None,
        "previous_position": None,
        "peak_position": None,
        "periods_on_chart": None,
        "details": {name: cells[name] for name in details if name in cells},
    }


def _names(chart: Chart, day: date | None) -> Row:
    return {"source": chart.source, "chart": chart.chart, "country": chart.country, "day": day}


def _whole(cells: Mapping[str, str], name: str, *, least: int) -> int:
    text = cells[name].strip()
    if not re.fullmatch(r"-?[0-9]+", text) or int(text) < least:
        raise ValueError(f"{name} is {text!r}; expected a whole number of at least {least}")
    return int(text)


def _text(cells: Mapping[str, str], name: str) -> str:
    text = cells[name].strip()
    if not text:
        raise ValueError(f"{name} is empty")
    return text


DIALECTS = (
    Dialect(
        name="Spotify's current charts",
        header=frozenset(
            {"rank", "uri", "artist_names", "track_name", "source", "peak_rank", "previous_rank", "streams"}
        ),
        read=_spotify,
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
