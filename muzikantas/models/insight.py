"""What was learned and what was planned: analyses of releases and markets, and the plans that stand on them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.base import Base, Created, Id, Json, JsonList, insert_or_keep


class TrendAnalysis(Base):
    """One finding: of an artist's releases in a cycle, or of a chart on a date."""

    __tablename__ = "trend_analysis"
    __table_args__ = (UniqueConstraint("kind", "scope", "basis"),)

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(16))  #: releases | market
    scope: Mapped[str] = mapped_column(String(200))  #: what it is about, such as `artist:3` or a chart's name
    basis: Mapped[str] = mapped_column(String(200))  #: what it stands on; the same basis is never analysed twice
    content: Mapped[Json]
    created_at: Mapped[Created]


class EvolutionPlan(Base):
    """What the next cycle should make, item by item, each with its reason and the releases that speak for it."""

    __tablename__ = "evolution_plans"

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycles.id"), unique=True)
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id"), index=True)
    analysis_id: Mapped[int | None] = mapped_column(ForeignKey("trend_analysis.id"))
    policy: Mapped[str] = mapped_column(String(16))
    seed: Mapped[int] = mapped_column(BigInteger)  #: with the same rows and seed the same plan comes out
    items: Mapped[JsonList]
    stopped: Mapped[str | None]  #: why it asks for fewer tracks than the artist has slots
    market: Mapped[Json]  #: the market's state as the plan saw it
    created_at: Mapped[Created]


def record_analysis(
    session: Session, *, kind: str, scope: str, basis: str, content: Mapping[str, Any]
) -> TrendAnalysis:
    """Insert a finding, or load the one with the same basis."""
    insert_or_keep(session, TrendAnalysis, kind=kind, scope=scope, basis=basis, content=content)
    same = (TrendAnalysis.kind == kind, TrendAnalysis.scope == scope, TrendAnalysis.basis == basis)
    return session.scalars(select(TrendAnalysis).where(*same)).one()


def has_analysis(session: Session, *, kind: str, scope: str, basis: str) -> bool:
    """Tell whether this basis has been analysed."""
    same = (TrendAnalysis.kind == kind, TrendAnalysis.scope == scope, TrendAnalysis.basis == basis)
    return session.scalar(select(TrendAnalysis.id).where(*same)) is not None


def latest_analyses(session: Session, kind: str) -> list[TrendAnalysis]:
    """List the newest finding of each scope."""
    newest = select(TrendAnalysis).where(TrendAnalysis.kind == kind).ext(distinct_on(TrendAnalysis.scope))
    return list(session.scalars(newest.order_by(TrendAnalysis.scope, TrendAnalysis.id.desc())))


def analyses_of(session: Session, kind: str, scope: str) -> list[TrendAnalysis]:
    """List the findings about one scope, oldest first."""
    mine = select(TrendAnalysis).where(TrendAnalysis.kind == kind, TrendAnalysis.scope == scope)
    return list(session.scalars(mine.order_by(TrendAnalysis.id)))


def record_plan(session: Session, *, cycle_id: int, **columns: Any) -> EvolutionPlan:  # noqa: ANN401 (columns of `EvolutionPlan`)
    """Insert the cycle's plan, or load the one that won."""
    insert_or_keep(session, EvolutionPlan, cycle_id=cycle_id, **columns)
    return session.scalars(select(EvolutionPlan).where(EvolutionPlan.cycle_id == cycle_id)).one()


def plan_of(session: Session, cycle_id: int) -> EvolutionPlan | None:
    """Load the plan that a cycle ended with."""
    return session.scalars(select(EvolutionPlan).where(EvolutionPlan.cycle_id == cycle_id)).one_or_none()


def latest_plan(session: Session, artist_id: int) -> EvolutionPlan | None:
    """Load an artist's newest plan."""
    mine = select(EvolutionPlan).where(EvolutionPlan.artist_id == artist_id).order_by(EvolutionPlan.id.desc())
    return session.scalars(mine.limit(1)).one_or_none()


def plans(session: Session, artist_id: int) -> list[EvolutionPlan]:
    """List an artist's plans, oldest first."""
    mine = select(EvolutionPlan).where(EvolutionPlan.artist_id == artist_id).order_by(EvolutionPlan.id)
    return list(session.scalars(mine))
