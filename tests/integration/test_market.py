"""Markets on a real stack: forecasts, profiles, comparisons once each, and nothing of a source that is off."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from muzikantas.analysis.licences import market_of
from muzikantas.domain.errors import InputError
from muzikantas.models import chart, llm, market
from muzikantas.models.insight import TrendAnalysis
from muzikantas.report.market import artist_section, gather, write_market
from muzikantas.studio import Studio, studio
from muzikantas.tasks import market as tasks
from muzikantas.tasks import market_charts, market_rows
from tests.integration.label import Label

#: In titles and names of sources that no model may see.
CANARY = "Kanarienvogel"
DAYS = 190
FIRST = date(2031, 1, 1)


def rows(source: str, country: str, *, canary: bool) -> list[dict[str, Any]]:
    """Thirty tracks that come, stand for six weeks and go, each day one place further down."""
    made = []
    for day in range(DAYS):
        for position in range(1, 31):
            song = (day + 40 - position) // 3 * 31 + position
            artist = f"{country} {CANARY if canary else 'Artist'} {song % 7}"
            made.append(
                {
                    "source": source,
                    "chart": "top30-daily",
                    "country": country,
                    "day": FIRST + timedelta(days=day),
                    "position": position,
                    "track_title": f"{CANARY if canary else 'Song'} {(day + position) // 12} {position % 5}",
                    "artist_names": artist,
                    "uri": None,
                    "streams": None,
                    "previous_position": None,
                    "peak_position": None,
                    "periods_on_chart": None,
                    "details": {},
                }
            )
    return made


@pytest.fixture(scope="module")
def charts(label: Label) -> Label:
    with studio().begin() as session:
        chart.import_rows(session, rows("positions", "QQ", canary=True), file="qq.csv")
    return label


def genre_of(label: Label, genre: str, tmp_path: Path) -> None:
    """Tell the genre of the chart's artists by a file, as an operator does."""
    file = tmp_path / "artists.csv"
    lines = [f"QQ {CANARY} {k},{genre},QQ" for k in range(7)]
    file.write_text("\n".join(["artist,genre,country", *lines]))
    done = label.muzikantas("market", "artists", str(file))
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("charts")
def test_a_forecast_is_made_once_and_stands_in_the_page(tmp_path: Path) -> None:
    """In this process: the stack's short visibility timeout leaves its workers five seconds a task."""
    where = ("positions", "top30-daily", "QQ")
    days = [FIRST + timedelta(days=DAYS - 1), FIRST + timedelta(days=DAYS - 15)]
    made = [tasks.forecast(*where, day.isoformat()) for day in [*days, *days]]
    assert made == [30, 30, 0, 0]
    for _ in range(2):
        tasks.profile(*where)
    with studio().begin() as session:
        assert market.trend_days(session, *where) == sorted(days)
        trends = market.trends_on(session, *where, days[0])
        assert [trend.position for trend in trends] == list(range(1, 31))
        assert session.scalar(select(func.count()).select_from(market.CountryProfile)) == 1
    page = write_market(gather(studio(), "QQ"), tmp_path).read_text()
    assert "Forecasts against what came" in page
    assert "intervals held what came" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_a_comparison_is_worded_and_no_name_reaches_the_model(charts: Label, tmp_path: Path) -> None:
    artist_id, genre = charts.artist()
    genre_of(charts, genre, tmp_path)
    cycle_id = charts.start(artist_id)
    for _ in range(2):
        tasks.compare.delay(cycle_id)

    def worded() -> Any:
        with studio().begin() as session:
            found = market.comparison(session, cycle_id)
            return found if found and found.worded else None

    found = charts.wait(worded, "the comparison is worded", within_s=120)
    assert found.numbers
    assert all("[r" in sentence for sentence in found.sentences)
    assert CANARY in found.sentences[0]
    assert found.prompt
    assert "artist 1" in found.prompt
    with studio().begin() as session:
        prompts = list(session.scalars(select(llm.LlmCall.prompt)))
    assert prompts
    assert not [prompt for prompt in prompts if CANARY in prompt]
    assert CANARY not in found.prompt
    section = artist_section(studio(), artist_id)
    assert "Competitors and gaps" in section
    charts.finish(cycle_id)


def test_a_source_that_may_do_nothing_is_in_no_aggregate(charts: Label) -> None:
    """Beat analyses every few seconds in the stack's workers: what may be analysed comes, the other never does."""
    with studio().begin() as session:
        chart.import_rows(session, rows("elsewhere", "ZZ", canary=True), file="zz.csv")
        chart.import_rows(session, rows("positions", "YY", canary=False), file="yy.csv")
    charts.wait(lambda: "positions:top30-daily:YY" in _scopes(), "the allowed chart is analysed")
    tasks.analyse()
    assert not [scope for scope in _scopes() if "elsewhere" in scope or "ZZ" in scope]
    with pytest.raises(InputError, match=r"ZZ are there, but elsewhere may not be analysed; .*SOURCES"):
        gather(studio(), "ZZ")
    with studio().begin() as session:
        names = market_rows.analysable(session, studio().settings.licences)
    assert "ZZ" not in {name.country for name in names}


@pytest.mark.usefixtures("charts")
def test_what_was_stored_before_a_source_was_switched_off_is_shown_no_more() -> None:
    off = Studio(studio().settings.model_copy(update={"sources": ("positions=store",)}))
    gather(studio(), "QQ")
    with pytest.raises(InputError, match="positions may not be analysed"):
        gather(off, "QQ")
    assert not [
        scope for scope in market_of({scope: {} for scope in _scopes()}, off.settings.licences) if "positions" in scope
    ]


def test_a_page_is_not_empty_for_who_has_just_imported(label: Label) -> None:
    with studio().begin() as session:
        chart.import_rows(session, rows("positions", "XX", canary=False), file="xx.csv")
    done = label.muzikantas("market", "xx")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).name == "market-xx.html"
    assert "30 tracks" in done.stderr or "25 tracks" in done.stderr
    assert "unknown: 100.0%" in done.stderr
    assert "not enough data. They need 104 weeks of charts; 28 are there." in done.stderr
    page = Path(done.stdout.strip()).read_text()
    assert "intervals held what came" in page
    assert "This chart has no profile yet" not in page
    where = ("positions", "top30-daily", "XX")
    with studio().begin() as session:
        assert market_charts.due(session, [market_rows.ChartName(*where)]) == ([], [])
        assert len(market.trend_days(session, *where)) >= 2


def test_what_is_told_of_artists_later_describes_countries_anew(charts: Label, tmp_path: Path) -> None:
    def profile() -> Any:
        market_charts.catch_up(studio(), "QQ", lambda _: None)
        with studio().begin() as session:
            return next(row for row in market.latest_profiles(session) if row.country == "QQ")

    before = profile()
    genre_of(charts, "polka", tmp_path)
    after = profile()
    assert after.day == before.day
    assert (list(after.content["genres"]), after.content["unknown"]["share"]) == (["polka"], 0.0)


def _scopes() -> list[str]:
    with studio().begin() as session:
        return list(session.scalars(select(TrendAnalysis.scope).where(TrendAnalysis.kind == "market").distinct()))
