"""The language model of the sandbox: which refusal it is, how long to wait, what the cache saved."""

from collections.abc import Iterator
from typing import Any

import pytest

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
