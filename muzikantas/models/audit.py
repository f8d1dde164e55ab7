"""What operators and rules decided, for later questions."""

from typing import Any

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.base import Base, Created, Id, Json


class AuditEntry(Base):
    """One decision: who, what, on what."""

    __tablename__ = "audit_log"

    id: Mapped[Id]
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64), index=True)
    details: Mapped[Json]
    created_at: Mapped[Created]


#: Action: a track is in the catalogue already, as the same recording or a changed one. No rule releases it.
COPY = "copy of a track"


def newest(session: Session, action: str, subject: str) -> AuditEntry | None:
    """Load the last entry of an action on a subject, or None."""
    mine = select(AuditEntry).where(AuditEntry.action == action, AuditEntry.subject == subject)
    return session.scalars(mine.order_by(AuditEntry.id.desc()).limit(1)).one_or_none()


def note(session: Session, actor: str, action: str, subject: str, **details: Any) -> None:  # noqa: ANN401 (anything JSON)
    """Write down a decision in the transaction that carries it out."""
    session.add(AuditEntry(actor=actor, action=action, subject=subject, details=details))
