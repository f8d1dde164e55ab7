"""Budgets in PostgreSQL itself: a month and a cycle hold the same money, and nothing passes a limit."""

import contextlib
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from muzikantas.domain.errors import BudgetExceeded
from muzikantas.models import budget
from muzikantas.models.budget import CREDITS, CYCLES, MONTHS, Budget, BudgetEntry
from muzikantas.studio import studio
from tests.integration.label import Label
from tests.integration.money import added_up, at_once, book, kinds, limit, month, new_subject, reserve, turn

#: What may happen to money: what, to which of three subjects, and how much.
MOVEMENTS = st.lists(
    st.tuples(
        st.sampled_from(("reserve", "settle", "settle", "refund", "charge_again")), st.integers(0, 2), st.integers(0, 9)
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def owner(label: Label) -> tuple[int, int]:
    """An artist with tight limits and its cycle, for many sequences one after the other."""
    artist_id, _ = label.artist()
    limit(artist_id, MONTHS, soft=40, hard=90)
    limit(artist_id, CYCLES, soft=20, hard=60)
    cycle_id = turn(artist_id)
    reserve(artist_id, cycle_id, 0)
    return artist_id, cycle_id


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(movements=MOVEMENTS)
def test_every_budget_is_the_sum_of_its_entries(owner: tuple[int, int], movements: list[tuple[str, int, int]]) -> None:
    artist_id, cycle_id = owner
    names = [new_subject() for _ in range(3)]
    for what, which, amount in movements:
        with studio().begin() as session:
            if what == "settle":
                budget.settle(session, subject=names[which], spent=amount)
            elif what != "reserve":
                getattr(budget, what)(session, subject=names[which], amount=amount)
        if what == "reserve":
            with contextlib.suppress(BudgetExceeded):
                reserve(artist_id, cycle_id, amount, names[which])
    with studio().begin() as session:
        for row in session.scalars(select(Budget).where(Budget.artist_id == artist_id)):
            of_row = select(BudgetEntry).where(BudgetEntry.budget_id == row.id).order_by(BudgetEntry.id)
            assert (row.spent, row.reserved) == added_up(session.scalars(of_row).all())
            assert row.reserved >= 0
        total = budget.spent_by(session, artist_id, CREDITS)
    found = book(artist_id)
    assert total == found[month(artist_id)] == found[f"{CYCLES}:{cycle_id}"]
    assert found[MONTHS] == found[CYCLES] == (0, 0)


def test_settling_releasing_refunding_and_charging_twice_is_once(label: Label) -> None:
    artist_id, _ = label.artist(credits_hard=100)
    cycle_id = turn(artist_id)
    subject = new_subject()
    for spent in (0, 10):
        reserve(artist_id, cycle_id, 12, subject)
        for _ in range(2):
            with studio().begin() as session:
                budget.settle(session, subject=subject, spent=spent)
    for change, left in ((budget.refund, 0), (budget.charge_again, 10), (budget.refund, 0)):
        for _ in range(2):
            with studio().begin() as session:
                change(session, subject=subject, amount=10)
        with studio().begin() as session:
            assert budget.spent_by(session, artist_id, CREDITS) == (left, 0)
            assert budget.refunded(session, artist_id, CREDITS) == 10 - left
    moved = [("reserve", 12), ("release", 12), ("reserve", 12), ("settle", 10)]
    moved += [("refund", 10), ("charge", 10), ("refund", 10)]
    assert kinds(subject, month(artist_id)) == kinds(subject, f"{CYCLES}:{cycle_id}") == moved


def test_what_was_never_paid_is_neither_given_back_nor_charged_again(label: Label) -> None:
    artist_id, _ = label.artist()
    subject = reserve(artist_id, turn(artist_id), 10)
    for spent in (None, 0):
        with studio().begin() as session:
            if spent is not None:
                budget.settle(session, subject=subject, spent=spent)
            budget.refund(session, subject=subject, amount=10)
            budget.charge_again(session, subject=subject, amount=10)
            budget.refund(session, subject="test:nobody", amount=10)
        with studio().begin() as session:
            assert budget.spent_by(session, artist_id, CREDITS)[0] == 0


def test_a_refund_goes_to_the_month_that_paid(label: Label) -> None:
    artist_id, _ = label.artist()
    cycle_id = turn(artist_id)
    subject = reserve(artist_id, cycle_id, 10)
    with studio().begin() as session:
        budget.settle(session, subject=subject, spent=0)
        first = Budget.artist_id == artist_id, Budget.period.regexp_match("^[0-9]")
        session.execute(update(Budget).where(*first).values(period="2001-01"))
    reserve(artist_id, cycle_id, 10, subject)
    with studio().begin() as session:
        budget.settle(session, subject=subject, spent=10)
        budget.refund(session, subject=subject, amount=4)
    found = book(artist_id)
    assert found.pop("2001-01") == (0, 0)
    assert found[month(artist_id)] == found[f"{CYCLES}:{cycle_id}"] == (6, 0)


@pytest.mark.parametrize("template", [MONTHS, CYCLES])
def test_together_they_never_reserve_more_than_either_hard_limit(label: Label, template: str) -> None:
    artist_id, _ = label.artist()
    limit(artist_id, template, hard=35)
    cycle_id = turn(artist_id)
    outcomes = at_once(*[lambda: reserve(artist_id, cycle_id, 10)] * 6)
    refused = [str(outcome) for outcome in outcomes if isinstance(outcome, BudgetExceeded)]
    assert len(refused) == 3
    assert all("30 credits reserved of 35 credits" in said for said in refused)
    found = book(artist_id)
    assert found[month(artist_id)] == found[f"{CYCLES}:{cycle_id}"] == (0, 30)


def test_many_who_settle_the_same_at_once_settle_it_once(label: Label) -> None:
    artist_id, _ = label.artist()
    subject = reserve(artist_id, turn(artist_id), 10)

    def settle() -> None:
        with studio().begin() as session:
            budget.settle(session, subject=subject, spent=10)

    def give_back() -> None:
        with studio().begin() as session:
            budget.refund(session, subject=subject, amount=10)

    at_once(*[settle] * 5)
    assert kinds(subject, month(artist_id)) == [("reserve", 10), ("settle", 10)]
    at_once(*[give_back] * 5)
    assert set(book(artist_id).values()) == {(0, 0)}


def test_reserving_and_settling_at_once_never_wait_for_each_other_in_a_ring(label: Label) -> None:
    artist_id, _ = label.artist()
    cycle_id = turn(artist_id)
    subjects = [reserve(artist_id, cycle_id, 1) for _ in range(20)]

    def settle(subject: str) -> None:
        with studio().begin() as session:
            budget.settle(session, subject=subject, spent=1)

    def some(number: int) -> None:
        for subject in subjects[number::4]:
            reserve(artist_id, cycle_id, 1)
            settle(subject)

    at_once(*[partial(some, number) for number in range(4)])  # a deadlock would raise
    assert book(artist_id)[f"{CYCLES}:{cycle_id}"] == (20, 20)


def test_a_cycle_stops_its_second_slot_and_the_month_the_next_cycle(label: Label) -> None:
    artist_id, _ = label.artist()
    limit(artist_id, MONTHS, hard=25)
    limit(artist_id, CYCLES, hard=15)
    first = turn(artist_id)
    reserve(artist_id, first, 12)
    with pytest.raises(
        BudgetExceeded, match=r"for cycle 1 has .* of 15 credits: wait for the next cycle.*credits cycle"
    ):
        reserve(artist_id, first, 12)
    assert book(artist_id)[month(artist_id)] == (0, 12)  # what the month had allowed is undone
    second = turn(artist_id)
    reserve(artist_id, second, 12)
    third = turn(artist_id)
    with pytest.raises(BudgetExceeded, match=r"for \d{4}-\d\d has .* of 25 credits: wait for the next month.*month"):
        reserve(artist_id, third, 12)
    assert f"{CYCLES}:{third}" not in book(artist_id)
