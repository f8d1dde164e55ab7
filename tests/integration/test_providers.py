"""Several accounts and several providers: a slot comes to its track wherever there are credits, and is paid once."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from muzikantas.domain.brief import Submitted
from muzikantas.models import audit, budget, generation, take, track
from muzikantas.models.generation import Generation
from muzikantas.studio import studio
from muzikantas.tasks import canvases
from muzikantas.tasks.answers import keep_answer
from muzikantas.tasks.slots import subject
from tests.integration.label import Label, fault


def no_credits(provider: str, genre: str, *, times: int = 1) -> dict[str, Any]:
    """Make a rule: this provider has no credits for this genre."""
    if provider == "elevenlabs":
        match, do = {"prompt_contains": genre}, {"error": "quota_exceeded"}
        return {"provider": provider, "endpoint": "music", "match": match, "times": times, "do": do}
    return {
        **fault("generate", genre, do={"code": {"suno": 429, "kie": 402}[provider]}, times=times),
        "provider": provider,
    }


@pytest.fixture(autouse=True)
def _bought(label: Label) -> Iterator[None]:
    """Credits are there again after each test: what stays marked as empty would change the next."""
    yield
    shared = studio().redis
    for key in shared.scan_iter("governor:*:empty:*"):
        shared.delete(key)
    label.admin("faults", method="DELETE")


def songs(label: Label) -> list[dict[str, Any]]:
    """List what ElevenLabs was paid for: nothing of ours is sent along there, so no entry has a reference."""
    return [entry for entry in label.admin("ledger")["requests"] if entry["provider"] == "elevenlabs"]


def only_slot(label: Label, cycle_id: int) -> Generation:
    (row,) = label.slots(cycle_id)
    return row


def test_another_account_takes_over_from_an_empty_one(label: Label) -> None:
    artist_id, genre = label.artist(slots=1)
    with label.faults(no_credits("suno", genre)):
        ended = label.finish(label.start(artist_id))
    row = only_slot(label, ended.id)
    assert (row.state, row.provider) == (generation.COMPLETE, "sunoapi")
    assert len(label.paid(ended.id)) == 1
    governor = studio().music("sunoapi").governor
    empty = {account.name for account, condition in governor.state().accounts if condition.out_of_credits}
    assert len(empty) == 1
    assert row.account not in empty
    assert row.account in {account.name for account in governor.accounts}


def test_the_next_provider_takes_over_when_every_account_is_empty(label: Label) -> None:
    artist_id, genre = label.artist(slots=2)
    with label.faults(no_credits("suno", genre, times=9)):
        ended = label.finish(label.start(artist_id))
    rows = label.slots(ended.id)
    assert [(row.state, row.provider) for row in rows] == [(generation.COMPLETE, "kie")] * 2
    assert all(row.credits == 12 for row in rows)
    assert len(label.paid(ended.id)) == 2
    assert label.tracks(ended.id) == 2
    with studio().begin() as session:
        (first, _) = track.of_artist(session, artist_id)
    assert (first.rights["provider"], first.rights["plan"]) == ("kie", "sandbox")


def test_audio_that_comes_with_the_answer_becomes_a_track(label: Label) -> None:
    artist_id, genre = label.artist(slots=1)
    before = len(songs(label))
    with label.faults(no_credits("suno", genre, times=9), no_credits("kie", genre, times=9)):
        ended = label.finish(label.start(artist_id))
    row = only_slot(label, ended.id)
    assert (row.state, row.provider) == (generation.COMPLETE, "elevenlabs")
    assert len(songs(label)) == before + 1
    assert label.paid(ended.id) == []
    with studio().begin() as session:
        (only,) = take.of_generation(session, row.id)
    assert only.state == take.MEASURED
    assert only.source_url.startswith("store:")
    assert only.provider_id == row.provider_task_id


def test_with_no_credits_anywhere_the_slot_ends_unpaid(label: Label) -> None:
    artist_id, genre = label.artist(slots=1)
    rules = [no_credits("suno", genre, times=9), no_credits("kie", genre, times=9), no_credits("elevenlabs", genre)]
    with label.faults(*rules):
        ended = label.finish(label.start(artist_id))
    row = only_slot(label, ended.id)
    assert row.state == generation.FAILED
    assert (row.reason or "").startswith("OutOfCredits")
    assert label.paid(ended.id) == []


def test_an_answer_that_was_kept_is_found_by_the_next_delivery(label: Label) -> None:
    """Killed between keeping the only copy and writing the row: the audio is not lost, and nothing is sent again."""
    artist_id, genre = label.artist(slots=1)
    rules = [no_credits("suno", genre, times=9), no_credits("kie", genre, times=9), no_credits("elevenlabs", genre)]
    with label.faults(*rules):
        ended = label.finish(label.start(artist_id))
    row = only_slot(label, ended.id)
    song = "song-of-a-worker-that-was-killed"
    with studio().begin() as session:
        (recording,) = track.of_artist(session, an_artist_with_a_track(label))[:1]
    keep_answer(studio(), row, Submitted(task_id=song, audio=(studio().store.read(recording.audio_key),)))
    with studio().begin() as session:
        past = {"submit_token": uuid.uuid4(), "submit_deadline": row.created_at, "sent_at": row.created_at}
        reopened = generation.change(
            session, row.id, state=generation.SUBMITTING, finished_at=None, reason=None, credits=150, **past
        )
        assert reopened is not None
        budget.reserve(session, artist_id, budget.CREDITS, 150, subject=subject(row), cycle_id=row.cycle_id)
    canvases.slot(row.id).delay()
    label.wait(lambda: only_slot(label, ended.id).state == generation.COMPLETE, "the answer is found")
    assert only_slot(label, ended.id).provider_task_id == song
    label.wait(lambda: label.tracks(ended.id) == 1, "it becomes a track")
    with studio().begin() as session:
        assert budget.spent_by(session, artist_id, budget.CREDITS) == (150, 0)
        (made,) = track.of_artist(session, artist_id)
        known = audit.newest(session, audit.COPY, f"track:{made.id}")
        assert known is not None  # the song that was kept is another track's
        assert (known.details["of_track"], known.details["kind"]) == (recording.id, "same recording")
    refused = label.muzikantas("release", str(made.id), "--title", "Once more")
    assert (refused.returncode, f"is a copy of track {recording.id}" in refused.stderr) == (2, True)
    assert label.muzikantas("release", str(made.id), "--title", "Once more", "--copy").returncode == 0


def an_artist_with_a_track(label: Label) -> int:
    """Make an artist with one track, for its audio."""
    artist_id, _ = label.artist(slots=1)
    label.finish(label.start(artist_id))
    return artist_id
