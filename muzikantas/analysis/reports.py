"""CSV read strictly, a wrong line named by number and reason; and streams reports in that form.

The form of a streams report is described in `docs/howto/streams.md`.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypeVar

from muzikantas.analysis.songs import Names, Roster, short
from muzikantas.domain.money import micros

#: Columns that must be there; the others of `COLUMNS` may.
REQUIRED = ("date", "platform", "country", "streams")
IDENTIFIERS = ("track", "isrc", "title")
COLUMNS = (
    "date",
    *IDENTIFIERS,
    "artist",
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
    """One line of a report: what it calls its track, and the columns of the table."""

    line: int
    names: Names
    values: dict[str, Any]

    @property
    def track(self) -> str | None:
        """The track's id, as the line has it."""
        return self.names.track


@dataclass(frozen=True, kw_only=True)
class BadLine:
    """A line that cannot be used, and why."""

    line: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class BadHeader(BadLine):
    """A header that cannot be used: without it no line of the file can be read."""


class About(Protocol):
    """A line of a report or statement: what it calls its track, and what it says of it."""

    @property
    def line(self) -> int:
        """Its number."""

    @property
    def names(self) -> Names:
        """What the track is known by."""

    @property
    def values(self) -> dict[str, Any]:
        """The rest."""


Line = TypeVar("Line", bound=About)


@dataclass(frozen=True, kw_only=True)
class Unmatched(BadLine):
    """A good line about a track that nobody can tell: for an operator to decide."""

    names: Names
    values: dict[str, Any]


def records(text: str, *, delimiter: str = ",") -> Iterator[tuple[int, list[str]] | BadLine]:
    """Read CSV record by record, each with the number of its first line; empty lines are none.

    A record that is no CSV is a `BadLine`, and reading goes on after it. Between tabs a quote is a quote, unless the
    header has some: there titles stand as they are.
    """
    bare = text.removeprefix("\ufeff")
    literal = delimiter == "\t" and not bare.startswith('"')
    lines = io.StringIO(bare, newline="")
    if literal:
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    else:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
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
        raise ValueError(f"{name} is {short(text)}; expected a whole number of at least {least}{upper}")
    return int(text)


def calendar_day(text: str, name: str = "date") -> date:
    """Read a day. Raises `ValueError` naming the column `name` for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{name} is {short(text)}; expected a day such as 2026-01-31") from None


def wrong_header(header: list[str], required: Sequence[str], columns: Sequence[str]) -> str | None:
    """Say why a header cannot be used: it lacks a column, or what tells a track, or it has one twice; else None."""
    found = ", ".join(header) or "nothing"
    missing = [name for name in required if name not in header]
    if missing or not set(IDENTIFIERS) & set(header):
        lacks = ", ".join(missing) or f"one of {', '.join(IDENTIFIERS)}"
        return f"the header lacks {lacks}; found: {found}; expected columns: {', '.join(columns)}"
    twice = sorted({name for name in header if header.count(name) > 1 and name in columns})
    return f"the header has {', '.join(twice)} more than once; found: {found}" if twice else None


def read_report(
    text: str,
    *,
    delimiter: str = ",",
    columns: Mapping[str, str] | None = None,
    always: Mapping[str, str] | None = None,
) -> Iterator[ReportRow | BadLine]:
    """Read a report line by line. A header that lacks a required column is a `BadHeader`, and the only thing given.

    Parameters
    ----------
    columns
        Header (in lower case) → the column of ours that it stands for, where it has another name.
    always
        What all lines say, by column of ours.
    """
    lines = records(text, delimiter=delimiter)
    first = next(lines, (1, []))
    if isinstance(first, BadLine):
        yield BadHeader(line=first.line, reason=first.reason)
        return
    header = [(columns or {}).get(name, name) for name in (cell.strip().lower() for cell in first[1])]
    if wrong := wrong_header([*header, *(always or {})], REQUIRED, COLUMNS):
        yield BadHeader(line=first[0], reason=wrong)
        return
    for record in lines:
        yield record if isinstance(record, BadLine) else _row(header, record, always or {})


def identified(lines: Iterable[Line | BadLine], roster: Roster) -> Iterator[tuple[int, Line] | BadLine]:
    """Give each line with the track that it is about; one about none of ours, or about two, is `Unmatched`.

    A line about a song that an operator has called none of ours is left out.
    """
    for row in lines:
        if isinstance(row, BadLine):
            yield row
            continue
        try:
            track_id = roster.whose(row.names)
        except ValueError as error:
            yield Unmatched(line=row.line, reason=str(error), names=row.names, values=row.values)
            continue
        if track_id is not None:
            yield track_id, row


def matched(lines: Iterable[ReportRow | BadLine], roster: Roster) -> Iterator[dict[str, Any] | BadLine]:
    """Give rows of `performance_metrics`, as `told_once` does."""
    yield from told_once(
        lines, roster, ("platform", "country", "day"), "tells of the same track, platform, country and date"
    )


def told_once(
    lines: Iterable[Line | BadLine], roster: Roster, key: Sequence[str], same: str
) -> Iterator[dict[str, Any] | BadLine]:
    """Give rows of a table: each line's values with the track that it is about.

    A line about no track of ours, or about two, is `Unmatched`; one that has the track and the `key` columns of an
    earlier line is a `BadLine`, which says what is the `same`; one about a song that an operator has called none of
    ours is left out.
    """
    told: dict[tuple[object, ...], int] = {}
    for found in identified(lines, roster):
        if isinstance(found, BadLine):
            yield found
            continue
        track_id, row = found
        earlier = told.setdefault((track_id, *(row.values[name] for name in key)), row.line)
        if earlier != row.line:
            yield BadLine(line=row.line, reason=f"line {earlier} {same}")
        else:
            yield {"track_id": track_id, **row.values}


def _row(header: list[str], record: tuple[int, list[str]], always: Mapping[str, str]) -> ReportRow | BadLine:
    line, fields = record
    try:
        cells = {name: value.strip() for name, value in named(header, fields).items()} | dict(always)
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
    names = Names(**{name: cells.get(name) or None for name in (*IDENTIFIERS, "artist")})
    return ReportRow(line=line, names=names, values=values)


def _platform(text: str) -> str:
    if not 0 < len(text.lower()) <= 32:
        raise ValueError(f"platform is {short(text)}; expected 1 to 32 characters")
    return text.lower()


def _country(text: str) -> str:
    """Read a country; another spelling of one would count as a market of its own."""
    if not re.fullmatch(r"[A-Z]{2}|GLOBAL", text.upper()):
        raise ValueError(f"country is {short(text)}; expected two letters such as DE, or GLOBAL")
    return text.upper()


def _rate(text: str | None) -> float | None:
    if not text:
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not math.isfinite(rate):
        raise ValueError(f"engagement_rate is {short(text)}; expected a number")
    return rate


def _revenue(revenue: str | None, currency: str | None) -> dict[str, Any]:
    if currency and not re.fullmatch(r"[A-Za-z]{3}", currency):
        raise ValueError(f"currency is {short(currency)}; expected three letters such as EUR")
    if revenue and not currency:
        raise ValueError(f"revenue is {short(revenue)} without a currency; expected three letters such as EUR")
    amount = micros(revenue) if revenue else None
    if amount is not None and abs(amount) > LARGEST:
        raise ValueError(f"revenue is {short(revenue)}; that is more than the database holds")
    return {"revenue_micros": amount, "currency": currency.upper() if currency else None}
