"""ElevenLabs Music: one paid request, one take, in the answer itself.

Source: elevenlabs.io/docs/api-reference/music/compose and "Errors". A take is at most as long as the sandbox's takes
are, but is charged by the length that was asked.
"""

import asyncio
import time
from collections import Counter
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from muzikantas.sandbox import answers, files
from muzikantas.sandbox.acceptance import Order, accept
from muzikantas.sandbox.book import Book, Task
from muzikantas.sandbox.config import KEY_PREFIX, Config
from muzikantas.sandbox.deeds import ELEVENLABS_ERRORS, Deed
from muzikantas.sandbox.elevenlabs_rules import detail, invalid, length_ms, price, problems_of
from muzikantas.sandbox.faults import Faults
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.recorder import Recorder

PROVIDER, PREFIX = "elevenlabs", "/elevenlabs"
QUEUE_S = 0.05  #: how long a call above the limit waits for a slot before it is sent away


class ElevenLabs:
    """`/v1/music` and `/v1/user/subscription`."""

    def __init__(self, config: Config, ledger: Ledger, faults: Faults, recorder: Recorder) -> None:
        self._config, self._ledger, self._faults, self._recorder = config, ledger, faults, recorder
        self._book = Book(ledger, PROVIDER)
        self._running: Counter[str] = Counter()

    def routes(self) -> APIRouter:
        """Give the provider's paths."""
        router = APIRouter(prefix=f"{PREFIX}/v1")
        router.add_api_route("/music", self.music, methods=["POST"])
        router.add_api_route("/user/subscription", self.subscription, methods=["GET"])
        return router

    async def subscription(self, request: Request) -> Response:
        """Show what the account has used."""
        account = _account(request)
        if account is None:
            return _error("invalid_api_key", "Invalid API key.")
        deed = self._faults.deed(PROVIDER, "subscription", said=account)
        await answers.late(deed)
        shown = {
            "tier": "creator",
            "character_count": self._ledger.spent(PROVIDER, account, time.time()),
            "character_limit": self._config.credits,
            "next_character_count_reset_unix": int(time.time()) + 30 * 86_400,
            "voice_limit": 30,
            "status": "active",
        }
        return _refusal(deed, {}) or JSONResponse(shown)

    async def music(self, request: Request) -> Response:
        """Compose one take, unless too many are under way for this key."""
        account = _account(request)
        if account is None:
            return _error("invalid_api_key", "Invalid API key.")
        if self._running[account] >= self._config.music_concurrency:
            await asyncio.sleep(QUEUE_S)
        if self._running[account] >= self._config.music_concurrency:
            self._ledger.count(f"limited_requests/{PROVIDER}")
            answer = _error("too_many_concurrent_requests", "Too many concurrent requests for your plan.")
            return self._numbered(answer, account)
        self._running[account] += 1
        try:
            answer = await self._composed(request, account)
            return self._numbered(answer, account)
        finally:
            self._running[account] -= 1

    async def _composed(self, request: Request, account: str) -> Response:
        body = await answers.json_body(request)
        if problems := problems_of(body, request.query_params.get("output_format", "auto")):
            return JSONResponse({"detail": problems}, status_code=422)
        assert body is not None
        deed = self._faults.deed(PROVIDER, "music", said=body, prompt=str(body["prompt"]))
        if answer := _refusal(deed, body):
            await answers.late(deed)
            return answer
        order = _order(account, body)
        if self._config.credits - self._ledger.spent(PROVIDER, account, time.time()) < order.price:
            return _error("quota_exceeded", f"This request exceeds your quota: {order.price} credits are required.")
        task_id = accept(order, deed, config=self._config, ledger=self._ledger)
        return await self._delivered(request, self._book.load(task_id), deed)

    async def _delivered(self, request: Request, task: Task, deed: Deed) -> Response:
        """Take the time of a composition and hand it out; a task is answered once its audio has left whole."""
        answers.note(request, task=task.id)
        take = task.takes[0].id
        recording = self._recorder.book(take)
        await asyncio.sleep(task.duration_s)
        await asyncio.wrap_future(recording)
        await answers.late(deed)
        if answer := answers.unanswered(deed):
            return answer
        path = self._recorder.path(take)
        answer = await asyncio.to_thread(files.spoilt, path, deed) or files.whole(path)
        answer.headers.update({"song-id": take, "request-id": task.id})
        if not await request.is_disconnected():
            answer.background = BackgroundTask(self._book.note_answered, task.id)
        return answer

    def _numbered(self, answer: Response, account: str) -> Response:
        answer.headers["current-concurrent-requests"] = str(self._running[account])
        answer.headers["maximum-concurrent-requests"] = str(self._config.music_concurrency)
        return answer


def _account(request: Request) -> str | None:
    key = request.headers.get("xi-api-key", "")
    return key if key.startswith(KEY_PREFIX) else None


def _order(account: str, body: dict[str, Any]) -> Order:
    asked_s = length_ms(body) / 1000
    return Order(
        provider=PROVIDER,
        prefix=PREFIX,
        account=account,
        body=body,
        title="Untitled",
        style=str(body["prompt"]),
        reference=None,
        price=price(asked_s),
        takes=1,
        asked_s=asked_s,
    )


def _refusal(deed: Deed, body: dict[str, Any]) -> Response | None:
    """Give the error that the fault script wants before anything is charged."""
    if deed.get("drop"):
        return answers.Dropped()
    headers = {"retry-after": str(deed["retry_after"])} if "retry_after" in deed else None
    if name := deed.get("error"):
        suggestion = deed.get("suggestion", f"an original song: {body.get('prompt', '')}")
        data = {"prompt_suggestion": suggestion} if name == "bad_prompt" and suggestion else {}
        return _error(name, f"The sandbox was told to answer {name}.", headers, **data)
    status = deed.get("http", deed.get("status"))
    if not isinstance(status, int):
        return None
    if status == 422:
        return JSONResponse(invalid(), status_code=status)
    said = detail(str(deed.get("error_code", "internal_server_error")), f"The sandbox was told to answer {status}.")
    return JSONResponse(said, status_code=status, headers=headers)


def _error(name: str, message: str, headers: dict[str, str] | None = None, **data: str) -> Response:
    return JSONResponse(detail(name, message, **data), status_code=ELEVENLABS_ERRORS[name], headers=headers)
