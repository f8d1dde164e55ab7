"""Reading a fault script: every rule that could not be obeyed is refused, with what would do instead. Pure."""

import json
from collections.abc import Callable
from typing import Any, TypedDict

from muzikantas.sandbox.deeds import (
    CALLBACKS,
    CATEGORIES,
    DEEDS,
    ELEVENLABS_ERRORS,
    FIELDS,
    INCOMPLETE,
    SPOTIFY_ERRORS,
    WAV_CALLBACKS,
    Deed,
)
from muzikantas.sandbox.json_values import Json, as_json
from muzikantas.sandbox.suno_rules import FAILURES, WAV_FAILURES

_KEYS = ("provider", "endpoint", "match", "times", "do")


class Rule(TypedDict):
    """One line of a fault script. `match` may be left out (every call); `times` too (once; a random rule: always)."""

    provider: str
    endpoint: str
    match: dict[str, Any]
    times: int | None
    do: Deed


_Check = tuple[str, Callable[[Any], bool]]  #: what would do, in words and as a test


class BadScript(ValueError):
    """A fault script that cannot be obeyed; the message names the rule and what is possible."""


def parse(text: str) -> Json:
    """Parse the text of a fault script, or raise `BadScript`."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadScript(f"expected JSON: {error}") from error


def check(script: Json) -> list[Rule]:
    """Read a fault script (parsed JSON), or raise `BadScript`."""
    if not isinstance(script, list):
        raise BadScript(f"a fault script is a JSON list of rules, found {type(script).__name__}")
    return [_checked(rule, f"rule {number}") for number, rule in enumerate(script, start=1)]


def _checked(rule: Json, where: str) -> Rule:
    if not isinstance(rule, dict) or not isinstance(rule.get("do"), dict) or not rule["do"]:
        raise BadScript(f"{where}: expected an object with provider, endpoint and do, found {as_json(rule)}")
    if odd := sorted(rule.keys() - set(_KEYS)):
        raise BadScript(f"{where}: a rule has {', '.join(_KEYS)}; found also {', '.join(odd)}")
    address = (str(rule.get("provider")), str(rule.get("endpoint")))
    if address not in DEEDS:
        raise BadScript(
            f"{where}: no endpoint {'/'.join(address)}; there are {', '.join(map('/'.join, sorted(DEEDS)))}"
        )
    match = rule.get("match", {})
    _check_deed(rule["do"], address, where)
    _check_match(match, address[0], where)
    times = rule.get("times", None if "probability" in match else 1)
    if times is not None and not _is_count(times):
        raise BadScript(f"{where}: times must be a whole number above 0, or null for always, found {times!r}")
    return Rule(provider=address[0], endpoint=address[1], match=match, times=times, do=dict(rule["do"]))


def _check_deed(do: Deed, address: tuple[str, str], where: str) -> None:
    place = "/".join(address)
    if unknown := do.keys() - DEEDS[address]:
        raise BadScript(f"{where}: {place} cannot do {_listed(unknown)}; it can do {_listed(DEEDS[address])}")
    if do.get("callback") == "bad_signature" and address[0] != "kie":
        raise BadScript(f"{where}: only kie signs its callbacks, so bad_signature is nothing for {address[0]}")
    checks = _VALUES | _VALUES_OF.get(address[1], {}) | _VALUES_AT.get(address[0], {})
    for name in sorted(do):
        expected, is_good = checks.get(name, _SWITCH)
        if not is_good(do[name]):
            raise BadScript(f"{where}: {name} must be {expected}, found {do[name]!r}")


def _check_match(match: Json, provider: str, where: str) -> None:
    if not isinstance(match, dict):
        raise BadScript(f"{where}: match must be an object, found {as_json(match)}")
    fields = [f"{field}_contains" for field in FIELDS[provider]]
    if odd := match.keys() - {"nth", "probability", *fields}:
        raise BadScript(f"{where}: cannot match {_listed(odd)}; {provider} has nth, probability, {', '.join(fields)}")
    if not _is_share(match.get("probability", 1)):
        raise BadScript(f"{where}: probability must be above 0 and at most 1, found {match['probability']!r}")
    if not _is_count(match.get("nth", 1)):
        raise BadScript(f"{where}: nth must be a whole number above 0, found {match['nth']!r}")


def _listed(names: "frozenset[str] | set[str]") -> str:
    return ", ".join(sorted(names))


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_share(value: Json) -> bool:
    return _is_number(value) and 0 < value <= 1


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_http(value: Json) -> bool:
    return _is_count(value) and 200 <= value <= 599


def _one_of(*words: str) -> _Check:
    return f"one of {', '.join(words)}", lambda value: value in words


#: Of every deed that has no line below.
_SWITCH: _Check = ("true or false", lambda value: isinstance(value, bool))

_VALUES: dict[str, _Check] = {
    "http": ("an HTTP status", _is_http),
    "status": ("an HTTP status", _is_http),
    "code": ("a body code", _is_count),
    "accept_then_http": ("an HTTP status", _is_http),
    "accept_then_code": ("a body code", _is_count),
    "retry_after": ("seconds, or an HTTP date", lambda value: _is_number(value) or isinstance(value, str)),
    "delay_s": ("seconds", _is_number),
    "keep_days": ("a whole number of days above 0", _is_count),
    "error_code": ("a word", lambda value: isinstance(value, str)),
    "suggestion": ("a prompt, or empty for none", lambda value: isinstance(value, str)),
    "expired": ("true (404), 403, 404 or 410", lambda value: value in (True, False, 403, 404, 410)),
    "truncated": ("the share that arrives, between 0 and 1", lambda value: _is_share(value) and value < 1),
    "callback": _one_of(*CALLBACKS),
    "fail": _one_of(*FAILURES),
    "error": _one_of(*ELEVENLABS_ERRORS),
    "incomplete": (f"true or one of {', '.join(INCOMPLETE)}", lambda value: value in (True, False, *INCOMPLETE)),
    "flagged": _one_of(*CATEGORIES),
}

_JOB_STATUS: _Check = (
    "an HTTP status, or CALLBACK_EXCEPTION",
    lambda value: _is_http(value) or value == "CALLBACK_EXCEPTION",
)

#: Endpoint → the values that are different there.
_VALUES_OF: dict[str, dict[str, _Check]] = {
    "generate": {"status": _JOB_STATUS},
    "record-info": {"status": _JOB_STATUS},
    "wav": {"status": _JOB_STATUS, "callback": _one_of(*WAV_CALLBACKS), "fail": _one_of(*WAV_FAILURES)},
}

#: Provider → the values that are different there.
_VALUES_AT: dict[str, dict[str, _Check]] = {
    "spotify": {
        "error": _one_of(*SPOTIFY_ERRORS),
        "lacking": (
            "a list of fields",
            lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
        ),
    },
}
