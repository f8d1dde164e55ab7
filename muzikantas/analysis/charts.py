"""Chart files: the dialects met in real files, read strictly; and the state of a market as our own aggregates.

Known dialects: Spotify's current CSV (weekly and daily), the one it gave out until 2021, and daily position files
without streams. Artist names are kept as printed: they are joined by commas, and a comma may stand inside a name.
"""

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from muzikantas.analysis.chart_dialects import DIALECTS, Chart, Reader
from muzikantas.analysis.chart_lines import COLUMNS, DAY, POSITION, Entry, Told, records
from muzikantas.analysis.reports import BadLine
from muzikantas.domain.errors import InputError

Row = dict[str, Any]


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
    """Read a chart file as rows by column of `chart_entries`; see `read_entries`."""
    for entry in read_entries(io.StringIO(text, newline=""), file_name):
        if isinstance(entry, BadLine):
            yield entry
        else:
            row = dict(zip(COLUMNS, entry, strict=True))
            yield {**row, "details": json.loads(entry[-1])}


def read_entries(lines: Iterable[str], file_name: str) -> Iterator[Entry | BadLine]:
    """Read the lines of a chart file one by one; a position told twice is a `BadLine`.

    Raises `InputError` when the name or the header is of no known form; it says what was found and what is known.
    """
    found = records(lines)
    header = _header(found, file_name)
    dialect = next((dialect for dialect in DIALECTS if dialect.header <= set(header)), None)
    if dialect is None:
        known = "; ".join(f"{dialect.name}: {', '.join(sorted(dialect.header))}" for dialect in DIALECTS)
        raise InputError(f"{file_name}: the header is {', '.join(header)[:300] or 'empty'}; known are {known}")
    chart = chart_of(file_name)
    if not dialect.dated and chart.day is None:
        raise InputError(f"{file_name}: its lines have no date, and its name neither; {_NAMES}")
    return _entries(found, len(header), dialect.reader(header, chart))


def _entries(found: Iterator[tuple[int, list[str]] | BadLine], width: int, read: Reader) -> Iterator[Entry | BadLine]:
    told = Told()
    day, lines = None, dict[int, int]()
    for record in found:
        if isinstance(record, BadLine):
            yield record
            continue
        line, cells = record
        try:
            if len(cells) != width:
                raise ValueError(f"{len(cells)} fields; the header has {width}")
            entry = read(cells)
        except ValueError as error:
            yield BadLine(line=line, reason=str(error))
            continue
        if entry[DAY] is not day:  # readers give the same date as the same object
            day = entry[DAY]
            lines = told.on(day)
        first = lines.setdefault(entry[POSITION], line)
        if first == line:
            yield entry
        else:
            where = f"line {first} has it" if first else "the lines of that date further up have it"
            yield BadLine(line=line, reason=f"position {entry[POSITION]} of {day} is told twice; {where} already")


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
