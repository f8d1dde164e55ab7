"""Measure a request's takes; the better one becomes the slot's track."""

import resource
from typing import Any

from celery.signals import worker_init, worker_process_init
from sqlalchemy.orm import Session

from muzikantas.analysis import audio, choosing
from muzikantas.analysis.audio.decode import MOST_BYTES
from muzikantas.analysis.audio.fingerprint import fingerprint
from muzikantas.analysis.audio.spectrum import SLOW_RATE
from muzikantas.celery import app
from muzikantas.domain.errors import UnusableAudio
from muzikantas.domain.features import Features
from muzikantas.domain.style import heard, tempo_bpm
from muzikantas.domain.waiting import Wait, message_limit_s, peek
from muzikantas.models import artist, audit, cycle, generation, take, track
from muzikantas.models.base import database_now
from muzikantas.models.generation import Generation
from muzikantas.models.take import Take
from muzikantas.studio import Studio
from muzikantas.tasks import canvases
from muzikantas.tasks import copies as copies_of
from muzikantas.tasks.slots import DISCLOSURE, SlotTask, end, rights

#: A file that killed its listener this often is not opened again.
LISTEN_ATTEMPTS = 3


class ListenTask(SlotTask):
    """Listening gives up a take, not the slot: the other take may be fine."""

    abstract = True

    def give_up(self, error: BaseException, *args: Any) -> bool:  # noqa: ANN401 (the generation's id)
        """Fail the take that was being measured; `reconcile` sends this again for any that nobody has begun."""
        with self.studio.begin() as session:
            stored = take.of_generation(session, args[0], take.STORED)
            for row in (each for each in stored if each.busy_until is not None):
                take.fail(session, row.id, f"{type(error).__name__}: {error}")
        _conclude(self, args[0])
        return True


@app.task(base=ListenTask, bind=True)
def listen(self: SlotTask, generation_id: int) -> int:
    """Measure the takes of a made generation; the better one becomes its track."""
    studio = self.studio
    with studio.begin() as session:
        stored = take.of_generation(session, generation_id, take.STORED)
    for row in stored:
        _measure(self, row)
    _conclude(self, generation_id)
    return generation_id


def _measure(task: SlotTask, row: Take) -> None:
    """Measure one take. The attempt is counted before the file is opened: a poison file may kill us."""
    studio = task.studio
    busy_s = message_limit_s(studio.settings.visibility_timeout_s)
    with studio.begin() as session:
        attempts = take.claim_listening(session, row.id, busy_s=busy_s)
        if attempts is None:
            current = take.get(session, row.id)
            if current.state == take.STORED and current.busy_until is not None:
                until = peek(current.busy_until, database_now(session))
                raise Wait(until, "another listener is at this take")
            return
        if attempts > LISTEN_ATTEMPTS:
            take.fail(session, row.id, "killed the listener")
            return
    try:
        recording = audio.record(studio.store.read(row.audio_key or ""))
        features = audio.features(recording)
        known_by = fingerprint(recording.slow, SLOW_RATE, features.tempo_bpm).to_bytes()
    except (UnusableAudio, FileNotFoundError, MemoryError) as error:
        with studio.begin() as session:
            take.fail(session, row.id, str(error) or "the file needs more memory than there is")
        return
    with studio.begin() as session:
        take.record_features(session, row.id, features, known_by)


def _conclude(task: SlotTask, generation_id: int) -> None:
    """Choose the slot's track once all takes are measured or failed, and release it where a rule says so."""
    studio = task.studio
    release_id = None
    with studio.begin() as session:
        row = generation.get(session, generation_id)
        takes = take.of_generation(session, generation_id)
        if row.finished_at is not None or row.state != generation.COMPLETE or not takes:
            return
        if any(each.state in {take.ANNOUNCED, take.STORED} for each in takes):
            return
        measured = [each for each in takes if each.state == take.MEASURED]
        if not measured:
            end(session, row, generation.FAILED, "; ".join(f"take {t.number}: {t.reason}" for t in takes))
            return
        release_id = _add_track(session, row, measured, studio)
        end(session, row, generation.COMPLETE, None)
    if release_id is not None:
        canvases.stage("releasing.publish", release_id).delay()


def _add_track(session: Session, row: Generation, measured: list[Take], studio: Studio) -> int | None:
    """Insert the better take as the slot's track; give the id of its release where the artist's rule makes one."""
    owner = artist.get(session, cycle.get(session, row.cycle_id).artist_id)
    copies = {each.id: copies_of.label().copies(session, each) for each in measured}
    measured = [each for each in measured if not copies[each.id]] or measured
    recordings = [Features(**(each.features or {})) for each in measured]
    choice = choosing.better_take(row.asked, recordings, track.styles(session, owner.id))
    best, recording = measured[choice.index], recordings[choice.index]
    features = vars(recording)
    realised = heard(recording, row.asked_genre, asked_bpm=tempo_bpm(row.asked_values[0]))
    made, chose = track.add(
        session,
        artist_id=owner.id,
        generation_id=row.id,
        take_id=best.id,
        title=row.words.title,
        genre=row.asked_genre,
        asked_values=row.asked_values,
        realised_values=[round(value, 4) for value in realised.values],
        audio_key=best.audio_key,
        features=features,
        rights=rights(studio, row),
        disclosure={**DISCLOSURE, "vocals": row.words.lyrics is not None, "lyrics": row.words.lyrics is not None},
        **{name: features[name] for name in ("extractor", "tempo_bpm", "key", "mode", "loudness_lufs", "duration_s")},
    )
    if chose:
        decision = {"take": best.number, "reason": choice.reason}
        audit.note(session, "muzikantas", "choose take", f"generation:{row.id}", **decision)
    if copies[best.id]:
        first = copies[best.id][0]
        of = {"of_track": first.id, "kind": first.kind, "score": round(first.score, 3)}
        audit.note(session, "muzikantas", audit.COPY, f"track:{made.id}", **of)
        return None
    if owner.release_rule != "content_check" or not made.title:
        return None
    audit.note(session, "rule content_check", "release", f"track:{made.id}", generation=row.id)
    return track.release(session, made, decided_by="rule content_check").id


@worker_init.connect
def _warm_up(sender: Any = None, **_: object) -> None:  # noqa: ANN401 (Celery's worker)
    """Compile what listening needs before the pool forks, so that every child begins warm."""
    queues = getattr(getattr(sender, "app", app).amqp.queues, "consume_from", {})
    if "listen" in queues:
        audio.warm_up()


@worker_process_init.connect
def _limit_memory(**_: object) -> None:
    """Bound a child's memory: foreign files are decoded in it, on arrival (`media`) and when they are listened to."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(hard, MOST_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
