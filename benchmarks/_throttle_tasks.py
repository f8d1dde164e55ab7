"""The same call kept within its limits in four ways, as Celery tasks; `benchmarks.throttle` starts workers with them.

Ours waits as all tasks of Muzikantas do. The others are used as their documentation says, and share out the accounts by
the number of the job. None is tried again after a refusal: it counts.
"""

import importlib
import os
import sys
import time
from functools import cache
from typing import Any

import redis
import requests
from celery import Task

from benchmarks._throttle_server import CALLS, CONCURRENCY, WINDOW_S
from muzikantas.celery import StudioTask, app
from muzikantas.clients.governor import Governor
from muzikantas.domain.accounts import Account, Limits
from muzikantas.domain.errors import TransientError
from muzikantas.settings import settings

ACCOUNTS = ("one", "two")
WORKERS = 4
#: The other libraries lie beside ours and come last on the path, so that ours keep their versions.
sys.path += [path for path in [os.environ.get("BENCH_PEERS", "")] if path]


def call(account: str) -> int:
    """Make the call that is limited."""
    # A stand-in on loopback; the port comes from whoever started this worker.
    return requests.post(f"http://127.0.0.1:{os.environ['BENCH_PORT']}/call/{account}", timeout=30).status_code


@app.task(base=StudioTask, name="benchmarks.governor")
def governor(number: int) -> int:
    """Ask the governor, as every paid call of ours does."""
    job = str(number)
    account = _governor().admit(job, owner="benchmark", lease_s=30)
    try:
        if call(account.name) == 429:
            _governor().cool_down(account, WINDOW_S)
            raise TransientError(f"{account.name} was refused", retry_after_s=WINDOW_S)
    finally:
        _governor().release(job)
    return number


@cache
def _governor() -> Governor:
    limits = Limits(calls=CALLS, window_s=WINDOW_S, concurrency=CONCURRENCY)
    return Governor(_redis(), "benchmark", [Account(name=name, limits=limits) for name in ACCOUNTS], usual_s=1.0)


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings().redis_url.get_secret_value())


# "Note that this is a per worker instance rate limit, and not a global rate limit. To enforce a global rate limit
# (e.g., for an API with a maximum number of requests per second), you must restrict to a given queue" (Celery's guide
# of tasks): here every worker gets its share of what both accounts allow together.
@app.task(
    base=Task, name="benchmarks.rate_limit", rate_limit=f"{len(ACCOUNTS) * CALLS / WINDOW_S * 60 / WORKERS:.0f}/m"
)
def rate_limit(number: int) -> int:
    """Let Celery's own `rate_limit` hold the task back."""
    return call(_account(number))


@app.task(base=Task, name="benchmarks.limits", bind=True, max_retries=None)
def limits(self: Any, number: int) -> int:  # noqa: ANN401 (Celery's task)
    """Ask `limits` with its moving window, and come back when it says that there is room."""
    limiter, window = _moving_window()
    account = _account(number)
    if not limiter.hit(window, account):
        reset_time = limiter.get_window_stats(window, account).reset_time
        raise self.retry(countdown=max(reset_time - time.time(), 0.05))
    return call(account)


@cache
def _moving_window() -> tuple[Any, Any]:
    library = importlib.import_module("limits")
    storage = library.storage.storage_from_string(settings().redis_url.get_secret_value())
    window = library.RateLimitItemPerSecond(CALLS, int(WINDOW_S))
    return library.strategies.MovingWindowRateLimiter(storage), window


@app.task(base=Task, name="benchmarks.pyrate_limiter")
def pyrate_limiter(number: int) -> int:
    """Let `pyrate-limiter` block until there is room, its default."""
    account = _account(number)
    _limiter(account).try_acquire(account)
    return call(account)


@cache
def _limiter(account: str) -> Any:  # noqa: ANN401 (a type of a library that is not ours)
    library = importlib.import_module("pyrate_limiter")
    rates = [library.Rate(CALLS, library.Duration.SECOND * int(WINDOW_S))]
    return library.Limiter(library.RedisBucket.init(rates, _redis(), f"benchmark:{account}"))


def _account(number: int) -> str:
    return ACCOUNTS[number % len(ACCOUNTS)]
