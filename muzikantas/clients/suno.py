"""Suno through a gateway (sunoapi.org): a request yields two takes, minutes later.

The truth is in the body's `code`; the HTTP status of errors is undocumented, so both are read. There is no
idempotency key: a request whose end is unknown is never sent again.
Source: docs.sunoapi.org, pages "Generate Music", "Get Music Generation Details", "Get Remaining Credits".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from muzikantas.clients.http import Answer, call, call_free
from muzikantas.domain.brief import AudioOffer, Brief, JobState
from muzikantas.domain.errors import (
    Incomplete,
    MuzikantasError,
    OutOfCredits,
    Refused,
    TransientError,
    Unauthorized,
    UnknownOutcome,
)


class Verdict(Enum):
    """What an answer's code means for the request that it answers."""

    TOO_FAST = "too fast; nothing was made"
    MAINTENANCE = "the provider is down for maintenance; nothing was made"
    NO_CREDITS = "the account is out of credits"
    WRONG_KEY = "the key was not accepted"
    REFUSED = "the request was not accepted"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What one gateway says differently from its siblings, as a table."""

    name: str
    codes: Mapping[int, Verdict]  #: any other code of a submit is an unknown outcome
    too_fast_s: float  #: how long to stay away after `TOO_FAST`
    maintenance_s: float
    title_chars: int
    style_chars: int
    lyrics_chars: int
    sentinel_callback: str  #: the field is required; this address reaches nobody (RFC 6761)


SUNOAPI = Dialect(
    name="sunoapi",
    codes={
        400: Verdict.REFUSED,
        401: Verdict.WRONG_KEY,
        404: Verdict.REFUSED,
        405: Verdict.TOO_FAST,
        413: Verdict.REFUSED,
        429: Verdict.NO_CREDITS,
        430: Verdict.TOO_FAST,
        455: Verdict.MAINTENANCE,
    },
    too_fast_s=10.0,
    maintenance_s=120.0,
    title_chars=80,
    style_chars=1000,
    lyrics_chars=5000,
    sentinel_callback="https://callback.invalid/",
)

MADE = {"SUCCESS", "CALLBACK_EXCEPTION"}  # the second: their call to us failed, the audio may be there all the same
REFUSALS = {"SENSITIVE_WORD_ERROR"}
FAILURES = {"CREATE_TASK_FAILED", "GENERATE_AUDIO_FAILED"}


class SunoClient:
    """Speaks to one gateway with one key. Makes one attempt a call and never sleeps."""

    def __init__(self, base_url: str, key: str, dialect: Dialect = SUNOAPI) -> None:
        self.base_url = base_url.rstrip("/")
        self.dialect = dialect
        self._headers = {"Authorization": f"Bearer {key}"}

    def submit(self, brief: Brief, *, reference: str) -> str:
        """Start one paid request of two takes; give the provider's task id.

        Raises
        ------
        TransientError, OutOfCredits, Unauthorized, Refused
            Nothing was made and nothing is charged.
        UnknownOutcome
            Nobody knows: the request must not be sent again.
        """
        answer = call(
            "POST", f"{self.base_url}/api/v1/generate", json=self._body(brief, reference), headers=self._headers
        )
        try:
            envelope = _envelope(answer)
        except Incomplete as error:
            raise UnknownOutcome(f"submit {reference}: {error}") from error
        problem = self._problem(envelope, answer, f"submit {reference}")
        if problem is not None:
            raise problem
        task_id = (envelope.get("data") or {}).get("taskId")
        if not task_id:
            raise UnknownOutcome(f"submit {reference}: code 200 without a taskId")
        return str(task_id)

    def look(self, task_id: str) -> JobState:
        """Ask how a job is going. Raises `TransientError` or `Unauthorized`."""
        url = f"{self.base_url}/api/v1/generate/record-info"
        answer = call_free("GET", url, params={"taskId": task_id}, headers=self._headers)
        envelope = self._checked(answer, f"look at {task_id}")
        data = envelope.get("data") or {}
        status = data.get("status")
        takes = _takes(data.get("response") or {})
        if status in MADE and takes:
            return JobState(takes=takes)
        if status in REFUSALS | FAILURES or status in MADE:
            why = f"{status}: {data.get('errorMessage') or data.get('errorCode') or 'no reason given'}"
            return JobState(failure=why, refused=status in REFUSALS, refunded=data.get("errorCode") == 531)
        return JobState()

    def credits_left(self) -> int:
        """Ask for the account's balance. Raises `TransientError` or `Unauthorized`."""
        answer = call_free("GET", f"{self.base_url}/api/v1/generate/credit", headers=self._headers)
        return int(self._checked(answer, "credits")["data"])

    def _checked(self, answer: Answer, what: str) -> dict[str, Any]:
        """Read the answer to a free question; whatever has no better name is a passing failure."""
        try:
            envelope = _envelope(answer)
        except Incomplete as error:
            raise TransientError(f"{what}: {error}") from error
        problem = self._problem(envelope, answer, what)
        if isinstance(problem, UnknownOutcome):
            raise TransientError(str(problem), retry_after_s=answer.retry_after_s)
        if problem is not None:
            raise problem
        return envelope

    def _problem(self, envelope: Mapping[str, Any], answer: Answer, what: str) -> MuzikantasError | None:
        """Give the error that an answer means, or None for success."""
        code = envelope.get("code", answer.status)
        if code == 200 and answer.status < 300:
            return None
        verdict = self.dialect.codes.get(code) or self.dialect.codes.get(answer.status)
        text = f"{what}: code {code} ({envelope.get('msg') or 'no message'})"
        if verdict is Verdict.TOO_FAST:
            return TransientError(text, retry_after_s=answer.retry_after_s or self.dialect.too_fast_s)
        if verdict is Verdict.MAINTENANCE:
            return TransientError(text, retry_after_s=answer.retry_after_s or self.dialect.maintenance_s)
        if verdict is None:
            return UnknownOutcome(text)
        kinds = {Verdict.NO_CREDITS: OutOfCredits, Verdict.WRONG_KEY: Unauthorized, Verdict.REFUSED: Refused}
        return kinds[verdict](f"{text}: {verdict.value}")

    def _body(self, brief: Brief, reference: str) -> dict[str, object]:
        dialect = self.dialect
        body: dict[str, object] = {
            "customMode": True,
            "instrumental": brief.lyrics is None,
            "model": brief.model,
            "callBackUrl": dialect.sentinel_callback + reference,
            "style": brief.style[: dialect.style_chars],
            "title": (brief.title or "Untitled")[: dialect.title_chars],
        }
        if brief.lyrics is not None:
            body["prompt"] = brief.lyrics[: dialect.lyrics_chars]
        if brief.negative_tags:
            body["negativeTags"] = brief.negative_tags
        if brief.vocal_gender:
            body["vocalGender"] = brief.vocal_gender
        return body


def _envelope(answer: Answer) -> dict[str, Any]:
    """Read the `{code, msg, data}` that every answer is wrapped in."""
    envelope = answer.json()
    if not isinstance(envelope, dict):
        raise Incomplete(f"HTTP {answer.status}: expected an object with code, msg and data")
    return envelope


def _takes(response: Mapping[str, Any]) -> tuple[AudioOffer, ...]:
    """Read the takes that have audio; both spellings that the gateways use are understood."""
    items = response.get("sunoData") or response.get("tracks") or []
    offers = []
    for item in items:
        url = item.get("audioUrl") or item.get("audio_url")
        if url:
            offers.append(AudioOffer(provider_id=str(item.get("id")), url=url, duration_s=item.get("duration")))
    return tuple(offers)
