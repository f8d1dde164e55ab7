"""The language model: both of its interfaces over one writer that copies and varies what it was given.

The same words asked by either interface get the same reply. Streaming is not spoken.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from muzikantas.sandbox import answers
from muzikantas.sandbox.config import Config
from muzikantas.sandbox.deeds import INCOMPLETE, Deed
from muzikantas.sandbox.faults import Faults
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.openai_bodies import (
    Question,
    Reply,
    completion,
    moderated_texts,
    moderation,
    of_chat,
    of_responses,
    response,
)
from muzikantas.sandbox.writer import Writer

_DECLINED = "I'm sorry, but I can't help with that."
_MODERATOR = "omni-moderation-latest"

_Reader = Callable[[Mapping[str, Any]], Question]
_Teller = Callable[[Mapping[str, Any], Reply], dict[str, Any]]


class OpenAI:
    """`/v1/responses`, `/v1/chat/completions`, `/v1/moderations` and `/v1/models`."""

    def __init__(self, config: Config, ledger: Ledger, faults: Faults) -> None:
        self._config, self._ledger, self._faults = config, ledger, faults

    def routes(self) -> APIRouter:
        """Give the provider's paths."""
        router = APIRouter(prefix="/v1")
        router.add_api_route("/responses", self.responses, methods=["POST"])
        router.add_api_route("/chat/completions", self.chat, methods=["POST"])
        router.add_api_route("/moderations", self.moderations, methods=["POST"])
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
        return await self._answered(request, "responses", "input", of_responses, response)

    async def chat(self, request: Request) -> Response:
        """Answer one conversation."""
        return await self._answered(request, "chat", "messages", of_chat, completion)

    async def moderations(self, request: Request) -> Response:
        """Judge texts; they pass unless the fault script flags them."""
        if answers.account(request) is None:
            return _unauthorised()
        body = await answers.json_body(request)
        if body is None or not body.get("input"):
            return _missing("input")
        texts = moderated_texts(body)
        deed = self._faults.deed("openai", "moderations", said=body, input="\n".join(texts))
        await answers.late(deed)
        model, number = str(body.get("model") or _MODERATOR), _digest(*texts)
        return answers.broken(deed) or JSONResponse(moderation(model, number, deed.get("flagged"), len(texts)))

    async def _answered(self, request: Request, endpoint: str, needed: str, read: _Reader, tell: _Teller) -> Response:
        """Answer by one of the two interfaces, and count the call."""
        account = answers.account(request)
        if account is None:
            return _unauthorised()
        body = await answers.json_body(request)
        if body is None or not isinstance(body.get("model"), str) or not body.get(needed):
            return _missing("model", needed)
        if body.get("stream"):
            return _error(400, "invalid_request_error", "unsupported_value", "The sandbox does not stream.")
        if self._config.llm_models and body["model"] not in self._config.llm_models:
            return _error(404, "invalid_request_error", "model_not_found", f"No model {body['model']!r}.")
        question = read(body)
        deed = self._faults.deed("openai", endpoint, said=body, input=question.said)
        await answers.late(deed)
        broken, reply = answers.broken(deed), self._reply(question, deed)
        self._ledger.rows(
            "INSERT INTO llm_calls (at, account, model, outcome) VALUES (?, ?, ?, ?)",
            time.time(),
            account,
            body["model"],
            f"broken: {deed}" if broken else reply.outcome,
        )
        return broken or JSONResponse(tell(body, reply), headers={"x-request-id": f"req_{reply.id}"})

    def _reply(self, question: Question, deed: Deed) -> Reply:
        writer = Writer(question.said, seed=self._config.seed)
        wish = question.schema
        text = writer.prose() if wish is None else json.dumps(writer.fill(wish), ensure_ascii=False)
        tokens, most = 1 + len(text) // 4, question.most_tokens
        incomplete = _reason(deed) or (INCOMPLETE[0] if isinstance(most, int) and tokens > most else None)
        if incomplete:
            text = text[: len(text) // 2]
        if deed.get("invalid_json"):
            text = text[:-1] + ","
        return Reply(
            id=_digest(question.said, json.dumps(wish, sort_keys=True)),
            text=text,
            refusal=_DECLINED if deed.get("refusal") else None,
            incomplete=incomplete,
            input_tokens=1 + len(question.said) // 4,
            output_tokens=tokens,
        )


def _reason(deed: Deed) -> str | None:
    """Say why the fault script wants a reply to stop, if it does."""
    wanted = deed.get("incomplete")
    return INCOMPLETE[0] if wanted is True else wanted or None


def _digest(*texts: str) -> str:
    return hashlib.blake2b("\x1f".join(texts).encode(), digest_size=12).hexdigest()


def _unauthorised() -> Response:
    return _error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")


def _missing(*names: str) -> Response:
    message = f"Missing required parameter: {' and '.join(names)}."
    return _error(400, "invalid_request_error", "missing_required_parameter", message)


def _error(status: int, kind: str, code: str, message: str) -> Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status)
