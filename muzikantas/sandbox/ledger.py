"""The book of the sandbox: one SQLite file that survives kill -9. Every statement commits at once."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY, provider TEXT NOT NULL, account TEXT NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL,
    title TEXT NOT NULL, style TEXT NOT NULL, reference TEXT, charged INTEGER NOT NULL,
    refunded INTEGER NOT NULL DEFAULT 0,
    accepted_at REAL NOT NULL, duration_s REAL NOT NULL, answered INTEGER NOT NULL DEFAULT 0,
    fault TEXT, callbacks TEXT NOT NULL DEFAULT '{}');
CREATE INDEX IF NOT EXISTS tasks_digest ON tasks (digest);
CREATE TABLE IF NOT EXISTS takes (
    id TEXT PRIMARY KEY, task_id TEXT NOT NULL REFERENCES tasks, position INTEGER NOT NULL,
    realised TEXT NOT NULL, asked_s REAL, duration_s REAL);
CREATE INDEX IF NOT EXISTS takes_task ON takes (task_id);
CREATE TABLE IF NOT EXISTS releases (
    number INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT UNIQUE NOT NULL, take_id TEXT NOT NULL REFERENCES takes,
    title TEXT NOT NULL, artist TEXT NOT NULL, released_on TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rules (
    number INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0, fired INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS draws (
    rule INTEGER NOT NULL REFERENCES rules ON DELETE CASCADE, said TEXT NOT NULL, times INTEGER NOT NULL,
    PRIMARY KEY (rule, said));
CREATE TABLE IF NOT EXISTS applied (
    provider TEXT NOT NULL, kind TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (provider, kind));
CREATE TABLE IF NOT EXISTS attempts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL REFERENCES tasks, kind TEXT NOT NULL,
    at REAL NOT NULL, outcome TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempts_task ON attempts (task_id);
CREATE TABLE IF NOT EXISTS llm_calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, account TEXT NOT NULL, model TEXT NOT NULL,
    outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS wavs (
    id TEXT PRIMARY KEY, provider TEXT NOT NULL, account TEXT NOT NULL, task_id TEXT NOT NULL REFERENCES tasks,
    take_id TEXT UNIQUE NOT NULL REFERENCES takes, reference TEXT NOT NULL, accepted_at REAL NOT NULL,
    duration_s REAL NOT NULL, completed_at REAL, fault TEXT NOT NULL, callback TEXT);
CREATE TABLE IF NOT EXISTS advances (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, before TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Ledger:
    """SQLite behind a lock: handlers on the event loop and the synthesis thread share it.

    With `synchronous=NORMAL` in WAL mode a committed row survives the death of the process (not of the machine),
    which is what a killed sandbox has to promise.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(_SCHEMA)

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Run a statement and give all its rows."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        """Run a statement and give its first row, if any."""
        return next(iter(self.rows(statement, *values)), None)

    def number(self, statement: str, *values: object) -> int:
        """Run a statement that gives one number."""
        return int(self.rows(statement, *values)[0][0] or 0)

    def fact(self, name: str, default: str) -> str:
        """Read a named fact, such as the sandbox's day."""
        found = self.row("SELECT value FROM facts WHERE name = ?", name)
        return found["value"] if found else default

    def set_fact(self, name: str, value: str) -> None:
        """Write a named fact."""
        self.rows(
            "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value
        )

    def accept(self, task: dict[str, Any], takes: list[dict[str, Any]]) -> None:
        """Write a paid task and its takes in one transaction: either all is charged and known, or nothing."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._insert("tasks", task)
                for take in takes:
                    self._insert("takes", take)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _insert(self, table: str, values: dict[str, Any]) -> None:
        marks = ", ".join("?" * len(values))
        statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608 - names are ours
        self._connection.execute(statement, tuple(values.values()))

    def settle(self, now: float) -> None:
        """Refund failed tasks whose time is over and whose fault says so."""
        self.rows(
            "UPDATE tasks SET refunded = charged WHERE refunded = 0 AND accepted_at + duration_s <= ?"
            " AND json_extract(fault, '$.fail') IS NOT NULL AND json_extract(fault, '$.refund')",
            now,
        )

    def spent(self, provider: str, account: str, now: float) -> int:
        """Give what an account has spent at a provider, net of what came back."""
        self.settle(now)
        return self.number(
            "SELECT sum(charged - refunded) FROM tasks WHERE provider = ? AND account = ?", provider, account
        )

    def count(self, name: str) -> None:
        """Add one to a counter among the facts."""
        self.rows(
            "INSERT INTO facts VALUES (?, '1') ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
            name,
        )

    def numbers(self, prefix: str) -> dict[str, int]:
        """Give all counters whose name begins so, by the rest of their names."""
        rows = self.rows("SELECT name, value FROM facts WHERE substr(name, 1, ?) = ?", len(prefix), prefix)
        return {row["name"].removeprefix(prefix): int(row["value"]) for row in rows}
