"""A language model through OpenAI's Responses API, or any server that speaks it: structured replies only.

Source: platform.openai.com, "Structured model outputs"; the package openai 3.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import openai
from pydantic import ValidationError

from muzikantas.clients.http import asked_wait_s
from muzikantas.domain.errors import OutOfCredits, PermanentError, Refused, TransientError, Unauthorized
from muzikantas.domain.replies import Reply

#: A reply of a few hundred words takes seconds, with reasoning up to a minute; below the tasks' soft limit.
TIMEOUT_S = 60.0
#: Room for reasoning and the reply; a longer one is cut off and refused.
MAX_OUTPUT_TOKENS = 6000
#: Statuses below 500 after which the same question may be asked again: timeout, conflict, too fast.
PASSING = {408, 409, 429}

R = TypeVar("R", bound=Reply)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens of one call."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


class LlmFailure(PermanentError):
    """A call that cost tokens and gave nothing usable; carries them."""

    def __init__(self, message: str, usage: Usage) -> None:
        super().__init__(message)
        self.usage = usage


class LlmClient:
    """Asks one model once: no retries here, the base task alone decides about them."""

    def __init__(self, base_url: str, key: str) -> None:
        self._client = openai.OpenAI(base_url=base_url, api_key=key or "none", max_retries=0, timeout=TIMEOUT_S)

    def ask(self, model: str, instructions: str, prompt: str, reply: type[R]) -> tuple[R, Usage]:
        """Ask for a reply of the given form.

        Raises
        ------
        TransientError
            Too fast, no connection, the server failed: the same question may be asked again.
        OutOfCredits, Unauthorized
            Nothing will come of asking again.
        Refused
            This model does not exist or will not take the question; another one may.
        LlmFailure
            It answered, and declined, or was cut off, or did not keep to the form.
        """
        try:
            response = self._client.responses.parse(
                model=model,
                instructions=instructions,
                input=prompt,
                text_format=reply,
                max_output_tokens=MAX_OUTPUT_TOKENS,
                store=False,
            )
        except openai.APIConnectionError as error:
            raise TransientError(f"{model}: {error}") from error
        except openai.APIStatusError as error:
            raise failure(model, error, datetime.now(UTC)) from error
        except ValidationError as error:
            # Raised while parsing: the text does not keep to the schema, often because it was cut off.
            raise LlmFailure(f"{model}: the reply does not parse ({error.error_count()} errors)", Usage()) from error
        usage = _usage(response)
        if response.status != "completed":
            why = response.incomplete_details.reason if response.incomplete_details else response.status
            raise LlmFailure(f"{model}: the reply is incomplete ({why})", usage)
        if refusal := _refusal(response):
            raise LlmFailure(f"{model} declined: {refusal}", usage)
        if response.output_parsed is None:
            raise LlmFailure(f"{model}: no reply in the answer", usage)
        return response.output_parsed, usage


def _usage(response: Any) -> Usage:  # noqa: ANN401 (the SDK's generic response)
    spent = response.usage
    if spent is None:
        return Usage()
    details = spent.input_tokens_details
    cached = details.cached_tokens if details else 0
    return Usage(input_tokens=spent.input_tokens, cached_tokens=cached, output_tokens=spent.output_tokens)


def _refusal(response: Any) -> str | None:  # noqa: ANN401 (the SDK's generic response)
    """Find a refusal; reasoning items may stand before the message."""
    for item in response.output:
        for part in getattr(item, "content", None) or []:
            if part.type == "refusal":
                return str(part.refusal)
    return None


def failure(model: str, error: openai.APIStatusError, now: datetime) -> TransientError | PermanentError:
    """Sort a failed call by its status and code, as the provider's page "Error codes" has them.

    Too fast and out of credits are both 429. The server's `x-should-retry` is a word to its own package: it asks for
    repetitions on an empty account too.
    """
    said = f"{model}: HTTP {error.status_code} {error.message}"
    if "insufficient_quota" in {error.code, error.type}:
        return OutOfCredits(said)
    if error.status_code in PASSING or error.status_code >= 500:
        return TransientError(said, retry_after_s=asked_wait_s(error.response.headers, now))
    if error.status_code in {401, 403}:
        return Unauthorized(f"{said}; check OPENAI_API_KEY")
    return Refused(said)
