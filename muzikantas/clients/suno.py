"""Suno through a gateway (sunoapi.org, kie.ai): a request yields two takes, minutes later.

The truth is in the body's `code`; the HTTP status of errors is undocumented, so both are read. There is no
idempotency key: a request whose end is unknown is never sent again.
Sources: docs.sunoapi.org and docs.kie.ai, pages "Generate Music", "Get Music Generation Details", "Get Remaining
Credits".
"""

import logging
from collections.abc import Mapping
from typing import Any

from muzikantas.clients.http import Answer, call, call_free
from muzikantas.clients.suno_answers import first_of, job_state, number
from muzikantas.clients.suno_dialects import Dialect, Verdict
from muzikantas.domain.brief import Brief, JobState, ProviderFacts, Submitted, cut_at_word
from muzikantas.domain.errors import (
    Incomplete,
    MuzikantasError,
    OutOfCredits,
    PermanentError,
    Refused,
    TransientError,
    Unauthorized,
    UnknownOutcome,
)

logger = logging.getLogger(__name__)


class SunoGenerator:
    """Speaks to one gateway; a `Generator` (`clients/generators.py`). One attempt a call, and never a sleep."""

    def __init__(self, base_url: str, dialect: Dialect, facts: ProviderFacts) -> None:
        self.base_url = base_url.rstrip("/")
        self.dialect = dialect
        self.facts = facts

    def submit(self, brief: Brief, *, key: str, reference: str, callback_url: str | None) -> Submitted:
        """Start one paid request of two takes.

        Raises
        ------
        TransientError, OutOfCredits, Unauthorized, Refused
            Nothing was made and nothing is charged.
        UnknownOutcome
            Nobody knows: the request must not be sent again.
        """
        what = f"submit {reference}"
        body = self._body(brief, reference, callback_url)
        answer = call("POST", f"{self.base_url}/api/v1/generate", json=body, headers=bearer(key))
        envelope = envelope_of(answer)
        problem = self._problem(envelope, answer, what)
        if problem is not None:
            raise problem
        data = envelope.get("data")
        task_id = first_of(data, "taskId", "task_id") if isinstance(data, Mapping) else None
        if not task_id:
            raise UnknownOutcome(f"{what}: HTTP {answer.status} without a taskId: {answer.body[:80]!r}")
        return Submitted(task_id=str(task_id))

    def look(self, task_id: str, *, key: str) -> JobState:
        """Ask how a job is going. Raises `TransientError` or `Unauthorized`.

        A job that is not on record (yet) is the first: what is paid for must not end because a question was not liked.
        """
        record = self._record("/api/v1/generate/record-info", task_id, key, f"look at {task_id}")
        return job_state(record, takes=self.facts.takes)

    def credits_left(self, *, key: str) -> int:
        """Ask for the account's balance. Raises `TransientError`, `Unauthorized`, or `Refused` where there is none."""
        *others, last = self.dialect.credit_paths
        for path in others:
            try:
                return _whole(self._ask(path, key, "credits"))
            except Refused:
                continue
        return _whole(self._ask(last, key, "credits"))

    def _record(self, path: str, task_id: str, key: str, what: str) -> Mapping[str, Any]:
        """Ask for a job's record. All that is wrong with it is a passing failure, but for the key."""
        try:
            data = self._ask(path, key, what, taskId=task_id)
        except Unauthorized:
            raise
        except PermanentError as error:
            raise TransientError(str(error)) from error
        if not isinstance(data, Mapping):
            raise TransientError(f"{what}: no record of it (yet)")
        return data

    def _ask(self, path: str, key: str, what: str, **query: str) -> Any:  # noqa: ANN401 (whatever the provider sent)
        """Ask a free question and give the answer's `data`; whatever has no better name is a passing failure."""
        answer = call_free("GET", self.base_url + path, params=query, headers=bearer(key))
        envelope = envelope_of(answer)
        problem = self._problem(envelope, answer, what)
        if isinstance(problem, UnknownOutcome):
            raise TransientError(str(problem), retry_after_s=answer.retry_after_s)
        if problem is not None:
            raise problem
        return envelope.get("data")

    def _problem(self, envelope: Mapping[str, Any], answer: Answer, what: str) -> MuzikantasError | None:
        """Give the error that an answer means, or None for success."""
        said = number(envelope.get("code"))
        if said == 200 and (answer.status < 300 or _names_a_task(envelope)):
            return None
        if said is None and answer.status < 300 and _names_a_task(envelope):
            return None
        code = answer.status if said is None or said == 200 else said
        verdict = self.dialect.codes.get(code)
        if said is None and answer.status == 429 and answer.retry_after_s is not None:
            # A bare 429 that says when to come back is a proxy's: no gateway's word for an empty account.
            verdict = Verdict.TOO_FAST
        text = f"{what}: code {code} ({envelope.get('msg') or f'HTTP {answer.status} {answer.body[:80]!r}'})"
        if verdict is None or (said is None and code >= 500):
            return UnknownOutcome(text)
        if verdict is Verdict.TOO_FAST:
            return TransientError(text, retry_after_s=answer.retry_after_s or self.dialect.too_fast_s)
        if verdict is Verdict.MAINTENANCE:
            return TransientError(text, retry_after_s=answer.retry_after_s or self.dialect.maintenance_s)
        kinds = {Verdict.NO_CREDITS: OutOfCredits, Verdict.WRONG_KEY: Unauthorized, Verdict.REFUSED: Refused}
        return kinds[verdict](f"{text}: {verdict.value}")

    def _body(self, brief: Brief, reference: str, callback_url: str | None) -> dict[str, object]:
        """Write a brief as the gateway has it.

        Title and style lose words at their end, with a line in the log. Lyrics that are too long are refused before
        anything is paid: a song that stops in the middle of a verse is worth nothing.
        """
        style_chars, lyrics_chars = self.dialect.lengths(brief.model)
        body: dict[str, object] = {
            "customMode": True,
            "instrumental": brief.lyrics is None,
            "model": brief.model,
            "callBackUrl": callback_url or self.dialect.sentinel_callback + reference,
            "style": _fitting(brief.style, style_chars, f"{reference}: style"),
            "title": _fitting(brief.title or "Untitled", self.dialect.title_chars, f"{reference}: title"),
        }
        if brief.lyrics is not None:
            if len(brief.lyrics) > lyrics_chars:
                raise Refused(
                    f"submit {reference}: the lyrics have {len(brief.lyrics)} characters; {brief.model} takes "
                    f"{lyrics_chars}; shorten them or choose another model"
                )
            body["prompt"] = brief.lyrics
        if brief.negative_tags:
            body["negativeTags"] = brief.negative_tags
        if brief.vocal_gender:
            body["vocalGender"] = brief.vocal_gender
        return body


def bearer(key: str) -> dict[str, str]:
    """Give the headers that carry a key."""
    return {"Authorization": f"Bearer {key}"}


def envelope_of(answer: Answer) -> Mapping[str, Any]:
    """Read the `{code, msg, data}` that answers are wrapped in; nothing where a proxy answered with something else."""
    try:
        envelope = answer.json()
    except Incomplete:
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _names_a_task(envelope: Mapping[str, Any]) -> bool:
    """Tell whether an answer names a task: then there is one, whatever else the answer says."""
    data = envelope.get("data")
    return isinstance(data, Mapping) and first_of(data, "taskId", "task_id") is not None


def _whole(balance: object) -> int:
    """Read a balance; parts of a credit buy nothing."""
    try:
        return int(float(str(balance)))
    except ValueError:
        raise TransientError(f"credits: expected a number, found {balance!r}") from None


def _fitting(text: str, limit: int, what: str) -> str:
    short = cut_at_word(text, limit)
    if short != text:
        logger.warning("%s cut from %d to %d characters", what, len(text), len(short))
    return short
