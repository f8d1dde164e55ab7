"""Files as they should not be, through the real worker: a take fails with its reason, the other one is the track."""

import re
from pathlib import Path

import pytest
from sqlalchemy import delete

from muzikantas.analysis.audio.decode import MOST_BYTES
from muzikantas.models import generation, take
from muzikantas.models.generation import Generation
from muzikantas.models.track import Track
from muzikantas.studio import studio
from muzikantas.tasks import canvases
from tests import broken
from tests.integration.label import Label

REFUSED, READABLE = broken.refused(), broken.readable()
#: One of each way to be refused: by its first bytes, by the decoder, by its samples, by what is heard.
KINDS = ["zero bytes.mp3", "web page.mp3", "aac.m4a", "cut to its header.wav", "not a number.wav", "silence.mp3"]


def heard_again(label: Label, *files: bytes) -> Generation:
    """Make a slot's track, take it back, put other files in the place of its takes, and listen again."""
    artist_id, _ = label.artist(slots=1)
    (row,) = label.slots(label.finish(label.start(artist_id)).id)
    with studio().begin() as session:
        session.execute(delete(Track).where(Track.generation_id == row.id))
        again = generation.get(session, row.id)
        again.state, again.finished_at = generation.COMPLETE, None
        for each, data in zip(take.of_generation(session, row.id), files, strict=True):
            each.state, each.reason, each.features, each.listen_attempts = take.STORED, None, None, 0
            each.audio_key = studio().store.put(data, ".mp3")
    canvases.stage("listening.listen", row.id).delay().get(timeout=60)
    with studio().begin() as session:
        return generation.get(session, row.id)


@pytest.mark.parametrize("name", KINDS)
def test_a_broken_take_fails_with_its_reason_and_the_other_one_is_the_track(label: Label, name: str) -> None:
    data, words = REFUSED[name]
    row = heard_again(label, data, READABLE["opus.opus"][0])
    with studio().begin() as session:
        bad, good = take.of_generation(session, row.id)
        (made,) = session.query(Track).where(Track.generation_id == row.id)
    assert (bad.state, good.state) == (take.FAILED, take.MEASURED)
    assert re.search(words, bad.reason or "")
    assert made.take_id == good.id
    assert (row.state, row.reason) == (generation.COMPLETE, None)


def test_two_broken_takes_end_the_slot_with_both_reasons(label: Label) -> None:
    row = heard_again(label, REFUSED["web page.mp3"][0], REFUSED["infinite.wav"][0])
    assert row.state == generation.FAILED
    assert re.fullmatch("take 1: a web page.*; take 2: .*not finite numbers.*", row.reason or "")


def test_damaged_takes_that_hold_music_are_measured(label: Label) -> None:
    row = heard_again(label, READABLE["garbage put inside.mp3"][0], READABLE["studio.flac"][0])
    with studio().begin() as session:
        takes = take.of_generation(session, row.id)
    assert [each.state for each in takes] == [take.MEASURED, take.MEASURED]
    assert [each.heard.duration_s for each in takes if each.heard] == pytest.approx([broken.SECONDS] * 2, abs=0.6)


@pytest.mark.parametrize("name", ["worker-listen", "worker-media"])
def test_the_memory_of_processes_that_decode_foreign_files_is_bounded(label: Label, name: str) -> None:
    children = label.children(name)
    assert children
    for pid in children:
        limits = Path(f"/proc/{pid}/limits").read_text()
        (line,) = [each for each in limits.splitlines() if each.startswith("Max data size")]
        assert line.split()[3] == str(MOST_BYTES)
