"""What ElevenLabs Music accepts, and what it costs here. Pure."""

import math
from collections.abc import Mapping
from typing import Any

MODELS = ("music_v1", "music_v2", "music_v2_5")
LENGTH_RANGE_MS = (3_000, 600_000)
USUAL_LENGTH_MS = 60_000  #: where the client leaves the choice

CREDITS_PER_STEP, STEP_S = 10, 10  #: the real price list depends on the plan; this one is easy to add up


def price(asked_s: float) -> int:
    """Give the credits of a take: ten for every ten seconds begun.

    >>> price(3), price(10), price(10.5), price(180)
    (10, 10, 20, 180)
    """
    return CREDITS_PER_STEP * math.ceil(asked_s / STEP_S)


def length_ms(body: Mapping[str, Any]) -> int:
    """Give the length that a good body asks for."""
    return int(body.get("music_length_ms") or USUAL_LENGTH_MS)


def problems_of(body: Mapping[str, Any] | None, output_format: str) -> list[dict[str, Any]]:
    """List what is wrong with a request, in the form of its framework's validation."""
    if body is None:
        return [_problem(["body"], "Input should be a valid dictionary", "dict_type")]
    problems = []
    if not isinstance(body.get("prompt"), str) or not body["prompt"].strip():
        # A composition plan would do at the real thing; the sandbox reads prompts only.
        problems.append(_problem(["body", "prompt"], "Field required", "missing"))
    asked = body.get("music_length_ms")
    low, high = LENGTH_RANGE_MS
    if asked is not None and not (isinstance(asked, int) and low <= asked <= high):
        said = f"Input should be an integer from {low} to {high}"
        problems.append(_problem(["body", "music_length_ms"], said, "int_range"))
    if body.get("model_id", MODELS[0]) not in MODELS:
        problems.append(_problem(["body", "model_id"], f"Input should be one of {', '.join(MODELS)}", "enum"))
    if body.get("seed") is not None:
        problems.append(_problem(["body", "seed"], "seed cannot be used together with prompt", "value_error"))
    if output_format != "auto" and not output_format.startswith("mp3_"):
        problems.append(_problem(["query", "output_format"], "The sandbox composes mp3 only", "enum"))
    return problems


def invalid() -> dict[str, Any]:
    """Give a validation that fails for no fault of the client's."""
    return {"detail": [_problem(["body", "prompt"], "The sandbox was told to find this wrong", "value_error")]}


def _problem(where: list[str], message: str, kind: str) -> dict[str, Any]:
    return {"loc": where, "msg": message, "type": kind}


def detail(status: str, message: str, **data: str) -> dict[str, Any]:
    """Give an error in the provider's form; `data` is what it suggests."""
    found: dict[str, Any] = {"status": status, "message": message}
    return {"detail": found | ({"data": data} if data else {})}
