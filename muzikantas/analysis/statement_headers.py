"""The first line of a file: which kind it is, and what its columns mean; what nobody knows, an operator can map."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from muzikantas.analysis.amounts import Mark
from muzikantas.analysis.statement_dialects import DIALECTS, FIELDS, Dialect

IDENTIFIERS = ("track", "isrc", "title")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an operator says of files that do not say it themselves.

    Parameters
    ----------
    columns
        Header of the file → our name of it.
    track
        The track that all lines are about.
    currency
        That of amounts without one.
    mark
        What stands before decimals.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    track: int | None = None
    currency: str | None = None
    mark: Mark | None = None


class Header:
    """The names of the columns: as written, and in lower case without a currency in brackets.

    >>> header = Header(1, ["Title", "Earnings (USD)", "Share (%)"])
    >>> header.names, header.currencies
    (['title', 'earnings', 'share (%)'], {'earnings': 'USD'})
    """

    def __init__(self, line: int, written: Sequence[str]) -> None:
        self.line, self.written = line, written
        split = [_without_currency(name) for name in written]
        self.names = [name for name, _ in split]
        self.currencies = {name: currency for name, currency in split if currency}

    def columns(self, dialect: Dialect) -> dict[str, list[str]]:
        """Give the columns of the file that tell each of our fields."""
        found = {ours: [each for each in names if each in self.names] for ours, names in dialect.columns.items()}
        return {ours: names for ours, names in found.items() if names}

    def dialect(self, told: Told) -> Dialect | str | None:
        """Find the kind of the file; None for a report in our own form, a text that says why it cannot be read."""
        if told.columns:
            return self._mapped(told)
        there = set(self.names)
        for dialect in DIALECTS:
            if dialect.needs <= there and (not dialect.only or there == dialect.needs):
                return dialect.refused or dialect
        return None if {"date", "streams"} <= there else self._unknown()

    def _unknown(self) -> str:
        kinds = ", ".join(dict.fromkeys(each.name for each in DIALECTS))
        return (
            f"nobody knows this header; found: {', '.join(self.written) or 'nothing'}; expected a streams report "
            f"(docs/howto/streams.md) or a file of {kinds}; say what its columns mean by --map COLUMN=FIELD, "
            f"fields: {', '.join(FIELDS)}"
        )

    def _mapped(self, told: Told) -> Dialect | str:
        """Make a kind of file of what an operator says of its columns."""
        ours: dict[str, list[str]] = {}
        for written, name in told.columns.items():
            known, _ = _without_currency(written)
            if name not in FIELDS:
                return f"--map: no field is called {name!r}; fields: {', '.join(FIELDS)}"
            if known not in self.names:
                return f"--map: no column is called {written!r}; found: {', '.join(self.written)}"
            ours.setdefault(name, []).append(known)
        lacking = [] if told.track or {*IDENTIFIERS} & ours.keys() else [" or ".join(IDENTIFIERS)]
        if not {"date", "period"} & ours.keys():
            lacking.append("date or period")
        if lacking:
            return f"--map gives no {' and no '.join(lacking)}; found: {', '.join(self.written)}"
        return Dialect(name="mapped", columns=ours, needs=frozenset())


def delimiter(text: str) -> str:
    """Tell what stands between the columns: what the first line has most of."""
    first = text.removeprefix("\ufeff").lstrip("\r\n").partition("\n")[0]
    return max(",\t;", key=first.count)


def _without_currency(written: str) -> tuple[str, str | None]:
    """Split a header such as `Earnings (USD)`."""
    found = re.fullmatch(r"(.*\S)\s*\(([A-Za-z]{3})\)", written.strip())
    return (found[1].lower(), found[2].upper()) if found else (written.strip().lower(), None)
