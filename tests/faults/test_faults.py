"""The fault suite in short, and the properties of its scripts. The long run is `make faults`."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muzikantas.sandbox.fault_rules import check
from tests.faults.judge import broken
from tests.faults.plan import DEEDS, SERVERS, Targets, script

ROOT = Path(__file__).parents[2]
CYCLES = 4
TARGETS = Targets(children=10, workers=5, each_server=2, faults=30)
KEPT = {"paid_twice": 0, "lost": 0, "open_cycles": 0, "ledger_difference": 0}
KEPT |= {"unknown_parked": 1, "unanswered_accepts": 1, "tracks_made": 9, "slots_possible": 10}


@pytest.mark.timeout(300)
def test_whatever_breaks_nothing_is_paid_twice_lost_or_left_open() -> None:
    """In a process of its own: the stack of the other integration tests may be running in this one."""
    argv = [sys.executable, "-m", "tests.faults.run", "--cycles", str(CYCLES), "--minutes", "0.75"]
    ran = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=290, check=False)
    assert ran.stdout, ran.stderr
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert figures["broken"] == [], f"{figures}\n{ran.stderr}"
    assert figures["cycles"] >= CYCLES
    assert figures["tracks_made"] > 0
    assert {"child", "worker", "valkey", "postgres", "beat"} <= figures["kills"].keys()


@given(seed=st.integers(0, 2**32), span_s=st.floats(1, 2000))
@settings(deadline=None)
def test_a_script_breaks_as_much_as_was_asked_within_its_span(seed: int, span_s: float) -> None:
    drawn = script(seed, span_s, TARGETS)
    kinds = Counter(kill.kind for kill in drawn.kills)
    assert kinds == {"child": 10, "worker": 5, **dict.fromkeys(SERVERS, 2)}
    assert len(drawn.faults) == TARGETS.faults
    for events in ([kill.at_s for kill in drawn.kills], [fault.at_s for fault in drawn.faults]):
        assert events == sorted(events)
        assert 0 <= events[0] <= events[-1] <= span_s
    assert len({kill.service for kill in drawn.kills if kill.kind == "worker"}) == 5


def test_equal_seeds_give_equal_scripts_and_others_do_not() -> None:
    assert script(5, 100.0, TARGETS) == script(5, 100.0, TARGETS)
    assert script(5, 100.0, TARGETS) != script(6, 100.0, TARGETS)


def test_the_sandbox_understands_every_deed() -> None:
    assert len(check([deed.rule for deed in DEEDS])) == len(DEEDS)


@pytest.mark.parametrize(
    ("figure", "value"),
    [("paid_twice", 1), ("lost", 1), ("open_cycles", 1), ("ledger_difference", -10), ("unknown_parked", 2)],
)
def test_one_broken_promise_is_named(figure: str, value: int) -> None:
    assert broken(KEPT) == []
    assert [promise.partition(" ")[0] for promise in broken({**KEPT, figure: value})] == [figure]


def test_one_track_too_few_in_ten_is_allowed_and_two_are_not() -> None:
    assert broken({**KEPT, "tracks_made": 8}) == ["tracks_made >= 0.9 * slots_possible"]
