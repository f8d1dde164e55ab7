"""From reported days to outcomes, claims and the page: on rows of a turned cycle, with the days written by hand."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from sqlalchemy import case, event, update

from muzikantas.analysis import claims, planning
from muzikantas.analysis.responses import hear
from muzikantas.domain.features import Features, certainty
from muzikantas.models import cycle, insight, performance, track
from muzikantas.models.performance import PerformanceMetric
from muzikantas.report import pages
from muzikantas.report.rows import gather
from muzikantas.studio import studio
from muzikantas.tasks import canvases, learning, spending
from muzikantas.tasks.learning import MOST_CERTAIN, observations, read
from tests.integration.label import Label
from tests.integration.money import turn

if TYPE_CHECKING:
    from sqlalchemy import QueuePool

PLATFORM = "a platform of this test"
#: Before all other days: the newest day is where the next report begins.
BEGIN = date(2016, 3, 1)
COUNTRIES = {"BR": 0.2, "DE": 0.3, "US": 0.5}
BURST = range(9, 12)


def report(songs: list[int], days: dict[int, int], *, burst: int | None = None) -> None:
    """Report each song's first days in three countries: a power law, and in one song bought streams in one country."""
    made = [
        {
            "track_id": song,
            "platform": f"{PLATFORM} {songs[0]}",  # what one platform has reported says which of its days are silent
            "country": country,
            "day": BEGIN + timedelta(days=day),
            "streams": (streams := round(3000 * share * (day + 1) ** -0.7)) + bought,
            "listeners": round(0.7 * streams) + bought // 50,
            "saves": round(0.05 * streams),
        }
        for song in songs
        for country, share in COUNTRIES.items()
        for day in range(days[song])
        for bought in [4000 if song == burst and country == "DE" and day in BURST else 0]
    ]
    with studio().begin() as session:
        performance.import_rows(session, made, source="a test")


@pytest.fixture
def released(label: Label) -> tuple[int, list[int]]:
    """An artist with three tracks that went out on one day."""
    artist_id, _ = label.artist(slots=3, release_rule="content_check")
    label.finish(label.start(artist_id))

    def published() -> bool:
        with studio().begin() as session:
            return all(row.published_at for row, _ in track.releases(session, artist_id))

    label.wait(published, "the rule's releases go out")
    with studio().begin() as session:
        out = track.releases(session, artist_id)
        for row, _ in out:
            row.released_on = BEGIN
    return artist_id, [song.id for _, song in out]


def statements() -> Iterator[list[str]]:
    """Collect the statements that are sent to the database."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(studio().engine, "before_cursor_execute", note)
    yield sent
    event.remove(studio().engine, "before_cursor_execute", note)


def test_outcomes_are_age_matched_foretold_and_clean(released: tuple[int, list[int]]) -> None:
    artist_id, songs = released
    old, young, unheard = songs
    report(songs[:2], {old: 28, young: 28}, burst=old)
    with studio().begin() as session:
        full = {o.id: o for o in observations(session, artist_id, days=28)}
        heard = hear(*read(session, artist_id), days=28)
        measured = {song: Features(**track.get(session, song).features) for song in songs}
    sure = {song: certainty(features) / MOST_CERTAIN for song, features in measured.items()}
    # Both follow the same curve; the bought streams make no difference but for the doubt of filling in their days.
    assert full[old].outcome == pytest.approx(full[young].outcome, abs=0.05)
    assert 0.9 < full[old].weight / sure[old] < full[young].weight / sure[young]
    assert full[unheard].weight == full[unheard].outcome == 0.0
    assert set(full[old].by_country or {}) == set(COUNTRIES)
    (aside,) = heard.quarantine
    assert (aside.release, aside.country, aside.days) == (old, "DE", tuple(BURST))
    assert aside.streams == pytest.approx(12000 + aside.usual, rel=0.05)


def test_a_release_is_foretold_from_its_first_days_and_corrected_by_the_later_ones(
    released: tuple[int, list[int]],
) -> None:
    artist_id, songs = released
    report(songs, dict.fromkeys(songs, 7))
    with studio().begin() as session:
        early = {o.id: o for o in observations(session, artist_id, days=28)}
    report(songs, dict.fromkeys(songs, 28))
    with studio().begin() as session:
        late = {o.id: o for o in observations(session, artist_id, days=28)}
        reads = statements()
        sent = next(reads)
        read(session, artist_id)
        next(reads, None)
    for song in songs:
        assert early[song].age_days == 7
        assert 0 < early[song].weight < late[song].weight
        assert early[song].outcome == pytest.approx(late[song].outcome, abs=0.3)
    assert len(sent) <= 6  # however many tracks there are


def test_what_was_learned_is_stored_once_and_shown(released: tuple[int, list[int]]) -> None:
    artist_id, songs = released
    report(songs, dict.fromkeys(songs, 28), burst=songs[0])
    cycle_id = turn(artist_id)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(learning.learn, [cycle_id] * 3)) == [cycle_id] * 3
    canvases.stage("learning.learn", cycle_id).delay().get(timeout=60)
    with studio().begin() as session:
        rows = insight.analyses_of(session, "releases", f"artist:{artist_id}")
        assert [row.basis for row in rows].count(f"cycle:{cycle_id}") == 1
        content = rows[-1].content
        cycle.end(session, cycle_id, "cancelled")
        title = track.get(session, songs[0]).title or ""
        provider = track.get(session, songs[0]).rights["provider"]
    assert content["releases"] == 3
    assert all(effect["verdict"] == "not enough data" for effect in content["effects"])
    assert all(effect["expected"] is not None for effect in content["effects"])
    (habit,) = content["obedience"]["by_provider_and_genre"]
    assert (habit["provider"], habit["tracks"]) == (provider, 3)

    found = gather(studio(), artist_id)

    assert found.findings is not None
    (aside,) = found.findings.quarantine
    assert (aside.track, aside.country, aside.first) == (title, "DE", BEGIN + timedelta(days=9))
    html = pages.render(found, {})
    assert "Streams in quarantine" in html
    assert aside.reason in html
    assert "How each provider answers each genre" in html


def test_bought_streams_earn_nothing(released: tuple[int, list[int]]) -> None:
    """They are paid at a hundredth in one country: with them in, every stream would seem to be worth less."""
    artist_id, songs = released
    report(songs, dict.fromkeys(songs, 28), burst=songs[0])
    bought = (PerformanceMetric.country == "DE") & (PerformanceMetric.day.in_([BEGIN + timedelta(n) for n in BURST]))
    cheap = bought & (PerformanceMetric.track_id == songs[0])
    price = case((cheap, 30), else_=3000)
    mine = update(PerformanceMetric).where(PerformanceMetric.track_id.in_(songs))
    with studio().begin() as session:
        session.execute(mine.values(revenue_micros=PerformanceMetric.streams * price, currency="USD"))
    with studio().begin() as session:
        heard = hear(*read(session, artist_id), days=7)
        books = spending.read(session, artist_id, heard)
        blind = spending.read(session, artist_id, replace(heard, quarantine=[]))
    assert spending.outlook(studio(), books, heard)["usd_per_stream"] == "0.003000"
    assert Decimal(spending.outlook(studio(), blind, heard)["usd_per_stream"]) < Decimal("0.0025")
    gone = sum(blind.heard.streams.values()) - sum(books.heard.streams.values())
    assert gone == round(heard.quarantine[0].streams)
    assert set(books.heard.streams) == set(blind.heard.streams)


def promote(label: Label, folder: Path, *lines: str, code: int = 0) -> list[dict[str, Any]]:
    """Import promotions by the command; give what `--json` says."""
    file = folder / "promotions.csv"
    file.write_text("\n".join(["track,kind,name,from,to,size,currency", *lines]) + "\n")
    said = label.muzikantas("performance", "promotions", str(file), "--json")
    assert said.returncode == code, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_promotions_are_imported_once_corrected_and_taken_off(
    label: Label, tmp_path: Path, released: tuple[int, list[int]]
) -> None:
    artist_id, songs = released
    report(songs, dict.fromkeys(songs, 28))
    placed = f"{songs[0]},playlist,Night Drive,{BEGIN},,12000,"
    paid = f"{songs[1]},ad,,{BEGIN},{BEGIN + timedelta(days=3)},50.00,EUR"
    counts = [promote(label, tmp_path, placed, paid)[-1] for _ in range(2)]
    assert [(each["new"], each["changed"]) for each in counts] == [(2, 0), (0, 0)]
    assert promote(label, tmp_path, placed.replace("12000", "9000"))[-1]["changed"] == 1
    (refused, _) = promote(label, tmp_path, placed, "0,playlist,,2016-03-01,,5,", code=2)
    assert "no track of ours" in refused["error"]
    with studio().begin() as session:
        listed = performance.promotions(session, artist_id)
        heard = hear(*read(session, artist_id), days=7)
    assert sorted((each.track, each.kind, each.size, each.currency) for each in listed) == [
        (songs[0], "playlist", 9000.0, ""),
        (songs[1], "ad", 50.0, "EUR"),
    ]
    assert set(heard.corrections) == set(songs[:2])
    weights = {each.id: each.weight for each in heard.observations}
    assert weights[songs[0]] < 0.7 * weights[songs[2]]

    said = label.muzikantas("performance", "outcomes", str(artist_id), "--json")
    assert said.returncode == 0, said.stderr
    *rows, last = [json.loads(line) for line in said.stdout.splitlines()]
    assert [row["track"] for row in rows] == songs
    assert "too few to tell" in rows[0]["notes"][0]
    assert rows[2]["notes"] == []
    assert rows[0]["streams"] == rows[0]["counted"]  # with so few nothing is taken off
    assert last["without_exploring"] is None
    assert "must pass 20" in last["without_exploring_lacks"]
    assert "too few to tell" in label.muzikantas("performance", "outcomes", str(artist_id)).stdout

    promote(label, tmp_path, placed.replace("12000", "0"))
    cycle_id = turn(artist_id)
    canvases.stage("learning.learn", cycle_id).delay().get(timeout=60)
    with studio().begin() as session:
        content = insight.analyses_of(session, "releases", f"artist:{artist_id}")[-1].content
        cycle.end(session, cycle_id, "cancelled")
    assert [each["track"] for each in content["promoted"]] == [songs[1]]
    html = pages.render(gather(studio(), artist_id), {})
    assert "Outcomes without promotion" in html
    assert "must pass 20" in html


def test_nothing_is_computed_while_a_transaction_is_open(
    released: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    artist_id, songs = released
    report(songs, dict.fromkeys(songs, 28))
    cycle_id = turn(artist_id)
    with studio().begin() as session:
        plans = len(insight.plans(session, artist_id))
    mine = learning.learn.studio
    held: list[tuple[str, int]] = []

    def watched(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            held.append((work.__name__, cast("QueuePool", mine.engine.pool).checkedout()))
            return work(*args, **kwargs)

        return call

    for module, name in (
        (learning, "hear"),
        (learning, "taught"),
        (claims, "learning_note"),
        (planning, "choose"),
        (spending, "outlook"),
        (spending, "afford"),
    ):
        monkeypatch.setattr(module, name, watched(getattr(module, name)))
    for task in (learning.learn, learning.plan):
        for _ in range(2):
            task(cycle_id)
    with studio().begin() as session:
        analyses = insight.analyses_of(session, "releases", f"artist:{artist_id}")
        assert [row.basis for row in analyses].count(f"cycle:{cycle_id}") == 1
        assert len(insight.plans(session, artist_id)) == plans + 1
        cycle.end(session, cycle_id, "cancelled")
    assert {open_ for _, open_ in held} == {0}
    once = sorted(name for name, _ in held if name != "hear")  # the second delivery finds the work done
    assert once == ["afford", "choose", "learning_note", "outlook", "taught"]
