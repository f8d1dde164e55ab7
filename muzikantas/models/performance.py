"""How releases did: a row per track, platform, country and day. Imports are idempotent and corrections win."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, and_, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.base import Base, Created, Id
from muzikantas.models.bulk import Merged, merge
from muzikantas.models.track import Release, Track

#: The country of rows that count the whole world.
WORLDWIDE = "GLOBAL"


class PerformanceMetric(Base):
    """What one platform reported of one track in one country on one day."""

    __tablename__ = "performance_metrics"
    __table_args__ = (
        UniqueConstraint("track_id", "platform", "country", "day"),
        Index("ix_performance_metrics_day", "day", postgresql_using="brin"),
    )

    id: Mapped[Id]
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    platform: Mapped[str] = mapped_column(String(32))
    country: Mapped[str] = mapped_column(String(6))
    day: Mapped[date]
    streams: Mapped[int] = mapped_column(BigInteger)
    listeners: Mapped[int | None] = mapped_column(BigInteger)
    saves: Mapped[int | None] = mapped_column(BigInteger)
    skips: Mapped[int | None] = mapped_column(BigInteger)
    views: Mapped[int | None] = mapped_column(BigInteger)
    engagement_rate: Mapped[float | None]
    revenue_micros: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    source: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[Created]


@dataclass(frozen=True, kw_only=True)
class Response:
    """The age-matched response to one release: its streams in the first `days` days, in all and by country."""

    track_id: int
    streams: int
    by_country: Mapping[str, int]


def import_rows(session: Session, rows: Iterable[Mapping[str, Any]], *, source: str) -> Merged:
    """Merge report rows (keys: the table's columns); the same report twice changes nothing."""
    values = ("streams", "listeners", "saves", "skips", "views", "engagement_rate", "revenue_micros", "currency")
    return merge(
        session,
        PerformanceMetric,
        ({**row, "source": source} for row in rows),
        key=("track_id", "platform", "country", "day"),
        values=values,
        provenance=("source",),
    )


def last_day(session: Session) -> date | None:
    """Give the newest day that any report has covered."""
    return session.scalar(select(func.max(PerformanceMetric.day)))


def count(session: Session) -> int:
    """Count all report rows."""
    return session.scalar(select(func.count()).select_from(PerformanceMetric)) or 0


def streams_since_release(session: Session, artist_id: int) -> dict[int, dict[str, int]]:
    """Give the streams of an artist's tracks by track and platform, on all days.

    Worldwide rows count only where a platform gives no countries of the track.
    """
    sums = (
        select(
            PerformanceMetric.track_id,
            PerformanceMetric.platform,
            PerformanceMetric.country,
            func.sum(PerformanceMetric.streams),
        )
        .join(Track, Track.id == PerformanceMetric.track_id)
        .where(Track.artist_id == artist_id)
        .group_by(PerformanceMetric.track_id, PerformanceMetric.platform, PerformanceMetric.country)
    )
    counts: dict[int, dict[str, dict[str, int]]] = {}
    for track_id, platform, country, streams in session.execute(sums):
        counts.setdefault(track_id, {}).setdefault(platform, {})[country] = int(streams)
    return {
        track_id: {platform: _without_overlap(countries) for platform, countries in platforms.items()}
        for track_id, platforms in counts.items()
    }


def responses(session: Session, artist_id: int, *, days: int) -> list[Response]:
    """List the responses to an artist's releases that are at least `days` days old by the newest report.

    A release that no report mentions by then had no streams; one that is younger has no response yet. Worldwide rows
    count only where a platform gives no countries.
    """
    newest = last_day(session)
    if newest is None:
        return []
    young = and_(
        PerformanceMetric.track_id == Track.id,
        PerformanceMetric.day >= Release.released_on,
        PerformanceMetric.day < Release.released_on + days,
    )
    per_country = (
        select(
            Track.id,
            PerformanceMetric.platform,
            PerformanceMetric.country,
            func.sum(PerformanceMetric.streams),
        )
        .join(Release, Release.track_id == Track.id)
        .outerjoin(PerformanceMetric, young)
        .where(Track.artist_id == artist_id, Release.released_on <= newest - timedelta(days=days - 1))
        .group_by(Track.id, PerformanceMetric.platform, PerformanceMetric.country)
        .order_by(Track.id)
    )
    found: dict[int, Response] = {}
    counts: dict[int, dict[str, dict[str, int]]] = {}
    for track_id, platform, country, streams in session.execute(per_country):
        found[track_id] = Response(track_id=track_id, streams=0, by_country={})
        platforms = counts.setdefault(track_id, {})
        if platform is not None:
            platforms.setdefault(platform, {})[country] = int(streams)
    return [_totalled(response, counts[track_id]) for track_id, response in found.items()]


def _totalled(response: Response, platforms: Mapping[str, Mapping[str, int]]) -> Response:
    """Add up platforms, by country where a platform gives countries."""
    total = 0
    by_country: dict[str, int] = {}
    for countries in platforms.values():
        total += _without_overlap(countries)
        for country, n in countries.items():
            if country != WORLDWIDE:
                by_country[country] = by_country.get(country, 0) + n
    return Response(
        track_id=response.track_id,
        streams=total,
        by_country=by_country,
    )


def _without_overlap(countries: Mapping[str, int]) -> int:
    """Add up one platform's countries; its worldwide row only where it gives no countries."""
    single = [n for country, n in countries.items() if country != WORLDWIDE]
    return sum(single) if single else countries.get(WORLDWIDE, 0)
