"""What the gateways to Suno say, read into our values: records of jobs, callbacks, and a callback's signature.

Tolerant on purpose. The documentation of one endpoint writes camelCase and that of the next snake_case, the same list
is called `sunoData`, `tracks` or `data`, and newer models were documented with a JSON text in `resultJson`.
Sources: docs.sunoapi.org, "Get Music Generation Details", "Music Generation Callbacks"; docs.kie.ai, "Webhook Security
Verification".
"""

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from muzikantas.domain.brief import AudioOffer, CallbackNews, JobState
from muzikantas.domain.errors import Incomplete

REFUSALS = {"SENSITIVE_WORD_ERROR"}
FAILURES = {"CREATE_TASK_FAILED", "GENERATE_AUDIO_FAILED", "FAIL", "FAILED"}
#: Codes of a job's end: lyrics contain copyrighted material; uploaded audio matches an existing work.
REFUSED_CODES = {400, 413}
REFUNDED_CODE = 531
#: Older than this, a signed callback may be somebody's recording of one.
SIGNATURE_AGE_S = 300

_LISTS = ("sunoData", "suno_data", "tracks", "data", "resultUrls")
#: The provider's own file first; Suno's links expire.
_LINKS = ("audioUrl", "audio_url", "sourceAudioUrl", "source_audio_url")

Kind = Literal["text", "first", "complete", "error"]


def job_state(data: Mapping[str, Any], *, takes: int) -> JobState:
    """Read a job's record, of which a finished one has the given number of takes."""
    status = str(first_of(data, "status", "state", "successFlag") or "").upper()
    found = _takes(data)
    code = number(first_of(data, "errorCode", "error_code", "failCode"))
    if status in REFUSALS | FAILURES:
        text = first_of(data, "errorMessage", "error_message", "failMsg") or "no reason given"
        return JobState(
            failure=f"{status}: {text}" + ("" if code is None else f" (code {code})"),
            refused=status in REFUSALS or code in REFUSED_CODES,
            refunded=code == REFUNDED_CODE,
            so_far=found,
        )
    # A failed callback says nothing of the job: it may have been the one for its first take.
    if (status == "SUCCESS" and found) or (status == "CALLBACK_EXCEPTION" and len(found) >= takes):
        return JobState(takes=found)
    return JobState(so_far=found)


def read_callback(body: object) -> CallbackNews:
    """Read a callback's parsed body. Raises `Incomplete` for what no gateway documents."""
    envelope = body if isinstance(body, Mapping) else {}
    data = envelope.get("data")
    data = data if isinstance(data, Mapping) else {}
    task_id = first_of(data, "task_id", "taskId")
    kind = first_of(data, "callbackType", "callback_type")
    if not task_id or kind not in {"text", "first", "complete", "error"}:
        raise Incomplete(
            f"a callback with task_id {task_id!r} and callbackType {kind!r}; expected an id, "
            "and text, first, complete or error"
        )
    code = number(envelope.get("code"))
    if kind != "error" and code in {200, None}:
        return CallbackNews(task_id=str(task_id), kind=cast("Kind", kind), takes=_takes(data))
    # An older form says `complete` here, beside a code that is none of success.
    text = data.get("error") or envelope.get("msg") or "no reason given"
    return CallbackNews(
        task_id=str(task_id),
        kind="error",
        takes=_takes(data),
        failure=f"code {code}: {text}",
        refused=code in REFUSED_CODES,
        refunded=code == REFUNDED_CODE,
    )


def verify_signature(*, task_id: str, timestamp: str, signature: str, secret: str, now_s: float) -> bool:
    """Tell whether kie.ai signed a callback for this task, lately.

    The body is not covered: what it says of the task is to be confirmed by a look.

    Parameters
    ----------
    timestamp, signature
        The headers `X-Webhook-Timestamp` (Unix seconds) and `X-Webhook-Signature`.
    now_s
        Unix time; a stamp that is further away than `SIGNATURE_AGE_S`, on either side, does not count.
    """
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now_s - int(timestamp)) > SIGNATURE_AGE_S:
        return False
    digest = hmac.digest(secret.encode(), f"{task_id}.{timestamp}".encode(), "sha256")
    return bool(secret) and hmac.compare_digest(base64.b64encode(digest), signature.strip().encode())


def first_of(values: Mapping[str, Any], *names: str) -> Any:  # noqa: ANN401 (whatever the provider sent)
    """Give the first of several spellings that has a value."""
    return next((values[name] for name in names if values.get(name) not in (None, "")), None)


def number(value: object) -> int | None:
    """Read a code, which may come as text."""
    if isinstance(value, bool):
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _takes(data: Mapping[str, Any]) -> tuple[AudioOffer, ...]:
    """Read the takes that have audio, wherever the record keeps them."""
    for place in (data.get("response"), data.get("resultJson"), data):
        offers = tuple(offer for item in _items(place) if (offer := _offer(item)))
        if offers:
            return offers
    return ()


def _items(place: object) -> Iterator[object]:
    """Give the songs of a list, of an object that has one, or of the JSON text of either."""
    if isinstance(place, str):
        try:
            place = json.loads(place)
        except ValueError:
            return
    if isinstance(place, Mapping):
        place = next((place[name] for name in _LISTS if isinstance(place.get(name), list)), [])
    if isinstance(place, list):
        yield from place


def _offer(item: object) -> AudioOffer | None:
    """Read one song, or None while it has no file."""
    song = {"audioUrl": item} if isinstance(item, str) else item
    if not isinstance(song, Mapping):
        return None
    url = first_of(song, *_LINKS)
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return None
    return AudioOffer(
        provider_id=str(first_of(song, "id", "audioId", "audio_id") or url), url=url, duration_s=_seconds(song)
    )


def _seconds(song: Mapping[str, Any]) -> float | None:
    try:
        return float(song["duration"])
    except (KeyError, TypeError, ValueError):
        return None
