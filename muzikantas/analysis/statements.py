"""Files of distributors and platforms: recognised by their header, read line by line, nothing guessed.

A statement counts a month (or another time) and not a day: its lines say what was earned, and learning never sees them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from muzikantas.analysis.amounts import Mark, amount, count, decimal_mark
from muzikantas.analysis.reports import LARGEST, BadHeader, BadLine, ReportRow, identified, named, read_report, records
from muzikantas.analysis.songs import Names, Roster, short
from muzikantas.analysis.statement_dialects import Dialect
from muzikantas.analysis.statement_headers import Header, Told, delimiter
from muzikantas.domain.money import micros

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
#: What makes two lines of statements speak of the same money, but for the track.
KEY = ("source", "statement", "platform", "country", "period", "kind", "currency")
#: What is counted, and the field that tells it.
COUNTS = {"units": "streams", "listeners": "listeners", "saves": "saves"}


@dataclass(frozen=True, kw_only=True)
class StatementRow:
    """One line of a statement: what it calls its track, and what it counts; `revenue` is a decimal, not yet rounded."""

    line: int
    names: Names
    values: dict[str, Any]


def read(text: str, name: str, told: Told) -> Iterator[ReportRow | StatementRow | BadLine]:
    """Read a file of any known kind, `name` being its own. A header that cannot be used is the only thing given."""
    first = next(records(text, delimiter=delimiter(text)), (1, []))
    if isinstance(first, BadLine):
        yield BadHeader(line=first.line, reason=first.reason)
        return
    header = Header(*first)
    try:
        dialect = header.dialect(told)
        if isinstance(dialect, str):
            raise ValueError(dialect)
        always = _always(dialect, name, told)
        if dialect is None or "date" in dialect.columns:
            yield from _daily(text, header, dialect, always, told)
        else:
            yield from _statement(text, header, dialect, always, told)
    except ValueError as error:
        yield BadHeader(line=header.line, reason=str(error))


def about_tracks(rows: Iterable[StatementRow | BadLine], roster: Roster) -> Iterator[dict[str, Any] | BadLine]:
    """Give the rows of statements with their tracks; lines that fit none, or more than one, are `Unmatched`."""
    for found in identified(rows, roster):
        yield found if isinstance(found, BadLine) else {"track_id": found[0], **found[1].values}


def totals(rows: Iterable[Mapping[str, Any]], *, about: str) -> list[dict[str, Any]]:
    """Add up rows that speak of the same money, told apart by `about` and `KEY`. Only the sums are rounded.

    Raises `ValueError` for a sum that is more than the database holds.
    """
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = {name: row[name] for name in (about, *KEY)}
        same = sums.setdefault(tuple(key.values()), {**key, **dict.fromkeys((*COUNTS, "revenue"))})
        for name in (*COUNTS, "revenue"):
            if row[name] is not None:
                same[name] = (same[name] or 0) + row[name]
    for row in sums.values():
        earned: Decimal | None = row.pop("revenue")
        row["revenue_micros"] = None if earned is None else micros(earned)
        if any(abs(row[name] or 0) > LARGEST for name in (*COUNTS, "revenue_micros")):
            raise ValueError(f"the sum of {row} is more than the database holds")
    return list(sums.values())


@lru_cache(maxsize=1024)  # a statement has few months, and many lines of each
def month(text: str) -> str:
    """Read a period as files write it: a month, a day for its month, or a quarter.

    >>> month("2026-07"), month("2026-07-31"), month("07/2026"), month("July 2026"), month("202607"), month("Q3 2026")
    ('2026-07', '2026-07', '2026-07', '2026-07', '2026-07', '2026-Q3')

    Raises `ValueError` for anything else.
    """
    bare = text.strip().lower()
    for form in (
        r"(?P<year>\d{4})[-/.]?(?P<month>\d{2})(?:[-/.]?\d{2})?(?:[t ].*)?",
        r"(?P<month>\d{1,2})[-/.](?P<year>\d{4})",
        r"(?P<word>[a-z]{3})[a-z]*\.?[ -]+(?P<year>\d{4})",
        r"(?P<year>\d{4})[ -]*q(?P<quarter>[1-4])",
        r"q(?P<quarter>[1-4])[ -]*(?P<year>\d{4})",
    ):
        found = re.fullmatch(form, bare)
        said = found.groupdict() if found else {}
        if said.get("quarter"):
            return f"{said['year']}-Q{said['quarter']}"
        word = said.get("word")
        number = MONTHS.index(word) + 1 if word in MONTHS else int(said.get("month") or 0)
        if 1 <= number <= 12:
            return f"{said['year']}-{number:02}"
    raise ValueError(f"period is {short(text)}; expected a month such as 2026-07")


def _always(dialect: Dialect | None, name: str, told: Told) -> dict[str, str]:
    """Give what all lines of a file say: by its kind, by its name, and as the operator says."""
    always = dict(dialect.always) if dialect else {}
    if told.track:
        always["track"] = str(told.track)
    elif dialect and dialect.titled:
        found = dialect.titled.fullmatch(name)
        if not found:
            raise ValueError(f"the name {name!r} tells no title; say by --track ID which track the file is about")
        always["title"] = found[1]
    if dialect and dialect.windowed:
        found = dialect.windowed.search(name)
        always["window"] = found[1].lower() if found else "unknown"
    return always


def _daily(
    text: str, header: Header, dialect: Dialect | None, always: dict[str, str], told: Told
) -> Iterator[ReportRow | BadLine]:
    """Read a file that tells of days: in our own form, once its columns have our names."""
    ours = {name: field for field, names in header.columns(dialect).items() for name in names} if dialect else {}
    bare = zip(header.written, header.names, strict=True)
    columns = {written.strip().lower(): ours.get(name, name) for written, name in bare}
    if "revenue" in columns.values() and "currency" not in columns.values():
        known = [header.currencies.get(name) for name in header.names if ours.get(name, name) == "revenue"]
        if currency := known[0] or told.currency:
            always["currency"] = currency
    yield from read_report(text, delimiter=delimiter(text), columns=columns, always=always)


def _statement(
    text: str, header: Header, dialect: Dialect, always: Mapping[str, str], told: Told
) -> Iterator[StatementRow | BadLine]:
    """Read the lines of a statement. Raises `ValueError` when amounts cannot be understood."""
    columns = header.columns(dialect)
    revenue = next(iter(columns.get("revenue", [])), None)
    currency = header.currencies.get(revenue or "") or told.currency or ""
    if revenue and not currency and "currency" not in columns:
        raise ValueError(f"amounts in {revenue!r} have no currency; name it by --currency EUR")
    lines = list(records(text, delimiter=delimiter(text)))[1:]
    mark = told.mark or _mark(lines, header, revenue)
    for record in lines:
        if isinstance(record, BadLine):
            yield record
            continue
        line, fields = record
        try:
            cells = {name: cell.strip() for name, cell in named(header.names, fields).items()}
            said = {ours: next((cells[name] for name in names if cells[name]), "") for ours, names in columns.items()}
            said["currency"] = said.get("currency") or currency
            yield _row(line, {**said, **always}, dialect.name, mark)
        except ValueError as error:
            yield BadLine(line=line, reason=str(error))


def _row(line: int, said: Mapping[str, str], source: str, mark: Mark) -> StatementRow:
    earned, currency = said.get("revenue"), said["currency"].upper()
    if earned and not re.fullmatch(r"[A-Z]{3}", currency):
        raise ValueError(f"currency is {short(currency)}; expected three letters such as EUR")
    values = {
        "source": source,
        "statement": _day(said.get("statement", "")),
        "platform": said.get("platform", "").lower()[:100],
        "country": said.get("country", "").upper()[:64],
        "period": said.get("window") or month(said.get("period", "")),
        "kind": said.get("kind", "").lower()[:64],
        **{name: count(said[field], mark, field) if said.get(field) else None for name, field in COUNTS.items()},
        "revenue": amount(earned, mark, "revenue") if earned else None,
        "currency": currency if earned else "",
    }
    return StatementRow(line=line, names=_names(said), values=values)


def _names(said: Mapping[str, str]) -> Names:
    """Tell what a line calls its track. An album is none, even where a track has its title."""
    code = said.get("isrc", "").replace("-", "").replace(" ", "").upper()
    isrc = code if ISRC.fullmatch(code) else None
    title = said.get("title") or None
    album = title if said.get("kind", "").lower() == "album" else None if title else said.get("album")
    if album and not isrc:
        title = f"{album} (album)"
    return Names(track=said.get("track"), isrc=isrc, title=title, artist=said.get("artist") or None)


def _day(text: str) -> str:
    """Write a day in one way; what is none stays as it is."""
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return text[:64]


def _mark(lines: Sequence[tuple[int, list[str]] | BadLine], header: Header, revenue: str | None) -> Mark:
    """Find the decimal mark of a file. Raises `ValueError` for amounts that can be read in two ways."""
    if revenue is None:
        return "."
    place = header.names.index(revenue)
    cells = [line[1][place] for line in lines if not isinstance(line, BadLine) and place < len(line[1])]
    mark = decimal_mark(cells)
    if mark is None and (unclear := next((cell for cell in cells if "," in cell), None)):
        raise ValueError(f"{revenue} is {short(unclear)}, thousands or decimals; say which by --decimal point or comma")
    return mark or "."
