"""The sandbox's limits and its calendar: a window that slides, days that pass when told to."""

from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from muzikantas.sandbox import days
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.suno_rules import KIE, SUNOAPI, Limiter

#: Quarters of a second: sums of them are exact.
PAUSES = st.lists(st.integers(min_value=0, max_value=16).map(lambda quarters: quarters / 4), max_size=120)


@given(PAUSES)
def test_no_window_ever_holds_more_than_is_allowed_and_none_is_refused_below_it(pauses: list[float]) -> None:
    limiter, now = Limiter(5, 10.0), 100.0
    admitted: list[float] = []
    for pause in pauses:
        now += pause
        inside = sum(moment > now - 10.0 for moment in admitted)
        assert limiter.admit("somebody", now) is (inside < 5)
        if inside < 5:
            admitted.append(now)

    assert all(sum(start <= moment < start + 10.0 for moment in admitted) <= 5 for start in admitted)


def test_the_window_slides_and_does_not_start_anew_with_the_clock() -> None:
    limiter = Limiter(SUNOAPI.calls, SUNOAPI.window_s)

    late = [limiter.admit("somebody", 9.9) for _ in range(20)]

    assert late == [True] * 20
    assert not limiter.admit("somebody", 10.1)  # a window of its own for each ten seconds would let this pass
    assert limiter.admit("somebody else", 10.1)
    assert not limiter.admit("somebody", 19.8)
    assert limiter.admit("somebody", 20.0)


def test_both_gateways_allow_twenty_calls_in_ten_seconds() -> None:
    assert {(each.calls, each.window_s) for each in (SUNOAPI, KIE)} == {(20, 10.0)}


def test_what_was_made_ages_with_the_days_that_pass_afterwards(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    before_any = 0.0
    first = days.advance(ledger, 3)
    between = float(ledger.rows("SELECT at FROM advances")[0]["at"])
    second = days.advance(ledger, 4)
    last = float(ledger.rows("SELECT max(at) AS at FROM advances")[0]["at"])

    assert first == days.FIRST_DAY + timedelta(days=3)
    assert second == days.today(ledger) == days.FIRST_DAY + timedelta(days=7)
    assert [days.age_days(ledger, moment) for moment in (before_any, between, last)] == [7, 4, 0]
