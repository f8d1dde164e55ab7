"""What Spotify says, read into our values. Whatever the terms of an app leave out is None.

Since February 2026 an app in Development Mode gets no popularity and no followers, genres are often empty, and
`external_ids` was gone for a month.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from muzikantas.domain.errors import Incomplete


@dataclass(frozen=True, kw_only=True)
class Artist:
    """An artist of the catalogue; `genres` is None where Spotify names none."""

    id: str
    name: str
    genres: tuple[str, ...] | None
    followers: int | None
    popularity: int | None


@dataclass(frozen=True, kw_only=True)
class Album:
    """An album, single or compilation; `released_on` is a day, a month or a year, as exactly as it is known."""

    id: str
    name: str
    kind: str | None
    released_on: str | None
    tracks: int | None
    label: str | None


@dataclass(frozen=True, kw_only=True)
class Song:
    """A track of the catalogue, with the artists that it names first."""

    id: str
    name: str
    artists: tuple[str, ...]
    isrc: str | None
    duration_ms: int | None
    popularity: int | None


def artist(body: Any) -> Artist:  # noqa: ANN401 (Spotify's JSON)
    """Read an artist. Raises `Incomplete` without an id and a name."""
    genres = [str(genre) for genre in _list(body, "genres")]
    return Artist(
        **_named(body, "artist"),
        genres=tuple(genres) or None,
        followers=_number(_part(body, "followers"), "total"),
        popularity=_number(body, "popularity"),
    )


def album(body: Any) -> Album:  # noqa: ANN401 (as above)
    """Read an album. Raises `Incomplete` without an id and a name."""
    return Album(
        **_named(body, "album"),
        kind=_text(body, "album_type"),
        released_on=_text(body, "release_date"),
        tracks=_number(body, "total_tracks"),
        label=_text(body, "label"),
    )


def song(body: Any) -> Song:  # noqa: ANN401 (as above)
    """Read a track. Raises `Incomplete` without an id and a name."""
    names = [_text(each, "name") for each in _list(body, "artists")]
    return Song(
        **_named(body, "track"),
        artists=tuple(name for name in names if name),
        isrc=_text(_part(body, "external_ids"), "isrc"),
        duration_ms=_number(body, "duration_ms"),
        popularity=_number(body, "popularity"),
    )


def items(body: Any, kind: str | None = None) -> list[Mapping[str, Any]]:  # noqa: ANN401 (as above)
    """List the items of a page, or of a search for `kind`; Spotify leaves holes in them.

    >>> items({"artists": {"items": [{"id": "1"}, None]}}, "artist")
    [{'id': '1'}]

    Raises `Incomplete` where there is no such page.
    """
    page = body if kind is None else _part(body, f"{kind}s")
    if not isinstance(page, Mapping) or not isinstance(page.get("items"), list):
        found = ", ".join(body) if isinstance(body, Mapping) else type(body).__name__
        raise Incomplete(f"Spotify's answer has no list of {kind or 'items'}; found {found or 'nothing'}")
    return [item for item in page["items"] if isinstance(item, Mapping)]


def _named(body: Any, kind: str) -> dict[str, str]:  # noqa: ANN401 (as above)
    found = {name: _text(body, name) for name in ("id", "name")}
    if not found["id"] or not found["name"]:
        raise Incomplete(f"Spotify's {kind} has no id or no name: {found}")
    return {name: str(value) for name, value in found.items()}


def _part(body: Any, name: str) -> Any:  # noqa: ANN401 (as above)
    return body.get(name) if isinstance(body, Mapping) else None


def _list(body: Any, name: str) -> list[Any]:  # noqa: ANN401 (as above)
    found = _part(body, name)
    return found if isinstance(found, list) else []


def _text(body: Any, name: str) -> str | None:  # noqa: ANN401 (as above)
    found = _part(body, name)
    return found if isinstance(found, str) and found else None


def _number(body: Any, name: str) -> int | None:  # noqa: ANN401 (as above)
    found = _part(body, name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None
