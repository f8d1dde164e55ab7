"""A catalogue that invents whoever is looked for: the same name is always the same artist. Pure.

Objects have the fields that an app in Development Mode gets since February 2026: no popularity, no followers, no label;
`external_ids` are back since March. Genres are empty for every third artist, as they often are.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from muzikantas.sandbox.obedience import seeded

GENRES = (
    "art pop",
    "dream pop",
    "house",
    "indie folk",
    "k-pop",
    "latin trap",
    "phonk",
    "synthwave",
    "techno",
    "garage",
)
ALBUMS, TRACKS = 3, 4
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KINDS = ("artist", "album", "track")
_OF = "\x1f"  #: between the names of an artist, its album and that one's track: no name has it


def item(kind: str, name: str, *, seed: int) -> dict[str, Any]:
    """Give an artist, an album or a track by the name that `found` or `parts` has given."""
    return {"artist": _artist, "album": _album, "track": _track}[kind](name, seed)


def found(kind: str, text: str, limit: int) -> Iterator[str]:
    """Name what a search finds: exactly that, and what is called alike."""
    wanted = text.partition(":")[2].strip('"') if text.partition(":")[0] in _KINDS else text
    names = (wanted, f"{wanted} Tribute Band", *(f"{wanted} {number}" for number in range(2, 60)))
    for name in names[:limit]:
        yield _OF.join((name, "1", "1")[: _KINDS.index(kind) + 1])


def identity(kind: str, name: str) -> str:
    """Give an id of Spotify's form: 22 digits of base 62."""
    number = int.from_bytes(hashlib.blake2b(f"{kind} {name}".encode(), digest_size=16).digest())
    digits = ""
    for _ in range(22):
        number, digit = divmod(number, 62)
        digits += _DIGITS[digit]
    return digits


def parts(kind: str, name: str) -> list[str]:
    """Name what an artist or an album has: albums, or tracks."""
    count = ALBUMS if kind == "artist" else TRACKS
    return [f"{name}{_OF}{number}" for number in range(1, count + 1)]


def _artist(name: str, seed: int) -> dict[str, Any]:
    chance = seeded(seed, "spotify", name)
    genres = sorted(map(str, chance.choice(GENRES, 2, replace=False))) if chance.random() < 2 / 3 else []
    return _head("artist", name, name) | {"genres": genres, "images": []}


def _album(name: str, seed: int) -> dict[str, Any]:
    artist, _, number = name.partition(_OF)
    year = seeded(seed, "spotify", name).integers(2015, 2026)
    return _head("album", name, f"Album {number}") | {
        "album_type": "album",
        "artists": [_head("artist", artist, artist)],
        "external_ids": {"upc": f"{int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10**12:012}"},
        "genres": [],
        "images": [],
        "release_date": f"{year}-06-0{number}",
        "release_date_precision": "day",
        "total_tracks": TRACKS,
    }


def _track(name: str, seed: int) -> dict[str, Any]:
    artist, album, number = name.split(_OF)
    chance = seeded(seed, "spotify", name)
    return _head("track", name, f"Song {number}") | {
        "album": _album(f"{artist}{_OF}{album}", seed),
        "artists": [_head("artist", artist, artist)],
        "disc_number": 1,
        "duration_ms": int(chance.integers(120_000, 300_000)),
        "explicit": False,
        "external_ids": {"isrc": f"QZSBX26{chance.integers(10**5):05}"},
        "is_local": False,
        "track_number": int(number),
    }


def _head(kind: str, name: str, shown: str) -> dict[str, Any]:
    key = identity(kind, name)
    return {
        "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{key}"},
        "href": f"https://api.spotify.com/v1/{kind}s/{key}",
        "id": key,
        "name": shown,
        "type": kind,
        "uri": f"spotify:{kind}:{key}",
    }
