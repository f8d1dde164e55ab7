"""What was done to outcomes before anything was learned: promotion taken off, tracks of lost versions left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.models import track


@dataclass(frozen=True, kw_only=True)
class PromotedTrack:
    """A track that a playlist or an advertisement helped, and what was made of it."""

    title: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class LostTracks:
    """Tracks whose outcomes do not count, and why."""

    titles: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Learning:
    """What was done to outcomes before anything was learned; `lacks` says why another policy has no estimate."""

    promoted: tuple[PromotedTrack, ...] = ()
    lost: tuple[LostTracks, ...] = ()
    lacks: str | None = None


def learning(session: Session, artist_id: int, content: Mapping[str, Any]) -> Learning:
    """Read it from an analysis of the artist's releases; one that was stored before this was noted has none of it."""
    names = {row.id: row.title or f"track {row.id}" for row in track.of_artist(session, artist_id)}
    return Learning(
        promoted=tuple(
            PromotedTrack(title=names[each["track"]], reason=each["reason"]) for each in content.get("promoted", ())
        ),
        lost=tuple(
            LostTracks(titles=tuple(names[track_id] for track_id in each["tracks"]), reason=each["reason"])
            for each in content.get("lost", ())
        ),
        lacks=content.get("without_exploring_lacks"),
    )
