"""The gateway's WAV files: a job of its own for each take, once.

Source: docs.sunoapi.org, "Convert to WAV Format", "Get WAV Conversion Details", "WAV Format Conversion Callbacks";
docs.kie.ai has the same. The sandbox plays its mp3 into the file, so it holds no more than that.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from muzikantas.sandbox import answers, days, files, postman, recording, wavs
from muzikantas.sandbox.acceptance import staying
from muzikantas.sandbox.book import Book, Task
from muzikantas.sandbox.callbacks import WITHHELD
from muzikantas.sandbox.config import Config
from muzikantas.sandbox.deeds import Deed
from muzikantas.sandbox.envelopes import DENIED, envelope, refusal, unheard
from muzikantas.sandbox.faults import Faults
from muzikantas.sandbox.json_values import as_json
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.recorder import Recorder
from muzikantas.sandbox.suno_rules import Dialect, Problem, lateness_s

SHARE = 0.25  #: of the time that a song takes
_NEEDED = ("taskId", "audioId", "callBackUrl")


class SunoWav:
    """`/api/v1/wav/…` of one gateway, and the files themselves."""

    def __init__(self, dialect: Dialect, *, config: Config, ledger: Ledger, faults: Faults, recorder: Recorder) -> None:
        self._dialect, self._config, self._ledger = dialect, config, ledger
        self._faults, self._recorder, self._book = faults, recorder, Book(ledger, dialect.provider)
        self._running: set[asyncio.Task[None]] = set()

    def routes(self) -> APIRouter:
        """Give the paths."""
        router = APIRouter(prefix=self._dialect.prefix)
        router.add_api_route("/api/v1/wav/generate", self.generate, methods=["POST"])
        router.add_api_route("/api/v1/wav/record-info", self.record_info, methods=["GET"])
        router.add_api_route("/files/{name}.wav", self.file, methods=["GET"])
        return router

    def resume(self) -> None:
        """Take up what a killed server left."""
        for job in wavs.unfinished(self._ledger, self._dialect.provider):
            self._follow(job)

    async def generate(self, request: Request) -> Response:
        """Accept one conversion of one take; a second one for the same take is refused with 409."""
        account = answers.account(request)
        if account is None:
            return envelope(request, *DENIED)
        body = await answers.json_body(request) or {}
        task = self._book.find(str(body.get("taskId")))
        if problem := self._problem(body, task, account):
            return envelope(request, *problem)
        assert task is not None
        deed = self._faults.of_task("wav", task)
        if answer := refusal(request, deed):
            await answers.late(deed)
            return answer
        job = self._job(task, body, deed)
        if not wavs.accept(self._ledger, job):
            return envelope(request, 409, "The WAV record already exists.")
        self._follow(job)
        if deed.get("callback") != "late":  # its delay is the callback's
            await answers.late(deed)
        return unheard(request, deed) or envelope(request, 200, "success", {"taskId": job.id})

    def _problem(self, body: Mapping[str, Any], task: Task | None, account: str) -> Problem | None:
        """Give the first thing wrong with a request."""
        for name in _NEEDED:
            if not isinstance(body.get(name), str) or not body[name]:
                return self._dialect.bad_request, f"Please enter {name}."
        if task is None or task.account != account:
            return 404, f"No record of task {body['taskId']!r}."
        made = [take.id for take in task.takes if take.duration_s is not None]
        if body["audioId"] not in made:
            return self._dialect.bad_request, f"Task {task.id} has no finished audio {body['audioId']!r}."
        return None

    def _job(self, task: Task, body: Mapping[str, Any], deed: Deed) -> wavs.WavJob:
        return wavs.WavJob(
            id=hashlib.blake2b(f"wav/{body['audioId']}".encode(), digest_size=16).hexdigest(),
            provider=self._dialect.provider,
            account=task.account,
            task_id=task.id,
            take_id=body["audioId"],
            reference=body["callBackUrl"],
            accepted_at=time.time(),
            duration_s=SHARE * self._config.generation_seconds,
            completed_at=None,
            fault=staying(deed),
            callback=None,
        )

    async def record_info(self, request: Request, taskId: str = "") -> Response:  # noqa: N803 - the wire's name
        """Show one job."""
        account = answers.account(request)
        if account is None:
            return envelope(request, *DENIED)
        job = wavs.find(self._ledger, self._dialect.provider, taskId)
        if job is None or job.account != account:
            return envelope(request, 404, f"No record of task {taskId!r}.")
        deed = self._faults.of_task("wav-record-info", self._book.load(job.task_id))
        await answers.late(deed)
        return refusal(request, deed) or envelope(request, 200, "success", wavs.record(job, self._link(job)))

    async def file(self, name: str) -> Response:
        """Hand out a take's WAV; links need no key."""
        job = wavs.of_take(self._ledger, self._dialect.provider, name)
        if job is None or job.completed_at is None or job.has_failed:
            return files.gone(f"{name}.wav", {})
        now = self._faults.of_task("wav-file", self._book.load(job.task_id))
        await answers.late(now)
        if answer := answers.broken(now):
            return answer
        deed, path = job.fault | now, self._recorder.path(name).with_suffix(".wav")
        kept = deed.get("keep_days", self._dialect.keep_days)
        if deed.get("expired") or days.age_days(self._ledger, job.accepted_at) >= kept:
            return files.gone(path.name, deed)
        return await asyncio.to_thread(files.spoilt, path, deed) or files.whole(path)

    def _link(self, job: wavs.WavJob) -> str:
        return f"{self._config.url}{self._dialect.prefix}/files/{job.take_id}.wav"

    def _follow(self, job: wavs.WavJob) -> None:
        life = asyncio.create_task(self._live(job))
        self._running.add(life)
        life.add_done_callback(self._running.discard)

    async def _live(self, job: wavs.WavJob) -> None:
        """Turn one take into its file when its time has come, and call back."""
        await asyncio.sleep(max(0.0, job.accepted_at + job.duration_s - time.time()))
        if "fail" not in job.fault:
            await asyncio.to_thread(recording.play_into_wav, self._recorder.path(job.take_id))
        wavs.complete(self._ledger, job.id, time.time())
        await asyncio.sleep(lateness_s(job.fault))
        outcome = await self._call_back(job)
        wavs.note_callback(self._ledger, job.id, outcome)

    async def _call_back(self, job: wavs.WavJob) -> str:
        """Send the one callback in the way that the fault script wants; say what became of it."""
        script = job.fault.get("callback")
        if script == "missing":
            return WITHHELD
        ended = wavs.find(self._ledger, job.provider, job.id) or job
        body = as_json(wavs.told(ended, self._link(job))).encode()
        key = self._config.webhook_key if self._dialect.signs else None
        for _ in range(2 if script == "duplicate" else 1):
            headers = postman.signed_headers(job.id, key, good=script != "bad_signature") if key else {}
            outcome = await postman.deliver(job.reference, body, headers, self._noted(job))
        return outcome

    def _noted(self, job: wavs.WavJob) -> Callable[[float, str], None]:
        """Give what writes a delivery down, beside those of the task whose take it is."""
        return lambda at, outcome: self._book.note_attempt(job.task_id, "wav", at, outcome)
