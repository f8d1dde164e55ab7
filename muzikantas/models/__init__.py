"""Tables and every query on them, one noun a file. Importing this package knows all tables (Alembic needs that)."""

from muzikantas.models import (
    artist,
    audit,
    balance,
    budget,
    chart,
    cycle,
    generation,
    insight,
    llm,
    performance,
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
    "chart",
    "cycle",
    "generation",
    "insight",
    "llm",
    "performance",
    "take",
    "track",
]
