"""The book of WAV jobs: which take is turned into a WAV file, how far that is, and how the gateway says it."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from muzikantas.sandbox.json_values import as_json
from muzikantas.sandbox.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class WavJob:
    """One accepted conversion. The documentation names no price, so none is charged."""

    id: str
    provider: str
    account: str
    task_id: str
    take_id: str
    reference: str  #: the callback address
    accepted_at: float
    duration_s: float
    completed_at: float | None  #: when the file was there, or the failure known
    fault: dict[str, Any]
    callback: str | None  #: what became of it

    @property
    def flag(self) -> str:
        """Tell the documented `successFlag`."""
        if self.completed_at is None:
            return "PENDING"
        return str(self.fault.get("fail") or self.fault.get("status", "SUCCESS"))

    @property
    def has_failed(self) -> bool:
        """Tell whether it has ended without a file."""
        return self.completed_at is not None and "fail" in self.fault


def accept(ledger: Ledger, job: WavJob) -> bool:
    """Write a job down, unless there is one for this take already."""
    values = vars(job) | {"fault": as_json(job.fault)}
    marks = ", ".join("?" * len(values))
    statement = f"INSERT INTO wavs ({', '.join(values)}) VALUES ({marks}) ON CONFLICT (take_id) DO NOTHING RETURNING id"  # noqa: S608 - names are ours
    return ledger.row(statement, *values.values()) is not None


def find(ledger: Ledger, provider: str, wav_id: str) -> WavJob | None:
    """Give one job, or None."""
    row = ledger.row("SELECT * FROM wavs WHERE id = ? AND provider = ?", wav_id, provider)
    return None if row is None else _read(row)


def of_take(ledger: Ledger, provider: str, take_id: str) -> WavJob | None:
    """Give the job of a take, or None."""
    row = ledger.row("SELECT * FROM wavs WHERE take_id = ? AND provider = ?", take_id, provider)
    return None if row is None else _read(row)


def unfinished(ledger: Ledger, provider: str) -> list[WavJob]:
    """Give the jobs whose callback was not dealt with yet."""
    return [_read(row) for row in ledger.rows("SELECT * FROM wavs WHERE callback IS NULL AND provider = ?", provider)]


def complete(ledger: Ledger, wav_id: str, at: float) -> None:
    """Write down that a job has ended; the first end counts."""
    ledger.rows("UPDATE wavs SET completed_at = ? WHERE id = ? AND completed_at IS NULL", at, wav_id)


def note_callback(ledger: Ledger, wav_id: str, outcome: str) -> None:
    """Write down that a job's callback is dealt with."""
    ledger.rows("UPDATE wavs SET callback = ? WHERE id = ?", outcome, wav_id)


def entries(ledger: Ledger) -> list[dict[str, Any]]:
    """Show every job, in the order in which they were accepted."""
    jobs = [_read(row) for row in ledger.rows("SELECT * FROM wavs ORDER BY accepted_at, rowid")]
    plain = ("provider", "account", "task_id", "take_id", "reference", "accepted_at", "callback")
    return [{"wav_id": job.id, "status": job.flag, **{name: getattr(job, name) for name in plain}} for job in jobs]


def record(job: WavJob, link: str) -> dict[str, Any]:
    """Show a job as the gateway's record-info does."""
    return {
        "taskId": job.id,
        "musicId": job.take_id,
        "callbackUrl": job.reference,
        "completeTime": None if job.completed_at is None else _clock(job.completed_at),
        "response": None if job.completed_at is None or job.has_failed else {"audioWavUrl": link},
        "successFlag": job.flag,
        "createTime": _clock(job.accepted_at),
        "errorCode": 500 if job.has_failed else None,
        "errorMessage": f"The sandbox let this conversion fail: {job.flag}." if job.has_failed else None,
    }


def told(job: WavJob, link: str) -> dict[str, Any]:
    """Write the body of the one callback that a job sends."""
    if job.has_failed:
        return {"code": 500, "msg": "WAV generation failed.", "data": {"audioWavUrl": None, "task_id": job.id}}
    return {"code": 200, "msg": "success", "data": {"audioWavUrl": link, "task_id": job.id}}


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _read(row: sqlite3.Row) -> WavJob:
    return WavJob(**dict(row) | {"fault": json.loads(row["fault"])})
