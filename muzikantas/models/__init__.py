"""Tables and every query on them, one noun a file. Importing this package knows all tables (Alembic needs that)."""

from muzikantas.models import (
    artist,
    audit,
    balance,
    budget,
    catalogue,
    chart,
    chart_fetch,
    cycle,
    experiment,
    generation,
    insight,
    llm,
    performance,
    review,
    statement,
    take,
    track,
)
from muzikantas.models.base import Base

__all__ = [
    "Base",
    "artist",
    "audit",
    "balance",
    "budget",
    "catalogue",
    "chart",
    "chart_fetch",
    "cycle",
    "experiment",
    "generation",
    "insight",
    "llm",
    "performance",
    "review",
    "statement",
    "take",
    "track",
]
