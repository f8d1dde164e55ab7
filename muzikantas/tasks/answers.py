"""What a provider made, as rows; and audio that came with the answer itself, kept before anything is written about it.

A synchronous provider sends the only copy. It is in the store, under a note with the request's reference, before the
row says so: whoever finds the row without its answer looks there first.
"""

import json

from sqlalchemy.orm import Session

from muzikantas.clients.downloads import suffix_of
from muzikantas.domain.brief import AudioOffer, Submitted
from muzikantas.domain.errors import UnusableAudio
from muzikantas.models import budget, generation, take
from muzikantas.models.generation import Generation
from muzikantas.settings import Settings
from muzikantas.studio import Studio
from muzikantas.tasks.slots import subject

#: How the address of a take begins whose audio is in our store already.
KEPT = "store:"


def keep_answer(studio: Studio, row: Generation, made: Submitted) -> None:
    """Put the audio of an answer into the store, then note where it is and what the provider calls it."""
    keys = [studio.store.put(data, _suffix(data)) for data in made.audio]
    studio.store.note(_name(row), json.dumps({"task_id": made.task_id, "keys": keys}))


def kept_answer(studio: Studio, row: Generation) -> tuple[str, tuple[AudioOffer, ...]] | None:
    """Give the provider's task id and the takes of an answer that was kept; None when there was none."""
    noted = studio.store.noted(_name(row))
    if noted is None:
        return None
    answer = json.loads(noted)
    offers = [AudioOffer(provider_id=answer["task_id"], url=f"{KEPT}{key}", duration_s=None) for key in answer["keys"]]
    return answer["task_id"], tuple(offers)


def store_takes(session: Session, row: Generation, takes: tuple[AudioOffer, ...], settings: Settings) -> None:
    """Note that the provider has made a request, which takes there are, and what it cost."""
    take.announce(session, row.id, takes)
    generation.complete(session, row.id, patience_s=settings.reconcile_after_s)
    budget.settle(session, subject=subject(row), spent=row.credits)


def _name(row: Generation) -> str:
    return f"answers/{row.reference}.json"


def _suffix(data: bytes) -> str:
    """Tell the format; what is no audio is kept as well, for the content check to refuse with its reason."""
    try:
        return suffix_of(data, "the answer")
    except UnusableAudio:
        return ".bin"
