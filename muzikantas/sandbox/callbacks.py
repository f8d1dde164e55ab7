"""The life of a task after its acceptance: takes are recorded, callbacks are sent, at their times."""

import asyncio
import http.client
import time
from typing import Any
from urllib.parse import urlsplit

from muzikantas.sandbox.answers import is_loopback
from muzikantas.sandbox.json_values import as_json
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.suno_rules import STAGES
from muzikantas.sandbox.suno_tasks import Task, Tasks

TIMEOUT_S = 15.0  #: as documented; a client must answer sooner

_CALLBACK_TYPES = {"TEXT_SUCCESS": "text", "FIRST_SUCCESS": "first", "SUCCESS": "complete"}


class Callbacks:
    """Follows each task to its end. Only addresses of this machine are ever called."""

    def __init__(self, ledger: Ledger, tasks: Tasks) -> None:
        self._ledger, self._tasks = ledger, tasks
        self._running: set[asyncio.Task[None]] = set()

    def follow(self, task: Task) -> None:
        """See to a task's recording and callbacks, in the background."""
        life = asyncio.create_task(self._fail(task) if "fail" in task.fault else self._live(task))
        self._running.add(life)
        life.add_done_callback(self._running.discard)

    async def _live(self, task: Task) -> None:
        recordings = [self._tasks.recorder.book(take.id) for take in task.takes]
        for number, (status, share) in enumerate(STAGES):
            await _sleep_until(task.accepted_at + share * task.duration_s)
            for recording in recordings[:number]:
                await asyncio.wrap_future(recording)
            kind = _CALLBACK_TYPES[status]
            if kind not in task.callbacks:
                songs = [_snake(song) for song in self._tasks.songs(self._tasks.load(task.id), status)]
                await self._call(task, kind, 200, "All generated successfully.", {"data": songs})

    async def _fail(self, task: Task) -> None:
        await _sleep_until(task.accepted_at + task.duration_s)
        self._ledger.settle(time.time())
        code = 531 if task.fault.get("refund") else 400 if task.fault["fail"] == "SENSITIVE_WORD_ERROR" else 501
        await self._call(task, "error", code, f"Audio generation failed: {task.fault['fail']}.", {"data": None})

    async def _call(self, task: Task, kind: str, code: int, message: str, more: dict[str, Any]) -> None:
        """Make one attempt and write down what became of it."""
        body = {"code": code, "msg": message, "data": {"callbackType": kind, "task_id": task.id, **more}}
        host = urlsplit(task.reference).hostname or ""
        if not is_loopback(host):
            outcome = f"skipped: {host or task.reference} is not this machine"
        else:
            outcome = await asyncio.to_thread(_post, task.reference, as_json(body).encode())
        self._ledger.rows(
            "UPDATE tasks SET callbacks = json_set(callbacks, '$.' || ?, ?) WHERE id = ?", kind, outcome, task.id
        )


async def _sleep_until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.time()))


def _post(address: str, body: bytes) -> str:
    """POST once, without redirects or proxies, and say how it went."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request(
            "POST",
            parts._replace(scheme="", netloc="", fragment="").geturl() or "/",
            body,
            {"content-type": "application/json"},
        )
        return f"answered {connection.getresponse().status}"
    except (OSError, http.client.HTTPException) as error:
        return f"failed: {error!r}"
    finally:
        connection.close()


def _snake(song: dict[str, Any]) -> dict[str, Any]:
    """Turn a song of record-info into one of a callback: snake_case, but `createTime` stays."""
    return {
        "id": song["id"],
        "audio_url": song["audioUrl"],
        "source_audio_url": song["audioUrl"],
        "stream_audio_url": song["streamAudioUrl"],
        "source_stream_audio_url": song["streamAudioUrl"],
        "image_url": song["imageUrl"],
        "source_image_url": song["imageUrl"],
        "prompt": song["prompt"],
        "model_name": song["modelName"],
        "title": song["title"],
        "tags": song["tags"],
        "createTime": song["createTime"],
        "duration": song["duration"],
    }
