"""Artists looked up by the task: what was found is a row, a refusal is a reason, a long wait is a date."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from muzikantas.clients.governor import Governor
from muzikantas.clients.spotify import SpotifyClient
from muzikantas.domain.accounts import Account, Limits
from muzikantas.models import catalogue
from muzikantas.models.catalogue import ArtistDescription
from muzikantas.studio import studio
from muzikantas.tasks import catalogue as tasks
from tests.integration.label import Label


@pytest.fixture
def name(label: Label) -> Iterator[str]:
    """An artist that nobody has asked for, at a Spotify that this process alone asks."""
    known = vars(studio()).copy()
    url = f"{label.stack.sandbox_url}/spotify"
    addresses = {"base_url": f"{url}/v1", "token_url": f"{url}/api/token"}
    client = SpotifyClient(studio().redis, f"sandbox-{uuid.uuid4().hex}", "sandbox-secret", **addresses)
    account = Account(name=uuid.uuid4().hex, limits=Limits(calls=100, window_s=30.0, concurrency=5))
    vars(studio()).update(spotify=client, spotify_governor=Governor(studio().redis, account.name, [account]))
    yield f"Artist {uuid.uuid4().hex[:10]}"
    for each in ("spotify", "spotify_governor"):
        vars(studio()).pop(each)
        vars(studio()).update({each: known[each]} if each in known else {})


def row(name: str) -> ArtistDescription:
    with studio().begin() as session:
        found = catalogue.find(session, name)
    assert found is not None
    return found


def ended(name: str) -> str:
    """Look an artist up; say how the task ended."""
    return str(tasks.describe.apply(args=(name,)).state)


def rule(name: str, **do: Any) -> dict[str, Any]:
    return {"provider": "spotify", "endpoint": "search", "match": {"query_contains": name}, "do": do}


def requests(label: Label) -> int:
    return sum(label.admin("ledger")["spotify_requests"].values())


def test_what_was_found_is_a_row_and_nobody_asks_again(label: Label, name: str) -> None:
    tasks.describe.apply(args=(name,))
    found = row(name)
    assert (found.content["name"], found.source, found.reason, found.due_at) == (name, "spotify-api", None, None)
    assert len(found.content["spotify_id"]) == 22
    before = requests(label)
    tasks.describe.apply(args=(name,))
    assert requests(label) == before
    assert row(name).looked_up_at == found.looked_up_at


def test_nobody_of_that_name_is_a_reason_and_no_guess(label: Label, name: str) -> None:
    with label.faults(rule(name, nothing=True)):
        tasks.describe.apply(args=(name,))
    assert (row(name).content, row(name).reason) == ({}, f"no artists are called {name!r} at Spotify")


def test_a_refusal_is_a_reason_and_is_tried_again_tomorrow(label: Label, name: str) -> None:
    with label.faults(rule(name, error="premium")):
        tasks.describe.apply(args=(name,))
    assert "needs Premium" in (row(name).reason or "")
    assert postponed(name)


def test_a_day_of_waiting_is_a_date_in_the_row_and_holds_no_worker(label: Label, name: str) -> None:
    with label.faults(rule(name, error="too_fast", retry_after=86_400)):
        began = time.monotonic()
        assert ended(name) == "IGNORED"
    before = requests(label)
    for _ in range(3):
        assert ended(name) == "IGNORED"
    assert time.monotonic() - began < 5
    assert requests(label) == before
    due = row(name).due_at
    assert due is not None
    assert abs(due - datetime.now(UTC) - timedelta(days=1)) < timedelta(seconds=10)
    with studio().begin() as session:
        assert name not in catalogue.due(session, most=100)
        session.execute(text("UPDATE artist_descriptions SET due_at = now() WHERE name = :name"), {"name": name})
    with studio().begin() as session:
        assert name in catalogue.due(session, most=100)
    with studio().begin() as session:
        assert name not in catalogue.due(session, most=100)


def test_an_old_description_is_forgotten(label: Label, name: str) -> None:  # noqa: ARG001 (its database must run)
    tasks.describe.apply(args=(name,))
    with studio().begin() as session:
        old = text("UPDATE artist_descriptions SET looked_up_at = now() - interval '31 days' WHERE name = :name")
        session.execute(old, {"name": name})
    with studio().begin() as session:
        assert catalogue.want(session, name).looked_up_at is None
        catalogue.record(session, name, {"genres": ["x"]})
        session.execute(old, {"name": name})
        catalogue.forget_old(session)
        assert catalogue.find(session, name) is None


def test_real_workers_wait_a_day_in_their_rows_and_send_one_request(label: Label) -> None:
    names = [f"Artist {uuid.uuid4().hex[:10]}" for _ in range(6)]
    governor = studio().spotify_governor
    before = label.admin("ledger")["spotify_requests"].get("search", 0)
    too_fast = {"provider": "spotify", "endpoint": "search", "do": {"error": "too_fast", "retry_after": 86_400}}
    try:
        with label.faults(too_fast):
            for name in names:
                tasks.describe.delay(name)
            label.wait(lambda: all(postponed(name) for name in names), "all look-ups wait in their rows")
        assert label.admin("ledger")["spotify_requests"]["search"] == before + 1
        assert governor.state().in_flight == {}
        assert studio().redis.llen("spotify") == 0
    finally:
        studio().redis.delete(f"governor:spotify:pause:{governor.accounts[0].name}")


def postponed(name: str) -> bool:
    """Tell whether an artist is to be looked up tomorrow."""
    with studio().begin() as session:
        found = catalogue.find(session, name)
    tomorrow = datetime.now(UTC) + timedelta(hours=23)
    return found is not None and found.due_at is not None and found.due_at > tomorrow
