"""What providers said that an account had left, and when: evidence for requests whose end nobody knows.

A reading counts for the moment before the provider was asked: what is sent from then on belongs after it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Index, String, delete, exists, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.base import Base, Created, Id, database_now
from muzikantas.models.generation import IN_FLIGHT, UNKNOWN, Generation

#: Evidence of requests that a person has settled by now: providers delete what they made after two weeks.
KEPT_DAYS = 30


class BalanceReading(Base):
    """One answer of a provider, taken while no request of the account was on its way."""

    __tablename__ = "balance_readings"
    __table_args__ = (Index("ix_balance_readings_account_read_at", "account", "read_at"),)

    id: Mapped[Id]
    account: Mapped[str] = mapped_column(String(64))
    credits: Mapped[int] = mapped_column(BigInteger)
    read_at: Mapped[Created]


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """Two readings, one after the other, and what the ledger knows of every request that was sent between them."""

    before: BalanceReading
    after: BalanceReading
    known: tuple[int, ...]  #: what the requests cost that were made
    unknown: tuple[Generation, ...]


def record(session: Session, account: str, credits_left: int, *, asked_at: datetime) -> None:
    """Store a reading, and forget the account's old ones."""
    old = BalanceReading.read_at < asked_at - timedelta(days=KEPT_DAYS)
    session.execute(delete(BalanceReading).where(BalanceReading.account == account, old))
    session.add(BalanceReading(account=account, credits=credits_left, read_at=asked_at))


def newest(session: Session, account: str, *, before: datetime | None = None) -> BalanceReading | None:
    """Give the account's newest reading, or the newest one before a moment; None when there is none."""
    mine = select(BalanceReading).where(BalanceReading.account == account)
    if before is not None:
        mine = mine.where(BalanceReading.read_at < before)
    return session.scalars(mine.order_by(BalanceReading.read_at.desc()).limit(1)).one_or_none()


def quiet(session: Session, account: str, since: datetime) -> bool:
    """Tell whether no request of the account is on its way, or was at any time from `since` on.

    An unknown request counts as on its way until its answer cannot come any more: the provider may be about to take it.
    """
    on_its_way = or_(
        Generation.state.in_(IN_FLIGHT),
        Generation.sent_at >= since,
        (Generation.state == UNKNOWN) & (Generation.submit_deadline > since),
    )
    return not session.scalar(select(exists().where(Generation.account == account, on_its_way)))


def is_due(session: Session, account: str, *, every_s: float) -> bool:
    """Tell whether a reading would be evidence and none like it is there: it is quiet now, and was used since the last.

    The first reading of all is due before the first request: the evidence is in the difference.
    """
    now = database_now(session)
    last = newest(session, account)
    if last is not None:
        used = exists().where(Generation.account == account, Generation.sent_at > last.read_at)
        if last.read_at > now - timedelta(seconds=every_s) or not session.scalar(select(used)):
            return False
    return quiet(session, account, now)


def brackets(session: Session, account: str) -> list[Bracket]:
    """List the brackets that hold unknown requests and leave nothing else open; lock these requests.

    Only neighbouring readings make a bracket. A wider one would take in more that nobody knows, and nothing that helps.
    """
    doubtful = select(Generation).where(Generation.account == account, Generation.state == UNKNOWN)
    found: dict[int, Bracket | None] = {}
    for row in session.scalars(doubtful.order_by(Generation.id).with_for_update()):
        before = newest(session, account, before=row.sent_at) if row.sent_at is not None else None
        if before is not None and before.id not in found:
            found[before.id] = _bracket(session, before)
    return [bracket for bracket in found.values() if bracket is not None]


def _bracket(session: Session, before: BalanceReading) -> Bracket | None:
    """Put a bracket together; None while its end is missing, or for good when a request in it cannot be accounted for.

    A request that failed cannot: providers give credits back, and not all of them say so.
    """
    later = select(BalanceReading).where(
        BalanceReading.account == before.account, BalanceReading.read_at > before.read_at
    )
    after = session.scalars(later.order_by(BalanceReading.read_at).limit(1)).one_or_none()
    if after is None:
        return None
    sent = select(Generation).where(
        Generation.account == before.account, Generation.sent_at > before.read_at, Generation.sent_at <= after.read_at
    )
    rows = session.scalars(sent).all()
    known = tuple(row.credits for row in rows if row.completed_at is not None)
    unknown = tuple(row for row in rows if row.state == UNKNOWN)
    if len(known) + len(unknown) < len(rows) or not all(_was_over(row, after.read_at) for row in rows):
        return None
    return Bracket(before=before, after=after, known=known, unknown=unknown)


def _was_over(row: Generation, at: datetime) -> bool:
    """Tell whether a request could not be charged any more at a moment.

    `quiet` cannot see a right to send that was taken a moment earlier and is not committed yet.
    """
    return any(end is not None and end <= at for end in (row.completed_at, row.submit_deadline))
