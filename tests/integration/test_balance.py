"""Requests of unknown end against the sandbox's own books: the balance settles what it can, and nothing else.

Most of it runs with an account of the test's own, in this process: no worker has its key, so nothing is sent beside it.
"""

import contextlib
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import Retry
from sqlalchemy import delete, func, select, update

from muzikantas.domain.brief import Brief
from muzikantas.models import artist, balance, generation
from muzikantas.models.audit import AuditEntry
from muzikantas.models.balance import BalanceReading
from muzikantas.models.base import database_now, insert_or_keep
from muzikantas.models.generation import Generation
from muzikantas.settings import settings
from muzikantas.studio import studio

# By their modules: pytest looks at every name of a test module, and a task that is looked at reads the settings.
from muzikantas.tasks import cycles, settling
from muzikantas.tasks import generation as generating
from tests.integration.doubts import PRICE, change, in_doubt, now, spent
from tests.integration.label import Label, fault

PROVIDER = "sunoapi"
#: The sandbox is paid and nobody hears of it, or nothing comes about at all: the same to us.
CHARGED = {"accept_then_drop": True, "callback": "missing"}
NEVER_TAKEN = {"drop": True}


@pytest.fixture
def account(label: Label, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the name of a fresh account, whose key this process alone has."""
    assert label.stack.sandbox_url
    monkeypatch.setenv("SUNO_API_KEY", f"sandbox-balance-{uuid.uuid4().hex}")
    settings.cache_clear()
    studio.cache_clear()
    (own,) = studio().music(PROVIDER).governor.accounts
    yield own.name
    studio().engine.dispose()
    settings.cache_clear()
    studio.cache_clear()


def send(label: Label, do: dict[str, Any] | None = None) -> Generation:
    """Send one request from a slot that nobody else works on; let it go wrong as `do` says."""
    artist_id, genre = label.artist(slots=1)
    with studio().begin() as session:
        turn = cycles.start(session, artist.get(session, artist_id), studio().settings)
        assert turn is not None
        turn.due_at = database_now(session) + timedelta(days=1)
        reference = uuid.uuid4()
        insert_or_keep(
            session,
            Generation,
            cycle_id=turn.id,
            slot=1,
            asked_genre=genre,
            asked_values=[0.5] * 5,
            why_asked="a test",
            brief=words(genre).__dict__,
            provider=PROVIDER,
            reference=reference,
            due_at=func.now() + timedelta(days=1),
            deadline_at=func.now() + timedelta(days=1),
        )
        (row,) = generation.of_cycle(session, turn.id)
    with label.faults(*([fault("generate", genre, do=do)] if do else [])):
        bring_on(row)
    return now(row)


def words(genre: str) -> Brief:
    return Brief(style=genre, title="A test", lyrics=None, negative_tags="", vocal_gender=None, model="V5")


def bring_on(row: Generation) -> None:
    with contextlib.suppress(Retry):
        generating.generate(row.id)


def made(label: Label, do: dict[str, Any] | None = None) -> Generation:
    """Send a request and see it to the provider's end; nothing is left to do for other tasks."""
    row = send(label, do)

    def is_over() -> bool:
        bring_on(row)
        return now(row).state not in {generation.INTENDED, *generation.IN_FLIGHT}

    label.wait(is_over, "the provider has finished")
    change(row, finished_at=func.now())
    return now(row)


def lost(label: Label, do: dict[str, Any]) -> Generation:
    """Send a request whose end nobody knows, and let the time for its answer pass."""
    row = send(label, do)
    assert row.state == generation.UNKNOWN, row.reason
    assert spent(row) == PRICE
    change(row, submit_deadline=func.now())
    return now(row)


def let_a_minute_pass(account: str) -> None:
    """Move everything about the account into the past by the time in which it is asked once."""
    minute = timedelta(seconds=settling.READ_EVERY_S)
    moments = ("sent_at", "submit_deadline", "submitted_at", "pending_at", "completed_at")
    shifted = {name: getattr(Generation, name) - minute for name in moments}
    with studio().begin() as session:
        session.execute(update(Generation).where(Generation.account == account).values(shifted))
        mine = update(BalanceReading).where(BalanceReading.account == account)
        session.execute(mine.values(read_at=BalanceReading.read_at - minute))


def read(account: str) -> None:
    let_a_minute_pass(account)
    settling.read_balance(PROVIDER, account)


def readings(account: str) -> list[int]:
    with studio().begin() as session:
        mine = select(BalanceReading.credits).where(BalanceReading.account == account)
        return list(session.scalars(mine.order_by(BalanceReading.read_at)))


def entries(row: Generation) -> int:
    with studio().begin() as session:
        mine = select(func.count()).where(AuditEntry.subject == f"generation:{row.id}", AuditEntry.actor == "balance")
        return session.scalar(mine) or 0


def test_what_was_charged_stays_unknown_and_says_once_what_is_needed(label: Label, account: str) -> None:
    read(account)
    row = lost(label, CHARGED)
    was = row.reason
    read(account)
    with studio().begin() as session:
        after = balance.newest(session, account)
    assert after is not None
    remark = (
        f"the balance of {account} shows that it was charged ({after.credits + PRICE} before, {after.credits} after); "
        "its task id at the provider is still needed"
    )
    assert (now(row).state, now(row).reason) == (generation.UNKNOWN, f"{was}; {remark}")
    assert spent(row) == PRICE
    for _ in range(2):
        settling.settle_by_balance()
    assert now(row).reason == f"{was}; {remark}"


def test_what_was_never_taken_is_failed_and_its_credits_come_back_once(label: Label, account: str) -> None:
    read(account)
    row = lost(label, NEVER_TAKEN)
    read(account)
    (left,) = set(readings(account))
    assert now(row).state == generation.FAILED
    assert now(row).reason == (
        f"the balance of {account} shows that it was never charged ({left} before, {left} after)"
    )
    assert now(row).finished_at is not None
    assert spent(row) == 0
    for _ in range(2):
        settling.settle_by_balance()
    assert (spent(row), entries(row)) == (0, 1)
    assert label.paid(row.cycle_id) == []


def test_requests_that_were_made_in_between_are_accounted_for(label: Label, account: str) -> None:
    read(account)
    kept, row = made(label), lost(label, NEVER_TAKEN)
    assert kept.state == generation.COMPLETE
    read(account)
    assert (now(row).state, now(kept).state) == (generation.FAILED, generation.COMPLETE)
    before, after = readings(account)
    assert before - after == PRICE == spent(kept)

    charged = lost(label, CHARGED)
    read(account)
    assert now(charged).state == generation.UNKNOWN
    assert "shows that it was charged" in str(now(charged).reason)


def test_one_charged_and_one_not_is_for_a_person(label: Label, account: str) -> None:
    read(account)
    rows = [lost(label, CHARGED), lost(label, NEVER_TAKEN)]
    asked = [row.reason for row in rows]
    read(account)
    assert len(readings(account)) == 2
    assert [now(row).state for row in rows] == [generation.UNKNOWN] * 2
    assert [now(row).reason for row in rows] == asked
    # A callback, or a person, knows of the first: that leaves the second.
    change(rows[0], state=generation.COMPLETE, completed_at=func.now())
    settling.settle_by_balance()
    assert now(rows[1]).state == generation.FAILED


@pytest.mark.parametrize("topped_up", [-2 * PRICE, 1, PRICE, 1000])
def test_credits_bought_or_used_elsewhere_leave_it_undecided(label: Label, account: str, topped_up: int) -> None:
    read(account)
    with studio().begin() as session:  # there were fewer before the operator bought some, or more
        mine = update(BalanceReading).where(BalanceReading.account == account)
        session.execute(mine.values(credits=BalanceReading.credits - topped_up))
    row = lost(label, NEVER_TAKEN)
    read(account)
    assert (now(row).state, now(row).reason) == (generation.UNKNOWN, row.reason)
    assert (spent(row), entries(row)) == (PRICE, 0)


def test_a_failed_request_in_between_leaves_it_undecided(label: Label, account: str) -> None:
    """The provider gives this one's credits back, which looks as if the other had cost nothing."""
    read(account)
    failed = made(label, {"fail": "GENERATE_AUDIO_FAILED", "refund": True, "callback": "missing"})
    assert failed.state == generation.FAILED
    row = lost(label, NEVER_TAKEN)
    read(account)
    assert len(set(readings(account))) == 1
    assert now(row).state == generation.UNKNOWN


def test_a_reading_beside_an_open_request_is_none(label: Label, account: str) -> None:
    row = send(label, CHARGED)
    assert row.state == generation.UNKNOWN
    settling.read_balance(PROVIDER, account)  # the provider may be about to take it
    assert readings(account) == []
    change(row, state=generation.SUBMITTED, submit_deadline=func.now())
    settling.read_balance(PROVIDER, account)
    assert readings(account) == []
    change(row, state=generation.UNKNOWN)
    settling.read_balance(PROVIDER, account)
    assert len(readings(account)) == 1


def test_what_is_sent_while_the_provider_is_asked_spoils_the_reading(label: Label, account: str) -> None:
    row = made(label)
    with studio().begin() as session:
        asked_at = database_now(session)
        assert balance.quiet(session, account, asked_at)
    change(row, sent_at=asked_at + timedelta(milliseconds=1))
    with studio().begin() as session:
        assert not balance.quiet(session, account, asked_at)


def test_a_right_to_send_that_nobody_could_see_yet_is_not_judged(label: Label, account: str) -> None:
    """Its transaction was open while the balance was read, so that its charge came after."""
    read(account)
    row = lost(label, CHARGED)
    with studio().begin() as session:
        assert row.submit_deadline is not None
        (uncharged,) = session.scalars(select(BalanceReading.credits).where(BalanceReading.account == account))
        balance.record(session, account, uncharged, asked_at=row.submit_deadline - timedelta(microseconds=1))
    settling.settle_by_balance()
    assert now(row).state == generation.UNKNOWN
    assert spent(row) == PRICE


def test_a_provider_is_asked_only_for_evidence(label: Label, account: str) -> None:
    read(account)
    lost(label, NEVER_TAKEN)
    settling.read_balance(PROVIDER, account)
    assert len(readings(account)) == 1  # it was asked a moment ago
    read(account)
    read(account)
    assert len(readings(account)) == 2  # nothing was sent since the second


@pytest.mark.parametrize("do", [{"http": 503}, {"drop": True}, {"code": 401}, {"code": 429}])
def test_an_answer_that_tells_nothing_is_asked_for_again(label: Label, account: str, do: dict[str, Any]) -> None:
    rule = {"provider": "suno", "endpoint": "credit", "match": {}, "times": 1, "do": do}
    with label.faults(rule):
        settling.read_balance(PROVIDER, account)
        assert label.admin("faults")[0]["fired"] == 1
    assert readings(account) == []


def test_a_question_that_may_not_be_asked_now_leaves_no_place_in_the_line(label: Label, account: str) -> None:
    governor = studio().music(PROVIDER).governor
    governor.cool_down(governor.accounts[0], 60)
    with label.faults({"provider": "suno", "endpoint": "credit", "match": {}, "times": 1, "do": {"http": 503}}):
        settling.read_balance(PROVIDER, account)
        assert label.admin("faults")[0]["seen"] == 0
    assert readings(account) == []
    assert settling.BALANCE not in governor.state().waiting


def test_an_account_or_provider_that_nobody_knows_is_left_alone(label: Label, account: str) -> None:
    row = lost(label, NEVER_TAKEN)
    change(row, provider="nobody")
    settling.settle_by_balance()
    settling.read_balance("nobody", account)
    settling.read_balance(PROVIDER, "sunoapi-of-yesterday")
    assert readings(account) == []
    assert now(row).state == generation.UNKNOWN
    change(row, provider=PROVIDER, state=generation.FAILED)


def test_old_readings_go(account: str) -> None:
    with studio().begin() as session:
        moment = database_now(session)
        balance.record(session, account, 1, asked_at=moment - timedelta(days=balance.KEPT_DAYS + 1))
        balance.record(session, account, 2, asked_at=moment - timedelta(days=balance.KEPT_DAYS - 1))
        balance.record(session, account, 3, asked_at=moment)
    assert readings(account) == [2, 3]


def test_beat_and_the_workers_settle_by_themselves(label: Label) -> None:
    """With the accounts that all tests share: their own past must not matter."""
    shared = [account.name for account in studio().music(PROVIDER).governor.accounts]
    with studio().begin() as session:
        session.execute(delete(BalanceReading).where(BalanceReading.account.in_(shared)))
    label.wait(lambda: all(map(readings, shared)), "the balances are read")
    row, _ = in_doubt(label)
    assert row.account in shared
    change(row, submit_deadline=func.now())
    let_a_minute_pass(row.account)
    label.wait(lambda: "shows that it was charged" in str(now(row).reason), "the charge is recognised")
    assert now(row).state == generation.UNKNOWN
    assert spent(row) == PRICE
