"""Which of our tracks a report speaks of: as an operator has decided, else by id, by ISRC, by title. Never a guess."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, kw_only=True)
class Song:
    """What a report may know one of our tracks by."""

    id: int
    isrc: str | None
    title: str | None
    artist: str | None = None


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a line calls the track that it is about; `track` is an id of ours, or of somebody else's."""

    track: str | None = None
    isrc: str | None = None
    title: str | None = None
    artist: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two lines speak of the same: spelling apart."""
        return (bare_isrc(self.isrc) or "", plain(self.title or ""), plain(self.artist or ""))

    def __str__(self) -> str:
        said = {name: value for name, value in vars(self).items() if value}
        return ", ".join(f"{name} {short(value)}" for name, value in said.items()) or "track, isrc and title are empty"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What an operator decided of a name: whose track it is, or (None) that it is none of ours."""

    names: Names
    track_id: int | None


class Roster:
    """Our tracks by everything that a report may call them.

    Parameters
    ----------
    songs
        All tracks of the label.
    decisions
        What operators have said of names that fitted none, or more than one.
    """

    def __init__(self, songs: Iterable[Song], decisions: Iterable[Decision] = ()) -> None:
        self._songs: dict[int, Song] = {}
        self._ids: dict[str, dict[str, set[int]]] = {"track": {}, "isrc": {}, "title": {}}
        for song in songs:
            self._songs[song.id] = song
            named = {"track": str(song.id), "isrc": bare_isrc(song.isrc), "title": plain(song.title or "")}
            for name, value in named.items():
                if value:
                    self._ids[name].setdefault(value, set()).add(song.id)
        self._decided = {decision.names.key: decision.track_id for decision in decisions}

    def whose(self, names: Names) -> int | None:
        """Tell which track a line is about; None where an operator has decided that it is none of ours.

        Raises `ValueError` when it fits none of ours, or nobody can tell which.
        """
        if names.key in self._decided:
            return self._decided[names.key]
        named = {"track": names.track, "isrc": bare_isrc(names.isrc), "title": plain(names.title or "")}
        found = {name: self._ids[name].get(value or "", set()) for name, value in named.items()}
        found["title"] = {id_ for id_ in found["title"] if self._may_be_by(id_, names.artist)}
        name, ids = next(((name, ids) for name, ids in found.items() if ids), ("", set()))
        if not ids:
            raise ValueError(f"no track of ours ({names})")
        if len(ids) > 1:
            tracks = ", ".join(map(str, sorted(ids)))
            said = short(getattr(names, name))
            raise ValueError(f"{name} {said} fits the tracks {tracks}; give the track's id or ISRC")
        self._must_agree(name, ids, found["isrc"], names)
        return min(ids)

    def _must_agree(self, name: str, ids: set[int], by_isrc: set[int], names: Names) -> None:
        """Raise `ValueError` when the code that a line gives speaks against what was found by another name."""
        if name == "track" and by_isrc and not by_isrc & ids:
            raise ValueError(f"track {names.track}, but the ISRC belongs to track {min(by_isrc)}")
        ours = self._songs[min(ids)].isrc
        if name == "title" and names.isrc and ours:
            raise ValueError(f"title {short(names.title)} is track {min(ids)} with the ISRC {ours}, not {names.isrc}")

    def _may_be_by(self, track_id: int, artist: str | None) -> bool:
        """Tell whether a line's artist, where it names one, may be the track's: alone or among others."""
        ours = plain(self._songs[track_id].artist or "")
        return not artist or not ours or f" {ours} " in f" {plain(artist)} "


@lru_cache(maxsize=4096)  # reports name the same songs again and again
def plain(title: str) -> str:
    """Reduce a title to its words: without case, punctuation and spelling of spaces. Versions stay apart.

    >>> plain("Don't  Stop!") == plain("dont stop"), plain("Home (Live)"), plain("!!!")
    (True, 'home live', '')
    """
    folded = unicodedata.normalize("NFKC", title).casefold().replace("'", "").replace("\u2019", "")
    return " ".join("".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded).split())


def bare_isrc(text: str | None) -> str | None:
    """Write an ISRC as the database has it: twelve characters, without the hyphens of print."""
    return text.replace("-", "").replace(" ", "").upper() if text else None


def short(text: str | None) -> str:
    """Quote a text in a message, cut where it is long."""
    return repr(text) if text is None or len(text) <= 60 else f"{text[:60]!r} and {len(text) - 60} characters more"
