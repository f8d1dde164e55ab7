"""The gateways' answers as their documentation writes them, read into our values."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muzikantas.clients.generators import GENERATORS, generator, with_known
from muzikantas.clients.suno_answers import SIGNATURE_AGE_S, job_state, read_callback, verify_signature
from muzikantas.clients.suno_dialects import KIE, SUNOAPI, SUNOAPI_FACTS, Verdict
from muzikantas.domain.brief import CallbackNews, JobState, cut_at_word
from muzikantas.domain.errors import Incomplete, InputError

WIRE = Path(__file__).parents[1] / "wire"
URLS = ("https://files.example/0.mp3", "https://files.example/1.mp3")

Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def payload(name: str) -> Any:
    recorded = json.loads((WIRE / f"{name}.json").read_text())
    return recorded["payload"]


def record(name: str) -> JobState:
    return job_state(payload(name)["data"], takes=2)


def test_every_recorded_payload_says_which_quirk_it_pins() -> None:
    recorded = {path.name: json.loads(path.read_text()) for path in WIRE.glob("*.json")}

    assert len(recorded) >= 20
    assert all(set(each) == {"quirk", "source", "payload"} for each in recorded.values())
    assert all(each["quirk"] and "\n" not in each["quirk"] for each in recorded.values())


@pytest.mark.parametrize(
    "name",
    [
        "record_success",
        "record_snake_case",
        "record_tracks_by_source",
        "record_result_json",
        "record_callback_exception",
    ],
)
def test_a_finished_record_gives_both_takes_however_it_is_spelt(name: str) -> None:
    takes = record(name).takes

    assert takes is not None
    assert tuple(take.url for take in takes) == URLS
    assert [take.provider_id for take in takes] == ["8551-0", "8551-1"]
    assert {take.duration_s for take in takes} == {198.44}


@pytest.mark.parametrize(
    ("name", "so_far"),
    [
        ("record_pending", ()),
        ("record_first_of_two", URLS[:1]),
        ("record_callback_exception_early", URLS[:1]),
        ("record_success_without_files", ()),
    ],
)
def test_a_record_without_all_of_its_audio_is_still_going_and_says_what_there_is(
    name: str, so_far: tuple[str, ...]
) -> None:
    state = record(name)

    assert (state.takes, state.failure) == (None, None)
    assert tuple(take.url for take in state.so_far) == so_far


@pytest.mark.parametrize(
    ("name", "refused", "refunded", "words"),
    [
        ("record_failed", False, False, "GENERATE_AUDIO_FAILED: Audio generation failed. (code 501)"),
        ("record_refunded", False, True, "GENERATE_AUDIO_FAILED: Server error, credits refunded. (code 531)"),
        ("record_sensitive_word", True, False, "SENSITIVE_WORD_ERROR: The prompt contains sensitive words. (code 400)"),
    ],
)
def test_a_failed_record_says_why_and_whether_the_credits_came_back(
    name: str, *, refused: bool, refunded: bool, words: str
) -> None:
    assert record(name) == JobState(failure=words, refused=refused, refunded=refunded)


def test_a_finished_callback_gives_the_takes_of_the_record() -> None:
    news = read_callback(payload("callback_complete"))

    assert (news.task_id, news.kind, news.failure) == ("2fac-72", "complete", None)
    assert tuple(take.url for take in news.takes) == URLS


def test_an_early_callback_is_news_without_takes() -> None:
    assert read_callback(payload("callback_text")) == CallbackNews(task_id="2fac-72", kind="text")


@pytest.mark.parametrize(
    ("name", "refused", "refunded", "words"),
    [
        ("callback_error", False, False, "code 501: The model gave up."),
        ("callback_error_called_complete", False, False, "code 501: Audio generation failed."),
        ("callback_refunded", False, True, "code 531: Server error, credits refunded."),
        ("callback_copyright", True, False, "code 400: Lyrics contain copyrighted material."),
    ],
)
def test_a_callback_about_a_failure_is_an_error_whatever_it_calls_itself(
    name: str, *, refused: bool, refunded: bool, words: str
) -> None:
    news = read_callback(payload(name))

    assert news == CallbackNews(task_id="2fac-72", kind="error", failure=words, refused=refused, refunded=refunded)


@given(body=Json)
def test_whatever_is_no_callback_is_incomplete(body: object) -> None:
    with pytest.raises(Incomplete, match="expected an id"):
        read_callback(body)


@given(data=st.dictionaries(st.sampled_from(["status", "response", "resultJson", "errorCode", "data"]), Json))
def test_any_record_can_be_read_and_one_without_files_is_never_made(data: dict[str, Any]) -> None:
    state = job_state(data, takes=2)

    assert state.takes is None
    assert state.so_far == ()


def sign(task_id: str, timestamp: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), f"{task_id}.{timestamp}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"now_s": 1_000.0 + SIGNATURE_AGE_S}, True),
        ({"now_s": 1_001.0 + SIGNATURE_AGE_S}, False),  # a recording played again
        ({"now_s": 999.0 - SIGNATURE_AGE_S}, False),  # stamped in the future
        ({"task_id": "other"}, False),
        ({"timestamp": "1001"}, False),
        ({"timestamp": "soon"}, False),
        ({"timestamp": ""}, False),
        ({"signature": ""}, False),
        ({"signature": "ünsigned"}, False),
        ({"secret": "another"}, False),
        ({"secret": "", "signature": sign("5c79", "1000", "")}, False),  # no key set is no key known
    ],
)
def test_a_signature_holds_for_its_task_its_time_and_its_key(change: dict[str, Any], *, good: bool) -> None:
    callback: dict[str, Any] = {
        "task_id": "5c79",
        "timestamp": "1000",
        "signature": sign("5c79", "1000", "planted"),
        "secret": "planted",
        "now_s": 1_000.0,
    }

    assert verify_signature(**callback | change) is good


def test_the_same_number_means_different_things_at_the_two_gateways() -> None:
    assert (SUNOAPI.codes[429], KIE.codes[429]) == (Verdict.NO_CREDITS, Verdict.TOO_FAST)
    assert (SUNOAPI.codes[405], KIE.codes.get(405)) == (Verdict.TOO_FAST, None)
    assert (SUNOAPI.codes.get(402), KIE.codes[402]) == (None, Verdict.NO_CREDITS)


@given(text=st.text(alphabet="ab ,", max_size=40), limit=st.integers(1, 40))
def test_a_text_is_cut_to_the_limit_and_only_loses_its_end(text: str, limit: int) -> None:
    short = cut_at_word(text, limit)

    assert len(short) <= limit
    assert text.startswith(short)
    assert short == text or len(text) > limit


def test_every_provider_makes_the_generator_that_it_describes() -> None:
    for name, provider in GENERATORS.items():
        made = generator(name)
        assert made.facts == provider.facts
        assert made.facts.name == name
        assert made.facts.default_model in made.facts.models
        assert made.facts.source


def test_an_installation_may_know_better() -> None:
    known = generator(
        "kie", known={"rate_calls": "40", "usual_s": 90, "has_list": "yes", "models": ["V6"], "terms": "contract 7"}
    ).facts

    assert (known.rate_calls, known.usual_s, known.has_list) == (40, 90.0, True)
    assert (known.models, known.terms) == (("V6",), "contract 7")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"rate": 3}, "no fact is called 'rate'"),
        ({"name": "mine"}, "no fact is called 'name'"),
        ({"rate_calls": "many"}, "rate_calls is 'many'; expected something like the documented 20"),
        ({"concurrency": -1}, "concurrency is -1"),
        ({"has_list": "perhaps"}, "has_list is 'perhaps'"),
        ({"models": 3}, "models is 3"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_by_name(known: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        with_known(SUNOAPI_FACTS, known)


def test_an_unknown_provider_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(InputError, match="'udio'; expected one of sunoapi, kie, elevenlabs"):
        generator("udio")
