"""What the language model is asked and what it answers, in the words of each of its interfaces. Pure.

Source: platform.openai.com, API reference "Responses", "Chat Completions", "Moderations".
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from muzikantas.sandbox.deeds import CATEGORIES
from muzikantas.sandbox.json_values import Json

_CACHE_FROM = 1024  #: prompts of so many tokens or more are partly served from the provider's cache
_THOUGHT_TOKENS = 16
_LOW, _HIGH = 0.0001, 0.97  #: scores of a text that is let pass, and of what is flagged


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request, whichever interface it came by."""

    model: str
    said: str  #: all text, instructions first, in its order
    schema: Mapping[str, Json] | None  #: what the reply has to keep to; None: prose
    most_tokens: int | None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the model says; of a reply that stopped in the middle, `incomplete` is the reason."""

    id: str
    text: str
    refusal: str | None
    incomplete: str | None
    input_tokens: int
    output_tokens: int

    @property
    def outcome(self) -> str:
        """Give one word for the log."""
        return "incomplete" if self.incomplete else "refusal" if self.refusal else "output_text"

    @property
    def cached_tokens(self) -> int:
        """Count the tokens of the prompt that the cache had."""
        return self.input_tokens // 256 * 128 if self.input_tokens >= _CACHE_FROM else 0


def of_responses(body: Mapping[str, Any]) -> Question:
    """Read a request of the Responses API."""
    instructions = [{"content": body["instructions"]}] if isinstance(body.get("instructions"), str) else []
    messages = body["input"] if isinstance(body["input"], list) else [{"content": body["input"]}]
    wish = (body.get("text") or {}).get("format") or {}
    return Question(
        model=body["model"],
        said=_text([*instructions, *messages]),
        schema=wish.get("schema"),
        most_tokens=body.get("max_output_tokens"),
    )


def of_chat(body: Mapping[str, Any]) -> Question:
    """Read a request of Chat Completions."""
    wish = (body.get("response_format") or {}).get("json_schema") or {}
    return Question(
        model=body["model"],
        said=_text(body["messages"]),
        schema=wish.get("schema"),
        most_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
    )


def _text(messages: list[Json]) -> str:
    parts = []
    for message in messages:
        content = message.get("content") or "" if isinstance(message, dict) else message
        pieces = content if isinstance(content, list) else [{"text": content}]
        parts += [str(piece.get("text", "")) for piece in pieces if isinstance(piece, dict)]
    return "\n".join(parts)


def response(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Answer by the Responses API: a reasoning item stands before the message."""
    status = "incomplete" if reply.incomplete else "completed"
    content: dict[str, Any] = {"type": "output_text", "text": reply.text, "annotations": []}
    if reply.refusal:
        content = {"type": "refusal", "refusal": reply.refusal}
    message = {"type": "message", "id": f"msg_{reply.id}", "status": status, "role": "assistant", "content": [content]}
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reply.incomplete} if reply.incomplete else None,
        "instructions": body.get("instructions"),
        "model": body["model"],
        "output": [{"type": "reasoning", "id": f"rs_{reply.id}", "summary": []}, message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": reply.input_tokens,
            "input_tokens_details": {"cached_tokens": reply.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": reply.output_tokens + _THOUGHT_TOKENS,
            "output_tokens_details": {"reasoning_tokens": _THOUGHT_TOKENS},
            "total_tokens": reply.input_tokens + reply.output_tokens + _THOUGHT_TOKENS,
        },
    }


def completion(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Answer by Chat Completions."""
    reasons = {None: "stop", "max_output_tokens": "length", "content_filter": "content_filter"}
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if reply.refusal else reply.text,
        "refusal": reply.refusal,
        "annotations": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reasons[reply.incomplete]}
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [choice],
        "usage": {
            "prompt_tokens": reply.input_tokens,
            "completion_tokens": reply.output_tokens + _THOUGHT_TOKENS,
            "total_tokens": reply.input_tokens + reply.output_tokens + _THOUGHT_TOKENS,
            "prompt_tokens_details": {"cached_tokens": reply.cached_tokens},
            "completion_tokens_details": {"reasoning_tokens": _THOUGHT_TOKENS},
        },
    }


def moderated_texts(body: Mapping[str, Any]) -> list[str]:
    """List what is to be judged: each text of a list has a result of its own, the parts of one message share one."""
    asked = body["input"]
    if isinstance(asked, list) and all(isinstance(text, str) for text in asked):
        return asked
    return [asked if isinstance(asked, str) else _text([{"content": asked}])]


def moderation(model: str, number: str, flagged: str | None, results: int) -> dict[str, Any]:
    """Judge texts: let all pass, or flag all for one category."""
    judged = {
        "flagged": flagged is not None,
        "categories": {name: name == flagged for name in CATEGORIES},
        "category_scores": {name: _HIGH if name == flagged else _LOW for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }
    return {"id": f"modr-{number}", "model": model, "results": [judged] * results}
