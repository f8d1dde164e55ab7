"""Every answer that the documentation knows, and some that it does not, sorted by what to do about it."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, SSLError

from muzikantas.clients.elevenlabs import ELEVENLABS_FACTS, BadPrompt, ElevenLabsGenerator
from muzikantas.clients.generators import Generator, generator
from muzikantas.clients.http import call
from muzikantas.domain.brief import Brief, Submitted
from muzikantas.domain.errors import (
    MuzikantasError,
    OutOfCredits,
    Refused,
    TransientError,
    Unauthorized,
    UnknownOutcome,
)
from tests.contract.server import Answer, Server

WIRE = Path(__file__).parents[1] / "wire"
MADE = {"code": 200, "msg": "success", "data": {"taskId": "5c79"}}
BRIEF = Brief(style="deep house", title="Sea", lyrics=None, negative_tags="metal", vocal_gender=None, model="music_v1")
AUDIO = b"ID3" + bytes(64)


def wire(name: str) -> Any:
    return json.loads((WIRE / f"{name}.json").read_text())["payload"]


def coded(code: object, status: int = 200, retry_after: str = "") -> Answer:
    headers = {"retry-after": retry_after} if retry_after else {}
    return Answer(status=status, body={"code": code, "msg": "as told", "data": None}, headers=headers)


def submit(made: Generator, brief: Brief = BRIEF, callback_url: str | None = None) -> Submitted:
    return made.submit(brief, key="planted", reference="r-1", callback_url=callback_url)


SUBMITS: list[tuple[str, Answer, type[MuzikantasError], float | None]] = [
    ("sunoapi", coded(405), TransientError, 10),
    ("sunoapi", coded(430), TransientError, 10),
    ("sunoapi", coded(430, retry_after="33"), TransientError, 33),
    ("sunoapi", coded("430"), TransientError, 10),  # a number as text
    ("sunoapi", coded(455), TransientError, 120),
    ("sunoapi", coded(455, 503), TransientError, 120),  # documented in the body, whatever HTTP says
    ("sunoapi", coded(429), OutOfCredits, None),
    ("sunoapi", coded(429, 429), OutOfCredits, None),
    ("sunoapi", Answer(status=429, body=b"slow down", headers={"retry-after": "7"}), TransientError, 7),  # a proxy
    ("sunoapi", coded(401), Unauthorized, None),
    ("sunoapi", coded(401, 401), Unauthorized, None),
    ("sunoapi", Answer(status=401, body=b"<html>who are you"), Unauthorized, None),
    ("sunoapi", coded(400), Refused, None),
    ("sunoapi", coded(413), Refused, None),
    ("sunoapi", coded(404), Refused, None),
    ("sunoapi", Answer(status=404, body={"detail": "Not Found"}), Refused, None),  # no code: HTTP, by the same table
    ("sunoapi", Answer(status=405, body=b""), TransientError, 10),
    ("sunoapi", Answer(status=429, body={"error": "no"}), OutOfCredits, None),
    ("sunoapi", coded(500), UnknownOutcome, None),
    ("sunoapi", coded(402), UnknownOutcome, None),  # no word of this gateway
    ("sunoapi", coded(999), UnknownOutcome, None),
    ("sunoapi", coded(200, 500), UnknownOutcome, None),
    ("sunoapi", coded(200), UnknownOutcome, None),  # success without a task
    ("sunoapi", Answer(status=500, body=b"oh no"), UnknownOutcome, None),
    ("sunoapi", Answer(status=502, body=b"<html>bad gateway"), UnknownOutcome, None),
    ("sunoapi", Answer(status=200, body=b"<html>just a moment"), UnknownOutcome, None),
    ("sunoapi", Answer(status=200, body=[1, 2]), UnknownOutcome, None),
    ("sunoapi", Answer(status=200, body=b""), UnknownOutcome, None),
    ("sunoapi", Answer(status=302, headers={"location": "/elsewhere"}), UnknownOutcome, None),
    ("sunoapi", Answer(drop=True), UnknownOutcome, None),
    ("sunoapi", Answer(body=MADE, headers={"content-length": "4000"}), UnknownOutcome, None),  # cut off
    ("kie", coded(429), TransientError, 10),
    ("kie", coded(402), OutOfCredits, None),
    ("kie", coded(433), OutOfCredits, None),
    ("kie", coded(422), Refused, None),
    ("kie", coded(505), Refused, None),
    ("kie", coded(455), TransientError, 120),
    ("kie", coded(401), Unauthorized, None),
    ("kie", coded(405), UnknownOutcome, None),
    ("kie", coded(500), UnknownOutcome, None),
    ("kie", coded(501), UnknownOutcome, None),
    ("kie", Answer(status=505, body=b"HTTP Version Not Supported"), UnknownOutcome, None),
]


def said(status: int, word: str, **headers: str) -> Answer:
    return Answer(status=status, body={"detail": {"status": word, "message": "as told"}}, headers=headers)


SUBMITS += [
    ("elevenlabs", said(429, "too_many_concurrent_requests"), TransientError, 5),
    ("elevenlabs", said(429, "system_busy"), TransientError, None),
    ("elevenlabs", said(429, "system_busy", **{"retry-after": "12"}), TransientError, 12),
    ("elevenlabs", Answer(status=429, body=b"slow down"), TransientError, None),
    ("elevenlabs", said(401, "invalid_api_key"), Unauthorized, None),
    ("elevenlabs", said(401, "quota_exceeded"), OutOfCredits, None),
    ("elevenlabs", said(402, "payment_required"), OutOfCredits, None),
    ("elevenlabs", said(400, "max_character_limit_exceeded"), Refused, None),
    ("elevenlabs", Answer(status=400, body=wire("elevenlabs_bad_prompt")), BadPrompt, None),
    ("elevenlabs", Answer(status=422, body=wire("elevenlabs_validation")), Refused, None),
    ("elevenlabs", said(404, "not_found"), Refused, None),
    ("elevenlabs", Answer(status=404, body={"detail": "Not Found"}), Refused, None),
    ("elevenlabs", said(500, "internal_error"), UnknownOutcome, None),
    ("elevenlabs", said(503, "quota_exceeded"), UnknownOutcome, None),
    ("elevenlabs", Answer(status=504, body=b"<html>timed out"), UnknownOutcome, None),
    ("elevenlabs", said(408, "timeout"), UnknownOutcome, None),
    ("elevenlabs", Answer(drop=True), UnknownOutcome, None),
    ("elevenlabs", Answer(body=b"<html>just a moment"), UnknownOutcome, None),
    ("elevenlabs", Answer(body=b""), UnknownOutcome, None),
    ("elevenlabs", Answer(body=AUDIO, headers={"content-length": "4000"}), UnknownOutcome, None),  # cut off
]


@pytest.mark.parametrize(("name", "answer", "kind", "asked_s"), SUBMITS)
def test_a_submit_is_sent_once_and_its_answer_sorted(
    name: str, answer: Answer, kind: type[MuzikantasError], asked_s: float | None
) -> None:
    with Server(answer) as server, pytest.raises(MuzikantasError) as caught:
        submit(generator(name, base_url=server.url))

    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after_s", None) == asked_s
    assert "planted" not in str(caught.value)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=MADE),
        Answer(body={"code": "200", "data": {"task_id": "5c79"}}),
        Answer(status=500, body=MADE),  # the task has a name: it is made, whatever HTTP says
    ],
)
def test_an_answer_that_names_a_task_is_a_success(answer: Answer) -> None:
    with Server(answer) as server:
        assert submit(generator("sunoapi", base_url=server.url)) == Submitted(task_id="5c79")


def test_a_server_that_is_not_there_was_never_asked() -> None:
    with Server(Answer()) as server:
        address = server.url
    for name in ("sunoapi", "kie", "elevenlabs"):
        with pytest.raises(TransientError):
            submit(generator(name, base_url=address))
    with Server(Answer()) as server, pytest.raises(TransientError, match="TLS failed"):
        submit(generator("sunoapi", base_url=server.url.replace("http:", "https:")))


def test_a_submit_says_who_asks_and_where_to_call_back() -> None:
    with Server(Answer(body=MADE)) as server:
        submit(generator("kie", base_url=server.url), callback_url="https://label.example/callbacks/kie/r-1")
        submit(generator("kie", base_url=server.url))

    called, uncalled = server.received
    assert called.path == "/api/v1/generate"
    assert called.headers["Authorization"] == "Bearer planted"
    assert called.body["callBackUrl"] == "https://label.example/callbacks/kie/r-1"
    assert called.body["negativeTags"] == "metal"
    # The field is required, also where nobody can be called.
    assert uncalled.body["callBackUrl"] == "https://callback.invalid/r-1"


@pytest.mark.parametrize(("model", "style_chars", "lyrics_chars"), [("V4", 200, 3000), ("V5", 1000, 5000)])
def test_titles_and_styles_are_cut_at_a_word_and_long_lyrics_never_sent(
    caplog: pytest.LogCaptureFixture, model: str, style_chars: int, lyrics_chars: int
) -> None:
    words = Brief(
        style="warm " * 400, title="Sea " * 30, lyrics="la" * 5, negative_tags="", vocal_gender="f", model=model
    )
    with Server(Answer(body=MADE)) as server:
        made = generator("sunoapi", base_url=server.url)
        submit(made, words)
        too_long = Brief(**vars(words) | {"lyrics": "x" * (lyrics_chars + 1)})
        with pytest.raises(Refused, match=f"{lyrics_chars + 1} characters; {model} takes {lyrics_chars}"):
            submit(made, too_long)

    [sent] = server.received
    assert len(sent.body["style"]) <= style_chars
    assert set(sent.body["style"].split()) == {"warm"}
    assert len(sent.body["title"]) <= 80
    assert "r-1: title cut from 120 to" in caplog.text


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(status=500, body=b"oh no"), TransientError),
        (Answer(drop=True), TransientError),
        (Answer(body=b"<html>just a moment"), TransientError),
        (coded(404), TransientError),
        (coded(422), TransientError),
        (coded(429), TransientError),
        (coded(200), TransientError),  # no record (yet)
        (coded(401), Unauthorized),
    ],
)
@pytest.mark.parametrize("name", ["sunoapi", "kie"])
def test_no_answer_to_a_look_ends_a_job_that_is_paid_for(
    name: str, answer: Answer, kind: type[MuzikantasError]
) -> None:
    with Server(answer) as server, pytest.raises(kind):
        generator(name, base_url=server.url).look("5c79", key="planted")


def test_a_balance_is_asked_where_the_gateway_has_it() -> None:
    balance = Answer(body={"code": 200, "msg": "success", "data": 99.5})
    with Server(coded(404, 404), balance) as server:
        assert generator("kie", base_url=server.url).credits_left(key="planted") == 99
    assert [each.path for each in server.received] == ["/api/v1/chat/credit", "/api/v1/generate/credit"]

    subscription = Answer(body={"tier": "creator", "character_count": 300, "character_limit": 1000})
    with Server(subscription) as server:
        assert generator("elevenlabs", base_url=server.url).credits_left(key="planted") == 700


def test_the_audio_of_a_synchronous_provider_is_in_the_answer() -> None:
    sung = Brief(**vars(BRIEF) | {"lyrics": "[Verse] Night", "vocal_gender": "f"})
    with Server(Answer(body=AUDIO, headers={"song-id": "s-1"}), Answer(body=AUDIO)) as server:
        made = generator("elevenlabs", base_url=server.url)
        assert submit(made) == Submitted(task_id="s-1", audio=(AUDIO,))
        assert submit(made, sung).task_id == "r-1"

    plain, song = (each.body for each in server.received)
    assert server.received[0].headers["xi-api-key"] == "planted"
    assert server.received[0].path == "/v1/music?output_format=mp3_44100_128"
    assert (plain["force_instrumental"], song["force_instrumental"]) == (True, False)
    assert plain["prompt"] == "deep house\nWithout: metal"
    assert song["prompt"].endswith("female vocals, sung to these lyrics:\n[Verse] Night")


def test_a_bad_prompt_brings_what_would_pass() -> None:
    answer = Answer(status=400, body=wire("elevenlabs_bad_prompt"))
    with Server(answer) as server, pytest.raises(BadPrompt) as caught:
        submit(generator("elevenlabs", base_url=server.url))

    assert caught.value.suggestion == "a bright disco song with falsetto vocals"


def test_a_failed_validation_is_named() -> None:
    answer = Answer(status=422, body=wire("elevenlabs_validation"))
    with Server(answer) as server, pytest.raises(Refused, match=r"body\.music_length_ms: Input should be greater"):
        submit(generator("elevenlabs", base_url=server.url))


def test_a_whole_answer_has_its_deadline_however_steadily_it_drips() -> None:
    dripping = Answer(body=bytes(30), piece_s=0.1)
    with Server(dripping) as server:
        for ask in (
            lambda: call("GET", server.url, total_s=0.4),
            lambda: submit(ElevenLabsGenerator(server.url, replace(ELEVENLABS_FACTS, answer_s=0.4))),
        ):
            started = time.monotonic()
            with pytest.raises(UnknownOutcome, match="no whole answer in"):
                ask()
            assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate", TransientError),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", TransientError),
        # The peer went away: while connecting or while it was at work for us, the class of the error is the same.
        ("EOF occurred in violation of protocol", UnknownOutcome),
        ("[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed", UnknownOutcome),
    ],
)
def test_a_broken_tls_connection_may_have_carried_the_request(
    monkeypatch: pytest.MonkeyPatch, words: str, kind: type[MuzikantasError]
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise requests.exceptions.SSLError(MaxRetryError(HTTPSConnectionPool("x.example"), "/", SSLError(words)))

    monkeypatch.setattr(requests, "request", broken)  # a real server of TLS would need a certificate authority

    with pytest.raises(kind):
        call("POST", "https://x.example/")
