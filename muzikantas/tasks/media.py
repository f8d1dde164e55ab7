"""Copy a request's audio into our store at once: providers delete it after about two weeks."""

from muzikantas.celery import app
from muzikantas.clients.downloads import download
from muzikantas.domain.errors import TransientError, UnusableAudio
from muzikantas.models import generation, take
from muzikantas.tasks.slots import SlotTask, end

#: Links that answer with nothing or a web page are often right half a minute later; after this often they are not.
FETCH_ATTEMPTS = 5
FETCH_AGAIN_S = 5.0


@app.task(base=SlotTask, bind=True)
def fetch(self: SlotTask, generation_id: int) -> int:
    """Store every take that has been announced; one that cannot be had is failed with its reason."""
    studio = self.studio
    with studio.begin() as session:
        announced = take.of_generation(session, generation_id, take.ANNOUNCED)
    for row in announced:
        with studio.begin() as session:
            attempts = take.count_fetch(session, row.id)
        try:
            data, suffix = download(row.source_url)
        except (UnusableAudio, TransientError) as error:
            if attempts < FETCH_ATTEMPTS:
                raise TransientError(str(error), retry_after_s=FETCH_AGAIN_S) from error
            with studio.begin() as session:
                take.fail(session, row.id, f"{error} ({attempts} downloads)")
            continue
        key = studio.store.put(data, suffix)
        with studio.begin() as session:
            take.record_stored(session, row.id, key=key, size=len(data))
    with studio.begin() as session:
        row_of = generation.get(session, generation_id)
        takes = take.of_generation(session, generation_id)
        if row_of.state == generation.COMPLETE and takes and all(row.state == take.FAILED for row in takes):
            end(session, row_of, generation.FAILED, "; ".join(row.reason or "" for row in takes))
        generation.move_due(session, generation_id, patience_s=studio.settings.reconcile_after_s)
    return generation_id
