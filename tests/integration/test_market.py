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
from muzikantas.report.market import artist_section, write_market
from muzikantas.studio import Studio, studio
from muzikantas.tasks import market as tasks
from muzikantas.tasks import market_rows
from muzikantas.tasks.market_rows import rights
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
    page = write_market(studio(), "QQ", tmp_path).read_text()
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


def test_a_source_that_may_do_nothing_is_in_no_aggregate(charts: Label, tmp_path: Path) -> None:
    """Beat analyses every few seconds in the stack's workers: what may be analysed comes, the other never does."""
    with studio().begin() as session:
        chart.import_rows(session, rows("elsewhere", "ZZ", canary=True), file="zz.csv")
        chart.import_rows(session, rows("positions", "YY", canary=False), file="yy.csv")
    charts.wait(lambda: "positions:top30-daily:YY" in _scopes(), "the allowed chart is analysed")
    tasks.analyse()
    assert not [scope for scope in _scopes() if "elsewhere" in scope or "ZZ" in scope]
    with pytest.raises(InputError, match=r"ZZ are there, but elsewhere may not be analysed; .*SOURCES"):
        write_market(studio(), "ZZ", tmp_path)
    with studio().begin() as session:
        names = market_rows.analysable(session, rights(studio()))
    assert "ZZ" not in {name.country for name in names}


@pytest.mark.usefixtures("charts")
def test_what_was_stored_before_a_source_was_switched_off_is_shown_no_more(tmp_path: Path) -> None:
    off = Studio(studio().settings.model_copy(update={"sources": ("positions=store",)}))
    write_market(studio(), "QQ", tmp_path)
    with pytest.raises(InputError, match="positions may not be analysed"):
        write_market(off, "QQ", tmp_path)
    assert not [scope for scope in market_of({scope: {} for scope in _scopes()}, rights(off)) if "positions" in scope]


def _scopes() -> list[str]:
    with studio().begin() as session:
        return list(session.scalars(select(TrendAnalysis.scope).where(TrendAnalysis.kind == "market").distinct()))
