"""Whose files we can read: their columns, as data. A new one is a table here.

Sources: support.spotify.com/artists, "Exporting your data"; support.distrokid.com, "Bank details: excruciating detail";
support.tunecore.com, "Sales report"; headers as files of 2023 to 2026 have them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: What lines can say, by our names. A file with a `date` tells of days, one with a `period` of months.
FIELDS = {
    "track": "our track's id",
    "isrc": "the recording's code",
    "title": "the track's title",
    "artist": "the artist's name",
    "date": "the day that a line is of",
    "period": "the month that a line is of, such as 2026-07",
    "statement": "when it was reported",
    "platform": "where it was played or sold",
    "country": "two letters, or as the file writes it",
    "kind": "what was sold: a stream, a download …",
    "streams": "streams, or units sold",
    "listeners": "listeners",
    "saves": "saves",
    "revenue": "what was earned",
    "currency": "its currency, three letters",
}


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One kind of file.

    Parameters
    ----------
    columns
        Our name → the headers (lower case, without a currency in brackets) that it may have; the first that is there
        and not empty counts.
    needs
        Headers by which the kind is known.
    only
        No other headers may be there: the kind is known by what it lacks.
    always
        What all lines say.
    titled
        The file's name begins with the title, and ends so.
    windowed
        The file's name says of which time it is, in its first group.
    refused
        Why this kind is of no use, where it is not.
    """

    name: str
    columns: Mapping[str, Sequence[str]]
    needs: frozenset[str]
    only: bool = False
    always: Mapping[str, str] = field(default_factory=dict)
    titled: re.Pattern[str] | None = None
    windowed: re.Pattern[str] | None = None
    refused: str | None = None


DISTROKID = Dialect(
    name="distrokid",
    columns={
        "period": ["sale month"],
        "statement": ["reporting date"],
        "platform": ["store"],
        "country": ["country of sale"],
        "artist": ["artist"],
        "title": ["title"],
        "isrc": ["isrc"],
        "kind": ["song/album", "source type"],
        "streams": ["quantity"],
        "revenue": ["earnings"],
    },
    needs=frozenset({"reporting date", "sale month", "store", "title", "quantity", "earnings"}),
)
TUNECORE = Dialect(
    name="tunecore",
    columns={
        "period": ["sales period"],
        "statement": ["posted date"],
        "platform": ["store name"],
        "country": ["country of sale", "country"],
        "artist": ["artist"],
        "title": ["song title"],
        "album": ["release title"],
        "isrc": ["optional isrc", "isrc", "tc song id"],
        "kind": ["sales type"],
        "streams": ["# units sold", "quantity"],
        "revenue": ["total earned"],
        "currency": ["currency"],
    },
    needs=frozenset({"sales period", "posted date", "store name", "song title", "total earned"}),
)
SPOTIFY_SONGS = Dialect(
    name="spotify-for-artists",
    columns={"title": ["song"], "streams": ["streams"], "listeners": ["listeners"], "saves": ["saves"]},
    needs=frozenset({"song", "listeners", "streams", "saves"}),
    always={"platform": "spotify", "country": "GLOBAL", "kind": "streams"},
    windowed=re.compile(r"songs-([a-z0-9]+)(?: ?\(\d+\))?\.csv", re.IGNORECASE),
)
SPOTIFY_TIMELINE = Dialect(
    name="spotify-for-artists",
    columns={"date": ["date"], "streams": ["streams"]},
    needs=frozenset({"date", "streams"}),
    only=True,
    always={"platform": "spotify", "country": "GLOBAL"},
    titled=re.compile(r"(.+)-timeline(?: ?\(\d+\))?\.csv", re.IGNORECASE),
)
SPOTIFY_AUDIENCE = Dialect(
    name="spotify-for-artists",
    columns={},
    needs=frozenset({"date", "listeners", "streams", "followers"}),
    refused="an audience timeline counts all tracks of an artist together; export each song's own timeline",
)

DIALECTS = (DISTROKID, TUNECORE, SPOTIFY_SONGS, SPOTIFY_TIMELINE, SPOTIFY_AUDIENCE)
