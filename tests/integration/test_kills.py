"""Whatever is killed with -9 in mid-generation: the cycle closes, and every paid request was sent once."""

import os
import signal
import time

import psutil
import pytest

from muzikantas.models import generation, take
from muzikantas.studio import studio
from tests.integration.label import Label, fault

SLOTS = 3


def closes_with_every_request_paid_once(label: Label, cycle_id: int) -> None:
    ended = label.finish(cycle_id, within_s=120)
    assert (ended.state, ended.reason) == ("closed", None)
    slots = label.slots(cycle_id)
    assert label.paid(cycle_id) == sorted(str(row.reference) for row in slots)
    assert [row.state for row in slots] == [generation.COMPLETE] * SLOTS
    assert label.tracks(cycle_id) == SLOTS


def all_are_out(label: Label, cycle_id: int) -> bool:
    """Every request has its answer (one that dies while it is sent is another test) and the provider is at work."""
    rows = label.slots(cycle_id)
    return bool(rows) and not any(row.state in {generation.INTENDED, generation.SUBMITTING} for row in rows)


def test_a_worker_child_is_killed_while_requests_are_out(label: Label) -> None:
    artist_id, _ = label.artist(slots=SLOTS)
    cycle_id = label.start(artist_id)
    label.wait(lambda: all_are_out(label, cycle_id), "the requests are out")
    for pid in label.children("worker-suno"):
        os.kill(pid, signal.SIGKILL)
    closes_with_every_request_paid_once(label, cycle_id)


@pytest.mark.parametrize("name", ["worker-suno", "worker-media", "worker-listen", "worker-llm", "worker-default"])
def test_a_whole_worker_is_killed(label: Label, name: str) -> None:
    artist_id, _ = label.artist(slots=SLOTS)
    cycle_id = label.start(artist_id)
    label.wait(lambda: all_are_out(label, cycle_id), "the requests are out")
    label.kill(name)
    closes_with_every_request_paid_once(label, cycle_id)


@pytest.mark.parametrize("name", ["valkey", "postgres", "beat"])
def test_a_server_is_killed(label: Label, name: str) -> None:
    artist_id, _ = label.artist(slots=SLOTS)
    cycle_id = label.start(artist_id)
    label.wait(lambda: all_are_out(label, cycle_id), "the requests are out")
    label.kill(name)
    time.sleep(0.5)
    label.wait(lambda: answers(label), f"{name} is back")
    closes_with_every_request_paid_once(label, cycle_id)


def answers(label: Label) -> bool:
    try:
        label.counts()
    except Exception:  # noqa: BLE001 (down in whichever way)
        return False
    return all(label.stack.supervisor.pid(name) for name in ("valkey", "postgres", "beat"))


def test_a_sender_that_dies_while_it_sends_leaves_an_unknown_request(label: Label) -> None:
    """The provider takes four seconds to answer and the sender is killed meanwhile: nothing is sent again."""
    artist_id, genre = label.artist(slots=1)
    rule = fault("generate", genre, do={"delay_s": 4, "callback": "missing"})
    with label.faults(rule):
        cycle_id = label.start(artist_id)
        label.wait(lambda: [r for r in label.slots(cycle_id) if r.state == generation.SUBMITTING], "it is being sent")
        time.sleep(0.5)
        for pid in label.children("worker-suno"):
            os.kill(pid, signal.SIGKILL)
        ended = label.finish(cycle_id, within_s=120)
    assert ended.state == "starved"
    (row,) = label.slots(cycle_id)
    assert row.state == generation.UNKNOWN
    assert len(label.paid(cycle_id)) <= 1


def test_a_hard_time_limit_in_the_header_breaks_the_chord_and_not_the_cycle(label: Label) -> None:
    """A download hangs and its process with it (stopped, so that no soft limit is heard): the parent kills it."""
    artist_id, genre = label.artist(slots=SLOTS)
    rule = fault("file", genre, do={"delay_s": 3})
    with label.faults(rule):
        cycle_id = label.start(artist_id)

        def fetching() -> bool:
            with studio().begin() as session:
                rows = label.slots(cycle_id)
                return any(
                    t.fetch_attempts for row in rows for t in take.of_generation(session, row.id, take.ANNOUNCED)
                )

        label.wait(fetching, "a download begins")
        stopped = label.children("worker-media")
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        label.wait(
            lambda: not any(alive(pid) for pid in stopped[:1]) or anyone_replaced(label, stopped), "a limit kills"
        )
        for pid in stopped:
            if alive(pid):
                os.kill(pid, signal.SIGCONT)
        closes_with_every_request_paid_once(label, cycle_id)


def anyone_replaced(label: Label, stopped: list[int]) -> bool:
    return set(label.children("worker-media")) != set(stopped)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_no_secret_is_in_any_log(label: Label) -> None:
    key = label.stack.env["SUNO_API_KEY"]
    secrets = [
        key,
        *(url.split(":")[2].split("@")[0] for url in (label.stack.env["DATABASE_URL"], label.stack.env["REDIS_URL"])),
    ]
    logs = list(label.stack.home.logs.glob("*.jsonl"))
    assert len(logs) >= 9
    for path in logs:
        text = path.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], path.name
