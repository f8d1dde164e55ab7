"""Callbacks on the running stack: duplicate, late, out of order, racing a poll, or not callbacks at all."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from sqlalchemy import func

from muzikantas.api.callbacks import BODY_BYTES, create_app
from muzikantas.local import ports
from muzikantas.models import budget, generation, settlement, take
from muzikantas.models.generation import Generation
from muzikantas.studio import studio
from muzikantas.tasks.slots import subject
from tests.integration.doubts import PRICE, becomes_a_track, change, in_doubt, now, spent, task_of
from tests.integration.label import Label, fault

KEY = "planted-webhook-key"
SONG = {"id": "8551", "audio_url": "", "stream_audio_url": "", "title": "x", "createTime": "2025-01-01 00:00:00"}


def body(kind: str, task_id: str) -> dict[str, Any]:
    """Write a callback as the provider's page shows it."""
    if kind == "error":
        more: dict[str, Any] = {"code": 501, "msg": "Audio generation failed."}
        return {**more, "data": {"callbackType": "error", "task_id": task_id, "error": "why", "data": None}}
    data = {"callbackType": kind, "task_id": task_id, "data": [SONG, SONG]}
    return {"code": 200, "msg": "All generated successfully.", "data": data}


class Api:
    """The callback service, as a provider sees it."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def post(self, path: str, content: Any, headers: dict[str, str] | None = None) -> int:
        """Send a body (text as it is, all else as JSON); give the status."""
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        with contextlib.closing(connection):
            connection.request("POST", path, text, {"Content-Type": "application/json", **(headers or {})})
            return connection.getresponse().status

    def call(self, row: Generation, kind: str, task_id: str, headers: dict[str, str] | None = None) -> int:
        """Call back for a request."""
        return self.post(f"/callbacks/{row.provider}/{row.reference}", body(kind, task_id), headers)

    def answers(self) -> bool:
        """Whether it is up."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        return False


@pytest.fixture(scope="module")
def api(label: Label) -> Api:
    """The service of the stack."""
    served = Api(urlsplit(label.stack.env["PUBLIC_URL"]).port or 0, label.stack.home.logs / "callbacks.jsonl")
    label.wait(served.answers, "the callback service is up")
    return served


def test_a_late_callback_revives_a_request_that_was_given_up_and_charges_it_again(label: Label, api: Api) -> None:
    row, task_id = in_doubt(label)
    with studio().begin() as session:
        settlement.lose(session, row.id, "the balance shows that it was never charged")
        budget.refund(session, subject=subject(row), amount=row.credits)
    assert spent(row) == 0
    assert api.call(row, "text", task_id) == 200
    assert now(row).state == generation.FAILED  # a word that it has begun is no word that it was made
    assert [api.call(row, "complete", task_id) for _ in range(2)] == [200, 200]
    label.wait(lambda: now(row).state == generation.COMPLETE, "it is made after all")
    becomes_a_track(label, row)


@pytest.mark.parametrize("kinds", [["text"], ["complete"] * 3, ["complete", "first", "text"]], ids="-".join)
def test_a_callback_wakes_a_request_that_nobody_knew_of(label: Label, api: Api, kinds: list[str]) -> None:
    """Its cycle has ended: the track comes late, once, and nothing is paid again."""
    row, task_id = in_doubt(label)
    assert [api.call(row, kind, task_id) for kind in kinds] == [200] * len(kinds)
    becomes_a_track(label, row)
    with studio().begin() as session:
        assert len(take.of_generation(session, row.id)) == 2
    assert label.cycle(row.cycle_id).state == "starved"
    assert api.call(row, "complete", task_id) == 200
    assert now(row).state == generation.COMPLETE


def test_a_lost_answer_is_found_by_the_providers_own_callback(label: Label) -> None:
    """The slot is late or not, by who is faster; it is a track in the end, paid once."""
    artist_id, genre = label.artist(slots=1)
    with label.faults(fault("generate", genre, do={"accept_then_drop": True})):
        cycle_id = label.start(artist_id)
        label.finish(cycle_id)
    (row,) = label.slots(cycle_id)
    becomes_a_track(label, row)


@pytest.mark.parametrize("how", ["duplicate", "missing", "late", "out_of_order", "racing"])
def test_however_the_provider_calls_back_there_is_one_set_of_takes(label: Label, how: str) -> None:
    artist_id, genre = label.artist(slots=1)
    with label.faults(fault("generate", genre, do={"callback": how})):
        cycle_id = label.start(artist_id)
        assert label.finish(cycle_id).state == "closed"
    (row,) = label.slots(cycle_id)
    becomes_a_track(label, row)
    with studio().begin() as session:
        assert len(take.of_generation(session, row.id)) == 2


def test_a_killed_callback_service_comes_back(label: Label, api: Api) -> None:
    row, task_id = in_doubt(label)
    label.kill("callbacks")
    label.wait(lambda: not api.answers(), "it is gone")
    label.wait(api.answers, "it is back")
    assert api.call(row, "complete", task_id) == 200
    becomes_a_track(label, row)


def test_a_callback_that_comes_while_the_broker_is_away_is_not_lost(label: Label, api: Api) -> None:
    """It is written down and answered at once; the row becomes due, and `reconcile` sends its tasks."""
    row, task_id = in_doubt(label)
    label.kill("valkey")
    began = time.monotonic()
    assert api.call(row, "complete", task_id) == 200
    assert time.monotonic() - began < 5
    assert now(row).provider_task_id == task_id
    becomes_a_track(label, row)


def test_a_failure_that_nobody_knew_of_gets_its_reason(label: Label, api: Api) -> None:
    row, task_id = in_doubt(label, fail="GENERATE_AUDIO_FAILED")
    assert api.call(row, "error", task_id) == 200
    label.wait(lambda: now(row).state == generation.FAILED, "it has failed")
    assert "GENERATE_AUDIO_FAILED" in (now(row).reason or "")
    assert spent(row) == PRICE


def test_only_news_of_an_end_brings_the_next_look_forward(label: Label, api: Api) -> None:
    row, task_id = in_doubt(label)
    later = func.now() + timedelta(hours=1)
    waiting = {"state": generation.SUBMITTED, "provider_task_id": task_id, "submitted_at": func.now()}
    change(row, **waiting, finished_at=None, reason=None, next_poll_at=later, due_at=later)
    before = now(row)
    assert [api.call(row, kind, task_id) for kind in ("text", "first")] == [200, 200]
    assert now(row).next_poll_at == before.next_poll_at
    assert api.call(row, "complete", task_id) == 200
    becomes_a_track(label, row)


def test_a_callback_may_come_before_the_answer_to_its_request(label: Label, api: Api) -> None:
    artist_id, genre = label.artist(slots=1)
    with label.faults(fault("generate", genre, do={"delay_s": 3})):
        cycle_id = label.start(artist_id)
        label.wait(lambda: label.paid(cycle_id), "the request is accepted")
        (row,) = label.slots(cycle_id)
        assert row.state == generation.SUBMITTING
        assert api.call(row, "text", task_of(label, row)) == 200
        assert now(row).state in {generation.SUBMITTED, generation.COMPLETE}
        assert label.finish(cycle_id).state == "closed"
    becomes_a_track(label, row)


def test_callbacks_that_race_the_polls_make_one_set_of_takes(label: Label, api: Api) -> None:
    artist_id, _ = label.artist(slots=1)
    cycle_id = label.start(artist_id)
    label.wait(lambda: [r for r in label.slots(cycle_id) if r.provider_task_id], "the request is out")
    (row,) = label.slots(cycle_id)
    task_id = row.provider_task_id or ""

    def hammer(kind: str) -> set[int]:
        answers = set()
        for _ in range(20):
            answers.add(api.call(row, kind, task_id))
            time.sleep(0.1)
        return answers

    with ThreadPoolExecutor(4) as pool:
        answers = set().union(*pool.map(hammer, ["complete", "complete", "first", "error"]))
    assert answers == {200}
    assert label.finish(cycle_id).state == "closed"
    becomes_a_track(label, row)
    with studio().begin() as session:
        assert [each.state for each in take.of_generation(session, row.id)] == [take.MEASURED] * 2


def test_what_is_no_callback_of_ours_changes_nothing(label: Label, api: Api) -> None:
    first, its_task = in_doubt(label)
    assert api.call(first, "text", its_task) == 200
    becomes_a_track(label, first)
    row, task_id = in_doubt(label)
    path, good = f"/callbacks/{row.provider}/{row.reference}", body("complete", task_id)
    before = vars(now(row)).copy()
    refused = {
        f"/callbacks/{row.provider}/{uuid.uuid4()}": 404,
        f"/callbacks/{row.provider}/none": 404,
        f"/callbacks/elsewhere/{row.reference}": 404,
        "/callbacks": 404,
    }
    assert {where: api.post(where, good) for where in refused} == refused
    assert api.post(path, b"x" * (BODY_BYTES + 1)) == 413
    assert api.post(path, json.dumps(good).encode()[:-1]) == 400
    assert api.post(path, b"[" * 60_000) == 400
    assert api.post(path, b"\xff\xfe") == 400
    assert api.post(path, [good]) == 400
    assert api.post(path, body("complete", "x" * 200)) == 400
    assert api.post(path, body("complete", "a\x00b")) == 400
    assert api.post(path, {"code": 200, "msg": "news of a kind that is not known yet"}) == 200
    assert api.call(row, "complete", its_task) == 409  # the other request's
    assert api.call(first, "complete", task_id) == 409
    after = vars(now(row))
    assert {name: after[name] for name in before if name[0] != "_"} == {
        name: before[name] for name in before if name[0] != "_"
    }


@pytest.fixture
def signed_api(label: Label, tmp_path: Path) -> Iterator[Api]:
    """The service with a key for one provider, in this process."""
    served = Api(ports.remembered(tmp_path / "ports.json", "callbacks"), tmp_path / "log")
    app = create_app(studio(), webhook_keys={"kie": KEY})
    server = uvicorn.Server(uvicorn.Config(app, port=served.port, log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    label.wait(served.answers, "the callback service is up")
    yield served
    server.should_exit = True
    thread.join(timeout=20)


def test_a_provider_with_a_key_must_sign(label: Label, signed_api: Api) -> None:
    row, task_id = in_doubt(label)
    change(row, provider="kie", state=generation.FAILED, reason="a test", provider_task_id=task_id)
    row = now(row)
    stamp = str(int(time.time()))

    def headers(signed: str, stamp: str = stamp, key: str = KEY) -> dict[str, str]:
        digest = hmac.new(key.encode(), f"{signed}.{stamp}".encode(), hashlib.sha256).digest()
        return {"X-Webhook-Timestamp": stamp, "X-Webhook-Signature": base64.b64encode(digest).decode()}

    old = str(int(time.time()) - 3600)
    assert signed_api.call(row, "text", task_id, headers(task_id)) == 200
    assert signed_api.call(row, "complete", "another", headers("another")) == 409
    wrong = [
        {},
        headers("another"),
        headers(task_id, key="another"),
        headers(task_id, old),
        headers(task_id, "9" * 5000),
    ]
    assert [signed_api.call(row, "complete", task_id, each) for each in wrong] == [401] * len(wrong)
    assert now(row).state == generation.FAILED


def test_no_path_of_a_request_is_in_the_log(label: Label, api: Api) -> None:
    row, task_id = in_doubt(label)
    assert api.call(row, "complete", "wrong" + task_id) in {200, 409}
    assert api.call(row, "complete", task_id) in {200, 409}
    text = api.log.read_text()
    assert "a callback (complete)" in text
    assert str(row.reference) not in text
    assert label.stack.env["SUNO_API_KEY"] not in text
