"""CSV read strictly, a wrong line named by number and reason; and streams reports in that form.

The form of a streams report is described in `docs/howto/streams.md`.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from muzikantas.domain.money import micros

#: Columns that must be there; the others of `COLUMNS` may.
REQUIRED = ("date", "platform", "country", "streams")
IDENTIFIERS = ("track", "isrc", "title")
COLUMNS = (
    "date",
    *IDENTIFIERS,
    "platform",
    "country",
    "streams",
    "listeners",
    "saves",
    "skips",
    "views",
    "engagement_rate",
    "revenue",
    "currency",
)
COUNTS = ("listeners", "saves", "skips", "views")
#: Largest numbers that the columns of the database hold.
LARGEST, LARGEST_SMALL = 2**63 - 1, 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class ReportRow:
    """One line of a report: which track it is about, and the columns of the table."""

    line: int
    track: str | None
    isrc: str | None
    title: str | None
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class BadLine:
    """A line that cannot be used, and why."""

    line: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class BadHeader(BadLine):
    """A header that cannot be used: without it no line of the file can be read."""


@dataclass(frozen=True, kw_only=True)
class Song:
    """What a report may know one of our tracks by."""

    id: int
    isrc: str | None
    title: str | None


def records(text: str) -> Iterator[tuple[int, list[str]] | BadLine]:
    """Read CSV record by record, each with the number of its first line; empty lines are none.

    A record that is no CSV is a `BadLine`, and reading goes on after it.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = reader.line_num
            until = f", and swallows the lines up to {last}" if last > line else ""
            yield BadLine(line=line, reason=f"no CSV ({error}){until}; look for a quote that is not doubled or closed")
            continue
        if any(cells) or len(cells) > 1:
            yield line, cells


def named(header: list[str], cells: list[str]) -> dict[str, str]:
    """Give a record by column. Raises `ValueError` when it has another number of fields."""
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} fields; the header has {len(header)}")
    return dict(zip(header, cells, strict=True))


def whole(text: str, name: str, *, least: int = 0, most: int = LARGEST) -> int:
    """Read a whole number. Raises `ValueError` naming the column `name` for anything else."""
    # Longer texts are out of every range, and Python refuses to read very long ones.
    if not re.fullmatch(r"-?[0-9]{1,19}", text.strip()) or not least <= int(text) <= most:
        upper = "" if most == LARGEST else f" and at most {most}"
        raise ValueError(f"{name} is {_short(text)}; expected a whole number of at least {least}{upper}")
    return int(text)


def calendar_day(text: str) -> date:
    """Read a day. Raises `ValueError` for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"date is {_short(text)}; expected a day such as 2026-01-31") from None


def read_report(text: str) -> Iterator[ReportRow | BadLine]:
    """Read a report line by line. A header that lacks a required column is a `BadHeader`, and the only thing given."""
    lines = records(text)
    first = next(lines, (1, []))
    if isinstance(first, BadLine):
        yield BadHeader(line=first.line, reason=first.reason)
        return
    header = [name.strip().lower() for name in first[1]]
    if wrong := _wrong_header(header):
        yield BadHeader(line=first[0], reason=wrong)
        return
    for record in lines:
        yield record if isinstance(record, BadLine) else _row(header, *record)


def matched(lines: Iterable[ReportRow | BadLine], songs: Iterable[Song]) -> Iterator[dict[str, Any] | BadLine]:
    """Give rows of `performance_metrics`: each line with the track that it is about, by id, else ISRC, else title.

    A line about no track of ours, about two, or about what an earlier line has told already is a `BadLine`.
    """
    known = _Known(songs)
    told: dict[tuple[object, ...], int] = {}
    for row in lines:
        if isinstance(row, BadLine):
            yield row
            continue
        try:
            track_id = known.track_of(row)
        except ValueError as error:
            yield BadLine(line=row.line, reason=str(error))
            continue
        key = (track_id, *(row.values[name] for name in ("platform", "country", "day")))
        earlier = told.setdefault(key, row.line)
        if earlier != row.line:
            yield BadLine(line=row.line, reason=f"line {earlier} tells of the same track, platform, country and date")
        else:
            yield {"track_id": track_id, **row.values}


class _Known:
    """Our tracks by everything that a report may call them."""

    def __init__(self, songs: Iterable[Song]) -> None:
        self.ids: dict[str, dict[str, set[int]]] = {name: {} for name in IDENTIFIERS}
        for song in songs:
            for name, value in (("track", str(song.id)), ("isrc", song.isrc), ("title", song.title)):
                if value:
                    self.ids[name].setdefault(value, set()).add(song.id)

    def track_of(self, row: ReportRow) -> int:
        """Tell which track a line is about. Raises `ValueError` when that is none, or not certain."""
        given = {"track": row.track, "isrc": _bare_isrc(row.isrc), "title": row.title}
        found = {name: self.ids[name][value] for name, value in given.items() if value in self.ids[name]}
        says = ", ".join(f"{name} {_short(value)}" for name, value in given.items() if value)
        if not found:
            raise ValueError(f"no track of ours ({says or 'track, isrc and title are empty'})")
        name, ids = next(iter(found.items()))
        if len(ids) > 1:
            tracks = ", ".join(map(str, sorted(ids)))
            raise ValueError(f"{name} {_short(given[name])} fits the tracks {tracks}; give the track's id or ISRC")
        if name == "track" and not found.get("isrc", ids) & ids:
            raise ValueError(f"track {row.track}, but the ISRC belongs to track {min(found['isrc'])}")
        return min(ids)


def _wrong_header(header: list[str]) -> str | None:
    found = ", ".join(header) or "nothing"
    missing = [name for name in REQUIRED if name not in header]
    if missing or not set(IDENTIFIERS) & set(header):
        lacks = ", ".join(missing) or f"one of {', '.join(IDENTIFIERS)}"
        return f"the header lacks {lacks}; found: {found}; expected columns: {', '.join(COLUMNS)}"
    twice = sorted({name for name in header if header.count(name) > 1 and name in COLUMNS})
    return f"the header has {', '.join(twice)} more than once; found: {found}" if twice else None


def _row(header: list[str], line: int, fields: list[str]) -> ReportRow | BadLine:
    try:
        cells = {name: value.strip() for name, value in named(header, fields).items()}
        values: dict[str, Any] = {
            "day": calendar_day(cells["date"]),
            "platform": _platform(cells["platform"]),
            "country": _country(cells["country"]),
            "streams": whole(cells["streams"], "streams"),
            **{name: whole(cells[name], name) if cells.get(name) else None for name in COUNTS},
            "engagement_rate": _rate(cells.get("engagement_rate")),
            **_revenue(cells.get("revenue"), cells.get("currency")),
        }
    except ValueError as error:
        return BadLine(line=line, reason=str(error))
    return ReportRow(line=line, **{name: cells.get(name) or None for name in IDENTIFIERS}, values=values)


def _platform(text: str) -> str:
    if not 0 < len(text.lower()) <= 32:
        raise ValueError(f"platform is {_short(text)}; expected 1 to 32 characters")
    return text.lower()


def _country(text: str) -> str:
    """Read a country; another spelling of one would count as a market of its own."""
    if not re.fullmatch(r"[A-Z]{2}|GLOBAL", text.upper()):
        raise ValueError(f"country is {_short(text)}; expected two letters such as DE, or GLOBAL")
    return text.upper()


def _rate(text: str | None) -> float | None:
    if not text:
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not math.isfinite(rate):
        raise ValueError(f"engagement_rate is {_short(text)}; expected a number")
    return rate


def _revenue(revenue: str | None, currency: str | None) -> dict[str, Any]:
    if currency and not re.fullmatch(r"[A-Za-z]{3}", currency):
        raise ValueError(f"currency is {_short(currency)}; expected three letters such as EUR")
    if revenue and not currency:
        raise ValueError(f"revenue is {_short(revenue)} without a currency; expected three letters such as EUR")
    amount = micros(revenue) if revenue else None
    if amount is not None and abs(amount) > LARGEST:
        raise ValueError(f"revenue is {_short(revenue)}; that is more than the database holds")
    return {"revenue_micros": amount, "currency": currency.upper() if currency else None}


def _bare_isrc(text: str | None) -> str | None:
    """Write an ISRC as the database has it: twelve characters, without the hyphens of print."""
    return text.replace("-", "").replace(" ", "").upper() if text else None


def _short(text: str | None) -> str:
    return repr(text) if text is None or len(text) <= 60 else f"{text[:60]!r} and {len(text) - 60} characters more"
