"""The operator's side door: the calendar, the ledger, the fault script. Open to this machine only."""

import time
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from muzikantas.sandbox import answers, days, wavs
from muzikantas.sandbox.book import Book, Task
from muzikantas.sandbox.config import Config
from muzikantas.sandbox.fault_rules import BadScript
from muzikantas.sandbox.faults import Faults
from muzikantas.sandbox.ledger import Ledger

#: Of a prompt in the ledger: enough to recognise a request where the provider has no field for a client's reference.
PROMPT_CHARS = 200


def _only_from_here(request: Request) -> None:
    if request.client is None or not answers.is_loopback(request.client.host):
        raise HTTPException(403, "The admin endpoints answer to this machine only.")


class Admin:
    """What tests, the demo and a curious person ask the sandbox itself."""

    def __init__(self, config: Config, ledger: Ledger, faults: Faults) -> None:
        self._config, self._ledger, self._faults, self._book = config, ledger, faults, Book(ledger)

    def routes(self) -> APIRouter:
        """Give the admin's paths."""
        router = APIRouter(prefix="/admin", dependencies=[Depends(_only_from_here)])
        router.add_api_route("/health", self.health, methods=["GET"])
        router.add_api_route("/day", self.day, methods=["GET"])
        router.add_api_route("/advance", self.advance, methods=["POST"])
        router.add_api_route("/ledger", self.ledger, methods=["GET"])
        router.add_api_route("/faults", self.faults, methods=["GET"])
        router.add_api_route("/faults/applied", self.applied, methods=["GET"])
        router.add_api_route("/faults", self.add_faults, methods=["POST"])
        router.add_api_route("/faults", self.clear_faults, methods=["DELETE"])
        return router

    async def health(self) -> dict[str, str]:
        """Say that the server serves."""
        return {"status": "ok", "day": days.today(self._ledger).isoformat()}

    async def day(self) -> dict[str, str]:
        """Tell the sandbox's date."""
        return {"day": days.today(self._ledger).isoformat()}

    async def advance(self, request: Request) -> Response:
        """Let days pass."""
        asked = ((await answers.json_body(request)) or {}).get("days")
        if not isinstance(asked, int) or not 1 <= asked <= 3660:
            return JSONResponse({"error": f'expected {{"days": 1 to 3660}}, found {asked!r}'}, status_code=422)
        return JSONResponse({"day": days.advance(self._ledger, asked).isoformat()})

    async def ledger(self) -> dict[str, Any]:
        """Show every paid request and what it cost, in all and by provider."""
        now = time.time()
        self._ledger.settle(now)
        tasks, attempts = self._book.all(), self._book.attempts()
        accounts = len({(task.provider, task.account) for task in tasks}) or 1
        limited = self._ledger.numbers("limited_requests/")
        sums = _sums(tasks)
        return sums | {
            "limited_requests": sum(limited.values()),
            "credits_left": accounts * self._config.credits - sums["credits_spent"],
            "providers": {
                name: _sums([task for task in tasks if task.provider == name])
                | {"limited_requests": limited.get(name, 0)}
                for name in sorted({task.provider for task in tasks} | limited.keys())
            },
            "requests": [_entry(task, now, attempts.get(task.id, [])) for task in tasks],
            "wavs": wavs.entries(self._ledger),
            "llm_calls": self._ledger.number("SELECT count(*) FROM llm_calls"),
            "spotify_requests": self._ledger.numbers("spotify_requests/"),
        }

    async def faults(self) -> list[dict[str, Any]]:
        """Show the fault script and how often each rule was obeyed."""
        return self._faults.state()

    async def applied(self) -> dict[str, Any]:
        """Show how many faults were applied, also by rules that were forgotten since."""
        return self._faults.applied()

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


def _sums(tasks: list[Task]) -> dict[str, int]:
    """Add up what was paid. An accept is unanswered while the answer that tells of it has not left whole."""
    return {
        "paid_requests": len(tasks),
        "unanswered_accepts": sum(task.charged > 0 and not task.answered for task in tasks),
        "credits_spent": sum(task.charged - task.refunded for task in tasks),
        "refunds": sum(task.refunded > 0 for task in tasks),
    }


def _entry(task: Task, now: float, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    plain = ("provider", "account", "title", "style", "reference", "charged", "refunded", "accepted_at", "answered")
    return {
        "task_id": task.id,
        **{name: getattr(task, name) for name in plain},
        "prompt": str(task.body.get("prompt") or "")[:PROMPT_CHARS],
        "callbacks": task.callbacks,
        "attempts": attempts,
        "status": task.status(now),
        "fault": task.fault or None,
    }
