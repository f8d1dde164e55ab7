"""Chart files line by line: records of strict CSV, and each line as a tuple, fast enough to keep a database busy.

A file of ten million lines takes the memory of one of its days: nothing is kept of a line once it is given.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from json.encoder import encode_basestring
from typing import Final

from muzikantas.analysis.reports import LARGEST, BadLine, whole

#: A chart position: its values in the order of `COLUMNS`; `details` is JSON text.
Entry = tuple[str, str, str, date, int, str, str, str | None, int | None, int | None, int | None, int | None, str]
COLUMNS = (
    "source",
    "chart",
    "country",
    "day",
    "position",
    "track_title",
    "artist_names",
    "uri",
    "streams",
    "previous_position",
    "peak_position",
    "periods_on_chart",
    "details",
)
DAY: Final = 3
POSITION: Final = 4
#: Numbers of so many digits fit into every column, so they need no comparison with its bounds.
_SHORT = 9
_quoted = encode_basestring  #: a text as JSON, with every alphabet as it is


def records(lines: Iterable[str]) -> Iterator[tuple[int, list[str]] | BadLine]:
    """Read CSV record by record, each with the number of its first line; empty lines are none.

    A record that is no CSV is a `BadLine`, and reading goes on after it.
    """
    reader = csv.reader(_without_mark(lines), strict=True)
    line = 1
    while True:
        try:
            for cells in reader:
                if len(cells) > 1 or any(cells):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            last = reader.line_num
            until = f", and swallows the lines up to {last}" if last > line else ""
            yield BadLine(line=line, reason=f"no CSV ({error}){until}; look for a quote that is not doubled or closed")
            line = last + 1
        else:
            return


def _without_mark(lines: Iterable[str]) -> Iterator[str]:
    rest = iter(lines)
    for first in rest:
        yield first.removeprefix("\ufeff")
        yield from rest


def number(text: str, name: str, least: int = 0, most: int = LARGEST) -> int:
    """Read a whole number as `reports.whole` does, the usual ones by a shorter way."""
    if len(text) <= _SHORT and text.isdigit() and text.isascii() and (found := int(text)) >= least:
        return found
    return whole(text, name, least=least, most=most)


def details_of(places: Mapping[str, int]) -> Callable[[Sequence[str]], str]:
    """Make a writer of JSON objects: each name with the text of the cell in its place."""
    form = "{" + ", ".join([f"{_quoted(name)}: %s" for name in places]) + "}"

    def write(cells: Sequence[str]) -> str:
        return form % tuple([_quoted(cells[place]) for place in places.values()])

    return write


class Told:
    """Which positions a file has told already, by date.

    Files go through their dates in order, so only the current date's lines are remembered one by one. Of a date that is
    over, a full chart is a `range`, which is as small for two hundred positions as for one.
    """

    #: Stands for the line of a position that was told before the file went to another date and came back.
    FURTHER_UP: Final = 0

    def __init__(self) -> None:
        self._day: date | None = None
        self._lines: dict[int, int] = {}
        self._over: dict[date, range | set[int]] = {}

    def on(self, day: date) -> dict[int, int]:
        """Give the positions told of a date so far, each with its line; whoever reads on adds to them."""
        if day != self._day:
            if self._day is not None:
                full = range(1, len(self._lines) + 1)
                self._over[self._day] = full if self._lines.keys() <= set(full) else set(self._lines)
            self._day, self._lines = day, dict.fromkeys(self._over.pop(day, ()), self.FURTHER_UP)
        return self._lines
