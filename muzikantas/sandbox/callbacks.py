"""The life of a task after its acceptance: takes are recorded, callbacks are sent, at their times."""

import asyncio
import time
from typing import Any

from muzikantas.sandbox import postman
from muzikantas.sandbox.book import Book, Task
from muzikantas.sandbox.json_values import as_json
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.recorder import Recorder
from muzikantas.sandbox.suno_records import failure_code, snake, songs
from muzikantas.sandbox.suno_rules import STAGES, lateness_s

WITHHELD = "withheld: the fault script says missing"
RACE_S = 30.0  #: how long a racing callback waits for the poll that it races

_KINDS = {"TEXT_SUCCESS": "text", "FIRST_SUCCESS": "first", "SUCCESS": "complete"}


class Callbacks:
    """Follows each task of one gateway to its end. Only addresses of this machine are ever called."""

    def __init__(self, ledger: Ledger, book: Book, recorder: Recorder, *, url: str, webhook_key: str | None) -> None:
        self._ledger, self._book, self._recorder = ledger, book, recorder
        self._url, self._webhook_key = url, webhook_key
        self._running: set[asyncio.Task[None]] = set()
        self._races: dict[str, asyncio.Event] = {}

    def follow(self, task: Task) -> None:
        """See to a task's recording and callbacks, in the background."""
        life = asyncio.create_task(self._fail(task) if "fail" in task.fault else self._live(task))
        self._running.add(life)
        life.add_done_callback(self._running.discard)

    def polled(self, task: Task, status: str) -> None:
        """Hear that a poll is about to be answered: a racing callback starts now."""
        if task.id in self._races and status not in {"PENDING", "TEXT_SUCCESS", "FIRST_SUCCESS"}:
            self._races[task.id].set()

    async def _live(self, task: Task) -> None:
        recordings = [self._recorder.book(take.id) for take in task.takes]
        backwards = task.fault.get("callback") == "out_of_order"
        for number, (status, share) in enumerate(STAGES):
            await _sleep_until(task.accepted_at + share * task.duration_s + lateness_s(task.fault))
            for recording in recordings[:number]:
                await asyncio.wrap_future(recording)
            if not backwards:
                await self._tell(task, status)
        if backwards:
            for status, _ in reversed(STAGES):
                await self._tell(task, status)

    async def _fail(self, task: Task) -> None:
        await _sleep_until(task.accepted_at + task.duration_s + lateness_s(task.fault))
        self._ledger.settle(time.time())
        message = f"Audio generation failed: {task.fault['fail']}."
        # One gateway explains itself in `error`, the other sends no songs: a receiver has to bear both.
        more = {"error": message} if self._webhook_key else {"data": None}
        await self._send(task, "error", failure_code(task), message, more)

    async def _tell(self, task: Task, status: str) -> None:
        """Send the callback of a stage, as it looks by now."""
        found = [snake(song) for song in songs(self._book.load(task.id), status, self._url)]
        await self._send(task, _KINDS[status], 200, "All generated successfully.", {"data": found})

    async def _send(self, task: Task, kind: str, code: int, message: str, more: dict[str, Any]) -> None:
        """Deliver one callback in the way that the fault script wants, unless that was done before a restart."""
        script = task.fault.get("callback")
        if kind in self._book.load(task.id).callbacks:
            return
        if script == "missing":
            self._book.note_callback(task.id, kind, WITHHELD)
            return
        if script == "racing" and kind in {"complete", "error"}:
            await self._race(task.id)
        body = {"code": code, "msg": message, "data": {"callbackType": kind, "task_id": task.id, **more}}
        for _ in range(2 if script == "duplicate" else 1):
            outcome = await self._deliver(task, kind, as_json(body).encode())
        self._book.note_callback(task.id, kind, outcome)

    async def _deliver(self, task: Task, kind: str, body: bytes) -> str:
        key, good = self._webhook_key, task.fault.get("callback") != "bad_signature"
        headers = postman.signed_headers(task.id, key, good=good) if key else {}
        return await postman.deliver(
            str(task.reference),
            body,
            headers,
            lambda at, outcome: self._book.note_attempt(task.id, kind, at, outcome),
        )

    async def _race(self, task_id: str) -> None:
        """Wait for a poll that sees the end; without one, give up the race."""
        self._races[task_id] = asyncio.Event()
        try:
            await asyncio.wait_for(self._races[task_id].wait(), RACE_S)
        except TimeoutError:
            return
        finally:
            del self._races[task_id]


async def _sleep_until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.time()))
