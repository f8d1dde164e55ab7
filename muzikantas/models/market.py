"""What is known of markets: what artists play, countries, forecasts of tracks, comparisons with competitors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, delete, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.base import Base, Created, Id, Json, JsonList, insert_or_keep
from muzikantas.models.bulk import Merged, merge
from muzikantas.models.chart import ChartEntry
from muzikantas.models.cycle import RUNNING, Cycle
from muzikantas.models.llm import LlmCall


class ArtistGenre(Base):
    """What an artist plays and where it comes from, as a file of the operator says."""

    __tablename__ = "artist_genres"
    __table_args__ = (UniqueConstraint("source", "artist"),)

    id: Mapped[Id]
    source: Mapped[str] = mapped_column(String(32))
    artist: Mapped[str] = mapped_column(String(300))
    genre: Mapped[str | None] = mapped_column(String(64))
    country: Mapped[str | None] = mapped_column(String(6))
    file: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[Created]


class CountryProfile(Base):
    """A country's market on a day: shares, growth, turnover, local artists, seasons, each with its interval."""

    __tablename__ = "country_profiles"
    __table_args__ = (UniqueConstraint("source", "chart", "country", "day"),)

    id: Mapped[Id]
    source: Mapped[str] = mapped_column(String(32))
    chart: Mapped[str] = mapped_column(String(32))
    country: Mapped[str] = mapped_column(String(6))
    day: Mapped[date]
    content: Mapped[Json]  #: a profile of `analysis.countries`
    created_at: Mapped[Created]


class ViralTrend(Base):
    """One track on a chart on a day: how it moves, and what was expected of it then."""

    __tablename__ = "viral_trends"
    __table_args__ = (UniqueConstraint("source", "chart", "country", "day", "position"),)

    id: Mapped[Id]
    source: Mapped[str] = mapped_column(String(32))
    chart: Mapped[str] = mapped_column(String(32))
    country: Mapped[str] = mapped_column(String(6))
    day: Mapped[date]
    position: Mapped[int]
    track_title: Mapped[str]
    artist_names: Mapped[str]
    velocity: Mapped[float]  #: log-odds of its place a step of the chart; above 0 it climbs
    rising: Mapped[bool]  #: it climbs, with false discoveries of 5 % over the chart
    expected_position: Mapped[int]
    expected_on: Mapped[date]
    peak_position: Mapped[int]
    peak_on: Mapped[date]
    expires_on: Mapped[date]  #: last date on which it is expected on the chart
    details: Mapped[Json]  #: ends of the intervals, the last change, the seed
    created_at: Mapped[Created]


class CompetitorAnalysis(Base):
    """An artist beside its competitors: numbers, and words that keep to them; written once a cycle."""

    __tablename__ = "competitor_analysis"
    __table_args__ = (UniqueConstraint("cycle_id"),)

    id: Mapped[Id]
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id"), index=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycles.id"))
    day: Mapped[date]  #: newest day of the charts behind it
    numbers: Mapped[JsonList]  #: rows that sentences cite
    aims: Mapped[JsonList]  #: where the artist should aim, and why
    sentences: Mapped[JsonList]  #: from our own form, until a model's have passed the check
    prompt: Mapped[str | None]
    model: Mapped[str | None]  #: None: the sentences are of our own form
    llm_call_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("llm_calls.id"))
    worded: Mapped[bool] = mapped_column(server_default="false")  #: whether the model has been asked for good
    created_at: Mapped[Created]


def import_artists(session: Session, rows: Iterable[Mapping[str, Any]], *, file: str) -> Merged:
    """Merge an operator's file of artists (`source`, `artist`, `genre`, `country`); a later file wins."""
    given = ({**row, "file": file} for row in rows)
    return merge(
        session, ArtistGenre, given, key=("source", "artist"), values=("genre", "country"), provenance=("file",)
    )


def artists(session: Session, sources: Sequence[str]) -> dict[str, tuple[str | None, str | None]]:
    """Give genre and country of every artist that one of these sources tells of."""
    told = select(ArtistGenre).where(ArtistGenre.source.in_(sources)).order_by(ArtistGenre.id)
    return {row.artist: (row.genre, row.country) for row in session.scalars(told)}


def artist_sources(session: Session) -> list[str]:
    """List the sources that tell of artists."""
    return list(session.scalars(select(ArtistGenre.source).distinct().order_by(ArtistGenre.source)))


def entries(session: Session, source: str, chart: str, country: str, *, since: date) -> Iterator[dict[str, Any]]:
    """Give a chart's rows from a day on, oldest first, as what trajectories and shares are made of."""
    columns = (
        ChartEntry.day,
        ChartEntry.position,
        ChartEntry.track_title,
        ChartEntry.artist_names,
        ChartEntry.streams,
        ChartEntry.details["release_date"].astext.label("release_date"),
    )
    mine = select(*columns).where(
        ChartEntry.source == source, ChartEntry.chart == chart, ChartEntry.country == country, ChartEntry.day >= since
    )
    for row in session.execute(mine.order_by(ChartEntry.day, ChartEntry.position)):
        yield {**row._mapping, "details": {"release_date": row.release_date}}


def has_profile(session: Session, source: str, chart: str, country: str, day: date) -> bool:
    """Tell whether a chart's country has been described as of a day."""
    return _there(session, CountryProfile, source, chart, country, day)


def has_trends(session: Session, source: str, chart: str, country: str, day: date) -> bool:
    """Tell whether the tracks of a chart's day have been forecast."""
    return _there(session, ViralTrend, source, chart, country, day)


def _there(
    session: Session, table: type[CountryProfile | ViralTrend], source: str, chart: str, country: str, day: date
) -> bool:
    same = (table.source == source, table.chart == chart, table.country == country, table.day == day)
    return session.scalar(select(table.id).where(*same).limit(1)) is not None


def record_profile(session: Session, **columns: Any) -> None:  # noqa: ANN401 (columns of `CountryProfile`)
    """Insert a profile, unless the day has one."""
    insert_or_keep(session, CountryProfile, **columns)


def record_trends(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert forecasts (keys: columns of `ViralTrend`), unless their day has them."""
    for row in rows:
        insert_or_keep(session, ViralTrend, **row)


def forget_profiles(session: Session) -> None:
    """Delete all profiles: they were made before something else was told of artists, and are made anew."""
    session.execute(delete(CountryProfile))


def latest_profiles(session: Session) -> list[CountryProfile]:
    """List the newest profile of each chart and country."""
    scope = (CountryProfile.country, CountryProfile.source, CountryProfile.chart)
    newest = select(CountryProfile).ext(distinct_on(*scope)).order_by(*scope, CountryProfile.day.desc())
    return list(session.scalars(newest))


def trends_on(session: Session, source: str, chart: str, country: str, day: date) -> list[ViralTrend]:
    """List the forecasts made on a day, by position."""
    mine = (ViralTrend.source == source, ViralTrend.chart == chart, ViralTrend.country == country)
    return list(session.scalars(select(ViralTrend).where(*mine, ViralTrend.day == day).order_by(ViralTrend.position)))


def trend_days(session: Session, source: str, chart: str, country: str) -> list[date]:
    """List the days that have forecasts, oldest first."""
    mine = (ViralTrend.source == source, ViralTrend.chart == chart, ViralTrend.country == country)
    return list(session.scalars(select(ViralTrend.day).where(*mine).distinct().order_by(ViralTrend.day)))


def record_comparison(session: Session, *, cycle_id: int, **columns: Any) -> CompetitorAnalysis:  # noqa: ANN401 (columns of `CompetitorAnalysis`)
    """Insert a cycle's comparison, or load the one that won."""
    insert_or_keep(session, CompetitorAnalysis, cycle_id=cycle_id, **columns)
    return session.scalars(select(CompetitorAnalysis).where(CompetitorAnalysis.cycle_id == cycle_id)).one()


def comparison(session: Session, cycle_id: int) -> CompetitorAnalysis | None:
    """Load the comparison of a cycle."""
    return session.scalars(select(CompetitorAnalysis).where(CompetitorAnalysis.cycle_id == cycle_id)).one_or_none()


def latest_comparison(session: Session, artist_id: int) -> CompetitorAnalysis | None:
    """Load an artist's newest comparison."""
    mine = select(CompetitorAnalysis).where(CompetitorAnalysis.artist_id == artist_id)
    return session.scalars(mine.order_by(CompetitorAnalysis.id.desc()).limit(1)).one_or_none()


def record_words(
    session: Session, comparison_id: int, *, prompt: str, answer: tuple[Sequence[str], LlmCall] | None
) -> None:
    """Store a model's words in place of our own form's, or note that none passed the check and ours stay."""
    mine = update(CompetitorAnalysis).where(CompetitorAnalysis.id == comparison_id)
    session.execute(mine.values(prompt=prompt, worded=True))
    if answer is not None:
        sentences, call = answer
        session.execute(mine.values(sentences=list(sentences), model=call.model, llm_call_id=call.id))


def running_without_comparison(session: Session) -> list[int]:
    """List the running cycles that have no comparison yet."""
    compared = select(CompetitorAnalysis.cycle_id)
    return list(session.scalars(select(Cycle.id).where(Cycle.state == RUNNING, Cycle.id.not_in(compared))))
