"""Budgets: reserve before a paid call with one conditional statement, settle after it; every movement is a row."""

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.domain.errors import BudgetExceeded
from muzikantas.models.base import Base, Created, Id, insert_or_keep

#: Units: the music provider's credits, and millionths of a US dollar for language models.
CREDITS, USD_MICROS = "credits", "usd_micros"


class Budget(Base):
    """How much one artist may spend in one unit in one month."""

    __tablename__ = "budgets"
    __table_args__ = (UniqueConstraint("artist_id", "unit", "period"),)

    id: Mapped[Id]
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id"))
    unit: Mapped[str] = mapped_column(String(16))
    period: Mapped[str] = mapped_column(String(7))  #: `2026-11`, or `default` for the limits of months to come
    soft_limit: Mapped[int | None] = mapped_column(BigInteger)  #: above it `doctor` and the report warn
    hard_limit: Mapped[int | None] = mapped_column(BigInteger)  #: above it no new work; None: no limit
    reserved: Mapped[int] = mapped_column(BigInteger, server_default="0")
    spent: Mapped[int] = mapped_column(BigInteger, server_default="0")


class BudgetEntry(Base):
    """One movement on a budget: reserve, settle or release, and what it was for."""

    __tablename__ = "budget_entries"

    id: Mapped[Id]
    budget_id: Mapped[int] = mapped_column(ForeignKey("budgets.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))  #: reserve | settle | release | refund
    amount: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(64), index=True)  #: such as `generation:17`
    created_at: Mapped[Created]


def set_limits(session: Session, artist_id: int, unit: str, *, soft: int | None, hard: int | None) -> None:
    """Set the limits of the months to come."""
    insert_or_keep(session, Budget, artist_id=artist_id, unit=unit, period="default", soft_limit=soft, hard_limit=hard)


def reserve(session: Session, artist_id: int, unit: str, amount: int, *, subject: str) -> None:
    """Set aside `amount` in this month's budget. Raises `BudgetExceeded` when the hard limit forbids it."""
    period = _open_month(session, artist_id, unit)
    fits = Budget.hard_limit.is_(None) | (Budget.spent + Budget.reserved + amount <= Budget.hard_limit)
    mine = (Budget.artist_id == artist_id, Budget.unit == unit, Budget.period == period)
    reserved = update(Budget).where(*mine, fits).values(reserved=Budget.reserved + amount).returning(Budget.id)
    budget_id = session.scalars(reserved).one_or_none()
    if budget_id is None:
        row = session.scalars(select(Budget).where(*mine)).one()
        raise BudgetExceeded(
            f"{subject} needs {amount} {unit}; artist {artist_id} has {row.spent} spent and {row.reserved} reserved "
            f"of {row.hard_limit} in {period}"
        )
    session.add(BudgetEntry(budget_id=budget_id, kind="reserve", amount=amount, subject=subject))


def settle(session: Session, *, subject: str, spent: int) -> None:
    """Turn what `subject` reserved into what it really cost; the second time changes nothing."""
    rows = _entries(session, subject)
    opened = [row for row in rows if row.kind == "reserve"]
    if len(opened) == sum(row.kind in {"settle", "release"} for row in rows):
        return
    last = opened[-1]
    values = {"reserved": Budget.reserved - last.amount, "spent": Budget.spent + spent}
    session.execute(update(Budget).where(Budget.id == last.budget_id).values(values))
    kind, amount = ("settle", spent) if spent else ("release", last.amount)
    session.add(BudgetEntry(budget_id=last.budget_id, kind=kind, amount=amount, subject=subject))


def refund(session: Session, *, subject: str, amount: int) -> None:
    """Enter credits that the provider gave back; the second time changes nothing."""
    rows = _entries(session, subject)
    if not rows or any(row.kind == "refund" for row in rows):
        return
    session.execute(update(Budget).where(Budget.id == rows[0].budget_id).values(spent=Budget.spent - amount))
    session.add(BudgetEntry(budget_id=rows[0].budget_id, kind="refund", amount=amount, subject=subject))


def spent_by(session: Session, artist_id: int, unit: str) -> tuple[int, int]:
    """Give what an artist has spent and reserved in a unit, over all months."""
    sums = select(func.coalesce(func.sum(Budget.spent), 0), func.coalesce(func.sum(Budget.reserved), 0))
    spent, reserved = session.execute(sums.where(Budget.artist_id == artist_id, Budget.unit == unit)).one()
    return int(spent), int(reserved)


def refunded(session: Session, artist_id: int, unit: str) -> int:
    """Give what providers have given back to an artist in a unit, over all months."""
    total = select(func.coalesce(func.sum(BudgetEntry.amount), 0)).join(Budget, Budget.id == BudgetEntry.budget_id)
    mine = (Budget.artist_id == artist_id, Budget.unit == unit, BudgetEntry.kind == "refund")
    return int(session.scalar(total.where(*mine)) or 0)


def of_artist(session: Session, artist_id: int) -> list[Budget]:
    """List an artist's budgets by unit and month."""
    mine = select(Budget).where(Budget.artist_id == artist_id)
    return list(session.scalars(mine.order_by(Budget.unit, Budget.period)))


def _entries(session: Session, subject: str) -> list[BudgetEntry]:
    """Lock and list the movements for a subject, oldest first."""
    mine = select(BudgetEntry).where(BudgetEntry.subject == subject).order_by(BudgetEntry.id)
    return list(session.scalars(mine.with_for_update()))


def _open_month(session: Session, artist_id: int, unit: str) -> str:
    """Make sure that this month's budget is there, with the default limits; give its name."""
    period = session.scalar(select(func.to_char(func.now(), "YYYY-MM")))
    default = select(Budget).where(Budget.artist_id == artist_id, Budget.unit == unit, Budget.period == "default")
    limits = session.scalars(default).one_or_none()
    insert_or_keep(
        session,
        Budget,
        artist_id=artist_id,
        unit=unit,
        period=period,
        soft_limit=limits.soft_limit if limits else None,
        hard_limit=limits.hard_limit if limits else None,
    )
    return str(period)
