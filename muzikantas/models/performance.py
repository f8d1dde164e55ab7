"""How releases did, by track, platform, country and day, and what promoted them. Corrections win, twice is once."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.analysis.daily import WORLDWIDE, DailyRows
from muzikantas.analysis.outcome import AGES
from muzikantas.domain.money import MICROS
from muzikantas.domain.promotion import AD, Promotion
from muzikantas.models.base import Base, Created, Id
from muzikantas.models.bulk import Merged, merge
from muzikantas.models.track import Release, Track


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


class PromotionEntry(Base):
    """A playlist that had a track, or an advertisement for it; without followers or money it was taken back."""

    __tablename__ = "promotions"
    __table_args__ = (UniqueConstraint("track_id", "kind", "name", "first_day"),)

    id: Mapped[Id]
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    kind: Mapped[str] = mapped_column(String(16))  #: playlist | ad
    name: Mapped[str] = mapped_column(String(200))  #: which one; empty where one is enough
    first_day: Mapped[date]
    last_day: Mapped[date | None]  #: None while a playlist keeps the track
    followers: Mapped[int | None] = mapped_column(BigInteger)
    spent_micros: Mapped[int | None] = mapped_column(BigInteger)  #: on all days together
    currency: Mapped[str | None] = mapped_column(String(3))
    file: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[Created]


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


def import_promotions(session: Session, rows: Iterable[Mapping[str, Any]], *, file: str) -> Merged:
    """Merge promotions (keys: the table's columns); the same file twice changes nothing."""
    return merge(
        session,
        PromotionEntry,
        ({**row, "file": file} for row in rows),
        key=("track_id", "kind", "name", "first_day"),
        values=("last_day", "followers", "spent_micros", "currency"),
        provenance=("file",),
    )


def promotions(session: Session, artist_id: int) -> list[Promotion]:
    """List what promoted an artist's tracks, oldest first."""
    rows = select(PromotionEntry).join(Track, Track.id == PromotionEntry.track_id).where(Track.artist_id == artist_id)
    return [
        Promotion(
            track=row.track_id,
            kind=row.kind,
            first=row.first_day,
            last=row.last_day,
            size=(row.spent_micros or 0) / MICROS if row.kind == AD else float(row.followers or 0),
            currency=row.currency or "",
        )
        for row in session.scalars(rows.order_by(PromotionEntry.first_day, PromotionEntry.id))
    ]


def promoted_artists(session: Session) -> list[int]:
    """List the artists with promoted tracks, those with most of them first."""
    tracks = func.count(PromotionEntry.track_id.distinct())
    rows = select(Track.artist_id).join(PromotionEntry, PromotionEntry.track_id == Track.id).group_by(Track.artist_id)
    return list(session.scalars(rows.order_by(tracks.desc(), Track.artist_id)))


def last_day(session: Session, source: str | None = None) -> date | None:
    """Give the newest day that a report of this source has covered, of any by default."""
    newest = select(func.max(PerformanceMetric.day))
    return session.scalar(newest if source is None else newest.where(PerformanceMetric.source == source))


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


def daily(session: Session, artist_id: int) -> list[DailyRows]:
    """Read the first days of an artist's releases: a value a day for each release, platform and country."""
    by_day = [
        func.array_agg(aggregate_order_by(column, PerformanceMetric.day))
        for column in (
            PerformanceMetric.day,
            PerformanceMetric.streams,
            PerformanceMetric.listeners,
            PerformanceMetric.saves,
        )
    ]
    of = (Release.track_id, Release.released_on, PerformanceMetric.platform, PerformanceMetric.country)
    rows = (
        select(*of, *by_day)
        .join(Track, Track.id == Release.track_id)
        .join(PerformanceMetric, PerformanceMetric.track_id == Release.track_id)
        .where(
            Track.artist_id == artist_id,
            PerformanceMetric.day >= Release.released_on,
            PerformanceMetric.day < Release.released_on + AGES,
        )
        .group_by(*of)
    )
    names = [field.name for field in fields(DailyRows)]
    return [DailyRows(**dict(zip(names, row, strict=True))) for row in session.execute(rows)]


def volumes(session: Session, *, since: date) -> dict[str, dict[date, int]]:
    """Sum the whole label's streams by platform and day: a day that is not there has not been reported."""
    sums = (
        select(PerformanceMetric.platform, PerformanceMetric.day, func.sum(PerformanceMetric.streams))
        .where(PerformanceMetric.day >= since)
        .group_by(PerformanceMetric.platform, PerformanceMetric.day)
    )
    found: dict[str, dict[date, int]] = {}
    for platform, day, streams in session.execute(sums):
        found.setdefault(platform, {})[day] = int(streams)
    return found


def _without_overlap(countries: Mapping[str, int]) -> int:
    """Add up one platform's countries; its worldwide row only where it gives no countries."""
    single = [n for country, n in countries.items() if country != WORLDWIDE]
    return sum(single) if single else countries.get(WORLDWIDE, 0)
