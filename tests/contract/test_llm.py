"""What a language model does, as the loop relies on it: a reply in its form, or a failure that says what to do."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from muzikantas.clients.llm import LlmClient, LlmFailure
from muzikantas.domain.errors import MuzikantasError, OutOfCredits, Refused, TransientError, Unauthorized
from muzikantas.domain.replies import BriefTexts

INSTRUCTIONS = "You name songs. Reply with one slot; its lyrics are null."
PROMPT = 'Two words for an instrumental about the sea: {"count": 1}'


@dataclass(frozen=True, kw_only=True)
class Words:
    """A server that speaks the Responses API, real or not."""

    url: str
    key: str
    model: str

    def ask(self, *, key: str = "") -> Any:
        client = LlmClient(self.url, key or self.key)
        try:
            return client.ask(self.model, INSTRUCTIONS, PROMPT, BriefTexts)
        finally:
            client._client.close()  # it lives as long as its process and has no end of its own


@pytest.fixture(scope="module")
def words(request: pytest.FixtureRequest) -> Words:
    model = os.environ.get("LIVE_OPENAI_MODEL", "gpt-5-mini")
    if not request.config.getoption("--live"):
        return Words(url=f"{request.getfixturevalue('sandbox_url')}/v1", key="sandbox-words", model=model)
    key = os.environ.get("LIVE_OPENAI_KEY", "")
    if not key:
        pytest.skip("no LIVE_OPENAI_KEY is set; with one this pays for one short reply")
    url = os.environ.get("LIVE_OPENAI_URL", "https://api.openai.com/v1")
    return Words(url=url, key=key, model=model)


def test_a_reply_keeps_to_its_form_and_says_what_it_cost(words: Words) -> None:
    reply, usage = words.ask()

    assert isinstance(reply, BriefTexts)
    assert reply.slots[0].title
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0
    assert 0 <= usage.cached_tokens <= usage.input_tokens


def test_a_key_of_nobody_is_unauthorized(words: Words) -> None:
    with pytest.raises(Unauthorized):
        words.ask(key="nobody")


DEEDS: list[tuple[dict[str, Any], type[MuzikantasError], str]] = [
    ({"refusal": True}, LlmFailure, "declined"),
    ({"incomplete": True}, LlmFailure, "incomplete|does not parse"),
    ({"incomplete": "content_filter"}, LlmFailure, "incomplete|does not parse"),
    ({"invalid_json": True}, LlmFailure, "does not parse"),
    ({"http": 429, "retry_after": 200}, TransientError, "429"),
    ({"http": 429, "error_code": "insufficient_quota"}, OutOfCredits, "429"),
    ({"http": 500}, TransientError, "500"),
    ({"http": 503, "retry_after": 2}, TransientError, "503"),
    ({"http": 401}, Unauthorized, "401"),
    ({"http": 404}, Refused, "404"),
    ({"http": 400}, Refused, "400"),
    ({"drop": True}, TransientError, "Connection error"),
]


@pytest.mark.parametrize(("do", "kind", "said"), DEEDS, ids=[str(do) for do, _, _ in DEEDS])
def test_a_failure_is_sorted_and_the_next_call_is_good(
    words: Words, script: Callable[..., None], do: dict[str, Any], kind: type[MuzikantasError], said: str
) -> None:
    script("openai", "responses", do)

    with pytest.raises(MuzikantasError, match=said) as caught:
        words.ask()

    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after_s", None) == do.get("retry_after")
    assert words.ask()[0].slots  # one attempt: the rule hits one call, and no repetition of the package's own
