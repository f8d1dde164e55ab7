"""From reported days to outcomes, claims and the page: on rows of a turned cycle, with the days written by hand."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from muzikantas.domain.features import Features, certainty
from muzikantas.models import cycle, insight, performance, track
from muzikantas.report import pages
from muzikantas.report.rows import gather
from muzikantas.studio import studio
from muzikantas.tasks import canvases
from muzikantas.tasks.learning import MOST_CERTAIN, hear, observations
from tests.integration.label import Label
from tests.integration.money import turn

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
        heard = hear(session, artist_id, days=28)
        measured = {song: Features(**track.get(session, song).features) for song in songs}
    sure = {song: certainty(features) / MOST_CERTAIN for song, features in measured.items()}
    # Both follow the same curve; the bought streams make no difference but for the doubt of filling in their days.
    assert full[old].outcome == pytest.approx(full[young].outcome, abs=0.05)
    assert 0.9 < full[old].weight / sure[old] < full[young].weight / sure[young]
    assert full[unheard].weight == full[unheard].outcome == 0.0
    assert set(full[old].by_country or {}) == set(COUNTRIES)
    (aside,) = heard.quarantine
    assert (aside["track"], aside["country"]) == (old, "DE")
    assert (aside["from"], aside["to"]) == ("2016-03-10", "2016-03-12")
    assert aside["streams"] == pytest.approx(12000 + aside["usual"], rel=0.05)


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
        hear(session, artist_id, days=28)
        next(reads, None)
    for song in songs:
        assert early[song].age_days == 7
        assert 0 < early[song].weight < late[song].weight
        assert early[song].outcome == pytest.approx(late[song].outcome, abs=0.3)
    assert len(sent) <= 3


def test_what_was_learned_is_stored_once_and_shown(released: tuple[int, list[int]]) -> None:
    artist_id, songs = released
    report(songs, dict.fromkeys(songs, 28), burst=songs[0])
    cycle_id = turn(artist_id)
    for _ in range(2):
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
