"""What releases earn by report, and what they cost: streams with a stated revenue, credits and calls behind tracks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, ColumnElement, Date, String, case, column, exists, func, select, values
from sqlalchemy.orm import Session

from muzikantas.analysis.daily import WORLDWIDE
from muzikantas.models.cycle import Cycle
from muzikantas.models.generation import Generation
from muzikantas.models.llm import LlmCall
from muzikantas.models.performance import PerformanceMetric
from muzikantas.models.track import Track


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Streams of an artist by platform and country, and those whose revenue was stated in dollars."""

    streams: dict[tuple[str, str], int]
    paid: dict[tuple[str, str], tuple[int, int]]  #: streams, and millionths of a dollar for them


@dataclass(frozen=True, kw_only=True)
class Outlay:
    """What an artist's music has taken: credits, model calls for briefs, requests written and tracks made."""

    credits: int
    brief_micros: int
    words_micros: int
    slots: int
    tracks: int


@dataclass(frozen=True, kw_only=True)
class Void:
    """Streams that earn nothing: those of one track on one platform in one country on these days."""

    track_id: int
    platform: str
    country: str
    days: tuple[date, ...]


def heard(session: Session, artist_id: int, *, without: Sequence[Void]) -> Heard:
    """Sum an artist's reports by platform and country; what is paid counts where it was stated in dollars.

    Worldwide rows count only where a platform gives no countries. Rows of `without` count nowhere: streams that look
    bought have no price, whatever was stated for them.
    """
    stated = (PerformanceMetric.revenue_micros.is_not(None)) & (PerformanceMetric.currency == "USD")
    sums = (
        select(
            PerformanceMetric.platform,
            PerformanceMetric.country,
            func.sum(PerformanceMetric.streams),
            func.coalesce(func.sum(case((stated, PerformanceMetric.streams), else_=0)), 0),
            func.coalesce(func.sum(case((stated, PerformanceMetric.revenue_micros), else_=0)), 0),
        )
        .join(Track, Track.id == PerformanceMetric.track_id)
        .where(Track.artist_id == artist_id)
        .group_by(PerformanceMetric.platform, PerformanceMetric.country)
    )
    if without:
        sums = sums.where(~_void(without))
    rows = {(row[0], row[1]): (int(row[2]), int(row[3]), int(row[4])) for row in session.execute(sums)}
    detailed = {platform for platform, country in rows if country != WORLDWIDE}
    counted = {key: row for key, row in rows.items() if key[1] != WORLDWIDE or key[0] not in detailed}
    return Heard(
        streams={key: streams for key, (streams, _, _) in counted.items()},
        paid={key: (streams, micros) for key, (_, streams, micros) in counted.items() if streams},
    )


def outlay(session: Session, artist_id: int) -> Outlay:
    """Sum what an artist's music has taken so far."""
    requests = select(func.count(), func.coalesce(func.sum(Generation.credits), 0)).join(
        Cycle, Cycle.id == Generation.cycle_id
    )
    taken = session.execute(requests.where(Cycle.artist_id == artist_id)).one()
    briefs = case((LlmCall.purpose.startswith("brief"), LlmCall.cost_micros), else_=0)
    words = select(func.coalesce(func.sum(briefs), 0), func.coalesce(func.sum(LlmCall.cost_micros), 0)).join(
        Cycle, Cycle.id == LlmCall.cycle_id
    )
    said = session.execute(words.where(Cycle.artist_id == artist_id)).one()
    made = select(func.count()).select_from(Track).where(Track.artist_id == artist_id)
    return Outlay(
        credits=int(taken[1]),
        brief_micros=int(said[0]),
        words_micros=int(said[1]),
        slots=int(taken[0]),
        tracks=session.scalar(made) or 0,
    )


def _void(without: Sequence[Void]) -> ColumnElement[bool]:
    """Tell whether a report row is among those that count nowhere."""
    names = (column("track_id", BigInteger), column("platform", String), column("country", String), column("day", Date))
    rows = [(each.track_id, each.platform, each.country, day) for each in without for day in each.days]
    void = values(*names, name="void").data(rows)
    return exists().where(*(getattr(PerformanceMetric, name.name) == void.c[name.name] for name in names))
