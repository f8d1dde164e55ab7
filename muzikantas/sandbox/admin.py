"""The operator's side door: the calendar, the ledger, the fault script. Open to this machine only."""

import time
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from muzikantas.sandbox import answers
from muzikantas.sandbox.config import Config
from muzikantas.sandbox.faults import BadScript, Faults
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.suno_tasks import Task, Tasks

FIRST_DAY = date(2026, 1, 5)  #: a Monday, far from any real release


def sandbox_day(ledger: Ledger) -> date:
    """Give today's date in the sandbox's own calendar."""
    return date.fromisoformat(ledger.fact("day", FIRST_DAY.isoformat()))


def _only_from_here(request: Request) -> None:
    if request.client is None or not answers.is_loopback(request.client.host):
        raise HTTPException(403, "The admin endpoints answer to this machine only.")


class Admin:
    """What tests, the demo and a curious person ask the sandbox itself."""

    def __init__(self, config: Config, ledger: Ledger, faults: Faults, tasks: Tasks) -> None:
        self._config, self._ledger, self._faults, self._tasks = config, ledger, faults, tasks

    def routes(self) -> APIRouter:
        """Give the admin's paths."""
        router = APIRouter(prefix="/admin", dependencies=[Depends(_only_from_here)])
        router.add_api_route("/health", self.health, methods=["GET"])
        router.add_api_route("/day", self.day, methods=["GET"])
        router.add_api_route("/advance", self.advance, methods=["POST"])
        router.add_api_route("/ledger", self.ledger, methods=["GET"])
        router.add_api_route("/faults", self.faults, methods=["GET"])
        router.add_api_route("/faults", self.add_faults, methods=["POST"])
        router.add_api_route("/faults", self.clear_faults, methods=["DELETE"])
        return router

    async def health(self) -> dict[str, str]:
        """Say that the server serves."""
        return {"status": "ok", "day": sandbox_day(self._ledger).isoformat()}

    async def day(self) -> dict[str, str]:
        """Tell the sandbox's date."""
        return {"day": sandbox_day(self._ledger).isoformat()}

    async def advance(self, request: Request) -> Response:
        """Let days pass."""
        days = ((await answers.json_body(request)) or {}).get("days")
        if not isinstance(days, int) or not 1 <= days <= 3660:
            return JSONResponse({"error": f'expected {{"days": 1 to 3660}}, found {days!r}'}, status_code=422)
        self._ledger.set_fact("day", (sandbox_day(self._ledger) + timedelta(days=days)).isoformat())
        return JSONResponse({"day": sandbox_day(self._ledger).isoformat()})

    async def ledger(self) -> dict[str, Any]:
        """Show every paid request and what it cost."""
        now = time.time()
        self._ledger.settle(now)
        tasks = self._tasks.all()
        spent = sum(task.charged - task.refunded for task in tasks)
        accounts = len({task.account for task in tasks}) or 1
        return {
            "paid_requests": len(tasks),
            "limited_requests": int(self._ledger.fact("limited_requests", "0")),
            "credits_spent": spent,
            "credits_left": accounts * self._config.credits - spent,
            "refunds": sum(task.refunded > 0 for task in tasks),
            "requests": [_entry(task, now) for task in tasks],
            "llm_calls": self._ledger.number("SELECT count(*) FROM llm_calls"),
        }

    async def faults(self) -> list[dict[str, Any]]:
        """Show the fault script and how often each rule was obeyed."""
        return self._faults.state()

    async def add_faults(self, request: Request) -> Response:
        """Add rules to the fault script."""
        try:
            added = self._faults.add(await request.json())
        except ValueError as error:
            kind = "fault script" if isinstance(error, BadScript) else "JSON"
            return JSONResponse({"error": f"bad {kind}: {error}"}, status_code=422)
        return JSONResponse({"added": added})

    async def clear_faults(self) -> dict[str, int]:
        """Forget all rules."""
        self._faults.clear()
        return {"rules": 0}


def _entry(task: Task, now: float) -> dict[str, Any]:
    shown = asdict(task)
    names = ("account", "title", "style", "reference", "charged", "refunded", "accepted_at", "answered", "callbacks")
    return {
        "task_id": task.id,
        **{name: shown[name] for name in names},
        "status": task.status(now),
        "fault": task.fault or None,
    }
