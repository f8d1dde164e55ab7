"""The report on real rows: a turned cycle, a slot that failed, an artist who has done nothing yet."""

import html
from datetime import date
from pathlib import Path

from muzikantas.models import artist, budget, llm, performance, track
from muzikantas.report import write_report
from muzikantas.report.rows import gather
from muzikantas.studio import studio
from tests.integration.label import Label, fault


def test_a_turned_cycle_is_on_the_page(label: Label) -> None:
    artist_id, genre = label.artist(slots=2, release_rule="content_check")
    cycle_id = label.start(artist_id)
    label.finish(cycle_id)

    done = label.muzikantas("report", str(artist_id))

    assert done.returncode == 0, done.stderr
    page = Path(done.stdout.strip()).read_text(encoding="utf-8")
    with studio().begin() as session:
        titles = [row.title or "" for row in track.of_artist(session, artist_id)]
        name = artist.get(session, artist_id).name
    assert len(titles) == 2
    text = html.unescape(page)  # a title may hold an apostrophe
    assert [shown for shown in [name, genre, *titles] if shown not in text] == []
    assert page.count('src="data:audio/mpeg;base64,') == 2
    assert len(page) < 2_000_000


def test_the_figures_agree_with_the_rows(label: Label) -> None:
    artist_id, _ = label.artist(slots=2)
    cycle_id = label.start(artist_id)
    label.finish(cycle_id)

    report = gather(studio(), artist_id)

    with studio().begin() as session:
        spent = budget.spent_by(session, artist_id, budget.CREDITS)[0]
        usd = budget.spent_by(session, artist_id, budget.USD_MICROS)[0]
        calls = llm.tally(session, artist_id)
    promise = report.head.promise
    assert (promise.sent, promise.tracks, promise.unknown, promise.lost) == (len(label.paid(cycle_id)), 2, 0, 0)
    assert report.head.credits == spent == sum(use.credits for use in report.money.credit_uses)
    assert report.head.usd_micros == usd == sum(call.cost_micros for call in calls)
    assert [version.kind for version in report.versions] == ["adapted", "evolved", "created"]
    assert [version.plan_cycle for version in report.versions] == [1, 1, None]
    assert report.plan is not None
    assert report.plan == report.cycles[0].plan


def test_a_starved_cycle_shows_why_and_accounts_for_its_money(label: Label) -> None:
    artist_id, genre = label.artist(slots=1)
    rule = fault("generate", genre, do={"fail": "GENERATE_AUDIO_FAILED", "refund": True})
    with label.faults(rule):
        ended = label.finish(label.start(artist_id))
    (slot,) = label.slots(ended.id)
    with studio().begin() as session:
        budget.refund(session, subject=f"generation:{slot.id}", amount=slot.credits)

    report = gather(studio(), artist_id)

    assert ended.state == report.cycles[0].state == "starved"
    assert report.cycles[0].reason == ended.reason
    assert "GENERATE_AUDIO_FAILED" in (report.cycles[0].slots[0].reason or "")
    assert (report.head.promise.sent, report.head.promise.ended) == (1, 1)
    assert report.head.credits == 0
    assert report.money.refunded == sum(use.credits for use in report.money.credit_uses) > 0


def test_worldwide_rows_count_only_where_a_platform_gives_no_countries(label: Label) -> None:
    artist_id, _ = label.artist(slots=1)
    label.finish(label.start(artist_id))
    with studio().begin() as session:
        (song,) = track.of_artist(session, artist_id)
        rows = [("one", "US", 10), ("one", "DE", 5), ("one", "GLOBAL", 99), ("other", "GLOBAL", 7)]
        performance.import_rows(
            session,
            [
                {
                    "track_id": song.id,
                    "platform": platform,
                    "country": country,
                    "day": date(2026, 1, 5),
                    "streams": streams,
                }
                for platform, country, streams in rows
            ],
            source="a test",
        )

    with studio().begin() as session:
        assert performance.streams_since_release(session, artist_id) == {song.id: {"one": 15, "other": 7}}
    assert gather(studio(), artist_id).head.streams == {"one": 15, "other": 7}


def test_an_artist_who_has_done_nothing_yet_has_a_page(label: Label, tmp_path: Path) -> None:
    artist_id, _ = label.artist()

    path = write_report(studio(), artist_id, tmp_path)

    assert "No cycle has been started." in path.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_two_names_with_one_slug_have_two_files(label: Label, tmp_path: Path) -> None:
    first, _ = label.artist()
    second, _ = label.artist()
    with studio().begin() as session:
        artist.get(session, second).name = artist.get(session, first).name + "!"

    paths = {write_report(studio(), artist_id, tmp_path) for artist_id in (first, second)}

    assert len(paths) == 2
