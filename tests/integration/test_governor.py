"""The governor on a real Redis: never more calls in any window, leases that expire, cool-downs for all."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from muzikantas.clients.governor import MARGIN_S, Governor, Limits
from muzikantas.domain.errors import TransientError
from muzikantas.domain.waiting import Wait
from tests.integration.label import Label

Make = Callable[[Limits], Governor]


@pytest.fixture
def make(label: Label) -> Make:
    account = f"test-{uuid.uuid4().hex}"
    return lambda limits: Governor(redis.Redis.from_url(label.stack.env["REDIS_URL"]), account, limits)


def admitted(governor: Governor, lease: str = "", lease_s: float = 60.0) -> bool:
    try:
        governor.admit(lease=lease, lease_s=lease_s)
    except Wait:
        return False
    return True


def test_in_any_window_there_are_never_more_calls_than_allowed_and_nearly_as_many(make: Make) -> None:
    limits = Limits(calls=5, window_s=0.5, concurrency=100)
    end = time.monotonic() + 4.0

    def call() -> list[float]:
        governor = make(limits)
        stamps = []
        while time.monotonic() < end:
            if admitted(governor):
                stamps.append(time.monotonic())
            else:
                time.sleep(0.01)
        return stamps

    with ThreadPoolExecutor(4) as pool:
        stamps = sorted(stamp for each in [pool.submit(call) for _ in range(4)] for stamp in each.result())
    crowded = max(sum(start <= stamp < start + limits.window_s for stamp in stamps) for start in stamps)
    assert crowded <= limits.calls
    assert len(stamps) >= 4.0 / (limits.window_s + MARGIN_S) * limits.calls * 0.8


def test_a_refusal_says_when_to_come(make: Make) -> None:
    governor = make(Limits(calls=1, window_s=0.6, concurrency=9))
    governor.admit()
    with pytest.raises(Wait) as wait:
        governor.admit()
    seconds = wait.value.until.timestamp() - time.time()
    assert 0.3 < seconds <= 0.6 + MARGIN_S
    time.sleep(seconds)
    governor.admit()


def test_leases_bound_the_jobs_in_flight_and_one_job_holds_one(make: Make) -> None:
    governor = make(Limits(calls=100, window_s=1, concurrency=2))
    assert admitted(governor, "a")
    assert admitted(governor, "a")
    assert admitted(governor, "b")
    assert not admitted(governor, "c")
    governor.release("a")
    assert admitted(governor, "c")


def test_a_lost_jobs_lease_expires(make: Make) -> None:
    governor = make(Limits(calls=100, window_s=1, concurrency=1))
    assert admitted(governor, "lost", lease_s=0.3)
    assert not admitted(governor, "next")
    time.sleep(0.35)
    assert admitted(governor, "next")


def test_a_cool_down_holds_for_every_worker(make: Make) -> None:
    limits = Limits(calls=100, window_s=1, concurrency=9)
    make(limits).cool_down(0.4)
    assert not admitted(make(limits))
    time.sleep(0.45)
    assert admitted(make(limits))


def test_without_redis_nobody_calls() -> None:
    nowhere = redis.Redis(port=9, socket_connect_timeout=0.2)
    with pytest.raises(TransientError, match="no Redis"):
        Governor(nowhere, "x", Limits(calls=1, window_s=1, concurrency=1)).admit()
