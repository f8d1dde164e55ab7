"""Budgets: reserve before a paid call with conditional statements, settle after it; every movement is a row.

An amount stands in two budgets, the month's and the cycle's. Both are locked in the order of their periods (a year
sorts before the word `cycle`), so that no two transactions about one artist can wait for each other.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    ForeignKey,
    Row,
    Select,
    String,
    UniqueConstraint,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.domain.errors import BudgetExceeded
from muzikantas.domain.money import decimal_text
from muzikantas.models import audit, cycle
from muzikantas.models.artist import Artist
from muzikantas.models.audit import AuditEntry
from muzikantas.models.base import Base, Created, Id, insert_or_keep

logger = logging.getLogger(__name__)

#: Units: the music provider's credits, and millionths of a US dollar for language models.
CREDITS, USD_MICROS = "credits", "usd_micros"
#: Templates: rows whose limits every month, and every cycle, begins with. Nothing is booked on them.
MONTHS, CYCLES = "default", "cycle"
#: Kinds of entries; a charge takes back a refund that turned out wrong.
RESERVE, SETTLE, RELEASE, REFUND, CHARGE = "reserve", "settle", "release", "refund", "charge"
#: The audit log's word for a soft limit that was passed.
WARNED = "soft limit passed"


class Budget(Base):
    """How much one artist may spend in one unit in one month or cycle."""

    __tablename__ = "budgets"
    __table_args__ = (UniqueConstraint("artist_id", "unit", "period"),)

    id: Mapped[Id]
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id"))
    unit: Mapped[str] = mapped_column(String(16))
    period: Mapped[str] = mapped_column(String(32))  #: `2026-11` or `cycle:17`, or a template
    soft_limit: Mapped[int | None] = mapped_column(BigInteger)  #: above it the log, `doctor` and the report warn
    hard_limit: Mapped[int | None] = mapped_column(BigInteger)  #: above it no new work; None: no limit
    reserved: Mapped[int] = mapped_column(BigInteger, server_default="0")
    spent: Mapped[int] = mapped_column(BigInteger, server_default="0")

    @property
    def is_month(self) -> bool:
        """Whether it is a calendar month's, neither a cycle's nor a template."""
        return self.period[0].isdigit()


class BudgetEntry(Base):
    """One movement on one budget, and what it was for."""

    __tablename__ = "budget_entries"

    id: Mapped[Id]
    budget_id: Mapped[int] = mapped_column(ForeignKey("budgets.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))  #: reserve | settle | release | refund | charge
    amount: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(64), index=True)  #: such as `generation:17`
    created_at: Mapped[Created]


#: A movement as `_book` lists it: budget, kind, amount.
_Entry = Row[int, str, int]

_MONTH_NOW = func.to_char(func.timezone("UTC", func.now()), "YYYY-MM")
#: Sums are made over months: a cycle's budget holds the same money again.
_A_MONTH = Budget.period.regexp_match("^[0-9]")


class _Standing(NamedTuple):
    """How a budget stands after a reservation: what a warning needs to know."""

    artist_id: int
    unit: str
    period: str
    soft_limit: int | None
    spent: int
    reserved: int


def set_limits(
    session: Session, artist_id: int, unit: str, *, soft: int | None, hard: int | None, template: str = MONTHS
) -> None:
    """Set the limits of this month and those to come, or of the running cycle and those to come."""
    limits = {"soft_limit": soft, "hard_limit": hard}
    written = insert(Budget).values(artist_id=artist_id, unit=unit, period=template, **limits)
    session.execute(written.on_conflict_do_update(index_elements=["artist_id", "unit", "period"], set_=limits))
    kind = _A_MONTH if template == MONTHS else ~_A_MONTH
    session.execute(update(Budget).where(*_of(artist_id, unit), kind, _under_way(session, artist_id)).values(limits))


def reserve(session: Session, artist_id: int, unit: str, amount: int, *, subject: str, cycle_id: int) -> None:
    """Set aside `amount` in this month's budget and in the cycle's.

    Raises `BudgetExceeded` when a hard limit of either forbids it; its transaction is then rolled back.
    """
    taken = _set_aside_at_once(session, artist_id, unit, f"{CYCLES}:{cycle_id}", amount, subject)
    if not taken:
        periods = (_this_month(session), f"{CYCLES}:{cycle_id}")
        taken = [_set_aside(session, artist_id, unit, period, amount, subject) for period in periods]
    # Last: what the month allowed and the cycle forbade is no reason to warn.
    for row in taken:
        _warn_once(session, row)


def settle(session: Session, *, subject: str, spent: int) -> None:
    """Turn what `subject` reserved into what it really cost; the second time changes nothing."""
    moves = []
    for budget_id, entries in _book(session, subject):
        closed = max((n for n, entry in enumerate(entries, 1) if entry.kind in {SETTLE, RELEASE}), default=0)
        opened = sum(entry.amount for entry in entries[closed:] if entry.kind == RESERVE)
        if any(entry.kind == RESERVE for entry in entries[closed:]):
            kind, amount = (SETTLE, spent) if spent else (RELEASE, opened)
            moves.append(Move(budget_id, kind, amount, spent=spent, reserved=-opened))
    _move(session, subject, moves)


def refund(session: Session, *, subject: str, amount: int) -> None:
    """Enter what the provider gave back of what was spent; the second time changes nothing."""
    book = _book(session, subject)
    paid = [budget_id for budget_id, entries in book if _last_payment(entries) in {SETTLE, CHARGE}]
    _move(session, subject, [Move(budget_id, REFUND, amount, spent=-amount) for budget_id in paid])


def charge_again(session: Session, *, subject: str, amount: int) -> None:
    """Take a refund back: the provider did make it after all. The second time changes nothing.

    A hard limit does not forbid it: the money is gone already.
    """
    book = _book(session, subject)
    given_back = [budget_id for budget_id, entries in book if _last_payment(entries) == REFUND]
    _move(session, subject, [Move(budget_id, CHARGE, amount, spent=amount) for budget_id in given_back])


def spent_by(session: Session, artist_id: int, unit: str) -> tuple[int, int]:
    """Give what an artist has spent and reserved in a unit, over all months."""
    sums = select(func.coalesce(func.sum(Budget.spent), 0), func.coalesce(func.sum(Budget.reserved), 0))
    spent, reserved = session.execute(sums.where(*_of(artist_id, unit), _A_MONTH)).one()
    return int(spent), int(reserved)


def refunded(session: Session, artist_id: int, unit: str) -> int:
    """Give what providers have given back to an artist in a unit, and not taken again, over all months."""
    signed = case((BudgetEntry.kind == REFUND, BudgetEntry.amount), else_=-BudgetEntry.amount)
    total = select(func.coalesce(func.sum(signed), 0)).join(Budget, Budget.id == BudgetEntry.budget_id)
    mine = (*_of(artist_id, unit), _A_MONTH, BudgetEntry.kind.in_((REFUND, CHARGE)))
    return int(session.scalar(total.where(*mine)) or 0)


def of_artist(session: Session, artist_id: int) -> list[Budget]:
    """List an artist's templates, months and running cycle by unit and period; ended cycles are left out."""
    mine = (Budget.artist_id == artist_id, or_(~Budget.period.startswith(f"{CYCLES}:"), _under_way(session, artist_id)))
    return list(session.scalars(select(Budget).where(*mine).order_by(Budget.unit, Budget.period)))


def under_way(session: Session, artist_id: int) -> list[Budget]:
    """List an artist's budgets of this month and of the running cycle."""
    mine = select(Budget).where(Budget.artist_id == artist_id, _under_way(session, artist_id))
    return list(session.scalars(mine.order_by(Budget.unit, Budget.period)))


def in_words(amount: int, unit: str) -> str:
    """Write an amount with its unit.

    >>> in_words(12, CREDITS), in_words(12_500_000, USD_MICROS)
    ('12 credits', '12.50 USD')
    """
    return f"{decimal_text(amount)} USD" if unit == USD_MICROS else f"{amount} {unit}"


def period_in_words(session: Session, period: str) -> str:
    """Name a period as an operator knows it: a cycle by the number that its artist counts."""
    kind, _, cycle_id = period.partition(":")
    if cycle_id:
        return f"{kind} {cycle.get(session, int(cycle_id)).number}"
    return {MONTHS: "each month", CYCLES: "each cycle"}.get(period, period)


def _set_aside_at_once(
    session: Session, artist_id: int, unit: str, cycle_period: str, amount: int, subject: str
) -> list["_Standing"]:
    """Reserve in both budgets with one statement; none, and nothing changed, when one is missing or forbids it."""
    asked = {"of": artist_id, "in": unit, "during": cycle_period, "more": amount, "about": subject}
    return [_Standing._make(row) for row in session.execute(_RESERVE_BOTH, asked)]


def _reserve_both() -> Select[Any]:
    """Lock month and cycle, take the amount if both allow it, and book it; put together once, for it runs often."""
    more: BindParameter[int] = bindparam("more", type_=BigInteger)
    both = Budget.period.in_([_MONTH_NOW, bindparam("during", type_=String)])
    mine = (Budget.artist_id == bindparam("of"), Budget.unit == bindparam("in", type_=String), both)
    locked = select(Budget.id, _fits(more).label("fits")).where(*mine).order_by(Budget.period).with_for_update()
    found = locked.cte("locked")
    allowed = select(func.count()).select_from(found).where(found.c.fits).scalar_subquery() == 2
    write = update(Budget).where(Budget.id.in_(select(found.c.id)), allowed).values(reserved=Budget.reserved + more)
    taken = write.returning(*(getattr(Budget, name) for name in ("id", *_Standing._fields))).cte("taken")
    entry = select(taken.c.id, literal(RESERVE), more, bindparam("about", type_=String))
    booked = insert(BudgetEntry).from_select(["budget_id", "kind", "amount", "subject"], entry).cte("booked")
    return select(*(taken.c[name] for name in _Standing._fields)).add_cte(booked)


def _set_aside(session: Session, artist_id: int, unit: str, period: str, amount: int, subject: str) -> "_Standing":
    """Reserve in one budget, which begins with its template's limits; give it as it is then."""
    template = (*_of(artist_id, unit), Budget.period == (CYCLES if period.startswith(CYCLES) else MONTHS))
    limits = {
        name: select(column).where(*template).scalar_subquery()
        for name, column in (("soft_limit", Budget.soft_limit), ("hard_limit", Budget.hard_limit))
    }
    mine = (*_of(artist_id, unit), Budget.period == period)
    now = {"populate_existing": True}  # the session may have loaded it earlier
    taken = update(Budget).where(*mine, _fits(amount)).values(reserved=Budget.reserved + amount).returning(Budget)
    row = session.scalars(taken, execution_options=now).one_or_none()
    if row is None:  # it may not be there yet, or another transaction has just made it
        insert_or_keep(session, Budget, artist_id=artist_id, unit=unit, period=period, **limits)
        row = session.scalars(taken, execution_options=now).one_or_none()
    if row is None:
        row = session.scalars(select(Budget).where(*mine), execution_options=now).one()
        raise BudgetExceeded(_refusal(session, row, amount, subject))
    session.add(BudgetEntry(budget_id=row.id, kind=RESERVE, amount=amount, subject=subject))
    return _Standing(*(getattr(row, name) for name in _Standing._fields))


def _refusal(session: Session, row: Budget, amount: int, subject: str) -> str:
    """Say which budget forbids an amount, and what to do."""
    name, unit = session.get_one(Artist, row.artist_id).name, row.unit
    template, next_one = ("month", "next month") if row.is_month else ("cycle", "next cycle")
    spent, reserved, hard = (in_words(value, unit) for value in (row.spent, row.reserved, row.hard_limit or 0))
    return (
        f"{subject} needs {in_words(amount, unit)}; the budget of {name!r} for {period_in_words(session, row.period)} "
        f"has {spent} spent and {reserved} reserved of {hard}: wait for the {next_one}, or raise it with "
        f"`muzikantas artist budget {name!r} {'usd' if unit == USD_MICROS else unit} {template} --hard AMOUNT`"
    )


def _warn_once(session: Session, row: "_Standing") -> None:
    """Warn when a budget is above its soft limit, once for each limit that it is given."""
    used = row.spent + row.reserved
    if row.soft_limit is None or used <= row.soft_limit:
        return
    what = {"unit": row.unit, "period": row.period, "soft": row.soft_limit}
    about = f"artist:{row.artist_id}"
    same = (AuditEntry.subject == about, AuditEntry.action == WARNED, AuditEntry.details.contains(what))
    if session.scalars(select(AuditEntry.id).where(*same).limit(1)).first() is not None:
        return
    audit.note(session, "muzikantas", WARNED, about, **what, used=used)
    logger.warning(
        "artist %d (%s) has used %s in %s, above the soft limit of %s",
        row.artist_id,
        session.get_one(Artist, row.artist_id).name,
        in_words(used, row.unit),
        period_in_words(session, row.period),
        in_words(row.soft_limit, row.unit),
    )


def _book(session: Session, subject: str) -> list[tuple[int, list[_Entry]]]:
    """Lock the budgets that a subject has touched and list its movements on each, oldest first."""
    locked = session.scalars(_LOCK_TOUCHED, {"about": subject}).all()
    # A statement of its own sees what whoever held the locks before us has written.
    entries = session.execute(_ENTRIES, {"about": subject}).all()
    return [(budget_id, [entry for entry in entries if entry.budget_id == budget_id]) for budget_id in locked]


def _last_payment(entries: Sequence[_Entry]) -> str | None:
    """Give the kind of the last movement of money that was really paid or given back."""
    return next((entry.kind for entry in reversed(entries) if entry.kind in {SETTLE, REFUND, CHARGE}), None)


@dataclass(frozen=True)
class Move:
    """One movement on one budget: by how much spent and reserved change."""

    budget_id: int
    kind: str
    amount: int
    spent: int = 0
    reserved: int = 0


def _move(session: Session, subject: str, moves: Sequence[Move]) -> None:
    """Change budgets and write down why; those that change alike by one statement."""
    for spent, reserved in {(move.spent, move.reserved) for move in moves}:
        alike = [move.budget_id for move in moves if (move.spent, move.reserved) == (spent, reserved)]
        values = {"spent": Budget.spent + spent, "reserved": Budget.reserved + reserved}
        session.execute(update(Budget).where(Budget.id.in_(alike)).values(values))
    if moves:
        entries = [
            {"budget_id": move.budget_id, "kind": move.kind, "amount": move.amount, "subject": subject}
            for move in moves
        ]
        session.execute(insert(BudgetEntry), entries)


def _fits(amount: int | ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a budget allows so much more."""
    return Budget.hard_limit.is_(None) | (Budget.spent + Budget.reserved + amount <= Budget.hard_limit)


def _of(artist_id: int, unit: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Budget.artist_id == artist_id, Budget.unit == unit


def _this_month(session: Session) -> str:
    """Name the month by the database's clock, in UTC whatever time zone the server is set to."""
    return str(session.scalar(select(_MONTH_NOW)))


def _under_way(session: Session, artist_id: int) -> ColumnElement[bool]:
    turn = cycle.running(session, artist_id)
    return Budget.period.in_([_this_month(session), *([f"{CYCLES}:{turn.id}"] if turn else [])])


_RESERVE_BOTH = _reserve_both()
_ABOUT = BudgetEntry.subject == bindparam("about", type_=String)
_LOCK_TOUCHED = (
    select(Budget.id)
    .where(Budget.id.in_(select(BudgetEntry.budget_id).where(_ABOUT)))
    .order_by(Budget.period)
    .with_for_update()
)
_ENTRIES = select(BudgetEntry.budget_id, BudgetEntry.kind, BudgetEntry.amount).where(_ABOUT).order_by(BudgetEntry.id)
