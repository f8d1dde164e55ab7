"""What an operator did to have a track heard."""

from dataclasses import dataclass
from datetime import date

PLAYLIST, AD = "playlist", "ad"
KINDS = (PLAYLIST, AD)


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """One playlist that had a track, or one advertisement for it.

    Parameters
    ----------
    first, last
        Its days; None while a playlist keeps the track.
    size
        Followers of the playlist, or money spent on all days of the advertisement.
    currency
        Of the money; empty for followers.
    """

    track: int
    kind: str
    first: date
    last: date | None
    size: float
    currency: str = ""
