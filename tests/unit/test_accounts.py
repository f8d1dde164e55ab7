"""Which account is asked first: a pure function, and its order of reasons."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from muzikantas.cli.limits import shown
from muzikantas.clients.governor import State
from muzikantas.domain.accounts import Account, Condition, Limits, rank

LIMITS = Limits(calls=20, window_s=10.0, concurrency=10)
A, B = Account(name="a", limits=LIMITS), Account(name="b", limits=LIMITS)

conditions = st.builds(
    Condition,
    calls=st.integers(0, 20),
    slots=st.integers(0, 10),
    cooldown_s=st.sampled_from([0.0, 5.0]),
    out_of_credits=st.booleans(),
    refusals=st.integers(0, 3),
)


@pytest.mark.parametrize(
    "worse",
    [
        Condition(cooldown_s=3.0),
        Condition(refusals=1),
        Condition(calls=1),
        Condition(slots=1),
    ],
)
def test_every_reason_alone_puts_an_account_behind_its_equal(worse: Condition) -> None:
    assert rank([A, B], {"a": worse}) == [B, A]
    assert rank([A, B], {"b": worse}) == [A, B]


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        (Condition(cooldown_s=3.0), Condition(refusals=9, calls=20)),
        (Condition(refusals=1), Condition(calls=20, slots=10)),
    ],
)
def test_a_stronger_reason_outweighs_all_weaker_ones(stronger: Condition, weaker: Condition) -> None:
    assert rank([A, B], {"a": stronger, "b": weaker}) == [B, A]


def test_a_licence_to_release_outweighs_everything_but_credits() -> None:
    private = replace(A, commercial=False)
    assert rank([private, B], {"b": Condition(cooldown_s=60.0, refusals=9, calls=20)}) == [B, private]
    assert rank([private, B], {"b": Condition(out_of_credits=True)}) == [private]


def test_equals_keep_the_operators_order() -> None:
    assert rank([B, A], {}) == [B, A]


def test_room_is_measured_against_each_accounts_own_limits() -> None:
    large = Account(name="large", limits=replace(LIMITS, calls=1000, concurrency=100))
    assert rank([A, large], {"a": Condition(calls=10), "large": Condition(calls=100)}) == [large, A]


@given(st.lists(conditions, min_size=1, max_size=5))
def test_nobody_is_lost_and_only_the_empty_are_left_out(found: list[Condition]) -> None:
    accounts = [Account(name=str(number), limits=LIMITS) for number in range(len(found))]
    by_name = {account.name: condition for account, condition in zip(accounts, found, strict=True)}
    ranked = rank(accounts, by_name)
    assert {account.name for account in ranked} == {name for name, each in by_name.items() if not each.out_of_credits}
    cooling = [by_name[account.name].cooldown_s > 0 for account in ranked]
    assert cooling == sorted(cooling)


def test_the_tables_show_every_number_that_the_states_hold() -> None:
    busy = State(
        provider="sunoapi",
        accounts=((A, Condition(calls=7, slots=3, cooldown_s=42.0, out_of_credits=True, refusals=5)),),
        waiting={"artist:1": 1000, "artist:2": 4},
        in_flight={"artist:1": 3},
        next_in_s=1.25,
    )
    idle = State(provider="openai", accounts=((B, Condition()),), waiting={}, in_flight={}, next_in_s=None)
    text = printed([busy, idle])
    numbers = ("7 of 20 in 10 s", "3 of 10", "42 s", "out", "5 lately", "artist:2")
    for said in (*numbers, "sunoapi: 1004 waiting; the next comes in 1.2 s", B.name, "0 of 20 in 10 s"):
        assert said in text
    assert busy.as_json()["owners"]["artist:1"] == {"waiting": 1000, "in_flight": 3}
    alone = printed([idle])
    assert "Who shares them" not in alone
    assert "Nobody waits." in alone


def printed(states: list[State]) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(shown(states))
    return capture.get()
