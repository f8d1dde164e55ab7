"""Streams reports as CSV: rows read strictly, a wrong line named by number and reason.

The form is described in `docs/howto/streams.md`.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from muzikantas.domain.money import micros

#: Columns that must be there; the others of `COLUMNS` may.
REQUIRED = ("date", "platform", "country", "streams")
COLUMNS = (
    "date",
    "track",
    "isrc",
    "title",
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


def read_report(text: str) -> Iterator[ReportRow | BadLine]:
    """Read a report line by line. A header that lacks a required column is line 1, and the only thing given."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    header = [name.strip().lower() for name in reader.fieldnames or []]
    missing = [name for name in REQUIRED if name not in header]
    if missing or not {"track", "isrc", "title"} & set(header):
        found = ", ".join(header) or "nothing"
        lacks = ", ".join(missing) or "one of track, isrc, title"
        yield BadLine(
            line=1, reason=f"the header lacks {lacks}; found: {found}; expected columns: {', '.join(COLUMNS)}"
        )
        return
    reader.fieldnames = header
    try:
        for row in reader:
            yield _row(reader.line_num, row)
    except csv.Error as error:
        yield BadLine(line=reader.line_num, reason=f"no CSV: {error}")


def _row(line: int, row: dict[str | None, Any]) -> ReportRow | BadLine:
    if None in row or any(value is None for value in row.values()):
        return BadLine(line=line, reason="the line has more or fewer fields than the header")
    cells = {str(name): value.strip() for name, value in row.items()}
    try:
        values: dict[str, Any] = {
            "day": date.fromisoformat(cells["date"]),
            "platform": _word(cells, "platform", 32).lower(),
            "country": _word(cells, "country", 6).upper(),
            "streams": _count(cells, "streams"),
            **{name: _count(cells, name) if cells.get(name) else None for name in COUNTS},
            "engagement_rate": float(cells["engagement_rate"]) if cells.get("engagement_rate") else None,
            "revenue_micros": micros(cells["revenue"]) if cells.get("revenue") else None,
            "currency": cells.get("currency") or None,
        }
    except ValueError as error:
        return BadLine(line=line, reason=str(error))
    if values["revenue_micros"] is not None and len(values["currency"] or "") != 3:
        return BadLine(line=line, reason="revenue without a currency of three letters")
    known = {name: cells.get(name) or None for name in ("track", "isrc", "title")}
    return ReportRow(line=line, **known, values=values)


def _count(cells: dict[str, str], name: str) -> int:
    text = cells[name]
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{name} is {text!r}; expected a whole number")
    return int(text)


def _word(cells: dict[str, str], name: str, longest: int) -> str:
    text = cells[name]
    if not text or len(text) > longest:
        raise ValueError(f"{name} is {text!r}; expected 1 to {longest} characters")
    return text
