"""Copy a request's audio into our store at once: providers delete it after about two weeks.

What arrives is checked before it is kept: a file that is not the recording that was announced is downloaded again while
the provider still has it, and a take that cannot be had is failed with its reason.
"""

from muzikantas.analysis import audio
from muzikantas.celery import app
from muzikantas.clients.downloads import download, suffix_of
from muzikantas.domain.errors import TransientError, UnusableAudio
from muzikantas.models import generation, take
from muzikantas.models.take import Take
from muzikantas.studio import Studio
from muzikantas.tasks.answers import KEPT
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
        _fetch_take(studio, row)
    with studio.begin() as session:
        whole = generation.get(session, generation_id)
        takes = take.of_generation(session, generation_id)
        if whole.state == generation.COMPLETE and takes and all(row.state == take.FAILED for row in takes):
            end(session, whole, generation.FAILED, "; ".join(f"take {row.number}: {row.reason}" for row in takes))
        generation.move_due(session, generation_id, patience_s=studio.settings.reconcile_after_s)
    return generation_id


def _fetch_take(studio: Studio, row: Take) -> None:
    """Store one take. The attempt is counted before the file is opened: a poison file may kill us."""
    with studio.begin() as session:
        attempts = take.count_fetch(session, row.id)
        if attempts > FETCH_ATTEMPTS:
            take.fail(session, row.id, f"could not be stored in {FETCH_ATTEMPTS} attempts")
            return
    try:
        data, suffix = _audio(studio, row.source_url)
        audio.check_content(data, announced_s=row.announced_s)
        key = studio.store.put(data, suffix)
        with studio.begin() as session:
            for other in take.of_generation(session, row.generation_id):
                if other.id != row.id and other.audio_key == key:
                    raise UnusableAudio(f"the same file as take {other.number}")
            take.record_stored(session, row.id, key=key, size=len(data))
    except (UnusableAudio, TransientError) as error:
        if attempts < FETCH_ATTEMPTS and not row.source_url.startswith(KEPT):
            raise TransientError(str(error), retry_after_s=FETCH_AGAIN_S) from error
        with studio.begin() as session:
            take.fail(session, row.id, f"{error} ({attempts} downloads)")


def _audio(studio: Studio, source: str) -> tuple[bytes, str]:
    """Get a take's audio from where it is: at the provider, or in our store since its answer came."""
    if not source.startswith(KEPT):
        return download(source)
    data = studio.store.read(source.removeprefix(KEPT))
    return data, suffix_of(data, "the provider's answer")
