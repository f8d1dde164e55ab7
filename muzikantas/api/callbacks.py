"""Callbacks of music providers: each request has a path of its own, `POST /callbacks/{provider}/{reference}`.

A callback is a hint. It proves one thing, that the provider has the request (nobody else knows our reference), and that
is written down; whatever else it says, the poll asks the provider itself. An answer waits for one short transaction;
tasks are sent after it.
"""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from kombu.exceptions import OperationalError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask

from muzikantas import logs
from muzikantas.clients.suno_answers import read_callback, verify_signature
from muzikantas.domain.brief import CallbackNews
from muzikantas.domain.errors import Incomplete, TransientError
from muzikantas.models import budget, generation, settlement, take
from muzikantas.models.generation import Generation
from muzikantas.studio import Studio
from muzikantas.tasks import canvases
from muzikantas.tasks.slots import subject

logger = logging.getLogger(__name__)

#: A documented callback has two songs with their lyrics, about 15 kB.
BODY_BYTES = 64 * 1024
#: Providers send a body in one piece; who takes longer holds a connection on purpose.
BODY_S = 10.0
#: As many as the studio has connections: more threads would wait for one another.
WRITERS = 4
#: After these the provider has something to look at; the earlier ones (text, first) change nothing for us.
ENDS = {"complete", "error"}
#: As long as the row's column is wide.
TASK_ID_CHARS = 128
#: Unix seconds have ten digits; Python refuses to read thousands of them.
STAMP_CHARS = 20
SHOWN_CHARS = 200


def create_app(studio: Studio, *, webhook_keys: Mapping[str, str]) -> FastAPI:
    """Make the service. `webhook_keys` has the key of each provider whose callbacks must be signed."""
    callbacks = Callbacks(studio, webhook_keys)
    app = FastAPI(title="Muzikantas callbacks", openapi_url=None)
    app.add_api_route("/callbacks/{provider}/{reference}", callbacks.receive, methods=["POST"])
    app.add_api_route("/health", health, methods=["GET"])
    app.add_exception_handler(TransientError, _later)
    return app


async def health() -> dict[str, str]:
    """Say that the service serves."""
    return {"status": "ok"}


async def _later(_request: Request, error: Exception) -> Response:
    """Answer while the database is away. Nothing is lost: polling carries all."""
    logger.warning("a callback could not be written down: %s", error)
    return JSONResponse({"detail": "try again later"}, status_code=HTTPStatus.SERVICE_UNAVAILABLE)


class Callbacks:
    """Takes callbacks in. The same one may come any number of times, late, or out of order."""

    def __init__(self, studio: Studio, webhook_keys: Mapping[str, str]) -> None:
        self._studio, self._keys = studio, webhook_keys
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="callback")

    async def receive(self, provider: str, reference: str, request: Request) -> Response:
        """Answer one callback: 200 also for news that changes nothing."""
        body = _json(await _body(request))
        try:
            news = read_callback(body)
        except Incomplete as error:
            logger.warning("a callback of %.32s says nothing that is known: %s", provider, str(error)[:SHOWN_CHARS])
            return JSONResponse({"status": "ignored"})
        _check_task_id(news.task_id)
        self._check_signature(provider, news, request)
        work = asyncio.get_running_loop().run_in_executor(self._writers, self._write, provider, reference, news)
        woken = await work
        send = BackgroundTask(self._send, woken) if woken is not None else None
        return JSONResponse({"status": "ok"}, background=send)

    def _check_signature(self, provider: str, news: CallbackNews, request: Request) -> None:
        key = self._keys.get(provider)
        if key is None:
            return
        signed = verify_signature(
            task_id=news.task_id,
            timestamp=request.headers.get("x-webhook-timestamp", "")[:STAMP_CHARS],
            signature=request.headers.get("x-webhook-signature", ""),
            secret=key,
            now_s=time.time(),
        )
        if not signed:
            logger.warning(
                "refused a callback of %.32s for task %s: its signature does not hold", provider, news.task_id
            )
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "the signature does not hold")

    def _write(self, provider: str, reference: str, news: CallbackNews) -> int | None:
        """Write down what the callback proves; give the generation whose tasks are to be sent, if any."""
        try:
            with self._studio.begin() as session:
                row = _behind(session, provider, reference)
                with logs.context(subject=row.id):
                    _refuse_another_task(session, row, news)
                    return _woken(session, row, news, self._studio)
        except IntegrityError:  # two paths at the same moment, with one task
            logger.exception("refused a callback for task %s: it belongs to another request", news.task_id)
            raise HTTPException(HTTPStatus.CONFLICT, "this task belongs to another request") from None

    def _send(self, generation_id: int) -> None:
        """Send the slot's tasks; without a broker the row becomes due, and `reconcile` sends them."""
        try:
            # Nobody asks for the result: without this, a subscription a task would pile up in this process.
            canvases.slot(generation_id).apply_async(retry=False, ignore_result=True)
        except OperationalError as error:
            logger.warning("generation %d: the broker did not take its tasks: %s", generation_id, error)
            with self._studio.begin() as session:
                generation.move_due(session, generation_id, patience_s=0)


async def _body(request: Request) -> bytes:
    """Read the body, up to its limits."""
    parts = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                parts += part
                if len(parts) > BODY_BYTES:
                    raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {BODY_BYTES} bytes")
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, f"no whole body in {BODY_S:.0f} s") from None
    return bytes(parts)


def _json(body: bytes) -> dict[str, Any]:
    """Read a JSON object, or answer 400."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "expected a JSON object")
    return value


def _check_task_id(task_id: str) -> None:
    """Answer 400 for a task id that no row could hold."""
    if len(task_id) > TASK_ID_CHARS or not task_id.isprintable():
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"expected a task id of at most {TASK_ID_CHARS} characters")


def _behind(session: Session, provider: str, reference: str) -> Generation:
    """Load and lock the row behind a path. The path stays out of the logs."""
    try:
        row = settlement.by_reference(session, provider, uuid.UUID(reference))
    except ValueError:
        row = None
    if row is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "no such request")
    return row


def _refuse_another_task(session: Session, row: Generation, news: CallbackNews) -> None:
    """Answer 409 when the row has another task, or the task another row."""
    if row.provider_task_id not in {None, news.task_id}:
        logger.error("refused a callback for task %s: the row has task %s", news.task_id, row.provider_task_id)
        raise HTTPException(HTTPStatus.CONFLICT, "this request has another task")
    if row.provider_task_id is None:
        owner = settlement.owner_of(session, row.provider, news.task_id)
        if owner is not None:
            logger.error("refused a callback for task %s: it belongs to generation %d", news.task_id, owner)
            raise HTTPException(HTTPStatus.CONFLICT, "this task belongs to another request")


def _woken(session: Session, row: Generation, news: CallbackNews, studio: Studio) -> int | None:
    """Bring the row on where the news does; give its id when its tasks are to be sent."""
    patience_s = studio.settings.reconcile_after_s
    was = row.state
    deadline_s = studio.settings.generation_deadline_s
    made_after_all = news.kind == "complete" and not take.of_generation(session, row.id)
    if settlement.accept(
        session, row.id, task_id=news.task_id, patience_s=patience_s, deadline_s=deadline_s, revive=made_after_all
    ):
        logger.info("a callback (%s) proves that the request was accepted; it was %s", news.kind, was)
        if was == generation.FAILED:
            budget.charge_again(session, subject=subject(row), amount=row.credits)
        return row.id
    if news.kind in ENDS and settlement.hasten(session, row.id, patience_s=patience_s):
        logger.info("a callback (%s) brings the next look forward", news.kind)
        return row.id
    if row.provider_task_id is None:
        logger.warning("a callback (%s) for task %s came when the row was %s", news.kind, news.task_id, was)
    return None
