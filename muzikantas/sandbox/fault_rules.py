"""What a fault script may say: which deeds each endpoint knows, and the check of a rule. Pure."""

from collections.abc import Callable
from typing import Any, TypedDict

from muzikantas.sandbox.json_values import Json, as_json
from muzikantas.sandbox.suno_rules import FAILURES

Deed = dict[str, Any]


class Rule(TypedDict):
    """One line of a fault script. `match` may be left out (every call); `times` too (once; a random rule: always)."""

    provider: str
    endpoint: str
    match: dict[str, Any]
    times: int | None
    do: Deed


#: What every endpoint can be told to do: a plain HTTP answer, a broken connection, a late answer.
_ANYWHERE = frozenset({"http", "status", "retry_after", "error_code", "drop", "delay_s"})

#: What a file can suffer on its way.
AUDIO = frozenset({"zero_bytes", "truncated", "html", "expired", "identical_takes", "short", "silent"})

#: Accepted and charged, but the answer that says so never leaves whole.
UNANSWERED = frozenset({"accept_then_drop", "accept_then_http", "accept_then_code"})

_GENERATE = _ANYWHERE | AUDIO | UNANSWERED | {"code", "fail", "refund", "callback"}

#: The deeds of every endpoint. A deed on `generate` that is no answer stays with the task it hit, and `record-info`,
#: the callbacks and `file` obey it from then on. A new provider or deed is a line here and a reader of it there.
DEEDS: dict[tuple[str, str], frozenset[str]] = {
    **{
        (gateway, endpoint): deeds
        for gateway in ("suno", "kie")
        for endpoint, deeds in {
            "generate": _GENERATE,
            "record-info": _ANYWHERE | {"code"},
            "credit": _ANYWHERE | {"code"},
            "file": _ANYWHERE | AUDIO,
        }.items()
    },
    ("elevenlabs", "music"): _ANYWHERE
    | (AUDIO - {"expired", "identical_takes"})
    | (UNANSWERED - {"accept_then_code"})
    | {"error", "suggestion"},
    ("elevenlabs", "subscription"): _ANYWHERE | {"error"},
    ("openai", "responses"): _ANYWHERE | {"refusal", "incomplete", "invalid_json"},
    ("distribution", "releases"): _ANYWHERE,
    ("distribution", "streams"): _ANYWHERE | {"html"},
}

CALLBACKS = ("duplicate", "missing", "late", "out_of_order", "bad_signature", "racing")

#: ElevenLabs' named errors and the HTTP status of each.
ELEVENLABS_ERRORS = {
    "invalid_api_key": 401,
    "quota_exceeded": 401,
    "bad_prompt": 400,
    "too_many_concurrent_requests": 429,
    "system_busy": 429,
}

#: Values that are checked, each with words for what would do.
_VALUES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "callback": (f"one of {', '.join(CALLBACKS)}", lambda value: value in CALLBACKS),
    "fail": (f"one of {', '.join(FAILURES)}", lambda value: value in FAILURES),
    "error": (f"one of {', '.join(ELEVENLABS_ERRORS)}", lambda value: value in ELEVENLABS_ERRORS),
    "truncated": ("the share that arrives, between 0 and 1", lambda value: _is_share(value) and value < 1),
    "accept_then_http": ("an HTTP status", lambda value: isinstance(value, int)),
    "accept_then_code": ("a body code", lambda value: isinstance(value, int)),
}


class BadScript(ValueError):
    """A fault script that cannot be obeyed; the message names the rule and what is possible."""


def check(script: Json) -> list[Rule]:
    """Read a fault script (parsed JSON), or raise `BadScript`."""
    if not isinstance(script, list):
        raise BadScript(f"a fault script is a JSON list of rules, found {type(script).__name__}")
    return [_checked(rule, number) for number, rule in enumerate(script, start=1)]


def _checked(rule: Json, number: int) -> Rule:
    where = f"rule {number}"
    if not isinstance(rule, dict) or not isinstance(rule.get("do"), dict) or not rule["do"]:
        raise BadScript(f"{where}: expected an object with provider, endpoint and do, found {as_json(rule)}")
    address = (rule.get("provider", ""), rule.get("endpoint", ""))
    if address not in DEEDS:
        raise BadScript(f"{where}: no endpoint {'/'.join(map(str, address))}; there are {sorted(DEEDS)}")
    match = rule.get("match", {})
    _check_deed(rule["do"], address, where)
    _check_match(match, where)
    times = rule.get("times", None if "probability" in match else 1)
    return Rule(
        provider=address[0],
        endpoint=address[1],
        match=match,
        times=None if times is None else int(times),
        do=dict(rule["do"]),
    )


def _check_deed(do: Deed, address: tuple[str, str], where: str) -> None:
    if unknown := do.keys() - DEEDS[address]:
        raise BadScript(f"{where}: {address} cannot do {sorted(unknown)}; it can do {sorted(DEEDS[address])}")
    for name in do.keys() & _VALUES.keys():
        expected, is_good = _VALUES[name]
        if not is_good(do[name]):
            raise BadScript(f"{where}: {name} must be {expected}, found {do[name]!r}")
    if do.get("callback") == "bad_signature" and address[0] != "kie":
        raise BadScript(f"{where}: only kie signs its callbacks, so bad_signature is nothing for {address[0]}")


def _check_match(match: dict[str, Any], where: str) -> None:
    if odd := [key for key in match if key not in {"nth", "probability"} and not key.endswith("_contains")]:
        raise BadScript(f"{where}: cannot match {odd}; use nth, probability or <field>_contains")
    if not _is_share(match.get("probability", 1)):
        raise BadScript(f"{where}: probability must be above 0 and at most 1, found {match['probability']!r}")


def _is_share(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1


def kind_of(do: Deed) -> str:
    """Name a deed for the statistics, as in `callback:late` or `zero_bytes`.

    >>> kind_of({"delay_s": 3, "callback": "late"}), kind_of({"silent": True}), kind_of({"http": 500})
    ('callback:late', 'silent', 'http:500')
    """
    details = ("delay_s", "retry_after", "error_code", "suggestion", "refund")
    name = next((name for name in do if name not in details), next(iter(do)))
    value = do[name]
    return name if value is True or isinstance(value, float) else f"{name}:{value}"
