"""The chord of a cycle ends well whatever its slots do: none, one, some and all of them fail."""

import time

import pytest

from muzikantas.models import budget, generation, take
from muzikantas.studio import studio
from tests.integration.label import Label, fault

SLOTS = 3


@pytest.mark.parametrize(
    ("failing", "state"),
    [
        (0, "closed"),
        (1, "closed"),  # two of three make a track; the quorum is two
        (2, "starved"),
        (3, "starved"),
    ],
)
def test_a_cycle_ends_by_its_quorum(label: Label, failing: int, state: str) -> None:
    artist_id, genre = label.artist(slots=SLOTS)
    rule = fault("generate", genre, times=failing, do={"fail": "GENERATE_AUDIO_FAILED", "refund": True})
    with label.faults(*([rule] if failing else [])):
        ended = label.finish(label.start(artist_id))
    assert ended.state == state
    slots = label.slots(ended.id)
    assert sum(row.state == generation.FAILED for row in slots) == failing
    assert label.tracks(ended.id) == SLOTS - failing
    assert len(label.paid(ended.id)) == SLOTS
    if failing:
        assert all("GENERATE_AUDIO_FAILED" in (row.reason or "") for row in slots if row.state == generation.FAILED)
    if state == "starved":
        assert f"{SLOTS - failing} of {SLOTS} slots made a track, quorum 2" in (ended.reason or "")


def test_a_refusal_is_a_row_with_its_reason(label: Label) -> None:
    artist_id, genre = label.artist(slots=1)
    rule = fault("generate", genre, do={"fail": "SENSITIVE_WORD_ERROR"})
    with label.faults(rule):
        ended = label.finish(label.start(artist_id))
    assert [row.state for row in label.slots(ended.id)] == [generation.REFUSED]


@pytest.mark.parametrize("code", [430, 455])
def test_too_fast_and_maintenance_are_waited_for_and_paid_once(label: Label, code: int) -> None:
    artist_id, genre = label.artist(slots=1)
    rule = fault("generate", genre, do={"code": code})
    with label.faults(rule):
        cycle_id = label.start(artist_id)
        label.wait(lambda: label.slots(cycle_id), "the slot is written")
        if code == 455:  # maintenance is waited for in minutes: the request is simply not sent
            time.sleep(3)
            assert [row.state for row in label.slots(cycle_id)] == [generation.INTENDED]
            assert label.paid(cycle_id) == []
            governor = studio().music("sunoapi").governor
            governor.cool_down(governor.accounts[0], 0.001)
        ended = label.finish(cycle_id)
    assert ended.state == "closed"
    assert len(label.paid(cycle_id)) == 1


@pytest.mark.parametrize("code", [401, 413])
def test_what_will_not_work_ends_the_slot_unpaid(label: Label, code: int) -> None:
    artist_id, genre = label.artist(slots=1)
    rule = fault("generate", genre, do={"code": code})
    with label.faults(rule):
        ended = label.finish(label.start(artist_id))
    (row,) = label.slots(ended.id)
    assert row.state == (generation.REFUSED if code == 413 else generation.FAILED)
    assert f"code {code}" in (row.reason or "")
    assert label.paid(ended.id) == []
    with studio().begin() as session:
        assert budget.spent_by(session, artist_id, budget.CREDITS) == (0, 0)


def test_an_accepted_request_without_an_answer_is_parked_and_counted_as_spent(label: Label) -> None:
    artist_id, genre = label.artist(slots=2)
    with label.faults(fault("generate", genre, do={"accept_then_drop": True, "callback": "missing"})):
        ended = label.finish(label.start(artist_id))
    assert ended.state == "closed"
    slots = label.slots(ended.id)
    assert sorted(row.state for row in slots) == [generation.COMPLETE, generation.UNKNOWN]
    assert label.paid(ended.id) == sorted(str(row.reference) for row in slots)
    with studio().begin() as session:
        assert budget.spent_by(session, artist_id, budget.CREDITS) == (20, 0)


def test_a_callback_proves_what_no_answer_told(label: Label) -> None:
    artist_id, genre = label.artist(slots=2)
    with label.faults(fault("generate", genre, do={"accept_then_drop": True})):
        ended = label.finish(label.start(artist_id))
        label.wait(lambda: label.tracks(ended.id) == 2, "the request that was in doubt becomes a track")
    slots = label.slots(ended.id)
    assert [row.state for row in slots] == [generation.COMPLETE] * 2
    assert label.paid(ended.id) == sorted(str(row.reference) for row in slots)
    with studio().begin() as session:
        assert budget.spent_by(session, artist_id, budget.CREDITS) == (20, 0)


def test_a_look_that_goes_on_failing_is_not_sent_beside_itself(label: Label) -> None:
    artist_id, genre = label.artist(slots=1)
    failing = fault("record-info", genre, times=100, do={"http": 500})
    with label.faults(fault("generate", genre, do={"callback": "missing"}), failing):
        cycle_id = label.start(artist_id)

        def obeyed() -> int:
            return sum(rule["fired"] for rule in label.admin("faults") if rule["endpoint"] == "record-info")

        label.wait(obeyed, "a look fails")
        # Five times as long as `reconcile` has patience; one message fails after 1, 2, 4 and 8 seconds more.
        time.sleep(15)
        assert 3 <= obeyed() <= 6
    ended = label.finish(cycle_id)
    assert (ended.state, ended.reason) == ("closed", None)


@pytest.mark.parametrize("deed", ["zero_bytes", "html", "short", "silent", "identical_takes"])
def test_what_is_no_audio_is_downloaded_again(label: Label, deed: str) -> None:
    artist_id, genre = label.artist(slots=1)
    rule = fault("file", genre, do={deed: True}, times=2)  # one for each take
    with label.faults(rule):
        ended = label.finish(label.start(artist_id))
    assert ended.state == "closed"
    (row,) = label.slots(ended.id)
    with studio().begin() as session:
        takes = take.of_generation(session, row.id)
    assert [each.state for each in takes] == [take.MEASURED, take.MEASURED]
    assert max(each.fetch_attempts for each in takes) >= 2


def test_a_file_that_killed_its_listener_three_times_is_not_opened_again(label: Label) -> None:
    from muzikantas.tasks import canvases  # noqa: PLC0415 (sends one task by hand)

    artist_id, _ = label.artist(slots=1)
    ended = label.finish(label.start(artist_id))
    (row,) = label.slots(ended.id)
    with studio().begin() as session:
        first, _ = take.of_generation(session, row.id)
        poison = session.get_one(take.Take, first.id)
        poison.state, poison.listen_attempts, poison.features, poison.busy_until = take.STORED, 3, None, None
    canvases.stage("listening.listen", row.id).delay().get(timeout=30)
    with studio().begin() as session:
        poisoned = take.get(session, first.id)
    assert (poisoned.state, poisoned.reason) == (take.FAILED, "killed the listener")
