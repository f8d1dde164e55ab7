"""What the music gateway accepts: its dialect as a table, its checks of a body, its clock. Pure."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Problem = tuple[int, str]  #: body code and message

FAILURES = ("CREATE_TASK_FAILED", "GENERATE_AUDIO_FAILED", "SENSITIVE_WORD_ERROR")
WAV_FAILURES = ("CREATE_TASK_FAILED", "GENERATE_WAV_FAILED")

LATE_S = 5.0  #: of a late callback about whose delay the fault script says nothing

#: When a task of duration 1 reaches each stage.
STAGES = (("TEXT_SUCCESS", 0.2), ("FIRST_SUCCESS", 0.7), ("SUCCESS", 1.0))


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """Where gateways of this wire format differ. A further gateway is a further value.

    Sources: docs.sunoapi.org, "Generate Music", "Get Remaining Credits" and "Convert to WAV Format"; docs.kie.ai,
    "Generate Music" and "Webhook Verification".
    """

    provider: str  #: the name in the ledger and in fault scripts
    prefix: str  #: path in front of /api/v1
    bad_request: int  #: body code of parameters that are missing or wrong
    too_long: int
    too_fast: int  #: body code above the rate limit
    out_of_credits: int
    price: int  #: credits a request
    signs: bool  #: callbacks carry a signature
    keep_days: int  #: after which files are gone
    polls_per_s: int | None = None  #: of one task; None: not limited
    calls: int = 20  #: new requests allowed ...
    window_s: float = 10.0  #: ... in any window of this length


SUNOAPI = Dialect(
    provider="suno",
    prefix="",
    bad_request=400,
    too_long=413,
    too_fast=430,
    out_of_credits=429,
    price=10,
    keep_days=15,
    signs=False,
)
KIE = Dialect(
    provider="kie",
    prefix="/kie",
    bad_request=422,
    too_long=422,
    too_fast=429,
    out_of_credits=402,
    price=12,
    keep_days=14,
    signs=True,
    polls_per_s=3,
)


class Limiter:
    """A sliding window of the admitted calls of each account (or of each task)."""

    def __init__(self, calls: int, window_s: float) -> None:
        self._most, self._window_s = calls, window_s
        self._calls: dict[str, deque[float]] = {}

    def admit(self, account: str, now: float) -> bool:
        """Count one call, unless the window is full."""
        calls = self._calls.setdefault(account, deque())
        while calls and calls[0] <= now - self._window_s:
            calls.popleft()
        if len(calls) >= self._most:
            return False
        calls.append(now)
        return True


def problem_of(body: Mapping[str, Any] | None, models: tuple[str, ...], dialect: Dialect) -> Problem | None:
    """Check a generate request as documented; give the first thing wrong with it."""
    if body is None:
        return dialect.bad_request, "The request body must be a JSON object."
    code, message = next((problem for check in _CHECKS if (problem := check(body, models))), (200, ""))
    codes = {400: dialect.bad_request, 413: dialect.too_long}
    return (codes[code], message) if message else None


def _needs_basics(body: Mapping[str, Any], models: tuple[str, ...]) -> Problem | None:
    for name in ("customMode", "instrumental"):
        if not isinstance(body.get(name), bool):
            return 400, f"Please enter {name}."
    if not body.get("callBackUrl"):
        return 400, "Please enter callBackUrl."
    if body.get("model") not in models:
        return 400, f"model must be one of {', '.join(models)}, found {body.get('model')!r}."
    return None


def _needs_texts(body: Mapping[str, Any], _models: tuple[str, ...]) -> Problem | None:
    needed = ["style", "title"] if body["customMode"] else ["prompt"]
    if body["customMode"] and not body["instrumental"]:
        needed.append("prompt")
    missing = [name for name in needed if not isinstance(body.get(name), str) or not body[name].strip()]
    return (400, f"Please enter {missing[0]}.") if missing else None


def _is_short(body: Mapping[str, Any], _models: tuple[str, ...]) -> Problem | None:
    old = body["model"] == "V4"
    longest = {"prompt": (3000 if old else 5000) if body["customMode"] else 500, "style": 200 if old else 1000}
    for name, limit in {**longest, "title": 80}.items():
        if len(str(body.get(name) or "")) > limit:
            return 413, f"{name} is too long: {len(body[name])} characters, at most {limit}."
    return None


def _has_valid_options(body: Mapping[str, Any], _models: tuple[str, ...]) -> Problem | None:
    if body.get("vocalGender") not in {None, "m", "f"}:
        return 400, f"vocalGender must be m or f, found {body['vocalGender']!r}."
    for name in ("styleWeight", "weirdnessConstraint", "audioWeight"):
        weight = body.get(name)
        if weight is not None and not (isinstance(weight, int | float) and 0 <= weight <= 1):
            return 400, f"{name} must lie between 0 and 1, found {weight!r}."
    return None


_CHECKS: tuple[Callable[[Mapping[str, Any], tuple[str, ...]], Problem | None], ...] = (
    _needs_basics,
    _needs_texts,
    _is_short,
    _has_valid_options,
)


def lateness_s(fault: Mapping[str, Any]) -> float:
    """Tell how late a job's callbacks are."""
    return float(fault.get("delay_s", LATE_S)) if fault.get("callback") == "late" else 0.0


def status_of(*, age_s: float, duration_s: float, made: int, fault: Mapping[str, Any]) -> str:
    """Tell a task's status from the clock and from how many takes are really there."""
    reached = sum(age_s >= share * duration_s for _, share in STAGES)
    if "fail" in fault:
        return str(fault["fail"]) if reached == len(STAGES) else "PENDING"
    possible = min(reached, 1 + made)  # the words need no audio, each further stage needs one take
    if possible == len(STAGES):
        return str(fault.get("status", "SUCCESS"))
    return STAGES[possible - 1][0] if possible else "PENDING"
