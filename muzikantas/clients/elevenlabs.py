"""ElevenLabs Music, the official interface: the answer to a request is the audio, minutes later on the same connection.

Plain HTTP instead of the provider's SDK, which sends a request again after a timeout or a server error, and pays twice.
There is no list of what was made and no second download: an answer that is lost is an unknown outcome for good.
Source: elevenlabs.io/docs, API reference "Compose music", "Errors"; help article on concurrency limits.
"""

from collections.abc import Mapping
from typing import Any

from muzikantas.clients.downloads import suffix_of
from muzikantas.clients.http import Answer, call, call_free
from muzikantas.domain.brief import Brief, JobState, ProviderFacts, Submitted
from muzikantas.domain.errors import (
    Incomplete,
    MuzikantasError,
    OutOfCredits,
    Refused,
    TransientError,
    Unauthorized,
    UnknownOutcome,
    UnusableAudio,
)

#: Longest whole answer of a paid call; it must be below the soft time limit of the task that calls.
ANSWER_S = 100.0
#: Music is priced by its length, so the length is always asked for; two and a half minutes are a usual song.
LENGTH_MS = 150_000
#: The one format that every plan has.
FORMAT = "mp3_44100_128"
#: Ten minutes, the longest that can be asked for, at 192 kbit/s are 15 MB.
MAX_BYTES = 32 * 1024 * 1024
#: A place is free when one of our own jobs ends, which takes about a minute.
SLOT_S = 5.0

ELEVENLABS_FACTS = ProviderFacts(
    name="elevenlabs",
    takes=1,
    synchronous=True,
    polls_count_as_calls=False,
    retention_days=0,
    models=("music_v1", "music_v2", "music_v2_5"),
    default_model="music_v1",
    credits_per_request=2500,
    rate_calls=20,
    rate_window_s=10.0,
    concurrency=2,
    answer_s=ANSWER_S,
    usual_s=60.0,
    has_list=False,
    has_balance=True,
    commercial_rights="by plan: music is for paid plans only, and each plan's terms say what it may be used for",
    terms="not recorded; set the terms that your plan was bought under",
    source=(
        "elevenlabs.io/docs; only concurrency is limited (music: 2 to 5 by plan), the rate is a cautious guess; "
        "the price depends on plan and length and is an estimate: set yours"
    ),
)

#: What `detail.status` says, and what HTTP says where that is no word of these; anything else is an unknown outcome.
_BY_WORD = {"invalid_api_key": Unauthorized, "quota_exceeded": OutOfCredits, "payment_required": OutOfCredits}
_BY_STATUS: Mapping[int, type[MuzikantasError]] = {
    400: Refused,
    401: Unauthorized,
    402: OutOfCredits,
    403: Unauthorized,
    404: Refused,
    413: Refused,
    422: Refused,
    429: TransientError,
}
_SUGGESTIONS = {"bad_prompt": "prompt_suggestion", "bad_composition_plan": "composition_plan_suggestion"}


class BadPrompt(Refused):
    """The words were refused, for a name or a text that belongs to somebody; `suggestion` is what would pass, if given.

    Nothing was made. Sending the suggestion is a new paid request, and the caller's choice.
    """

    def __init__(self, message: str, suggestion: str | None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


class ElevenLabsGenerator:
    """Speaks to ElevenLabs Music; a `Generator` (`clients/generators.py`). One attempt a call, and never a sleep."""

    def __init__(self, base_url: str, facts: ProviderFacts = ELEVENLABS_FACTS) -> None:
        self.base_url = base_url.rstrip("/")
        self.facts = facts

    def submit(self, brief: Brief, *, key: str, reference: str, callback_url: str | None) -> Submitted:
        """Have one take made and receive it. Nobody is called back: there is nothing left to say.

        Raises
        ------
        TransientError, OutOfCredits, Unauthorized, Refused (`BadPrompt`)
            Nothing was made and nothing is charged.
        UnknownOutcome
            Nobody knows: the request must not be sent again.
        """
        del callback_url
        answer = call(
            "POST",
            f"{self.base_url}/v1/music",
            params={"output_format": FORMAT},
            json=self._body(brief),
            headers={"xi-api-key": key},
            limit=MAX_BYTES,
            read_s=self.facts.answer_s,
            total_s=self.facts.answer_s,
        )
        if answer.status != 200:
            raise _problem(answer, f"submit {reference}")
        song_id = answer.headers.get("song-id")
        if song_id is None:
            _checked_for_audio(answer, reference)
        # With a song-id it is paid for, and whether the bytes are music is for the content check to say.
        return Submitted(task_id=song_id or reference, audio=(answer.body,))

    def look(self, task_id: str, *, key: str) -> JobState:
        """Tell that a job without its audio has failed: the answer held the only copy, and nobody is asked."""
        del key
        return JobState(failure=f"{task_id}: the answer held the audio, and it was not kept; there is no second copy")

    def credits_left(self, *, key: str) -> int:
        """Ask what the subscription has left this month. Raises `TransientError` or `Unauthorized`."""
        answer = call_free("GET", f"{self.base_url}/v1/user/subscription", headers={"xi-api-key": key})
        if answer.status != 200:
            problem = _problem(answer, "credits")
            if isinstance(problem, TransientError | Unauthorized):
                raise problem
            raise TransientError(str(problem), retry_after_s=answer.retry_after_s)
        try:
            said = answer.json()
            return int(said["character_limit"]) - int(said["character_count"])
        except (Incomplete, KeyError, TypeError, ValueError):
            raise TransientError(
                f"credits: expected character_limit and character_count, found {answer.body[:80]!r}"
            ) from None

    def _body(self, brief: Brief) -> dict[str, object]:
        """Write a brief as one prompt: of the documented fields no other takes words."""
        parts = [brief.style]
        if brief.negative_tags:
            parts.append(f"Without: {brief.negative_tags}")
        if brief.lyrics is not None:
            voice = {"m": "male vocals", "f": "female vocals"}.get(brief.vocal_gender or "", "vocals")
            parts.append(f"A song with {voice}, sung to these lyrics:\n{brief.lyrics}")
        return {
            "prompt": "\n".join(parts),
            "music_length_ms": LENGTH_MS,
            "model_id": brief.model,
            "force_instrumental": brief.lyrics is None,
        }


def _checked_for_audio(answer: Answer, reference: str) -> None:
    """Take no proxy's page for a song: then nobody knows what became of the request."""
    try:
        suffix_of(answer.body, f"submit {reference}: the answer")
    except UnusableAudio as error:
        raise UnknownOutcome(str(error)) from error


def _problem(answer: Answer, what: str) -> MuzikantasError:
    """Sort an answer that is no success. The words of `detail` count for more than the HTTP status."""
    detail = _detail(answer)
    status = str(detail.get("status") or detail.get("code") or "")
    text = f"{what}: HTTP {answer.status} {status or 'without a status'}: {_message(detail, answer)}"
    if status in _SUGGESTIONS and answer.status < 500:
        return BadPrompt(text, _suggestion(detail, _SUGGESTIONS[status]))
    if answer.status == 429 and status not in _BY_WORD:
        # The two kinds: our own jobs take all places, or the server is busy; then the wait grows by itself.
        slot_s = SLOT_S if status == "too_many_concurrent_requests" else None
        return TransientError(text, retry_after_s=answer.retry_after_s or slot_s)
    kind = _BY_STATUS.get(answer.status, UnknownOutcome)
    return (kind if kind is UnknownOutcome else _BY_WORD.get(status, kind))(text)


def _detail(answer: Answer) -> Mapping[str, Any]:
    """Read `detail`: an object, or the list that a failed validation gives."""
    try:
        body = answer.json()
    except Incomplete:
        return {}
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        where = ".".join(str(part) for part in detail[0].get("loc") or ())
        return {"message": f"{where}: {detail[0].get('msg')}"}
    return detail if isinstance(detail, dict) else {}


def _message(detail: Mapping[str, Any], answer: Answer) -> str:
    return str(detail.get("message") or answer.body[:120])


def _suggestion(detail: Mapping[str, Any], name: str) -> str | None:
    data = detail.get("data")
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else None
