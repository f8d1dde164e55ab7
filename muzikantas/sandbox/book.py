"""The book of paid tasks: read from the ledger as values."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.suno_rules import status_of


@dataclass(frozen=True, kw_only=True)
class Take:
    """One of a task's songs; `duration_s` is None until it is recorded."""

    id: str
    duration_s: float | None


@dataclass(frozen=True, kw_only=True)
class Task:
    """One accepted, paid request."""

    id: str
    provider: str
    account: str
    title: str
    style: str
    reference: str | None  #: the callback address, which carries the client's own reference
    body: Mapping[str, Any]
    charged: int
    refunded: int
    accepted_at: float
    duration_s: float
    answered: bool  #: the answer that accepts it has left whole
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


class Book:
    """All tasks, or those of one provider."""

    def __init__(self, ledger: Ledger, provider: str | None = None) -> None:
        self._ledger = ledger
        self._mine = "1 = 1" if provider is None else "provider = ?"
        self._provider = () if provider is None else (provider,)

    def find(self, task_id: str) -> Task | None:
        """Give one task, or None."""
        return next(iter(self._select("id = ?", task_id)), None)

    def load(self, task_id: str) -> Task:
        """Give a task that is known to exist."""
        return self._select("id = ?", task_id)[0]

    def of_take(self, take_id: str) -> Task | None:
        """Give the task that a take belongs to, or None."""
        return next(iter(self._select("id = (SELECT task_id FROM takes WHERE id = ?)", take_id)), None)

    def all(self) -> list[Task]:
        """Give every task, in the order in which they were paid."""
        return self._select("1 = 1")

    def unfinished(self) -> list[Task]:
        """Give the tasks whose last callback was not dealt with yet."""
        return [task for task in self.all() if not {"complete", "error"} & task.callbacks.keys()]

    def note_answered(self, task_id: str) -> None:
        """Write down that the answer which accepts a task has left whole."""
        self._ledger.rows("UPDATE tasks SET answered = 1 WHERE id = ?", task_id)

    def note_attempt(self, task_id: str, kind: str, at: float, outcome: str) -> None:
        """Write down one delivery of a callback that was tried."""
        self._ledger.rows(
            "INSERT INTO attempts (task_id, kind, at, outcome) VALUES (?, ?, ?, ?)", task_id, kind, at, outcome
        )

    def note_callback(self, task_id: str, kind: str, outcome: str) -> None:
        """Write down that a callback is dealt with."""
        self._ledger.rows(
            "UPDATE tasks SET callbacks = json_set(callbacks, '$.' || ?, ?) WHERE id = ?", kind, outcome, task_id
        )

    def attempts(self) -> dict[str, list[dict[str, Any]]]:
        """Give every delivery that was tried, by task."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self._ledger.rows("SELECT * FROM attempts ORDER BY number"):
            found.setdefault(row["task_id"], []).append({name: row[name] for name in ("kind", "at", "outcome")})
        return found

    def _select(self, where: str, *values: object) -> list[Task]:
        mine = f"FROM tasks WHERE {where} AND {self._mine}"
        values = (*values, *self._provider)
        # Two questions however many tasks: the admin asks for all of them while hundreds are polled.
        takes: dict[str, list[Take]] = {}
        query = f"SELECT * FROM takes WHERE task_id IN (SELECT id {mine}) ORDER BY position"  # noqa: S608 - words of ours
        for row in self._ledger.rows(query, *values):
            takes.setdefault(row["task_id"], []).append(Take(id=row["id"], duration_s=row["duration_s"]))
        rows = self._ledger.rows(f"SELECT * {mine} ORDER BY accepted_at, rowid", *values)
        return [_task(row, tuple(takes.get(row["id"], ()))) for row in rows]


def _task(row: sqlite3.Row, takes: tuple[Take, ...]) -> Task:
    plain = ("id", "provider", "account", "title", "style", "reference", "charged", "refunded")
    return Task(
        **{name: row[name] for name in plain},
        body=json.loads(row["body"]),
        accepted_at=row["accepted_at"],
        duration_s=row["duration_s"],
        answered=bool(row["answered"]),
        fault=json.loads(row["fault"] or "{}"),
        callbacks=json.loads(row["callbacks"]),
        takes=takes,
    )
