"""Processes that answer item by item; what one of them suffers costs its item alone."""

import sys
import time

import pytest

from muzikantas.local.crew import Lost, Program, work

#: Doubles a number; other items are things that go wrong.
ANSWERING = """
import json, os, resource, signal, sys, time
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for line in sys.stdin:
    item = json.loads(line)
    if item == "hang":
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        while True: time.sleep(60)
    if item == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "give up":
        sys.exit(3)
    time.sleep(0.01 * (item % 3))
    print(json.dumps(2 * item), flush=True)
"""
PROGRAM = Program(argv=[sys.executable, "-c", ANSWERING], env={})


@pytest.mark.parametrize("size", [1, 3])
def test_results_come_in_the_order_of_the_items(size: int) -> None:
    assert list(work(PROGRAM, list(range(20)), size=size)) == [2 * item for item in range(20)]


def test_no_items_need_no_process() -> None:
    assert list(work(Program(argv=["/nonexistent"], env={}), [], size=2)) == []


@pytest.mark.parametrize(
    ("item", "reason"),
    [("hang", "took too long"), ("crash", "was killed by SIGSEGV"), ("give up", "ended with exit code 3")],
)
@pytest.mark.parametrize("size", [1, 2])
def test_what_kills_its_process_is_lost_alone(item: str, reason: str, size: int) -> None:
    assert list(work(PROGRAM, [1, item, 2, item, 3], size=size)) == [2, Lost(reason=reason), 4, Lost(reason=reason), 6]


def test_who_stops_early_does_not_wait_for_the_rest() -> None:
    before = time.monotonic()
    results = work(PROGRAM, [1, "hang", 2, "hang", *range(1000)], size=1)
    assert next(results) == 2
    results.close()  # type: ignore[attr-defined]  # a generator, given as an iterator
    assert time.monotonic() - before < 5.0
