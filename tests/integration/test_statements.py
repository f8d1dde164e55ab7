"""Files about how releases did, through the command: twice is once, corrections win, the unknown is decided by hand."""

import json
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from muzikantas.models import artist, performance, review, track
from muzikantas.models.performance import PerformanceMetric
from muzikantas.models.statement import StatementEntry, revenue
from muzikantas.models.track import Track
from muzikantas.studio import studio
from tests.integration.label import Label

HEAD = (
    "Reporting Date\tSale Month\tStore\tArtist\tTitle\tISRC\tUPC\tQuantity\tTeam Percentage\tSong/Album\t"
    "Country of Sale\tSongwriter Royalties Withheld\tEarnings (USD)\n"
)


@pytest.fixture(scope="module")
def song(label: Label) -> Track:
    """A track of ours."""
    artist_id, _ = label.artist(slots=1)
    cycle_id = label.start(artist_id)
    assert label.finish(cycle_id).state == "closed"
    with studio().begin() as session:
        (made,) = track.of_artist(session, artist_id)
    return made


@pytest.fixture
def run(label: Label, tmp_path: Path, song: Track) -> Callable[..., list[dict[str, Any]]]:
    """Imports a file by the command, in a database without statements; gives what `--json` says."""
    with studio().begin() as session:
        for table in ("statement_entries", "review_lines", "review_names"):
            session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 (names of ours)
        session.execute(text("DELETE FROM performance_metrics WHERE track_id = :id"), {"id": song.id})
        session.execute(text("UPDATE tracks SET isrc = NULL WHERE id = :id"), {"id": song.id})

    def imported(content: str, *options: str, name: str = "file.tsv", code: int = 0) -> list[dict[str, Any]]:
        (tmp_path / name).write_text(content, encoding="utf-8")
        said = label.muzikantas("performance", "import", str(tmp_path / name), "--json", *options)
        assert said.returncode == code, said.stderr
        return [json.loads(line) for line in said.stdout.splitlines()]

    return imported


def line(song: Track, *, isrc: str = "", title: str | None = None, units: int = 10, usd: str = "0.04") -> str:
    with studio().begin() as session:
        name = artist.get(session, song.artist_id).name
    cells = ("2026-08-25", "2026-07", "Spotify", name, title or song.title or "", isrc, "1", str(units), "100", "Song")
    return "\t".join((*cells, "NL", "0", usd)) + "\n"


def entries(song: Track) -> list[tuple[int | None, int | None]]:
    with studio().begin() as session:
        rows = session.scalars(select(StatementEntry).where(StatementEntry.track_id == song.id))
        return sorted((row.units, row.revenue_micros) for row in rows)


def counts(said: list[dict[str, Any]]) -> tuple[int, int, int, int]:
    return tuple(said[-1][name] for name in ("rows", "new", "changed", "rejected"))


def assigned(label: Label, *arguments: object) -> subprocess.CompletedProcess[str]:
    return label.muzikantas("performance", "assign", *map(str, arguments))


def test_a_statement_twice_is_once_and_a_corrected_one_wins(run: Callable[..., Any], label: Label, song: Track) -> None:
    text_ = HEAD + line(song) + line(song, units=5, usd="-0.01")

    assert counts(run(text_)) == (2, 1, 0, 0)
    assert counts(run(text_)) == (2, 0, 0, 0)
    assert entries(song) == [(15, 30_000)]
    assert counts(run(HEAD + line(song, units=12, usd="0.05"))) == (1, 0, 1, 0)
    assert entries(song) == [(12, 50_000)]
    shown = label.muzikantas("performance", "revenue", str(song.artist_id), "--json")
    assert json.loads(shown.stdout) == {"period": "2026-07", "currency": "USD", "revenue": "0.05"}


def test_a_months_sum_is_no_day_that_learning_sees(run: Callable[..., Any], song: Track) -> None:
    with studio().begin() as session:
        before = performance.last_day(session), performance.count(session)
    run(HEAD + line(song, units=1_000_000))
    with studio().begin() as session:
        after = performance.last_day(session), performance.count(session)
        assert performance.streams_since_release(session, song.artist_id) == {}
    assert after == before


def test_what_fits_no_track_is_decided_once_for_all_files(run: Callable[..., Any], label: Label, song: Track) -> None:
    both = HEAD + line(song) + line(song, title="An older name of it", isrc="QZABC2600077", units=3, usd="0.01")

    assert counts(run(both)) == (2, 1, 0, 0)
    assert counts(run(both)) == (2, 0, 0, 0)
    listed = label.muzikantas("performance", "review", "--json")
    (open_,) = [json.loads(each) for each in listed.stdout.splitlines()]
    assert (open_["title"], open_["isrc"], open_["lines"], open_["files"]) == (
        "An older name of it",
        "QZABC2600077",
        1,
        ["file.tsv"],
    )
    said = assigned(label, open_["id"], song.id)
    assert said.returncode == 0, said.stderr
    assert entries(song) == [(13, 50_000)]
    assert label.muzikantas("performance", "review", "--json").stdout == ""
    assert counts(run(both)) == (2, 0, 0, 0)
    with studio().begin() as session:
        assert track.get(session, song.id).isrc == "QZABC2600077"
    assert counts(run(HEAD + line(song, title="Whatever", isrc="QZ-ABC-26-00077", units=1))) == (1, 0, 1, 0)


def test_what_is_not_ours_is_dropped_now_and_later(run: Callable[..., Any], label: Label, song: Track) -> None:
    foreign = HEAD + line(song, title="Of somebody else")
    run(foreign)
    with studio().begin() as session:
        (open_,) = review.waiting(session)
    assert assigned(label, open_.name.id, "--not-ours").returncode == 0
    run(foreign)
    with studio().begin() as session:
        assert review.waiting(session) == []
    assert entries(song) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((1,), "--not-ours"),
        ((1, 2, "--not-ours"), "--not-ours"),
        ((99, "--not-ours"), "no name 99"),
        ((1, 99999), "no track 99999"),
    ],
)
@pytest.mark.usefixtures("run")
def test_a_decision_that_cannot_be_is_refused(label: Label, arguments: tuple[object, ...], said: str) -> None:
    answer = assigned(label, *arguments)
    assert answer.returncode == 2
    assert said in answer.stderr


def test_days_that_waited_are_days_of_the_track(run: Callable[..., Any], label: Label, song: Track) -> None:
    run("date,streams\n2026-01-31,7\n", name="Nobody knows it-timeline.csv")
    with studio().begin() as session:
        (open_,) = review.waiting(session)
    assert assigned(label, open_.name.id, song.id).returncode == 0
    with studio().begin() as session:
        (row,) = session.scalars(select(PerformanceMetric).where(PerformanceMetric.track_id == song.id))
        assert (row.platform, row.country, row.day, row.streams) == ("spotify", "GLOBAL", date(2026, 1, 31), 7)
        assert row.source == "Nobody knows it-timeline.csv"


def test_a_wrong_line_leaves_the_file_out_or_is_skipped_as_asked(run: Callable[..., Any], song: Track) -> None:
    text_ = HEAD + line(song) + line(song).replace("2026-07", "July")

    refused = run(text_, code=2)
    assert refused[0]["rejected_lines"][0]["reason"] == "period is 'July'; expected a month such as 2026-07"
    assert entries(song) == []
    assert counts(run(text_, "--skip-bad-lines", code=1)) == (2, 1, 0, 1)


def test_an_unknown_header_is_mapped_by_options(run: Callable[..., Any], song: Track) -> None:
    text_ = f"Monat;Stück;Betrag\n07/2026;{song.title};1.234,50\n"

    (refused, _) = run(text_, code=2)
    assert "found: Monat, Stück, Betrag" in refused["error"]
    mapping = ("--map", "Monat=period", "--map", "Stück=title", "--map", "Betrag=revenue", "--currency", "eur")
    assert counts(run(text_, *mapping)) == (1, 1, 0, 0)
    with studio().begin() as session:
        assert revenue(session, song.artist_id) == [("2026-07", "EUR", 1_234_500_000)]
