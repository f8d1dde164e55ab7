"""WAV files of the sandbox: one for each take, called back, spoilt as told, gone after their days."""

import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import soundfile

from tests.integration.test_sandbox import Sandbox, song, wait_for
from tests.integration.test_sandbox_callbacks import KEY, expected_signature, receiver

OPTIONS = ("--generation-seconds", "0.4", "--audio-seconds", "3", "--fast-audio", "--webhook-key", KEY)
Account = dict[str, str]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("sandbox"), *OPTIONS)
    yield running
    running.kill()


def sung(sandbox: Sandbox, title: str, prefix: str = "") -> tuple[dict[str, Any], Account]:
    """Have a song made; give what a conversion of its first take asks for."""
    account = sandbox.new_account()
    task_id = sandbox.post(f"{prefix}/api/v1/generate", song(title), account).json()["data"]["taskId"]
    wait_for(lambda: sandbox.paid(title)["status"] == "SUCCESS")
    record = sandbox.get(f"{prefix}/api/v1/generate/record-info", account, taskId=task_id).json()["data"]
    take = record["response"]["sunoData"][0]["id"]
    return {"taskId": task_id, "audioId": take, "callBackUrl": "https://callbacks.invalid/x"}, account


def begun(sandbox: Sandbox, ask: dict[str, Any], account: Account, prefix: str = "") -> str:
    answer = sandbox.post(f"{prefix}/api/v1/wav/generate", ask, account).json()
    assert answer["code"] == 200
    return str(answer["data"]["taskId"])


def ended(sandbox: Sandbox, wav_id: str, account: Account, prefix: str = "") -> dict[str, Any]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        answer = sandbox.get(f"{prefix}/api/v1/wav/record-info", account, taskId=wav_id).json()
        if answer["data"]["successFlag"] != "PENDING":
            return dict(answer["data"])
        time.sleep(0.05)
    raise AssertionError(f"WAV {wav_id} is still pending")


def told(sandbox: Sandbox, wav_id: str) -> str:
    def outcome() -> str | None:
        [entry] = [entry for entry in sandbox.get("/admin/ledger").json()["wavs"] if entry["wav_id"] == wav_id]
        return entry["callback"] and str(entry["callback"])

    wait_for(lambda: outcome() is not None)
    return str(outcome())


@pytest.mark.parametrize("prefix", ["", "/kie"])
def test_a_take_has_one_wav_that_sounds_like_it(sandbox: Sandbox, prefix: str) -> None:
    ask, account = sung(sandbox, f"Master {prefix}.", prefix)
    path = f"{prefix}/api/v1/wav/generate"

    first, second = (sandbox.post(path, ask, account).json() for _ in range(2))
    record = ended(sandbox, first["data"]["taskId"], account, prefix)

    assert (second["code"], second["data"]) == (409, None)
    assert (record["successFlag"], record["musicId"]) == ("SUCCESS", ask["audioId"])
    assert (record["callbackUrl"], record["errorCode"]) == (ask["callBackUrl"], None)
    wav = requests.get(record["response"]["audioWavUrl"], timeout=10)
    mp3 = requests.get(record["response"]["audioWavUrl"].replace(".wav", ".mp3"), timeout=10)
    sounds = [soundfile.read(io.BytesIO(each.content), dtype="int16") for each in (wav, mp3)]
    assert wav.headers["content-type"] == "audio/wav"
    assert soundfile.info(io.BytesIO(wav.content)).subtype == "PCM_16"
    assert (sounds[0][0] == sounds[1][0]).all()
    assert sounds[0][1] == 44_100


def test_a_bad_request_begins_nothing(sandbox: Sandbox) -> None:
    ask, account = sung(sandbox, "Bad Requests")
    before = sandbox.get("/admin/ledger").json()["wavs"]
    changes: list[tuple[dict[str, Any], int]] = [
        ({"audioId": ""}, 400),
        ({"callBackUrl": None}, 400),
        ({"audioId": "of another"}, 400),
        ({"taskId": "of nobody"}, 404),
    ]

    codes = [sandbox.post("/api/v1/wav/generate", ask | change, account).json()["code"] for change, _ in changes]

    assert codes == [code for _, code in changes]
    assert sandbox.post("/api/v1/wav/generate", ask, sandbox.new_account()).json()["code"] == 404
    assert sandbox.post("/api/v1/wav/generate", ask, {"authorization": "Bearer real"}).json()["code"] == 401
    assert sandbox.post("/kie/api/v1/wav/generate", ask | {"audioId": ""}, account).json()["code"] == 422
    assert sandbox.get("/admin/ledger").json()["wavs"] == before


@pytest.mark.parametrize("flag", ["CREATE_TASK_FAILED", "GENERATE_WAV_FAILED"])
def test_a_conversion_that_fails_has_no_file_and_says_so(sandbox: Sandbox, flag: str) -> None:
    sandbox.add_fault("suno", "wav", {"fail": flag}, title_contains=flag)
    ask, account = sung(sandbox, flag)
    with receiver() as heard:
        wav_id = sandbox.post("/api/v1/wav/generate", ask | {"callBackUrl": heard.url}, account).json()["data"][
            "taskId"
        ]
        record = ended(sandbox, wav_id, account)
        told(sandbox, wav_id)

    assert (record["successFlag"], record["response"], record["errorCode"]) == (flag, None, 500)
    [(_, _, body)] = heard.calls
    assert (body["code"], body["data"]) == (500, {"audioWavUrl": None, "task_id": wav_id})
    assert requests.get(f"{sandbox.url}/files/{ask['audioId']}.wav", timeout=10).status_code == 404


def test_a_callback_that_failed_leaves_the_file(sandbox: Sandbox) -> None:
    sandbox.add_fault("suno", "wav", {"status": "CALLBACK_EXCEPTION"}, title_contains="Unheard Master")
    ask, account = sung(sandbox, "Unheard Master")
    wav_id = begun(sandbox, ask, account)

    record = ended(sandbox, wav_id, account)

    assert record["successFlag"] == "CALLBACK_EXCEPTION"
    assert requests.get(record["response"]["audioWavUrl"], timeout=10).content.startswith(b"RIFF")


@pytest.mark.parametrize(("script", "calls"), [("duplicate", 2), ("missing", 0), ("late", 1), ("bad_signature", 1)])
def test_its_callback_comes_as_the_script_wants(sandbox: Sandbox, script: str, calls: int) -> None:
    title = f"Master Called {script}"
    deed: dict[str, Any] = {"callback": script} | ({"delay_s": 1.0} if script == "late" else {})
    sandbox.add_fault("kie", "wav", deed, title_contains=title)
    ask, account = sung(sandbox, title, "/kie")
    with receiver() as heard:
        wav_id = begun(sandbox, ask | {"callBackUrl": heard.url}, account, "/kie")
        record = ended(sandbox, wav_id, account, "/kie")
        done = time.time()
        outcome = told(sandbox, wav_id)

    link = record["response"]["audioWavUrl"]
    assert [body["data"] for _, _, body in heard.calls] == [{"audioWavUrl": link, "task_id": wav_id}] * calls
    assert [attempt["kind"] for attempt in sandbox.paid(title)["attempts"] if attempt["kind"] == "wav"] == [
        "wav"
    ] * calls
    assert outcome.startswith("answered" if calls else "withheld")
    for at, headers, _ in heard.calls:
        good = headers["x-webhook-signature"] == expected_signature(wav_id, headers["x-webhook-timestamp"])
        assert good is (script != "bad_signature")
        assert script != "late" or at - done > 0.5


@pytest.mark.parametrize(
    ("do", "status", "start"), [("zero_bytes", 200, b""), ("html", 200, b"<!doctype"), ("expired", 404, b'{"error"')]
)
def test_a_bad_file_is_bad_once(sandbox: Sandbox, do: str, status: int, start: bytes) -> None:
    sandbox.add_fault("suno", "wav-file", {do: True}, title_contains=f"Master {do}")
    ask, account = sung(sandbox, f"Master {do}")
    wav_id = begun(sandbox, ask, account)
    link = ended(sandbox, wav_id, account)["response"]["audioWavUrl"]

    bad, good = requests.get(link, timeout=10), requests.get(link, timeout=10)

    assert (bad.status_code, bad.content[: len(start) or None]) == (status, start)
    assert good.content.startswith(b"RIFF")


def test_an_accepted_conversion_is_accepted_once_even_if_nobody_hears_of_it(sandbox: Sandbox) -> None:
    sandbox.add_fault("suno", "wav", {"accept_then_drop": True}, title_contains="Dropped Master")
    ask, account = sung(sandbox, "Dropped Master")

    with pytest.raises(requests.ConnectionError):
        sandbox.post("/api/v1/wav/generate", ask, account)

    assert sandbox.post("/api/v1/wav/generate", ask, account).json()["code"] == 409


def test_a_conversion_and_its_callback_survive_kill_9(tmp_path: Any) -> None:
    running = Sandbox(tmp_path, "--generation-seconds", "3", "--audio-seconds", "3", "--fast-audio", "--seed", "9")
    ask, account = sung(running, "Survivor")
    with receiver() as heard:
        wav_id = running.post("/api/v1/wav/generate", ask | {"callBackUrl": heard.url}, account).json()["data"][
            "taskId"
        ]
        running.kill()
        running.start()
        try:
            told(running, wav_id)
            record = ended(running, wav_id, account)
        finally:
            running.kill()

    assert record["successFlag"] == "SUCCESS"
    assert [body["data"]["task_id"] for _, _, body in heard.calls] == [wav_id]


def test_files_are_gone_after_their_days(sandbox: Sandbox) -> None:
    ask, account = sung(sandbox, "Old Master")
    wav_id = begun(sandbox, ask, account)
    links = [ended(sandbox, wav_id, account)["response"]["audioWavUrl"]]
    links.append(links[0].replace(".wav", ".mp3"))
    found = []
    for passed in (14, 1):
        sandbox.post("/admin/advance", {"days": passed})
        found.append([requests.get(link, timeout=10).status_code for link in links])

    assert found == [[200, 200], [404, 404]]
