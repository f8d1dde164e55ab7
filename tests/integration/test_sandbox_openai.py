"""The language model of the sandbox: which refusal it is, how long to wait, what the cache saved."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ParsedChatCompletion
from pydantic import BaseModel, ValidationError

from tests.integration.test_sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.kill()


@pytest.mark.parametrize(
    ("do", "code", "wait"),
    [
        ({"status": 429, "retry_after": 200}, "rate_limit_exceeded", "200"),
        ({"status": 429, "error_code": "insufficient_quota"}, "insufficient_quota", None),
    ],
)
def test_openai_tells_too_fast_from_too_poor(sandbox: Sandbox, do: dict[str, Any], code: str, wait: str | None) -> None:
    sandbox.add_fault("openai", "responses", do, input_contains=f"case {code}")
    ask = {"model": "gpt-5-mini", "input": f"case {code}"}

    refused, answered = (sandbox.post("/v1/responses", ask, sandbox.new_account()) for _ in range(2))

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, code)
    assert refused.headers.get("retry-after") == wait
    assert [item["type"] for item in answered.json()["output"]] == ["reasoning", "message"]


def test_openai_serves_a_long_prompt_partly_from_its_cache(sandbox: Sandbox) -> None:
    def cached(words: int) -> tuple[int, int]:
        ask = {"model": "gpt-5-mini", "input": "word " * words}
        usage = sandbox.post("/v1/responses", ask, sandbox.new_account()).json()["usage"]
        return usage["input_tokens_details"]["cached_tokens"], usage["input_tokens"]

    assert cached(10)[0] == 0
    assert 0 < cached(2000)[0] < cached(2000)[1]


class Named(BaseModel):
    """A reply of a strict form."""

    name: str
    lyrics: str | None


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{sandbox.url}/v1", api_key="sandbox-package", max_retries=0) as made:
        yield made


def chat(client: openai.OpenAI, text: str) -> ParsedChatCompletion[Named]:
    messages: list[ChatCompletionMessageParam] = [
        {"role": "system", "content": "You name songs."},
        {"role": "user", "content": [{"type": "text", "text": text}]},
    ]
    return client.chat.completions.parse(model="gpt-5-mini", messages=messages, response_format=Named)


def test_both_interfaces_say_the_same_and_count_the_same(client: openai.OpenAI) -> None:
    asked = "word " * 2000
    by_chat = chat(client, asked)
    by_responses = client.responses.parse(
        model="gpt-5-mini", instructions="You name songs.", input=asked, text_format=Named
    )

    assert by_chat.choices[0].message.parsed == by_responses.output_parsed
    assert by_chat.choices[0].finish_reason == "stop"
    mine, theirs = by_chat.usage, by_responses.usage
    assert mine is not None
    assert theirs is not None
    assert mine.prompt_tokens_details is not None
    assert mine.prompt_tokens_details.cached_tokens
    assert mine.prompt_tokens_details.cached_tokens == theirs.input_tokens_details.cached_tokens
    assert (mine.prompt_tokens, mine.completion_tokens) == (theirs.input_tokens, theirs.output_tokens)
    assert mine.total_tokens == mine.prompt_tokens + mine.completion_tokens


def test_chat_misbehaves_as_told(sandbox: Sandbox, client: openai.OpenAI) -> None:
    deeds: dict[str, dict[str, Any]] = {
        "declined": {"refusal": True},
        "long": {"incomplete": True},
        "filtered": {"incomplete": "content_filter"},
        "garbled": {"invalid_json": True},
        "poor": {"http": 429, "error_code": "insufficient_quota"},
        "hasty": {"http": 429, "retry_after": 200},
    }
    for word, do in deeds.items():
        sandbox.add_fault("openai", "chat", do, input_contains=word)

    refused = chat(client, "declined").choices[0].message
    assert (refused.content, refused.parsed) == (None, None)
    assert refused.refusal
    with pytest.raises(openai.LengthFinishReasonError):
        chat(client, "long")
    with pytest.raises(openai.ContentFilterFinishReasonError):
        chat(client, "filtered")
    with pytest.raises(ValidationError):
        chat(client, "garbled")
    with pytest.raises(openai.RateLimitError) as poor:
        chat(client, "poor")
    with pytest.raises(openai.RateLimitError) as hasty:
        chat(client, "hasty")
    assert (poor.value.code, hasty.value.code) == ("insufficient_quota", "rate_limit_exceeded")
    assert hasty.value.response.headers["retry-after"] == "200"


def test_a_reply_that_needs_more_tokens_than_allowed_is_cut_off_by_both(sandbox: Sandbox) -> None:
    asked = {"model": "gpt-5-mini", "max_output_tokens": 2, "max_completion_tokens": 2}
    messages = [{"role": "user", "content": "a poem"}]

    by_responses = sandbox.post("/v1/responses", asked | {"input": "a poem"}, sandbox.new_account()).json()
    by_chat = sandbox.post("/v1/chat/completions", asked | {"messages": messages}, sandbox.new_account()).json()

    assert by_responses["incomplete_details"] == {"reason": "max_output_tokens"}
    assert by_chat["choices"][0]["finish_reason"] == "length"


def test_moderation_lets_pass_and_flags_as_told(sandbox: Sandbox, client: openai.OpenAI) -> None:
    sandbox.add_fault("openai", "moderations", {"flagged": "violence/graphic"}, input_contains="gore")

    flagged = client.moderations.create(input=["roses", "gore"], model="omni-moderation-latest")
    passed = client.moderations.create(input="roses").results

    assert [each.flagged for each in flagged.results] == [True, True]
    first = flagged.results[0]
    assert [name for name, is_so in first.categories.to_dict().items() if is_so] == ["violence/graphic"]
    assert first.category_scores.violence_graphic > 0.5 > first.category_scores.violence
    assert len(first.categories.to_dict()) == 13
    assert [each.flagged for each in passed] == [False]


@pytest.mark.parametrize(
    ("path", "body"), [("chat/completions", {"model": "m"}), ("moderations", {}), ("responses", {"model": "m"})]
)
def test_a_question_without_its_text_is_a_bad_request(sandbox: Sandbox, path: str, body: dict[str, Any]) -> None:
    answer = sandbox.post(f"/v1/{path}", body, sandbox.new_account())

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
