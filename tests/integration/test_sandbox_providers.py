"""kie.ai and ElevenLabs Music at the sandbox, what files can suffer, and the ledger over all providers."""

import concurrent.futures
import io
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests
import soundfile

from tests.integration.test_sandbox import Sandbox, song, wait_for

ASK: dict[str, Any] = {"model_id": "music_v1", "force_instrumental": True, "music_length_ms": 30_000}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    options = ("--generation-seconds", "0.4", "--audio-seconds", "4", "--fast-audio", "--music-concurrency", "2")
    running = Sandbox(tmp_path_factory.mktemp("sandbox"), *options)
    yield running
    running.kill()


def compose(sandbox: Sandbox, word: str, key: str = "", **options: Any) -> requests.Response:
    key = key or sandbox.new_account()["authorization"].removeprefix("Bearer ")
    body = {"prompt": f"{word}, house, 120 bpm"} | ASK | options
    url = f"{sandbox.url}/elevenlabs/v1/music?output_format=mp3_44100_128"
    return requests.post(url, json=body, headers={"xi-api-key": key}, timeout=10)


def composed(sandbox: Sandbox, prompt: str) -> dict[str, Any]:
    requests_ = sandbox.get("/admin/ledger").json()["requests"]
    [entry] = [entry for entry in requests_ if entry["provider"] == "elevenlabs" and prompt in entry["prompt"]]
    return dict(entry)


def test_kie_has_its_own_codes_accounts_and_prices(sandbox: Sandbox) -> None:
    account = sandbox.new_account()
    bad = song("Kie") | {"style": ""}

    codes = [sandbox.post("/kie/api/v1/generate", bad, account).json()["code"] for _ in range(21)]
    other = sandbox.new_account()
    task_id = sandbox.post("/kie/api/v1/generate", song("Kie"), other).json()["data"]["taskId"]
    polls = [sandbox.get("/kie/api/v1/generate/record-info", other, taskId=task_id).json()["code"] for _ in range(4)]

    assert codes == [422] * 20 + [429]
    assert polls == [200, 200, 200, 429]
    assert sandbox.get("/kie/api/v1/generate/credit", other).json()["data"] == 100_000 - 12
    assert sandbox.get("/api/v1/generate/credit", other).json()["data"] == 100_000
    assert sandbox.get("/api/v1/generate/record-info", other, taskId=task_id).json()["code"] == 404
    assert (sandbox.paid("Kie")["provider"], sandbox.paid("Kie")["charged"]) == ("kie", 12)


def test_kie_hands_out_two_files_under_its_own_address(sandbox: Sandbox) -> None:
    account = sandbox.new_account()
    task_id = sandbox.post("/kie/api/v1/generate", song("Kie Files"), account).json()["data"]["taskId"]
    wait_for(lambda: sandbox.paid("Kie Files")["status"] == "SUCCESS")
    record = sandbox.get("/kie/api/v1/generate/record-info", account, taskId=task_id).json()["data"]

    links = [take["audioUrl"] for take in record["response"]["sunoData"]]
    assert all(link.startswith(f"{sandbox.url}/kie/files/") for link in links)
    first, second = (requests.get(link, timeout=10).content for link in links)
    assert first != second
    assert soundfile.info(io.BytesIO(first)).duration > 3


def test_kie_is_out_of_credits_with_402(tmp_path: Any) -> None:
    running = Sandbox(tmp_path, "--credits", "20", "--generation-seconds", "60")
    account = running.new_account()

    codes = [running.post("/kie/api/v1/generate", song(f"K{n}"), account).json()["code"] for n in range(2)]
    poor = compose(running, "x", key="sandbox-1")
    running.kill()

    assert codes == [200, 402]
    assert (poor.status_code, poor.json()["detail"]["status"]) == (401, "quota_exceeded")


def test_elevenlabs_answers_with_audio_and_charges_by_length(sandbox: Sandbox) -> None:
    key = "sandbox-listener"
    answer = compose(sandbox, "unicorn", key)
    shown = requests.get(f"{sandbox.url}/elevenlabs/v1/user/subscription", headers={"xi-api-key": key}, timeout=10)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert soundfile.info(io.BytesIO(answer.content)).duration > 3
    entry = composed(sandbox, "unicorn")
    assert answer.headers["request-id"] == entry["task_id"]
    assert answer.headers["song-id"]
    assert (entry["reference"], entry["charged"], entry["answered"]) == (None, 30, True)
    assert shown.json()["character_count"] == 30


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"prompt": ""}, ["body", "prompt"]),
        ({"music_length_ms": 2_999}, ["body", "music_length_ms"]),
        ({"music_length_ms": 600_001}, ["body", "music_length_ms"]),
        ({"model_id": "music_v0"}, ["body", "model_id"]),
        ({"seed": 3}, ["body", "seed"]),
    ],
)
def test_elevenlabs_names_the_field_that_is_wrong(sandbox: Sandbox, change: dict[str, Any], where: list[str]) -> None:
    answer = compose(sandbox, "bad", **change)

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [where]


def test_elevenlabs_refuses_foreign_keys_and_a_third_call_at_a_time(sandbox: Sandbox) -> None:
    for _ in range(2):
        sandbox.add_fault("elevenlabs", "music", {"delay_s": 0.5}, prompt_contains="crowd")
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda n: compose(sandbox, f"crowd {n}", "sandbox-crowd"), range(3)))

    assert compose(sandbox, "x", "real-key").json()["detail"]["status"] == "invalid_api_key"
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429]
    [refused] = [answer for answer in answers if answer.status_code == 429]
    assert refused.json()["detail"]["status"] == "too_many_concurrent_requests"
    assert refused.headers["maximum-concurrent-requests"] == "2"
    assert refused.headers["current-concurrent-requests"] == "2"
    assert sandbox.get("/admin/ledger").json()["providers"]["elevenlabs"]["limited_requests"] == 1
    assert compose(sandbox, "afterwards", "sandbox-crowd").status_code == 200


@pytest.mark.parametrize(
    ("do", "status", "word"),
    [
        ({"error": "system_busy", "retry_after": 2}, 429, "system_busy"),
        ({"error": "quota_exceeded"}, 401, "quota_exceeded"),
        ({"error": "bad_prompt", "suggestion": "a plain tune"}, 400, "bad_prompt"),
        ({"http": 500}, 500, "internal_server_error"),
    ],
)
def test_elevenlabs_errors_as_told_and_charges_nothing(
    sandbox: Sandbox, do: dict[str, Any], status: int, word: str
) -> None:
    sandbox.add_fault("elevenlabs", "music", do, prompt_contains=f"told {word}")
    before = sandbox.get("/admin/ledger").json()["providers"].get("elevenlabs", {}).get("paid_requests", 0)

    answer = compose(sandbox, f"told {word}")

    assert (answer.status_code, answer.json()["detail"]["status"]) == (status, word)
    assert answer.headers.get("retry-after") == (str(do["retry_after"]) if "retry_after" in do else None)
    assert answer.json()["detail"].get("data") == ({"prompt_suggestion": "a plain tune"} if status == 400 else None)
    assert sandbox.get("/admin/ledger").json()["providers"].get("elevenlabs", {}).get("paid_requests", 0) == before


@pytest.mark.parametrize("do", [{"accept_then_drop": True}, {"accept_then_http": 500}, {"delay_s": 1.0}])
def test_elevenlabs_charges_what_it_accepted_even_if_nobody_hears_of_it(sandbox: Sandbox, do: dict[str, Any]) -> None:
    prompt = f"unheard {next(iter(do))}"
    sandbox.add_fault("elevenlabs", "music", do, prompt_contains=prompt)

    if "accept_then_http" in do:
        assert compose(sandbox, prompt).status_code == 500
    else:
        body, headers = {"prompt": prompt} | ASK, {"xi-api-key": "sandbox-unheard"}
        with pytest.raises((requests.ConnectionError, requests.Timeout)):
            requests.post(f"{sandbox.url}/elevenlabs/v1/music", json=body, headers=headers, timeout=0.8)
    time.sleep(1.2 if "delay_s" in do else 0.1)

    entry = composed(sandbox, prompt)
    assert (entry["charged"], entry["answered"]) == (30, False)


@pytest.mark.parametrize("do", [{"accept_then_code": 500}, {"accept_then_http": 502}])
def test_suno_fails_after_it_has_accepted(sandbox: Sandbox, do: dict[str, Any]) -> None:
    title, account = f"After {next(iter(do))}", sandbox.new_account()
    sandbox.add_fault("suno", "generate", do, title_contains=title)
    before = sandbox.get("/admin/ledger").json()["providers"].get("suno", {}).get("unanswered_accepts", 0)

    answer = sandbox.post("/api/v1/generate", song(title), account)

    assert (answer.status_code, answer.json().get("code")) in {(200, 500), (502, None)}
    assert (sandbox.paid(title)["charged"], sandbox.paid(title)["answered"]) == (10, False)
    assert sandbox.get("/admin/ledger").json()["providers"]["suno"]["unanswered_accepts"] == before + 1


@pytest.mark.parametrize("endpoint", ["generate", "file"])
@pytest.mark.parametrize("do", ["short", "silent", "truncated"])
def test_a_file_is_spoilt_as_told(sandbox: Sandbox, do: str, endpoint: str) -> None:
    title = f"Spoilt {do} {endpoint}"
    sandbox.add_fault("suno", endpoint, {do: 0.4 if do == "truncated" else True}, title_contains=title)
    record, _ = sandbox.made(title)
    link = record["response"]["sunoData"][0]["audioUrl"]

    bad, again = requests.get(link, timeout=10), requests.get(link, timeout=10)

    assert int(bad.headers["content-length"]) == len(bad.content)
    if do == "truncated":
        whole = len(again.content) if endpoint == "file" else len(bad.content) / 0.4
        assert len(bad.content) == pytest.approx(0.4 * whole, abs=1)
    else:
        samples, rate = soundfile.read(io.BytesIO(bad.content))
        assert len(samples) / rate == pytest.approx(2 if do == "short" else record_s(record), abs=0.6)
        assert bool(np.abs(samples).max() == 0) is (do == "silent")
    assert (bad.content == again.content) is (endpoint == "generate")


def record_s(record: dict[str, Any]) -> float:
    return float(record["response"]["sunoData"][0]["duration"])


def test_the_ledger_adds_up_over_providers_and_counts_faults(sandbox: Sandbox) -> None:
    book = sandbox.get("/admin/ledger").json()
    providers, entries = book["providers"], book["requests"]

    for name in ("paid_requests", "unanswered_accepts", "credits_spent", "limited_requests"):
        assert book[name] == sum(provider[name] for provider in providers.values())
    assert book["credits_spent"] == sum(entry["charged"] - entry["refunded"] for entry in entries)
    assert book["unanswered_accepts"] == sum(not entry["answered"] for entry in entries)
    assert len({entry["task_id"] for entry in entries}) == len(entries) == book["paid_requests"]
    before = sandbox.get("/admin/faults/applied").json()["by_kind"].get("code:455", 0)
    sandbox.add_fault("kie", "generate", {"code": 455}, title_contains="Counted")
    sandbox.post("/kie/api/v1/generate", song("Counted"), sandbox.new_account())
    assert sandbox.get("/admin/faults/applied").json()["by_kind"]["code:455"] == before + 1


def test_two_hundred_tasks_in_flight_end_on_time(sandbox: Sandbox) -> None:
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        accounts = [sandbox.new_account() for _ in range(10)]
        list(threads.map(lambda n: sandbox.post("/api/v1/generate", song(f"Load {n}"), accounts[n % 10]), range(200)))
    wait_for(lambda: loads(sandbox) == {"SUCCESS"})

    assert time.monotonic() - started < 8


def loads(sandbox: Sandbox) -> set[str]:
    entries = sandbox.get("/admin/ledger").json()["requests"]
    return {entry["status"] for entry in entries if entry["title"].startswith("Load")}
