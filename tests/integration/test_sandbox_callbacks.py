"""Callbacks of the sandbox as a receiver sees them: signed, repeated, late, reordered, missing, retried."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.integration.test_sandbox import Sandbox, song, wait_for

KEY = "key-of-this-test"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    options = ("--generation-seconds", "0.4", "--audio-seconds", "3", "--fast-audio", "--webhook-key", KEY)
    running = Sandbox(tmp_path_factory.mktemp("sandbox"), *options)
    yield running
    running.kill()


class Receiver:
    """A receiver of callbacks that answers as told: the first statuses given, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.calls: list[tuple[float, dict[str, str], dict[str, Any]]] = []
        left = list(statuses)
        calls = self.calls

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                calls.append((time.time(), {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(left.pop(0) if left else 200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
                """Keep the test's output quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/secret"

    @property
    def kinds(self) -> list[str]:
        return [body["data"]["callbackType"] for _, _, body in self.calls]


@contextmanager
def receiver(*statuses: int) -> Iterator[Receiver]:
    made = Receiver(*statuses)
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def asked(sandbox: Sandbox, title: str, url: str, prefix: str = "") -> tuple[str, dict[str, str]]:
    account = sandbox.new_account()
    answer = sandbox.post(f"{prefix}/api/v1/generate", song(title, callBackUrl=url), account).json()
    assert answer["code"] == 200
    return answer["data"]["taskId"], account


def dealt_with(sandbox: Sandbox, title: str, kind: str = "complete") -> dict[str, Any]:
    wait_for(lambda: kind in sandbox.paid(title)["callbacks"])
    return sandbox.paid(title)


def expected_signature(task_id: str, timestamp: str) -> str:
    return base64.b64encode(hmac.new(KEY.encode(), f"{task_id}.{timestamp}".encode(), hashlib.sha256).digest()).decode()


@pytest.mark.parametrize("good", [True, False])
def test_kie_signs_its_callbacks_unless_told_otherwise(sandbox: Sandbox, *, good: bool) -> None:
    title = f"Signed {good}"
    if not good:
        sandbox.add_fault("kie", "generate", {"callback": "bad_signature"}, title_contains=title)
    with receiver() as heard:
        task_id, _ = asked(sandbox, title, heard.url, "/kie")
        dealt_with(sandbox, title)

    assert heard.kinds == ["text", "first", "complete"]
    for at, headers, _ in heard.calls:
        timestamp = headers["x-webhook-timestamp"]
        assert abs(int(timestamp) - at) < 5
        assert (headers["x-webhook-signature"] == expected_signature(task_id, timestamp)) is good


def test_sunoapi_signs_nothing(sandbox: Sandbox) -> None:
    with receiver() as heard:
        asked(sandbox, "Unsigned", heard.url)
        dealt_with(sandbox, "Unsigned")

    assert not any("x-webhook-signature" in headers for _, headers, _ in heard.calls)


@pytest.mark.parametrize(
    ("script", "kinds"),
    [
        ("duplicate", ["text", "text", "first", "first", "complete", "complete"]),
        ("out_of_order", ["complete", "first", "text"]),
        ("missing", []),
    ],
)
def test_callbacks_come_as_the_script_wants(sandbox: Sandbox, script: str, kinds: list[str]) -> None:
    sandbox.add_fault("suno", "generate", {"callback": script}, title_contains=f"Script {script}")
    with receiver() as heard:
        asked(sandbox, f"Script {script}", heard.url)
        entry = dealt_with(sandbox, f"Script {script}", "text" if script == "out_of_order" else "complete")

    assert heard.kinds == kinds
    assert [attempt["kind"] for attempt in entry["attempts"]] == kinds
    assert {attempt["outcome"] for attempt in entry["attempts"]} <= {"answered 200"}


def test_a_late_callback_is_late_and_the_answer_is_not(sandbox: Sandbox) -> None:
    sandbox.add_fault("suno", "generate", {"callback": "late", "delay_s": 1.5}, title_contains="Too Late")
    with receiver() as heard:
        before = time.time()
        task_id, account = asked(sandbox, "Too Late", heard.url)
        assert time.time() - before < 1
        sandbox.finished(task_id, account)
        done = time.time()
        dealt_with(sandbox, "Too Late")

    assert heard.kinds == ["text", "first", "complete"]
    assert heard.calls[-1][0] - done > 0.7


def test_a_racing_callback_comes_together_with_the_poll_that_sees_the_end(sandbox: Sandbox) -> None:
    sandbox.add_fault("suno", "generate", {"callback": "racing"}, title_contains="Race")
    with receiver() as heard:
        task_id, account = asked(sandbox, "Race", heard.url)
        wait_for(lambda: sandbox.paid("Race")["status"] == "SUCCESS")
        time.sleep(0.3)
        assert heard.kinds == ["text", "first"]
        polled = time.time()
        assert sandbox.record(task_id, account)["status"] == "SUCCESS"
        dealt_with(sandbox, "Race")

    assert heard.kinds[-1] == "complete"
    assert abs(heard.calls[-1][0] - polled) < 0.5


def test_a_receiver_in_trouble_is_tried_again_and_every_attempt_is_recorded(sandbox: Sandbox) -> None:
    with receiver(503, 500, 200) as heard:
        asked(sandbox, "Trouble", heard.url)
        entry = dealt_with(sandbox, "Trouble")

    assert heard.kinds == ["text"] * 3 + ["first", "complete"]
    assert [attempt["outcome"] for attempt in entry["attempts"]] == [
        f"answered {status}" for status in (503, 500, 200, 200, 200)
    ]
    assert entry["callbacks"] == dict.fromkeys(("text", "first", "complete"), "answered 200")
    assert entry["attempts"][1]["at"] - entry["attempts"][0]["at"] > 0.9


def test_a_refused_connection_is_tried_three_times_more_and_a_client_error_is_not(sandbox: Sandbox) -> None:
    with receiver(404, 404, 404) as heard:
        asked(sandbox, "Not There", heard.url)
        entry = dealt_with(sandbox, "Not There")
    sandbox.add_fault("suno", "generate", {"fail": "GENERATE_AUDIO_FAILED"}, title_contains="Nobody")
    asked(sandbox, "Nobody", heard.url)
    wait_for(lambda: len(sandbox.paid("Nobody")["attempts"]) == 4)

    assert len(entry["attempts"]) == 3
    assert all(attempt["outcome"].startswith("failed") for attempt in sandbox.paid("Nobody")["attempts"])


@pytest.mark.parametrize("prefix", ["", "/kie"])
def test_a_refund_says_531_in_callback_and_record_and_the_credits_come_back(sandbox: Sandbox, prefix: str) -> None:
    title = f"Refund at {prefix}."
    sandbox.add_fault("kie" if prefix else "suno", "generate", {"refund": True}, title_contains=title)
    with receiver() as heard:
        task_id, account = asked(sandbox, title, heard.url, prefix)
        entry = dealt_with(sandbox, title, "error")
    record = sandbox.get(f"{prefix}/api/v1/generate/record-info", account, taskId=task_id).json()["data"]

    assert [(body["code"], body["data"]["callbackType"]) for _, _, body in heard.calls] == [(531, "error")]
    assert (record["status"], record["errorCode"]) == ("GENERATE_AUDIO_FAILED", 531)
    assert entry["charged"] == entry["refunded"] == (12 if prefix else 10)
    assert sandbox.get(f"{prefix}/api/v1/generate/credit", account).json()["data"] == 100_000
