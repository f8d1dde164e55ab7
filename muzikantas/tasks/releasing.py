"""Deliver releases that somebody or a rule has decided on."""

from datetime import UTC, datetime

from muzikantas.celery import StudioTask, app
from muzikantas.models import artist, take, track
from muzikantas.tasks.governed import HTTP_CALL_S, governed


@app.task(bind=True)
def publish(self: StudioTask, release_id: int) -> int:
    """Hand a release to the distributor and note its day; without one, the release is out today, delivered by hand."""
    studio = self.studio
    with studio.begin() as session:
        row, song = track.release_of(session, release_id)
        if row.published_at is not None:
            return release_id
        name = artist.get(session, song.artist_id).name
        audio_id = take.get(session, song.take_id).provider_id
    released_on = datetime.now(UTC).date()
    if studio.distribution is not None:
        with governed(studio.distribution_governor, f"release:{release_id}", owner="label", lease_s=HTTP_CALL_S):
            released_on = studio.distribution.publish(
                reference=str(song.id), audio_id=audio_id, title=song.title or "", artist=name
            )
    with studio.begin() as session:
        track.publish(session, release_id, released_on=released_on)
    return release_id
