"""The music gateway: paid requests of two takes, their records, their credits, their files."""

import hashlib
import json
import time
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from muzikantas.sandbox import answers
from muzikantas.sandbox.callbacks import Callbacks
from muzikantas.sandbox.config import Config
from muzikantas.sandbox.faults import Deed, Faults
from muzikantas.sandbox.json_values import Json, as_json
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.obedience import realise, seeded
from muzikantas.sandbox.prompt import read_style
from muzikantas.sandbox.recorder import Recorder
from muzikantas.sandbox.suno_rules import SUNOAPI, Dialect, Limiter, problem_of
from muzikantas.sandbox.suno_tasks import Task, Tasks

#: Deeds that stay with a task and are obeyed whenever it is looked at.
_STAYS = ("fail", "refund", "status", "zero_bytes", "html", "expired", "identical_takes", "accept_then_drop")


class Suno:
    """One gateway in one dialect. The truth of an answer is its body's `code`; HTTP says 200."""

    def __init__(self, config: Config, ledger: Ledger, faults: Faults, recorder: Recorder) -> None:
        self._config, self._ledger, self._faults, self._recorder = config, ledger, faults, recorder
        self._dialect: Dialect = SUNOAPI
        self._limiter = Limiter(self._dialect)
        self._tasks = Tasks(config, ledger, recorder)
        self._callbacks = Callbacks(ledger, self._tasks)

    def routes(self) -> APIRouter:
        """Give the gateway's paths."""
        router = APIRouter()
        api = f"{self._dialect.prefix}/api/v1/generate"
        router.add_api_route(api, self.generate, methods=["POST"])
        router.add_api_route(f"{api}/record-info", self.record_info, methods=["GET"])
        router.add_api_route(f"{api}/credit", self.credit, methods=["GET"])
        router.add_api_route(f"{self._dialect.prefix}/files/{{name}}.mp3", self.file, methods=["GET"])
        return router

    def resume(self) -> None:
        """Take up what a killed server left: record paid takes, send the callbacks that are still owed."""
        for task in self._tasks.unfinished():
            self._callbacks.follow(task)

    @property
    def tasks(self) -> Tasks:
        """Give the book of tasks, for the admin's eye."""
        return self._tasks

    async def generate(self, request: Request) -> Response:
        """Accept one paid request."""
        account = answers.account(request)
        if account is None:
            return _envelope(request, 401, "You do not have access permissions.")
        if not self._limiter.admit(account, time.monotonic()):
            self._ledger.set_fact("limited_requests", str(1 + int(self._ledger.fact("limited_requests", "0"))))
            return _envelope(
                request, self._dialect.too_fast, "Your call frequency is too high. Please try again later."
            )
        body = await answers.json_body(request)
        if problem := problem_of(body, self._config.suno_models):
            return _envelope(request, *problem)
        assert body is not None
        reference = str(body["callBackUrl"])
        deed = self._faults.deed(
            "suno", "generate", title=str(body.get("title", "")), style=_style(body), reference=reference
        )
        if answer := _refusal(request, deed):
            await answers.late(deed)
            return answer
        if self._ledger.balance(account, self._config.credits, time.time()) < self._dialect.price:
            return _envelope(
                request, self._dialect.out_of_credits, "The current credits are insufficient. Please top up."
            )
        return await self._accepted(request, self._accept(account, body, deed), deed)

    def _accept(self, account: str, body: dict[str, Any], deed: Deed) -> Task:
        """Charge the account and write down the task with what its takes will be."""
        digest, number = self._digest(body)
        task_id = hashlib.blake2b(f"{self._config.seed}/{digest}/{number}".encode(), digest_size=16).hexdigest()
        asked = read_style(_style(body))
        spread = float(seeded(self._config.seed, "duration", task_id).normal(0, 0.25))
        takes = []
        for position in range(2):
            take_id = hashlib.blake2b(f"{task_id}/{position}".encode(), digest_size=16).hexdigest()
            realised = as_json(asdict(realise(asked, seed=self._config.seed, take_id=take_id)))
            takes.append({"id": take_id, "task_id": task_id, "position": position, "realised": realised})
        task = {
            "id": task_id,
            "account": account,
            "digest": digest,
            "body": as_json(body),
            "title": str(body.get("title") or "Untitled"),
            "style": _style(body),
            "reference": str(body["callBackUrl"]),
            "charged": self._dialect.price,
            "accepted_at": time.time(),
            "duration_s": self._config.generation_seconds * 2.718281828**spread,
            "fault": as_json({name: deed[name] for name in _STAYS if name in deed}) if deed else None,
        }
        self._ledger.accept(task, takes)
        return self._tasks.load(task_id)

    def _digest(self, body: dict[str, Any]) -> tuple[str, int]:
        """Name a request by what it asks for and count its equals, so that a replayed demo gets the same songs."""
        said = {name: value for name, value in body.items() if name != "callBackUrl"}
        digest = hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16).hexdigest()
        return digest, self._ledger.number("SELECT count(*) FROM tasks WHERE digest = ?", digest)

    async def _accepted(self, request: Request, task: Task, deed: Deed) -> Response:
        self._callbacks.follow(task)
        answers.note(request, task=task.id)
        await answers.late(deed)
        if deed.get("accept_then_drop"):
            return answers.Dropped()
        if not await request.is_disconnected():
            self._ledger.rows("UPDATE tasks SET answered = 1 WHERE id = ?", task.id)
        return _envelope(request, 200, "success", {"taskId": task.id})

    async def record_info(self, request: Request, taskId: str = "") -> Response:  # noqa: N803 - the wire's name
        """Show one task."""
        account = answers.account(request)
        if account is None:
            return _envelope(request, 401, "You do not have access permissions.")
        task = self._tasks.find(taskId)
        if task is None or task.account != account:
            return _envelope(request, 404, f"No record of task {taskId!r}.")
        deed = self._faults.deed("suno", "record-info", title=task.title, style=task.style, reference=task.reference)
        await answers.late(deed)
        if answer := _refusal(request, deed):
            return answer
        if "status" in deed:
            task = task.with_fault({"status": deed["status"]})
        return _envelope(request, 200, "success", self._tasks.record(task))

    async def credit(self, request: Request) -> Response:
        """Show what the account has left."""
        account = answers.account(request)
        if account is None:
            return _envelope(request, 401, "You do not have access permissions.")
        deed = self._faults.deed("suno", "credit")
        await answers.late(deed)
        left = self._ledger.balance(account, self._config.credits, time.time())
        return _refusal(request, deed) or _envelope(request, 200, "success", left)

    async def file(self, name: str) -> Response:
        """Hand out a take's audio; links need no key, as at the real thing."""
        task = self._tasks.of_take(name)
        if task is None:
            return JSONResponse({"error": f"No such file: {name}.mp3"}, status_code=404)
        deed = task.fault | self._faults.deed(
            "suno", "file", title=task.title, style=task.style, reference=task.reference
        )
        await answers.late(deed)
        if answer := answers.broken(deed):
            return answer
        if deed.get("html"):
            return answers.web_page()
        if deed.get("zero_bytes"):
            return Response(b"", media_type="audio/mpeg")
        path = self._recorder.path(task.takes[0].id if deed.get("identical_takes") else name)
        if deed.get("expired") or not path.exists():
            return JSONResponse({"error": f"No such file: {name}.mp3"}, status_code=404)
        return FileResponse(path, media_type="audio/mpeg")


def _style(body: dict[str, Any]) -> str:
    return str(body.get("style") or body.get("prompt") or "")


def _refusal(request: Request, deed: Deed) -> Response | None:
    if "code" in deed:
        return _envelope(request, int(deed["code"]), "The sandbox was told to answer so.")
    return answers.broken(deed)


def _envelope(request: Request, code: int, message: str, data: Json = None) -> Response:
    answers.note(request, code=code)
    return JSONResponse({"code": code, "msg": message, "data": data})
