"""What an operator tells of artists, and which of them a printed line of names means. No genre is ever guessed."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from muzikantas.domain.errors import InputError

COLUMNS = ("artist", "genre", "country")
#: What stands between names in charts: guests follow the lead artist.
_JOINTS = (", ", " & ", " feat. ", " x ")
SOURCE = "operator"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a line of names: the lead artist as the file spells it, else the line itself."""

    artist: str
    genre: str | None
    home: str | None


def read_artists(text: str, name: str) -> list[dict[str, Any]]:
    """Read a CSV file with the columns artist, genre and country (two letters; genre or country may be empty).

    Raises `InputError` that names the line, what was found and what is expected.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    header = [column.strip().casefold() for column in reader.fieldnames or []]
    if set(header) != set(COLUMNS):
        raise InputError(f"{name}: the header is {', '.join(header) or 'empty'}; expected {', '.join(COLUMNS)}")
    reader.fieldnames = header
    rows: dict[str, dict[str, Any]] = {}
    for cells in reader:
        row = {column: (cells.get(column) or "").strip() or None for column in COLUMNS}
        problem = _problem(row, cells, rows)
        if problem:
            raise InputError(f"{name} line {reader.line_num}: {problem}; correct the file")
        rows[str(row["artist"])] = {**row, "source": SOURCE, "country": (row["country"] or "").upper() or None}
    return list(rows.values())


def _problem(row: Mapping[str, str | None], cells: Mapping[Any, Any], rows: Mapping[str, Any]) -> str | None:
    artist, genre, country = (row[column] for column in COLUMNS)
    if None in cells:
        return f"there are more cells than the {len(COLUMNS)} columns; put a name with a comma in quotes"
    if artist is None:
        return "the artist is empty"
    if artist in rows:
        return f"{artist!r} is told twice"
    if country is not None and not (len(country) == 2 and country.isascii() and country.isalpha()):
        return f"country is {country!r}; expected two letters such as ES, or nothing"
    if len(artist) > 300 or len(genre or "") > 64:
        return "artist has at most 300 characters, genre 64"
    return None


class Artists:
    """The artists that are told of, to be looked up by printed lines of names."""

    def __init__(self, told: Mapping[str, tuple[str | None, str | None]]) -> None:
        self._told = {artist.casefold(): (artist, *facts) for artist, facts in told.items()}
        self._seen: dict[str, Known] = {}

    def known(self, printed: str) -> Known:
        """Give what is known of the lead artist of a line: the longest told name that the line begins with.

        A line is never split on commas, because a comma may be part of a name.
        """
        if printed not in self._seen:
            self._seen[printed] = self._find(printed)
        return self._seen[printed]

    def _find(self, printed: str) -> Known:
        line = printed.casefold()
        ends = {len(line)} | {at for joint in _JOINTS for at in range(len(line)) if line.startswith(joint, at)}
        for end in sorted(ends, reverse=True):
            if line[:end] in self._told:
                artist, genre, home = self._told[line[:end]]
                return Known(artist=artist, genre=genre, home=home)
        return Known(artist=printed, genre=None, home=None)
