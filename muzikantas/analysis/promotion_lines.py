"""Files about playlists and advertisements, as an operator writes them; `docs/howto/streams.md` describes the form."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from muzikantas.analysis.reports import (
    IDENTIFIERS,
    LARGEST,
    BadHeader,
    BadLine,
    calendar_day,
    named,
    records,
    told_once,
    whole,
    wrong_header,
)
from muzikantas.analysis.songs import Names, Roster, short
from muzikantas.domain.money import micros
from muzikantas.domain.promotion import AD, KINDS, PLAYLIST

REQUIRED = ("kind", "from", "to", "size")
COLUMNS = (*IDENTIFIERS, "artist", "kind", "name", "from", "to", "size", "currency")
LONGEST_NAME = 200
#: What makes two lines speak of the same promotion.
KEY = ("kind", "name", "first_day")


@dataclass(frozen=True, kw_only=True)
class PromotionRow:
    """One line: what it calls its track, and the columns of the table."""

    line: int
    names: Names
    values: dict[str, Any]


def read_promotions(text: str) -> Iterator[PromotionRow | BadLine]:
    """Read a file line by line. A header that lacks a required column is a `BadHeader`, and the only thing given."""
    lines = records(text)
    first = next(lines, (1, []))
    if isinstance(first, BadLine):
        yield BadHeader(line=first.line, reason=first.reason)
        return
    header = [cell.strip().lower() for cell in first[1]]
    if wrong := wrong_header(header, REQUIRED, COLUMNS):
        yield BadHeader(line=first[0], reason=wrong)
        return
    for record in lines:
        yield record if isinstance(record, BadLine) else _row(header, record)


def about_tracks(lines: Iterable[PromotionRow | BadLine], roster: Roster) -> Iterator[dict[str, Any] | BadLine]:
    """Give rows of `promotions`: each line with its track; the second line about one promotion is a `BadLine`."""
    yield from told_once(lines, roster, KEY, "has the same track, kind, name and first day")


def _row(header: list[str], record: tuple[int, list[str]]) -> PromotionRow | BadLine:
    line, fields = record
    try:
        cells = {name: value.strip() for name, value in named(header, fields).items()}
        values = {**_when(cells), **_size(cells), "name": _name(cells.get("name", ""))}
    except ValueError as error:
        return BadLine(line=line, reason=str(error))
    names = Names(**{name: cells.get(name) or None for name in (*IDENTIFIERS, "artist")})
    return PromotionRow(line=line, names=names, values=values)


def _when(cells: dict[str, str]) -> dict[str, Any]:
    """Read kind and days; a playlist may go on, the days of an advertisement say when its money was spent."""
    kind = cells["kind"].lower()
    if kind not in KINDS:
        raise ValueError(f"kind is {short(cells['kind'])}; expected {' or '.join(KINDS)}")
    if kind == AD and not cells["to"]:
        raise ValueError("to is empty; expected the last day on which the money of the ad was spent")
    first = calendar_day(cells["from"], "from")
    last = calendar_day(cells["to"], "to") if cells["to"] else None
    if last is not None and last < first:
        raise ValueError(f"to is {last}, before from, {first}")
    return {"kind": kind, "first_day": first, "last_day": last}


def _size(cells: dict[str, str]) -> dict[str, Any]:
    """Read followers of a playlist, or money and its currency."""
    currency = cells.get("currency", "")
    if cells["kind"].lower() == PLAYLIST:
        if currency:
            raise ValueError(f"currency is {short(currency)}; the size of a playlist is its followers, not money")
        return {"followers": whole(cells["size"], "size"), "spent_micros": None, "currency": None}
    if not re.fullmatch(r"[A-Za-z]{3}", currency):
        raise ValueError(f"currency is {short(currency)}; expected three letters such as EUR")
    try:
        spent = micros(cells["size"])
    except ValueError:
        spent = -1
    if not 0 <= spent <= LARGEST:
        raise ValueError(f"size is {short(cells['size'])}; expected the money spent, such as 150.00")
    return {"followers": None, "spent_micros": spent, "currency": currency.upper()}


def _name(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise ValueError(f"name is {short(text)}; expected at most {LONGEST_NAME} characters")
    return text
