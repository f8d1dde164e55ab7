"""Whether a recording is in the label's catalogue already: the same take, or one that was transposed or sped up.

Every listening process keeps the fingerprints of all tracks, and reads what has been added since it looked last.
"""

from functools import cache

from sqlalchemy.orm import Session

from muzikantas.analysis.audio.catalogue import Catalogue, Match
from muzikantas.analysis.audio.fingerprint import Fingerprint
from muzikantas.models import track
from muzikantas.models.take import Take

#: What another take of the same request, or a song in the same harmony, is: a relative, and no copy.
RELATIVE = "sounds like"


class Label:
    """The fingerprints of all tracks, as far as this process has read them."""

    def __init__(self) -> None:
        self._catalogue, self._newest = Catalogue(), 0

    def copies(self, session: Session, row: Take) -> list[Match]:
        """Give the tracks that a measured take is a copy of, the surest first."""
        for track_id, stored, timbre in track.fingerprints(session, after=self._newest):
            self._catalogue.add(track_id, Fingerprint.from_bytes(stored), timbre)
            self._newest = track_id
        if row.fingerprint is None or not row.features:
            return []
        found = self._catalogue.query(Fingerprint.from_bytes(row.fingerprint), row.features["timbre"])
        return [match for match in found if match.kind != RELATIVE]


@cache
def label() -> Label:
    """Give this process's copy of the label's fingerprints."""
    return Label()
