"""The music gateway: paid requests of two takes, their records, their credits, their files."""

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from muzikantas.sandbox import answers, days, files
from muzikantas.sandbox.acceptance import Order, accept, said
from muzikantas.sandbox.book import Book, Task
from muzikantas.sandbox.callbacks import Callbacks
from muzikantas.sandbox.config import Config
from muzikantas.sandbox.deeds import Deed
from muzikantas.sandbox.envelopes import DENIED, envelope, refusal, unheard
from muzikantas.sandbox.faults import Faults
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.recorder import Recorder
from muzikantas.sandbox.suno_records import record
from muzikantas.sandbox.suno_rules import Dialect, Limiter, problem_of
from muzikantas.sandbox.suno_wav import SunoWav

_TOO_OFTEN = "Your call frequency is too high. Please try again later."


class Suno:
    """One gateway in one dialect. The truth of an answer is its body's `code`; HTTP says 200."""

    def __init__(self, dialect: Dialect, *, config: Config, ledger: Ledger, faults: Faults, recorder: Recorder) -> None:
        self._dialect, self._config, self._ledger = dialect, config, ledger
        self._faults, self._recorder = faults, recorder
        self._limiter = Limiter(dialect.calls, dialect.window_s)
        self._polls = Limiter(dialect.polls_per_s, 1.0) if dialect.polls_per_s else None
        self._url = f"{config.url}{dialect.prefix}"
        self._book = Book(ledger, dialect.provider)
        key = config.webhook_key if dialect.signs else None
        self._wav = SunoWav(dialect, config=config, ledger=ledger, faults=faults, recorder=recorder)
        self._callbacks = Callbacks(ledger, self._book, recorder, url=self._url, webhook_key=key)

    def routes(self) -> APIRouter:
        """Give the gateway's paths."""
        router = APIRouter()
        api = f"{self._dialect.prefix}/api/v1/generate"
        router.add_api_route(api, self.generate, methods=["POST"])
        router.add_api_route(f"{api}/record-info", self.record_info, methods=["GET"])
        router.add_api_route(f"{api}/credit", self.credit, methods=["GET"])
        router.include_router(self._wav.routes())
        router.add_api_route(f"{self._dialect.prefix}/files/{{name}}.mp3", self.file, methods=["GET"])
        return router

    def resume(self) -> None:
        """Take up what a killed server left: record paid takes, send the callbacks that are still owed."""
        for task in self._book.unfinished():
            self._callbacks.follow(task)
        self._wav.resume()

    async def generate(self, request: Request) -> Response:
        """Accept one paid request."""
        account = answers.account(request)
        if account is None:
            return envelope(request, *DENIED)
        if not self._limiter.admit(account, time.monotonic()):
            self._ledger.count(f"limited_requests/{self._dialect.provider}")
            return envelope(request, self._dialect.too_fast, _TOO_OFTEN)
        body = await answers.json_body(request)
        if problem := problem_of(body, self._config.suno_models, self._dialect):
            return envelope(request, *problem)
        assert body is not None
        order = self._order(account, body)
        texts = {"title": order.title, "style": order.style, "reference": str(order.reference)}
        deed = self._faults.deed(self._dialect.provider, "generate", said=said(body), **texts)
        if answer := refusal(request, deed):
            await answers.late(deed)
            return answer
        if self._credits_left(account) < order.price:
            message = "The current credits are insufficient. Please top up."
            return envelope(request, self._dialect.out_of_credits, message)
        task_id = accept(order, deed, config=self._config, ledger=self._ledger)
        return await self._accepted(request, self._book.load(task_id), deed)

    def _order(self, account: str, body: dict[str, Any]) -> Order:
        return Order(
            provider=self._dialect.provider,
            prefix=self._dialect.prefix,
            account=account,
            body=body,
            title=str(body.get("title") or "Untitled"),
            style=str(body.get("style") or body.get("prompt") or ""),
            reference=str(body["callBackUrl"]),
            price=self._dialect.price,
            takes=2,
        )

    def _credits_left(self, account: str) -> int:
        return self._config.credits - self._ledger.spent(self._dialect.provider, account, time.time())

    async def _accepted(self, request: Request, task: Task, deed: Deed) -> Response:
        """Answer for a task that is charged; it counts as answered once its name has left whole."""
        self._callbacks.follow(task)
        answers.note(request, task=task.id)
        if deed.get("callback") != "late":  # its delay is the callback's
            await answers.late(deed)
        if answer := unheard(request, deed):
            return answer
        answer = envelope(request, 200, "success", {"taskId": task.id})
        if not await request.is_disconnected():
            answer.background = BackgroundTask(self._book.note_answered, task.id)
        return answer

    async def record_info(self, request: Request, taskId: str = "") -> Response:  # noqa: N803 - the wire's name
        """Show one task."""
        account = answers.account(request)
        if account is None:
            return envelope(request, *DENIED)
        task = self._book.find(taskId)
        if task is None or task.account != account:
            return envelope(request, 404, f"No record of task {taskId!r}.")
        if self._polls is not None and not self._polls.admit(task.id, time.monotonic()):
            return envelope(request, self._dialect.too_fast, _TOO_OFTEN)
        deed = self._faults.of_task("record-info", task)
        await answers.late(deed)
        if answer := refusal(request, deed):
            return answer
        if "status" in deed:
            task = task.with_fault({"status": deed["status"]})
        self._ledger.settle(time.time())
        status = task.status(time.time())
        self._callbacks.polled(task, status)
        return envelope(request, 200, "success", record(task, status, self._url))

    async def credit(self, request: Request) -> Response:
        """Show what the account has left."""
        account = answers.account(request)
        if account is None:
            return envelope(request, *DENIED)
        deed = self._faults.deed(self._dialect.provider, "credit", said=account)
        await answers.late(deed)
        return refusal(request, deed) or envelope(request, 200, "success", self._credits_left(account))

    async def file(self, name: str) -> Response:
        """Hand out a take's audio; links need no key, as at the real thing."""
        task = self._book.of_take(name)
        if task is None:
            return files.gone(f"{name}.mp3", {})
        now = self._faults.of_task("file", task)
        await answers.late(now)
        if answer := answers.broken(now):
            return answer
        deed = task.fault | now
        path = self._recorder.path(task.takes[0].id if deed.get("identical_takes") else name)
        kept = deed.get("keep_days", self._dialect.keep_days)
        aged = days.age_days(self._ledger, task.accepted_at) >= kept
        if deed.get("expired") or aged or not path.exists():
            return files.gone(path.name, deed)
        return await asyncio.to_thread(files.spoilt, path, deed) or files.whole(path)
