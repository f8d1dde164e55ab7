"""How long one artist's 5 requests wait among another's 1,000, beside being alone, with the governor on a real Redis.

Both times the other artist has used up the provider's window, evenly, when the five ask. Who has to wait comes when the
governor says.
"""

import heapq
import time
from collections.abc import Iterator
from typing import Any

import redis

from muzikantas.clients.governor import Governor
from muzikantas.domain.accounts import Account, Limits
from muzikantas.domain.waiting import Wait

#: A provider five times as quick as the real one, so that this takes seconds.
LIMITS = Limits(calls=20, window_s=2.0, concurrency=20)
FEW, MANY = 5, 1000
SETTLED_S = 10.0


def shares(broker: str) -> dict[str, Any]:
    """Give the longest wait of the five, alone and among a thousand, and their ratio."""
    alone, among = (_longest_wait(broker, f"shares-{others}", others) for others in (0, MANY))
    return {"alone_s": round(alone, 2), f"among_{MANY}_s": round(among, 2), "ratio": round(among / alone, 2)}


def _longest_wait(broker: str, provider: str, others: int) -> float:
    governor = Governor(redis.Redis.from_url(broker), provider, [Account(name="one", limits=LIMITS)])
    for number in range(LIMITS.calls):
        governor.admit(f"used-{number}", owner="many", lease_s=0)
        time.sleep(LIMITS.window_s / LIMITS.calls)
    agenda: list[tuple[float, str]] = []
    for number in range(others):
        try:
            governor.admit(f"many-{number}", owner="many", lease_s=0)
        except Wait as wait:
            agenda.append((wait.until.timestamp(), f"many-{number}"))
    # By then those of the thousand whose time came while the others asked have called.
    begin = time.time() + (SETTLED_S if others else 0.0)
    agenda += [(begin, f"few-{number}") for number in range(FEW)]
    return max(wait for job, wait in _come_and_go(governor, agenda) if job.startswith("few"))


def _come_and_go(governor: Governor, agenda: list[tuple[float, str]]) -> Iterator[tuple[str, float]]:
    """Let jobs come, and again when they are told to, until the few have called; give how long each waited."""
    heapq.heapify(agenda)
    asked: dict[str, float] = {}
    left = FEW
    while left:
        at, job = heapq.heappop(agenda)
        time.sleep(max(at - time.time(), 0.0))
        asked.setdefault(job, at)
        try:
            governor.admit(job, owner=job.partition("-")[0], lease_s=0)
        except Wait as wait:
            heapq.heappush(agenda, (wait.until.timestamp(), job))
            continue
        left -= job.startswith("few")
        yield job, time.time() - asked[job]
