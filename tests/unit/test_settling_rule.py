"""What a balance tells of requests in doubt: all or nothing, and every disturbance leaves it undecided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muzikantas.domain.settling import verdict

balances = st.integers(0, 10**6)
prices = st.integers(1, 5000)
doubtful = st.lists(prices, min_size=1, max_size=6)
known = st.lists(st.integers(0, 5000), max_size=6)


@given(balances, known, doubtful)
def test_what_was_not_charged_is_recognised(after: int, made: list[int], asked: list[int]) -> None:
    assert verdict(after + sum(made), after, made, asked) == "not charged"


@given(balances, known, doubtful)
def test_what_was_charged_is_recognised(after: int, made: list[int], asked: list[int]) -> None:
    assert verdict(after + sum(made) + sum(asked), after, made, asked) == "charged"


@given(balances, known, doubtful, st.data())
def test_when_some_were_charged_and_some_not_nothing_is_said(
    after: int, made: list[int], asked: list[int], data: st.DataObject
) -> None:
    charged = data.draw(st.lists(st.sampled_from(range(len(asked))), unique=True, max_size=len(asked) - 1))
    drop = sum(made) + sum(asked[n] for n in charged)
    said = verdict(after + drop, after, made, asked)
    assert said == ("undecided" if charged else "not charged")


@given(balances, known, doubtful, st.integers(-(10**6), 10**6))
def test_what_the_ledger_cannot_explain_settles_nothing(
    after: int, made: list[int], asked: list[int], elsewhere: int
) -> None:
    """Credits that came or went past us are never taken for a request, unless they are exactly as many."""
    expected = {0: "not charged", sum(asked): "charged"}.get(elsewhere, "undecided")
    assert verdict(after + sum(made) + elsewhere, after, made, asked) == expected


@given(balances, balances, known)
def test_without_a_request_in_doubt_there_is_nothing_to_say(before: int, after: int, made: list[int]) -> None:
    assert verdict(before, after, made, []) == "undecided"


@pytest.mark.parametrize("asked", [[0], [0, 0], [10, 0]])
def test_what_costs_nothing_leaves_no_trace(asked: list[int]) -> None:
    assert verdict(100, 100, [], asked) == "undecided"
    assert verdict(100, 100 - sum(asked), [], asked) == "undecided"
