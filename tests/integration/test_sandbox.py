"""The sandbox as its clients see it: a real process, real HTTP, killed without warning."""

import csv
import io
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import soundfile

PAUSE_S = 0.05

Json = Any  #: whatever stands in a body


class Sandbox:
    """A sandbox process of this test, and a client's view of it."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data, self.options = data, options
        self._accounts = itertools.count()
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "muzikantas.sandbox", "--data", str(self.data), *self.options]
        with (self.data / "stderr.log").open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.url = ready["url"]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def new_account(self) -> dict[str, str]:
        return {"authorization": f"Bearer sandbox-{next(self._accounts)}"}

    def post(self, path: str, body: Json, account: dict[str, str] | None = None) -> requests.Response:
        return requests.post(self.url + path, json=body, headers=account, timeout=10)

    def get(self, path: str, account: dict[str, str] | None = None, **query: str) -> requests.Response:
        return requests.get(self.url + path, params=query, headers=account, timeout=10)

    def add_fault(self, provider: str, endpoint: str, do: dict[str, Any], **match: Json) -> None:
        rule = {"provider": provider, "endpoint": endpoint, "match": match, "do": do}
        assert self.post("/admin/faults", [rule]).json() == {"added": 1}

    def paid(self, title: str) -> dict[str, Any]:
        [entry] = [entry for entry in self.get("/admin/ledger").json()["requests"] if entry["title"] == title]
        return dict(entry)

    def record(self, task_id: str, account: dict[str, str]) -> dict[str, Any]:
        answer = self.get("/api/v1/generate/record-info", account, taskId=task_id).json()
        assert answer["code"] == 200
        return dict(answer["data"])

    def finished(self, task_id: str, account: dict[str, str]) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            record = self.record(task_id, account)
            if record["status"] not in {"PENDING", "TEXT_SUCCESS", "FIRST_SUCCESS"}:
                return record
            time.sleep(PAUSE_S)
        raise AssertionError(f"task {task_id} is still {record['status']}")

    def made(self, title: str, **options: Json) -> tuple[dict[str, Any], dict[str, str]]:
        account = self.new_account()
        answer = self.post("/api/v1/generate", song(title, **options), account).json()
        assert answer["code"] == 200
        return self.finished(answer["data"]["taskId"], account), account


def song(title: str, **options: Json) -> dict[str, Any]:
    return {
        "customMode": True,
        "instrumental": True,
        "model": "V5",
        "callBackUrl": "https://callbacks.invalid/x",
        "style": "house, 124 bpm, in A minor, energetic, bright tone, hopeful, driving drums",
        "title": title,
    } | options


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("sandbox"), "--generation-seconds", "0.3", "--audio-seconds", "6")
    yield running
    running.kill()


def test_a_request_gives_two_different_takes_of_real_stereo_audio(sandbox: Sandbox) -> None:
    record, _ = sandbox.made("Two Takes")

    assert record["status"] == "SUCCESS"
    assert json.loads(record["param"])["title"] == "Two Takes"
    first, second = record["response"]["sunoData"]
    sounds = [requests.get(take["audioUrl"], timeout=10).content for take in (first, second)]
    assert sounds[0] != sounds[1]
    samples, rate = soundfile.read(io.BytesIO(sounds[0]))
    assert (rate, samples.shape[1]) == (44_100, 2)
    assert first["duration"] == pytest.approx(len(samples) / rate, abs=0.1)
    assert abs(samples).max() < 10 ** (-1 / 20)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"callBackUrl": None}, 400),
        ({"style": ""}, 400),
        ({"instrumental": False}, 400),  # vocals need lyrics
        ({"model": "V99"}, 400),
        ({"styleWeight": 1.5}, 400),
        ({"title": "x" * 81}, 413),
        ({"instrumental": False, "prompt": "x" * 5001}, 413),
        ({"model": "V4", "style": "x" * 201}, 413),
    ],
)
def test_a_bad_request_costs_nothing(sandbox: Sandbox, change: dict[str, Any], code: int) -> None:
    account = sandbox.new_account()

    answer = sandbox.post("/api/v1/generate", song("Bad") | change, account)

    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (200, code, None)
    assert sandbox.get("/api/v1/generate/credit", account).json() == {"code": 200, "msg": "success", "data": 100_000}


def test_a_key_of_somebody_else_is_refused_everywhere(sandbox: Sandbox) -> None:
    foreign = {"authorization": "Bearer real-key"}

    assert sandbox.post("/api/v1/generate", song("x"), foreign).json()["code"] == 401
    assert sandbox.post("/v1/responses", {"model": "m", "input": "x"}, foreign).status_code == 401
    assert sandbox.get("/distribution/streams", foreign).status_code == 401


def test_the_twenty_first_request_within_ten_seconds_is_too_fast(sandbox: Sandbox) -> None:
    account, other = sandbox.new_account(), sandbox.new_account()

    codes = [sandbox.post("/api/v1/generate", {}, account).json()["code"] for _ in range(21)]

    assert codes == [400] * 20 + [430]
    assert sandbox.post("/api/v1/generate", {}, other).json()["code"] == 400


def test_an_empty_account_gets_429_and_the_ledger_adds_up(tmp_path: Path) -> None:
    running = Sandbox(tmp_path, "--credits", "25", "--generation-seconds", "60")
    account = running.new_account()

    codes = [running.post("/api/v1/generate", song(f"Song {n}"), account).json()["code"] for n in range(3)]
    book = running.get("/admin/ledger").json()
    running.kill()

    assert codes == [200, 200, 429]
    assert (book["paid_requests"], book["credits_spent"], book["credits_left"]) == (2, 20, 5)
    assert [entry["title"] for entry in book["requests"]] == ["Song 0", "Song 1"]


def test_a_paid_request_and_the_fault_script_survive_kill_9(tmp_path: Path) -> None:
    running = Sandbox(tmp_path, "--generation-seconds", "0.5", "--audio-seconds", "6")
    account = running.new_account()
    running.add_fault("suno", "generate", {"code": 455}, title_contains="second")
    task_id = running.post("/api/v1/generate", song("Survivor"), account).json()["data"]["taskId"]
    running.kill()

    running.start()
    try:
        record = running.finished(task_id, account)
        audio = requests.get(record["response"]["sunoData"][1]["audioUrl"], timeout=10).content
        assert record["status"] == "SUCCESS"
        assert soundfile.info(io.BytesIO(audio)).duration > 5
        assert running.paid("Survivor")["charged"] == 10
        assert running.post("/api/v1/generate", song("The second"), account).json()["code"] == 455
    finally:
        running.kill()


def test_the_same_seed_and_request_give_the_same_song_and_a_repetition_another(tmp_path: Path) -> None:
    ids = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        running = Sandbox(tmp_path / name, "--generation-seconds", "60")
        account = running.new_account()
        answers = [running.post("/api/v1/generate", song("Twice"), account).json() for _ in range(2)]
        ids.append([answer["data"]["taskId"] for answer in answers])
        running.kill()

    assert ids[0] == ids[1]
    assert ids[0][0] != ids[0][1]


def test_callbacks_come_in_order_to_this_machine_and_to_no_other(sandbox: Sandbox) -> None:
    received: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Keep the test's output quiet."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        record, _ = sandbox.made("Called Back", callBackUrl=f"http://127.0.0.1:{server.server_port}/secret")
        wait_for(lambda: len(received) == 3)
        server.shutdown()
        thread.join()
    sandbox.made("Not Called")
    wait_for(lambda: "complete" in sandbox.paid("Not Called")["callbacks"])

    assert [call["data"]["callbackType"] for call in received] == ["text", "first", "complete"]
    assert {call["data"]["task_id"] for call in received} == {record["taskId"]}
    assert received[-1]["data"]["data"][0]["audio_url"] == record["response"]["sunoData"][0]["audioUrl"]
    assert sandbox.paid("Not Called")["callbacks"]["complete"].startswith("skipped")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true within 10 s"
        time.sleep(PAUSE_S)


@pytest.mark.parametrize(("do", "status", "code"), [({"code": 405}, 200, 405), ({"http": 500}, 500, None)])
def test_a_scripted_refusal_is_not_charged_and_comes_once(
    sandbox: Sandbox, do: dict[str, Any], status: int, code: int | None
) -> None:
    account, title = sandbox.new_account(), f"Refused {status}"
    sandbox.add_fault("suno", "generate", do, title_contains=title, nth=2)

    answers = [sandbox.post("/api/v1/generate", song(title), account) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, status, 200]
    assert answers[1].json().get("code") == code
    assert sandbox.get("/api/v1/generate/credit", account).json()["data"] == 100_000 - 20


@pytest.mark.parametrize(("do", "charged"), [("drop", 0), ("accept_then_drop", 10)])
def test_a_broken_connection_may_or_may_not_have_been_paid(sandbox: Sandbox, do: str, charged: int) -> None:
    account = sandbox.new_account()
    sandbox.add_fault("suno", "generate", {do: True}, title_contains=f"Broken {do}.")

    with pytest.raises(requests.ConnectionError):
        sandbox.post("/api/v1/generate", song(f"Broken {do}."), account)

    assert sandbox.get("/api/v1/generate/credit", account).json()["data"] == 100_000 - charged
    if charged:
        assert sandbox.paid(f"Broken {do}.")["answered"] is False


def test_a_late_answer_is_charged_and_known_as_unanswered(sandbox: Sandbox) -> None:
    sandbox.add_fault("suno", "generate", {"delay_s": 0.6}, title_contains="Late")

    with pytest.raises(requests.Timeout):
        requests.post(sandbox.url + "/api/v1/generate", json=song("Late"), headers=sandbox.new_account(), timeout=0.3)
    time.sleep(0.6)

    assert sandbox.paid("Late")["answered"] is False


@pytest.mark.parametrize("refund", [False, True])
def test_a_failed_task_is_paid_unless_refunded(sandbox: Sandbox, *, refund: bool) -> None:
    title = f"Failing {refund}"
    sandbox.add_fault("suno", "generate", {"fail": "SENSITIVE_WORD_ERROR", "refund": refund}, title_contains=title)

    record, account = sandbox.made(title)

    assert (record["status"], record["response"]["sunoData"]) == ("SENSITIVE_WORD_ERROR", [])
    assert record["errorMessage"]
    assert sandbox.get("/api/v1/generate/credit", account).json()["data"] == 100_000 - (0 if refund else 10)


def test_a_callback_exception_still_has_audio(sandbox: Sandbox) -> None:
    sandbox.add_fault("suno", "generate", {"status": "CALLBACK_EXCEPTION"}, title_contains="Unheard")

    record, _ = sandbox.made("Unheard")

    assert record["status"] == "CALLBACK_EXCEPTION"
    assert requests.get(record["response"]["sunoData"][0]["audioUrl"], timeout=10).content


@pytest.mark.parametrize(
    ("do", "status", "start"), [("zero_bytes", 200, b""), ("html", 200, b"<!doctype"), ("expired", 404, b'{"error"')]
)
def test_a_bad_file_is_bad_once(sandbox: Sandbox, do: str, status: int, start: bytes) -> None:
    sandbox.add_fault("suno", "file", {do: True}, title_contains=f"File {do}")
    record, _ = sandbox.made(f"File {do}")
    link = record["response"]["sunoData"][0]["audioUrl"]

    bad, good = requests.get(link, timeout=10), requests.get(link, timeout=10)

    assert bad.status_code == status
    assert bad.content[: len(start) or None] == start
    assert soundfile.info(io.BytesIO(good.content)).duration > 5


def test_identical_takes_share_one_file(sandbox: Sandbox) -> None:
    sandbox.add_fault("suno", "generate", {"identical_takes": True}, title_contains="Twins")

    record, _ = sandbox.made("Twins")

    first, second = (requests.get(take["audioUrl"], timeout=10).content for take in record["response"]["sunoData"])
    assert first == second


def test_a_rule_that_cannot_be_obeyed_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.post("/admin/faults", [{"provider": "suno", "endpoint": "generate", "do": {"explode": True}}])

    assert answer.status_code == 422
    assert "explode" in answer.json()["error"]


def ask(sandbox: Sandbox, text: str) -> requests.Response:
    schema = {"type": "object", "properties": {"titles": {"type": "array", "items": {"type": "string"}}}}
    wish = {"format": {"type": "json_schema", "strict": True, "name": "Profile", "schema": schema}}
    return sandbox.post("/v1/responses", {"model": "gpt-5-mini", "input": text, "text": wish}, sandbox.new_account())


def test_an_answer_has_the_documented_form_and_depends_on_the_prompt_alone(sandbox: Sandbox) -> None:
    bodies = [ask(sandbox, f'Cycle {cycle}: {{"count": 6}}').json() for cycle in (1, 1, 2)]

    replies = [json.loads(body["output"][1]["content"][0]["text"]) for body in bodies]
    assert [item["type"] for item in bodies[0]["output"]] == ["reasoning", "message"]
    assert (
        bodies[0]["usage"]["total_tokens"] == bodies[0]["usage"]["input_tokens"] + bodies[0]["usage"]["output_tokens"]
    )
    assert len(set(replies[0]["titles"])) == 6
    assert replies[0] == replies[1]
    assert replies[0] != replies[2]


def test_the_writer_misbehaves_as_told_and_every_call_is_counted(sandbox: Sandbox) -> None:
    before = sandbox.get("/admin/ledger").json()["llm_calls"]
    for number, do in enumerate([{"refusal": True}, {"incomplete": True}, {"invalid_json": True}]):
        sandbox.add_fault("openai", "responses", do, input_contains=f"case {number}")
    limit = {"status": 429, "retry_after": 2, "error_code": "insufficient_quota"}
    sandbox.add_fault("openai", "responses", limit, input_contains="case 3")

    refused, incomplete, invalid, limited = (ask(sandbox, f"case {number}") for number in range(4))

    assert refused.json()["output"][1]["content"][0]["type"] == "refusal"
    assert incomplete.json()["status"] == "incomplete"
    assert incomplete.json()["incomplete_details"] == {"reason": "max_output_tokens"}
    with pytest.raises(json.JSONDecodeError):
        json.loads(invalid.json()["output"][1]["content"][0]["text"])
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "2")
    assert limited.json()["error"]["code"] == "insufficient_quota"
    assert sandbox.get("/admin/ledger").json()["llm_calls"] == before + 4


def test_streams_are_reported_once_released_the_same_every_time_and_grow_with_the_days(sandbox: Sandbox) -> None:
    record, account = sandbox.made("Released")
    take = record["response"]["sunoData"][0]["id"]
    release = {"reference": "R-1", "audio_id": take, "title": 'Say "Hello", World', "artist": "Vela"}
    today = sandbox.get("/admin/day").json()["day"]

    answers = [sandbox.post("/distribution/releases", release, account).json() for _ in range(2)]
    unknown = sandbox.post("/distribution/releases", release | {"reference": "R-2", "audio_id": "none"}, account)
    empty = sandbox.get("/distribution/streams", account).text
    sandbox.post("/admin/advance", {"days": 7})
    week = sandbox.get("/distribution/streams", account, since=today).text
    again = sandbox.get("/distribution/streams", account, since=today).text
    sandbox.post("/admin/advance", {"days": 1})
    longer = sandbox.get("/distribution/streams", account, since=today).text

    assert answers == [{"reference": "R-1", "released_on": today}] * 2
    assert unknown.status_code == 404
    assert empty == "date,track,isrc,title,platform,country,streams,listeners,saves,skips,revenue,currency\n"
    rows = list(csv.DictReader(io.StringIO(week)))
    assert week == again
    assert len(rows) == 7 * 5
    assert longer.startswith(week)
    assert len(list(csv.DictReader(io.StringIO(longer)))) == 8 * 5
    assert {row["title"] for row in rows} == {'Say "Hello", World'}
    assert all(f"{int(row['streams']) * 0.003:.6f}" == row["revenue"] for row in rows)


def test_a_scripted_report_fails_once(sandbox: Sandbox) -> None:
    account = sandbox.new_account()
    sandbox.add_fault("distribution", "streams", {"html": True})

    bad, good = (sandbox.get("/distribution/streams", account) for _ in range(2))

    assert bad.text.startswith("<!doctype")
    assert good.text.startswith("date,track")
