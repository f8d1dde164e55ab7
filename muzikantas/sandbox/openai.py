"""The language model: the Responses API over a writer that copies and varies what it was given."""

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from muzikantas.sandbox import answers
from muzikantas.sandbox.config import Config
from muzikantas.sandbox.fault_rules import Deed
from muzikantas.sandbox.faults import Faults
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.writer import Writer

_CACHE_FROM = 1024  #: prompts of so many tokens or more are partly served from the provider's cache


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the model says in answer to one request."""

    id: str
    content: dict[str, Any]
    incomplete: bool
    input_tokens: int
    output_tokens: int

    @property
    def outcome(self) -> str:
        """Give one word for the log."""
        return "incomplete" if self.incomplete else str(self.content["type"])


class OpenAI:
    """`/v1/responses` and `/v1/models`."""

    def __init__(self, config: Config, ledger: Ledger, faults: Faults) -> None:
        self._config, self._ledger, self._faults = config, ledger, faults

    def routes(self) -> APIRouter:
        """Give the provider's paths."""
        router = APIRouter(prefix="/v1")
        router.add_api_route("/responses", self.responses, methods=["POST"])
        router.add_api_route("/models", self.models, methods=["GET"])
        return router

    async def models(self, request: Request) -> Response:
        """List the models."""
        if answers.account(request) is None:
            return _unauthorised()
        names = self._config.llm_models or ("sandbox-writer",)
        shown = [{"id": name, "object": "model", "created": 0, "owned_by": "sandbox"} for name in names]
        return JSONResponse({"object": "list", "data": shown})

    async def responses(self, request: Request) -> Response:
        """Answer one prompt."""
        account = answers.account(request)
        if account is None:
            return _unauthorised()
        body = await answers.json_body(request)
        if body is None or not isinstance(body.get("model"), str) or not body.get("input"):
            return _error(400, "invalid_request_error", "missing_required_parameter", "model and input are required.")
        if self._config.llm_models and body["model"] not in self._config.llm_models:
            return _error(404, "invalid_request_error", "model_not_found", f"No model {body['model']!r}.")
        said = said_to(body)
        deed = self._faults.deed("openai", "responses", said=body, input=said)
        await answers.late(deed)
        broken = answers.broken(deed)
        reply = self._reply(body, said, deed)
        outcome = f"broken: {deed}" if broken else reply.outcome
        self._ledger.rows(
            "INSERT INTO llm_calls (at, account, model, outcome) VALUES (?, ?, ?, ?)",
            time.time(),
            account,
            body["model"],
            outcome,
        )
        return broken or JSONResponse(_response(body, reply), headers={"x-request-id": f"req_{reply.id}"})

    def _reply(self, body: dict[str, Any], said: str, deed: Deed) -> Reply:
        wish = (body.get("text") or {}).get("format") or {}
        digest = hashlib.blake2b(f"{said}\x1f{json.dumps(wish, sort_keys=True)}".encode(), digest_size=12).hexdigest()
        writer = Writer(said, seed=self._config.seed)
        text = json.dumps(writer.fill(wish["schema"]), ensure_ascii=False) if "schema" in wish else writer.prose()
        tokens, most = 1 + len(text) // 4, body.get("max_output_tokens")
        incomplete = bool(deed.get("incomplete")) or (isinstance(most, int) and tokens > most)
        if incomplete:
            text = text[: len(text) // 2]
        if deed.get("invalid_json"):
            text = text[:-1] + ","
        content: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
        if deed.get("refusal"):
            content = {"type": "refusal", "refusal": "I'm sorry, but I can't help with that."}
        return Reply(
            id=digest, content=content, incomplete=incomplete, input_tokens=1 + len(said) // 4, output_tokens=tokens
        )


def said_to(body: dict[str, Any]) -> str:
    """Give all text of a request, instructions first, in its order."""
    parts = [body["instructions"]] if isinstance(body.get("instructions"), str) else []
    messages = body["input"] if isinstance(body["input"], list) else [{"content": body["input"]}]
    for message in messages:
        content = message.get("content", "") if isinstance(message, dict) else message
        pieces = content if isinstance(content, list) else [{"text": content}]
        parts += [str(piece.get("text", "")) for piece in pieces if isinstance(piece, dict)]
    return "\n".join(parts)


def _response(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    status = "incomplete" if reply.incomplete else "completed"
    thought = 16
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if reply.incomplete else None,
        "instructions": body.get("instructions"),
        "model": body["model"],
        "output": [
            {"type": "reasoning", "id": f"rs_{reply.id}", "summary": []},
            {
                "type": "message",
                "id": f"msg_{reply.id}",
                "status": status,
                "role": "assistant",
                "content": [reply.content],
            },
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": reply.input_tokens,
            "input_tokens_details": {
                "cached_tokens": reply.input_tokens // 256 * 128 if reply.input_tokens >= _CACHE_FROM else 0,
                "cache_write_tokens": 0,
            },
            "output_tokens": reply.output_tokens + thought,
            "output_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": reply.input_tokens + reply.output_tokens + thought,
        },
    }


def _unauthorised() -> Response:
    return _error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")


def _error(status: int, kind: str, code: str, message: str) -> Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status)
