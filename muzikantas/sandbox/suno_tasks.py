"""Tasks of the music gateway: read from the ledger, shown in the documented form."""

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from muzikantas.sandbox.config import Config
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.recorder import Recorder
from muzikantas.sandbox.suno_rules import status_of


@dataclass(frozen=True, kw_only=True)
class Take:
    """One of a task's two songs; `duration_s` is None until it is recorded."""

    id: str
    duration_s: float | None


@dataclass(frozen=True, kw_only=True)
class Task:
    """One accepted, paid request."""

    id: str
    account: str
    title: str
    style: str
    reference: str  #: the callback address, which carries the client's own reference
    body: Mapping[str, Any]
    charged: int
    refunded: int
    accepted_at: float
    duration_s: float
    answered: bool
    fault: dict[str, Any]
    callbacks: dict[str, str]  #: what became of each callback
    takes: tuple[Take, ...]

    @property
    def made(self) -> int:
        """Count the takes that are recorded."""
        return sum(take.duration_s is not None for take in self.takes)

    def status(self, now: float) -> str:
        """Tell the documented status at a moment."""
        age_s = now - self.accepted_at
        return status_of(age_s=age_s, duration_s=self.duration_s, made=self.made, fault=self.fault)

    def with_fault(self, more: dict[str, Any]) -> "Task":
        """Give the task as it looks with one more fault."""
        return replace(self, fault=self.fault | more)


class Tasks:
    """The book of tasks."""

    def __init__(self, config: Config, ledger: Ledger, recorder: Recorder) -> None:
        self._config, self._ledger, self.recorder = config, ledger, recorder

    def find(self, task_id: str) -> Task | None:
        """Give one task, or None."""
        row = self._ledger.row("SELECT * FROM tasks WHERE id = ?", task_id)
        return self._read(row) if row else None

    def load(self, task_id: str) -> Task:
        """Give a task that is known to exist."""
        return self._read(self._ledger.rows("SELECT * FROM tasks WHERE id = ?", task_id)[0])

    def of_take(self, take_id: str) -> Task | None:
        """Give the task that a take belongs to, or None."""
        row = self._ledger.row("SELECT task_id FROM takes WHERE id = ?", take_id)
        return self.load(row["task_id"]) if row else None

    def all(self) -> list[Task]:
        """Give every task, in the order in which they were paid."""
        return [self._read(row) for row in self._ledger.rows("SELECT * FROM tasks ORDER BY accepted_at, rowid")]

    def unfinished(self) -> list[Task]:
        """Give the tasks whose last callback was not dealt with yet."""
        return [task for task in self.all() if not {"complete", "error"} & task.callbacks.keys()]

    def record(self, task: Task) -> dict[str, Any]:
        """Show a task as record-info does (camelCase, `param` a JSON string)."""
        status = task.status(time.time())
        failed = "fail" in task.fault and status == task.fault["fail"]
        shown = [] if failed or status == "PENDING" else self.songs(task, status)
        code = {"SENSITIVE_WORD_ERROR": 400}.get(status, 501)
        return {
            "taskId": task.id,
            "parentMusicId": "",
            "param": json.dumps({name: value for name, value in task.body.items() if name != "callBackUrl"}),
            "response": {"taskId": task.id, "sunoData": shown},
            "status": status,
            "type": "GENERATE",
            "errorCode": code if failed else None,
            "errorMessage": f"The sandbox let this task fail: {status}." if failed else None,
        }

    def songs(self, task: Task, status: str) -> list[dict[str, Any]]:
        """Show the takes that a status gives away: links appear with the first and the last stage."""
        linked = {"TEXT_SUCCESS": 0, "FIRST_SUCCESS": 1}.get(status, len(task.takes))
        return [self._song(task, take, linked=number < linked) for number, take in enumerate(task.takes)]

    def _song(self, task: Task, take: Take, *, linked: bool) -> dict[str, Any]:
        link = f"{self._config.url}/files/{take.id}.mp3"
        created = datetime.fromtimestamp(task.accepted_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        return {
            "id": take.id,
            "audioUrl": link if linked else "",
            "streamAudioUrl": link if linked else "",
            "imageUrl": f"{self._config.url}/files/{take.id}.jpeg",
            "prompt": "" if task.body.get("instrumental") else task.body.get("prompt", ""),
            "modelName": f"chirp-sandbox-{task.body['model'].lower()}",
            "title": task.title,
            "tags": task.style,
            "createTime": created,
            "duration": take.duration_s if linked else None,
        }

    def _read(self, row: sqlite3.Row) -> Task:
        takes = self._ledger.rows("SELECT id, duration_s FROM takes WHERE task_id = ? ORDER BY position", row["id"])
        return Task(
            **{name: row[name] for name in ("id", "account", "title", "style", "reference", "charged", "refunded")},
            body=json.loads(row["body"]),
            accepted_at=row["accepted_at"],
            duration_s=row["duration_s"],
            answered=bool(row["answered"]),
            fault=json.loads(row["fault"] or "{}"),
            callbacks=json.loads(row["callbacks"]),
            takes=tuple(Take(id=take["id"], duration_s=take["duration_s"]) for take in takes),
        )
