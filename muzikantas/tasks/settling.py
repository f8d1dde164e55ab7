"""Settle requests whose end nobody knows by the balances of the accounts that they were sent with.

What the balance cannot tell stays for a callback or a person: nothing is ever sent again from here.
"""

import logging

from sqlalchemy.orm import Session

from muzikantas.celery import StudioTask, app
from muzikantas.clients.governor import Governor
from muzikantas.clients.music import Music
from muzikantas.domain.errors import InputError, OutOfCredits, PermanentError, TransientError
from muzikantas.domain.settling import verdict
from muzikantas.domain.waiting import Wait
from muzikantas.models import audit, balance, budget, settlement
from muzikantas.models.balance import Bracket
from muzikantas.models.base import database_now
from muzikantas.models.generation import Generation
from muzikantas.studio import Studio
from muzikantas.tasks.governed import governed
from muzikantas.tasks.slots import subject

logger = logging.getLogger(__name__)

#: An account's balance is asked for at most once in this time. The question is free, but it is the same interface that
#: takes the paid requests; and a request in doubt has waited for a minute and more already.
READ_EVERY_S = 60.0
#: Who decided, in the audit log.
BALANCE = "balance"


@app.task(bind=True)
def settle_by_balance(self: StudioTask) -> int:
    """Have balances read where that gives evidence, and settle what can be settled (beat); give how much that was."""
    studio = self.studio
    with studio.begin() as session:
        doubtful = settlement.unknown(session)
    due = []
    for provider in sorted({*studio.settings.music_providers, *(row.provider for row in doubtful)}):
        for account in _accounts(studio, provider):
            with studio.begin() as session:
                if balance.is_due(session, account, every_s=READ_EVERY_S):
                    due.append((provider, account))
    for provider, account in due:
        # A message for each: a provider that hangs holds up no other.
        read_balance.delay(provider, account)
    return sum(_settle(studio, account) for account in {row.account for row in doubtful} if account is not None)


@app.task(bind=True)
def read_balance(self: StudioTask, provider: str, account: str) -> str:
    """Read an account's balance while none of its requests is on its way, and settle what that tells."""
    studio = self.studio
    if account not in _accounts(studio, provider):
        return account
    with studio.begin() as session:
        asked_at = database_now(session)
        if not balance.is_due(session, account, every_s=READ_EVERY_S):
            return account
    credits_left = _ask(studio, studio.music(provider), account)
    if credits_left is not None:
        with studio.begin() as session:
            if balance.quiet(session, account, asked_at):
                balance.record(session, account, credits_left, asked_at=asked_at)
        _settle(studio, account)
    return account


def _accounts(studio: Studio, provider: str) -> list[str]:
    """Name the accounts of a provider that can be asked: it says what is left, and there is a key."""
    try:
        music = studio.music(provider)
    except InputError as error:  # of an old row: the provider is not among the settings any more
        logger.info("no balance of %s can be read: %s", provider, error)
        return []
    return [account for account, key in music.keys.items() if key] if music.facts.has_balance else []


def _ask(studio: Studio, music: Music, account: str) -> int | None:
    """Ask the provider what an account has left; None when it does not say now."""
    governor = _governor_of(studio, music, account)
    job = f"balance:{account}"
    try:
        with governed(governor, job, owner=BALANCE, lease_s=0):
            return music.generator.credits_left(key=music.key(account))
    except Wait:
        governor.release(job)  # paid requests are in line, and this one is in no hurry
    except (TransientError, OutOfCredits) as error:
        logger.info("the balance of %s cannot be read now: %s", account, error)
    except PermanentError as error:
        logger.warning("the balance of %s cannot be read: %s", account, error)
    return None


def _governor_of(studio: Studio, music: Music, account: str) -> Governor:
    """Give the provider's governor for one account: a question about it is stamped on no other."""
    mine = [each for each in music.governor.accounts if each.name == account]
    return Governor(studio.redis, music.governor.provider, mine)


def _settle(studio: Studio, account: str) -> int:
    """Judge the account's unknown requests by the readings that are there; give to how many that was news."""
    with studio.begin() as session:
        return sum(_judge(session, bracket) for bracket in balance.brackets(session, account))


def _judge(session: Session, bracket: Bracket) -> int:
    """Write down what a bracket tells of its unknown requests; give to how many that was news."""
    prices = [row.credits for row in bracket.unknown]
    said = verdict(bracket.before.credits, bracket.after.credits, bracket.known, prices)
    if said == "not charged":
        return sum(_give_up(session, row, bracket) for row in bracket.unknown)
    if said == "charged":
        # That it was made is no task id: there is nothing to look at yet.
        remark = f"the balance of {_shows(bracket, 'it was charged')}; its task id at the provider is still needed"
        return sum(settlement.remark(session, row.id, remark) is not None for row in bracket.unknown)
    return 0


def _give_up(session: Session, row: Generation, bracket: Bracket) -> bool:
    """End a request that was never charged, and give its credits back; False when it is not unknown any more."""
    was = row.reason
    ended = settlement.lose(session, row.id, f"the balance of {_shows(bracket, 'it was never charged')}")
    if ended is None:
        return False
    budget.refund(session, subject=subject(ended), amount=ended.credits)
    seen = {"account": bracket.after.account, "before": bracket.before.credits, "after": bracket.after.credits}
    audit.note(session, BALANCE, "resolve", subject(ended), lost=True, refunded=True, was=was, **seen)
    logger.info("generation %d: %s", ended.id, ended.reason)
    return True


def _shows(bracket: Bracket, what: str) -> str:
    return f"{bracket.after.account} shows that {what} ({bracket.before.credits} before, {bracket.after.credits} after)"
