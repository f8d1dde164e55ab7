"""Every call of a language model, counted before it is made: a few a cycle and purpose, never more."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.base import Base, Created, Id, Json, Moment, insert_or_keep
from muzikantas.models.cycle import Cycle

#: `postponed`: the provider never took it (too fast, no connection), so it does not count against the bound.
SENT, OK, FAILED, POSTPONED = "sent", "ok", "failed", "postponed"


class LlmCall(Base):
    """One call: what was asked of which model, what came back, what it cost."""

    __tablename__ = "llm_calls"
    __table_args__ = (UniqueConstraint("cycle_id", "purpose", "attempt"),)

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycles.id"))
    purpose: Mapped[str] = mapped_column(String(16))  #: brief | evolve | adapt
    attempt: Mapped[int]
    model: Mapped[str] = mapped_column(String(64))
    prompt: Mapped[str]
    state: Mapped[str] = mapped_column(String(16), server_default=SENT)  #: sent | ok | failed | postponed
    reason: Mapped[str | None]
    reply: Mapped[Json | None] = mapped_column(JSONB)
    input_tokens: Mapped[int] = mapped_column(server_default="0")
    cached_tokens: Mapped[int] = mapped_column(server_default="0")
    output_tokens: Mapped[int] = mapped_column(server_default="0")
    cost_micros: Mapped[int] = mapped_column(BigInteger, server_default="0")  #: millionths of a US dollar
    created_at: Mapped[Created]
    ended_at: Mapped[Moment | None]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The calls of one purpose, model and outcome, counted."""

    purpose: str
    model: str
    state: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_micros: int


def calls(session: Session, cycle_id: int, purpose: str) -> list[LlmCall]:
    """List the calls of a cycle for one purpose, oldest first."""
    mine = select(LlmCall).where(LlmCall.cycle_id == cycle_id, LlmCall.purpose == purpose)
    return list(session.scalars(mine.order_by(LlmCall.attempt)))


def begin(session: Session, *, cycle_id: int, purpose: str, attempt: int, model: str, prompt: str) -> int | None:
    """Insert the row of a call that is about to be made; None when another process makes this attempt."""
    if not insert_or_keep(
        session, LlmCall, cycle_id=cycle_id, purpose=purpose, attempt=attempt, model=model, prompt=prompt
    ):
        return None
    mine = (LlmCall.cycle_id == cycle_id, LlmCall.purpose == purpose, LlmCall.attempt == attempt)
    return session.scalars(select(LlmCall.id).where(*mine)).one()


def end(session: Session, call_id: int, *, state: str, **columns: Any) -> None:  # noqa: ANN401 (columns of `LlmCall`)
    """Store how a call ended."""
    ended = update(LlmCall).where(LlmCall.id == call_id)
    session.execute(ended.values(state=state, ended_at=func.now(), **columns))


def get(session: Session, call_id: int) -> LlmCall:
    """Load a call by id."""
    return session.get_one(LlmCall, call_id)


def tally(session: Session, artist_id: int) -> list[Tally]:
    """Count an artist's calls by purpose, model and outcome."""
    kinds = (LlmCall.purpose, LlmCall.model, LlmCall.state)
    counted = (
        select(
            *kinds,
            func.count().label("calls"),
            func.sum(LlmCall.input_tokens).label("input_tokens"),
            func.sum(LlmCall.output_tokens).label("output_tokens"),
            func.sum(LlmCall.cost_micros).label("cost_micros"),
        )
        .join(Cycle, Cycle.id == LlmCall.cycle_id)
        .where(Cycle.artist_id == artist_id)
        .group_by(*kinds)
        .order_by(*kinds)
    )
    return [
        Tally(
            purpose=row.purpose,
            model=row.model,
            state=row.state,
            calls=row.calls,
            input_tokens=int(row.input_tokens),
            output_tokens=int(row.output_tokens),
            cost_micros=int(row.cost_micros),
        )
        for row in session.execute(counted)
    ]
