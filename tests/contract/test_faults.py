"""Every fault that the sandbox can be told reaches our clients as the error that says what to do about it."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from muzikantas.clients.downloads import download
from muzikantas.clients.elevenlabs import BadPrompt
from muzikantas.domain.brief import JobState
from muzikantas.domain.errors import (
    MuzikantasError,
    OutOfCredits,
    Refused,
    TransientError,
    Unauthorized,
    UnknownOutcome,
    UnusableAudio,
)
from tests.contract.conftest import Target, brief, followed, stand_in

Script = Callable[..., None]

#: What the sandbox calls each of our providers, and the endpoint of its paid request.
STAND_INS = {"sunoapi": ("suno", "generate"), "kie": ("kie", "generate"), "elevenlabs": ("elevenlabs", "music")}

SUBMITS: list[tuple[str, dict[str, Any], type[MuzikantasError], int]] = [
    ("sunoapi", {"code": 405}, TransientError, 0),
    ("sunoapi", {"code": 430}, TransientError, 0),
    ("sunoapi", {"code": 430, "http": 429, "retry_after": 3}, TransientError, 0),
    ("sunoapi", {"code": 429}, OutOfCredits, 0),
    ("sunoapi", {"code": 455}, TransientError, 0),
    ("sunoapi", {"code": 401}, Unauthorized, 0),
    ("sunoapi", {"code": 413}, Refused, 0),
    ("sunoapi", {"code": 500}, UnknownOutcome, 0),
    ("sunoapi", {"http": 502}, UnknownOutcome, 0),
    ("sunoapi", {"drop": True}, UnknownOutcome, 0),
    ("sunoapi", {"accept_then_drop": True}, UnknownOutcome, 1),
    ("sunoapi", {"accept_then_http": 502}, UnknownOutcome, 1),
    ("sunoapi", {"accept_then_code": 500}, UnknownOutcome, 1),
    ("kie", {"code": 429}, TransientError, 0),
    ("kie", {"code": 402}, OutOfCredits, 0),
    ("kie", {"code": 433}, OutOfCredits, 0),
    ("kie", {"code": 422}, Refused, 0),
    ("kie", {"code": 455}, TransientError, 0),
    ("kie", {"code": 501}, UnknownOutcome, 0),
    ("kie", {"accept_then_drop": True}, UnknownOutcome, 1),
    ("elevenlabs", {"error": "too_many_concurrent_requests"}, TransientError, 0),
    ("elevenlabs", {"error": "system_busy", "retry_after": 4}, TransientError, 0),
    ("elevenlabs", {"error": "quota_exceeded"}, OutOfCredits, 0),
    ("elevenlabs", {"error": "invalid_api_key"}, Unauthorized, 0),
    ("elevenlabs", {"error": "bad_prompt", "suggestion": "a plain tune"}, BadPrompt, 0),
    ("elevenlabs", {"error": "max_character_limit_exceeded"}, Refused, 0),
    ("elevenlabs", {"http": 422}, Refused, 0),
    ("elevenlabs", {"http": 500}, UnknownOutcome, 0),
    ("elevenlabs", {"accept_then_drop": True}, UnknownOutcome, 1),
    ("elevenlabs", {"accept_then_http": 504}, UnknownOutcome, 1),
]


#: Those whose audio has links.
gateways = pytest.mark.parametrize("name", ["sunoapi", "kie"])


@pytest.mark.parametrize(("name", "do", "kind", "paid"), SUBMITS, ids=[f"{name} {do}" for name, do, _, _ in SUBMITS])
def test_a_submit_that_goes_wrong_is_sorted_and_the_ledger_knows(
    sandbox_url: str, script: Script, name: str, do: dict[str, Any], kind: type[MuzikantasError], paid: int
) -> None:
    target = stand_in(name, sandbox_url)
    script(*STAND_INS[name], do)

    with pytest.raises(MuzikantasError) as caught:
        target.generator.submit(brief(target), key=target.key, reference="contract", callback_url=None)

    assert type(caught.value) is kind
    if "retry_after" in do:
        assert getattr(caught.value, "retry_after_s", None) == do["retry_after"]
    if isinstance(caught.value, BadPrompt):
        assert caught.value.suggestion == do["suggestion"]
    book = requests.get(f"{sandbox_url}/admin/ledger", timeout=5).json()["requests"]
    mine = [entry for entry in book if entry["account"] == target.key]
    assert [(entry["charged"] > 0, entry["answered"]) for entry in mine] == [(True, False)] * paid


def made(target: Target) -> JobState:
    submitted = target.generator.submit(brief(target), key=target.key, reference="contract", callback_url=None)
    return followed(target, submitted.task_id)


@gateways
@pytest.mark.parametrize(
    ("do", "refused", "refunded"),
    [
        ({"fail": "SENSITIVE_WORD_ERROR"}, True, False),
        ({"fail": "GENERATE_AUDIO_FAILED"}, False, False),
        ({"fail": "CREATE_TASK_FAILED"}, False, False),
        ({"fail": "GENERATE_AUDIO_FAILED", "refund": True}, False, True),
    ],
)
def test_a_job_that_fails_says_why(
    sandbox_url: str, script: Script, name: str, do: dict[str, Any], *, refused: bool, refunded: bool
) -> None:
    target = stand_in(name, sandbox_url)
    before = target.generator.credits_left(key=target.key)
    script(*STAND_INS[name], do)

    state = made(target)

    assert do["fail"] in str(state.failure)
    assert (state.refused, state.refunded) == (refused, refunded)
    after = target.generator.credits_left(key=target.key)
    assert (after == before) is refunded


@gateways
def test_a_callback_that_failed_over_there_is_a_success(sandbox_url: str, script: Script, name: str) -> None:
    target = stand_in(name, sandbox_url)
    script(*STAND_INS[name], {"status": "CALLBACK_EXCEPTION"})

    state = made(target)

    assert state.failure is None
    assert state.takes is not None
    assert len({download(take.url)[0] for take in state.takes}) == 2


@gateways
@pytest.mark.parametrize(
    ("do", "said"),
    [
        ({"zero_bytes": True}, "zero bytes"),
        ({"html": True}, "no audio"),
        ({"expired": True}, "HTTP 404"),
        ({"expired": 403}, "HTTP 403"),
    ],
)
def test_a_file_that_is_none_is_noticed_on_arrival(
    sandbox_url: str, script: Script, name: str, do: dict[str, Any], said: str
) -> None:
    target = stand_in(name, sandbox_url)
    script(*STAND_INS[name], do)
    takes = made(target).takes

    assert takes is not None
    for take in takes:
        with pytest.raises(UnusableAudio, match=said):
            download(take.url)


@gateways
def test_identical_takes_are_the_same_bytes(sandbox_url: str, script: Script, name: str) -> None:
    target = stand_in(name, sandbox_url)
    script(*STAND_INS[name], {"identical_takes": True})
    takes = made(target).takes

    assert takes is not None
    assert len({take.url for take in takes}) == 2
    assert len({download(take.url)[0] for take in takes}) == 1


@gateways
def test_links_end_when_the_gateway_says_so(sandbox_url: str, script: Script, name: str) -> None:
    target = stand_in(name, sandbox_url)
    script(*STAND_INS[name], {"keep_days": 3})
    short, long = made(target).takes, made(target).takes

    assert short is not None
    assert long is not None
    advance(sandbox_url, 2)
    assert download(short[0].url)[1] == ".mp3"
    advance(sandbox_url, 1)
    with pytest.raises(UnusableAudio, match="expired"):
        download(short[0].url)
    advance(sandbox_url, target.generator.facts.retention_days - 4)
    assert download(long[0].url)[1] == ".mp3"  # we promise ourselves no more than the gateway keeps
    advance(sandbox_url, 2)
    with pytest.raises(UnusableAudio, match="expired"):
        download(long[0].url)


def advance(sandbox_url: str, days: int) -> None:
    requests.post(f"{sandbox_url}/admin/advance", json={"days": days}, timeout=5).raise_for_status()
