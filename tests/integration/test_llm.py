"""The language model's part of a cycle: refusals and broken replies fall back, then the old version stays."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from muzikantas.models import artist, budget, llm
from muzikantas.studio import studio
from tests.integration.label import Label


def rule(times: int, **do: Any) -> dict[str, Any]:
    return {"provider": "openai", "endpoint": "responses", "match": {}, "times": times, "do": do}


def calls_of(cycle_id: int, purpose: str) -> list[tuple[str, str]]:
    with studio().begin() as session:
        return [(call.state, call.model) for call in llm.calls(session, cycle_id, purpose)]


@pytest.mark.parametrize("do", [{"refusal": True}, {"incomplete": True}, {"invalid_json": True}])
def test_a_useless_reply_is_asked_of_the_next_model(label: Label, do: dict[str, Any]) -> None:
    artist_id, _ = label.artist(slots=1)
    with label.faults(rule(1, **do)):
        ended = label.finish(label.start(artist_id))
    assert ended.state == "closed"
    first, second = studio().settings.openai_models
    assert calls_of(ended.id, "brief") == [(llm.FAILED, first), (llm.OK, second)]


@pytest.mark.parametrize("do", [{"status": 429, "retry_after": 1, "error_code": "rate_limit_exceeded"}, {"http": 500}])
def test_a_passing_failure_is_waited_for_and_does_not_count(label: Label, do: dict[str, Any]) -> None:
    artist_id, _ = label.artist(slots=1)
    with label.faults(rule(2, **do)):
        ended = label.finish(label.start(artist_id))
    assert ended.state == "closed"
    states = [state for state, _ in calls_of(ended.id, "brief")]
    assert states == [llm.POSTPONED, llm.POSTPONED, llm.OK]


def test_when_nothing_usable_comes_the_old_profile_stays_and_the_cycle_closes(label: Label) -> None:
    artist_id, _ = label.artist(slots=1)
    with label.faults(rule(99, refusal=True)):
        ended = label.finish(label.start(artist_id))
    assert ended.state == "closed"
    for purpose in ("brief", "evolve", "adapt"):
        assert [state for state, _ in calls_of(ended.id, purpose)] == [llm.FAILED] * 3
    with studio().begin() as session:
        assert [row.kind for row in artist.history(session, artist_id)] == ["created"]
        spent, reserved = budget.spent_by(session, artist_id, budget.USD_MICROS)
    assert spent > 0
    assert reserved == 0


def test_a_track_whose_title_no_model_wrote_is_not_released_without_one(label: Label) -> None:
    from muzikantas.models import track  # noqa: PLC0415 (only here)

    artist_id, _ = label.artist(slots=1, release_rule="content_check")
    with label.faults(rule(99, refusal=True)):
        label.finish(label.start(artist_id))
    with studio().begin() as session:
        (made,) = track.of_artist(session, artist_id)
        assert made.title is None
        assert track.releases(session, artist_id) == []
    refused = label.muzikantas("release", str(made.id))
    assert refused.returncode == 2
    assert "no title that a model wrote" in refused.stderr
    given = label.muzikantas("release", str(made.id), "--title", "Named by Hand")
    assert given.returncode == 0, given.stderr


@pytest.fixture
def _refilled(label: Label) -> Iterator[None]:  # noqa: ARG001 (its Redis must run)
    """Lets the account be asked again afterwards, which takes the governor minutes."""
    yield
    connection = studio().redis
    connection.delete(*connection.scan_iter("governor:openai:empty:*"))


@pytest.mark.usefixtures("_refilled")
def test_an_empty_quota_stops_at_once(label: Label) -> None:
    artist_id, _ = label.artist(slots=1)
    with label.faults(rule(1, status=429, error_code="insufficient_quota")):
        ended = label.finish(label.start(artist_id))
    assert ended.state == "closed"
    assert [state for state, _ in calls_of(ended.id, "brief")] == [llm.FAILED]
    assert calls_of(ended.id, "evolve") + calls_of(ended.id, "adapt") == []
    shown = json.loads(label.muzikantas("limits", "openai", "--json").stdout)
    assert shown["providers"][0]["accounts"][0]["out_of_credits"]
